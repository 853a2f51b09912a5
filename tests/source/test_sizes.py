"""Sizes that keep the source readable: files, functions, and the median of functions."""

from __future__ import annotations

import ast
import re
import statistics
from pathlib import Path

MAX_FILE = 600
MAX_FUNCTION = 80
MAX_KERNEL_FUNCTION = 120
MAX_MEDIAN_FUNCTION = 10
_CYTHON_FUNCTION = re.compile(r"^( *)(?:cdef|cpdef|def|async def)\b[^\n=(]*?(\w+)\s*\(", re.MULTILINE)


def functions(path: Path) -> list[tuple[str, int]]:
    """(name, lines) of each function of a Python file, decorators not counted."""
    tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return [(n.name, (n.end_lineno or n.lineno) - n.lineno + 1) for n in ast.walk(tree) if isinstance(n, kinds)]


def cython_functions(text: str) -> list[tuple[str, int]]:
    """(name, lines) of each function of a Cython file: from its line to the next line indented no deeper."""
    lines = text.splitlines()
    found = []
    for match in _CYTHON_FUNCTION.finditer(text):
        start = text.count("\n", 0, match.start())
        depth = len(match[1])
        body = start + 1
        while body < len(lines) and not lines[body - 1].rstrip().endswith(":"):
            body += 1  # a signature over several lines
        end = next(
            (
                i
                for i in range(body, len(lines))
                if lines[i].strip() and len(lines[i]) - len(lines[i].lstrip()) <= depth
            ),
            len(lines),
        )
        while end > start + 1 and not lines[end - 1].strip():
            end -= 1
        found.append((match[2], end - start))
    return found


def test_no_file_is_too_long(python_files: list[Path], cython_files: list[Path], root: Path) -> None:
    lengths = {p.relative_to(root): len(p.read_bytes().splitlines()) for p in (*python_files, *cython_files)}
    generated = {p for p in lengths if "versions" in p.parts}
    too_long = {str(p): n for p, n in lengths.items() if n > MAX_FILE and p not in generated}
    assert not too_long


def test_no_function_is_too_long(python_files: list[Path], root: Path) -> None:
    too_long = [
        f"{path.relative_to(root)}: {name}: {n}"
        for path in python_files
        for name, n in functions(path)
        if n > MAX_FUNCTION
    ]
    assert not too_long


def test_no_kernel_function_is_too_long(cython_files: list[Path], root: Path) -> None:
    too_long = [
        f"{path.relative_to(root)}: {name}: {n}"
        for path in cython_files
        for name, n in cython_functions(path.read_text(encoding="utf-8"))
        if n > MAX_KERNEL_FUNCTION
    ]
    assert not too_long


def test_functions_are_short_in_the_median(product_files: list[Path]) -> None:
    lengths = [n for path in product_files for _, n in functions(path)]
    assert statistics.median(lengths) <= MAX_MEDIAN_FUNCTION


def test_cython_functions_are_measured() -> None:
    first = "cdef int first(int a,\n               int b) noexcept nogil:\n    return a\n"
    text = first + "\n\ndef second(x):\n    y = x\n    return y\n"
    assert cython_functions(text) == [("first", 3), ("second", 3)]
