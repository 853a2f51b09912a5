"""The generated reference pages are current."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

DOCS = Path(__file__).resolve().parents[2] / "docs"


def _generator():
    spec = importlib.util.spec_from_file_location("docs_generate", DOCS / "generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", sorted(_generator().PAGES))
def test_page_is_current(name: str) -> None:
    page = _generator().PAGES[name]()
    assert (DOCS / name).read_text(encoding="utf-8") == page, f"run: python docs/generate.py ({name} is stale)"


def test_every_section_is_documented() -> None:
    from mxward.server.config import section_names

    page = (DOCS / "configuration.md").read_text(encoding="utf-8")
    for name in section_names():
        assert f"[{name}]" in page
