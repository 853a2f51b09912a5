"""server -> core -> bindings -> pyx for Cython files, which import-linter does not see."""

from __future__ import annotations

import re
from pathlib import Path

LAYERS = ("pyx", "bindings", "core", "server")  # a layer may import itself and those before it
_IMPORT = re.compile(r"^\s*(?:from\s+mxward\.(\w+)[\w.]*\s+c?import|c?import\s+mxward\.(\w+))", re.MULTILINE)


def upward_imports(text: str, layer: str) -> list[str]:
    """Layers above `layer` that the text of a Cython file imports or cimports."""
    allowed = LAYERS[: LAYERS.index(layer) + 1]
    named = [a or b for a, b in _IMPORT.findall(text)]
    return [name for name in named if name in LAYERS and name not in allowed]


def test_cython_files_import_downward_only(cython_files: list[Path], root: Path) -> None:
    wrong = {
        str(path.relative_to(root)): found
        for path in cython_files
        if (found := upward_imports(path.read_text(encoding="utf-8"), path.relative_to(root).parts[0]))
    }
    assert not wrong


def test_an_upward_import_is_seen() -> None:
    assert upward_imports("from mxward.core.limits cimport MAX\n", "pyx") == ["core"]
    assert upward_imports("    import mxward.server.log\n", "bindings") == ["server"]
    assert upward_imports("from mxward.pyx.mime cimport Table\n", "bindings") == []


def test_kernels_live_where_setup_looks(cython_files: list[Path], root: Path) -> None:
    assert {path.relative_to(root).parts[0] for path in cython_files} <= {"pyx", "bindings"}
