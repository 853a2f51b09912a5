"""What was taken from elsewhere is what VENDOR.md says, and nothing in it reaches out of our origin."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

from mxward.server.web import render as render_module

STATIC = Path(render_module.__file__).parent / "static"
VENDOR = STATIC / "vendor"
TEMPLATES = STATIC.parent / "templates"
SUM_LINE = re.compile(r"^    ([0-9a-f]{64})  (\S+)$", re.MULTILINE)


def test_every_file_has_the_sum_that_vendor_md_gives() -> None:
    said = {name: digest for digest, name in SUM_LINE.findall((VENDOR / "VENDOR.md").read_text())}
    found = {
        str(path.relative_to(VENDOR)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in VENDOR.rglob("*")
        if path.is_file() and path.name != "VENDOR.md"
    }
    assert said == found


def test_each_package_comes_with_its_licence() -> None:
    folders = [path for path in VENDOR.iterdir() if path.is_dir()]
    assert len(folders) == 2
    for folder in folders:
        assert (folder / "LICENSE.txt").stat().st_size > 500, folder.name


@pytest.mark.parametrize("path", sorted(STATIC.rglob("*.css")), ids=lambda path: path.name)
def test_stylesheets_load_only_files_that_are_here(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert "@font-face" not in text
    assert "@import" not in text
    assert "Frutiger" not in text
    for target in re.findall(r"url\(([^)]*)\)", text):
        assert re.fullmatch(r"images/[a-z-]+\.svg", target), target
        assert (path.parent / target).is_file(), target


@pytest.mark.parametrize("path", sorted(TEMPLATES.rglob("*.html")), ids=lambda path: path.name)
def test_templates_name_no_other_origin_and_no_inline_script(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"(?:href|src|action)=\"(?:https?:)?//", text)
    assert not re.search(r"<script(?![^>]*\bsrc=)", text)
    assert not re.search(r"\son[a-z]+\s*=", text)
    assert not re.search(r"\sstyle\s*=", text)
    assert "|safe" not in text.replace(" ", "")
