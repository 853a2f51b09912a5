"""Constructs that a product under attack does not use, and names that do not belong in its source."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

FORBIDDEN_CALLS = {
    "eval", "exec", "compile", "__import__", "os.system", "os.popen", "os.execl", "os.execlp", "os.spawnl",
    "subprocess.getoutput", "subprocess.getstatusoutput", "yaml.load", "yaml.unsafe_load", "marshal.loads",
    "marshal.load", "tempfile.mktemp",
}  # fmt: skip
FORBIDDEN_METHODS = {"extractall", "extract"}  # of zip and tar files: paths from outside
FORBIDDEN_MODULES = {"pickle", "cPickle", "_pickle", "shelve", "dill", "cloudpickle", "marshal", "smtplib", "telnetlib"}
# Names of places and tools that have nothing to do with the product. Written apart so that this file is clean itself.
FOREIGN = re.compile(
    "|".join(
        (r"/wo" + r"rk/", r"clau" + "de", r"anthro" + "pic", r"\bsub" + r"agent", r"\bL" + r"LM\b", r"chat" + "gpt")
    ),
    re.IGNORECASE,
)
_UNFINISHED = re.compile(r"\b(?:TO" + r"DO|FIX" + r"ME|X" + r"XX)\b")
_UNEXPLAINED = re.compile(r"#\s*(?:type:\s*ignore|noqa)(?:\[[\w\-, ]+\]|:\s*[A-Z]+\d+(?:,\s*[A-Z]+\d+)*)?\s*$")


def dotted(node: ast.expr) -> str:
    """`a.b.c` of a name or attribute chain, "" for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        base = dotted(node.value)
        return f"{base}.{node.attr}" if base else ""
    return ""


def offences(text: str) -> Iterator[str]:
    """Forbidden constructs of a Python source, in words."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call):
            name = dotted(node.func)
            if name in FORBIDDEN_CALLS:
                yield f"line {node.lineno}: {name}()"
            if isinstance(node.func, ast.Attribute) and node.func.attr in FORBIDDEN_METHODS and _is_container(node):
                yield f"line {node.lineno}: .{node.func.attr}()"
            if any(k.arg == "shell" and not _is_false(k.value) for k in node.keywords):
                yield f"line {node.lineno}: shell="
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.partition(".")[0] in FORBIDDEN_MODULES:
                    yield f"line {node.lineno}: import {alias.name}"
        elif isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] in FORBIDDEN_MODULES:
            yield f"line {node.lineno}: from {node.module} import"


def _is_container(node: ast.Call) -> bool:
    """extractall of anything; `extract` only of what is named like an opened zip or tar file."""
    assert isinstance(node.func, ast.Attribute)
    if node.func.attr == "extractall":
        return True
    return bool(re.search(r"zip|tar", dotted(node.func.value), re.IGNORECASE))


def _is_false(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is False


def test_product_has_no_forbidden_construct(product_files: list[Path], root: Path) -> None:
    found = {str(path.relative_to(root)): list(offences(path.read_text(encoding="utf-8"))) for path in product_files}
    assert not {path: items for path, items in found.items() if items}


def test_the_search_sees_what_it_looks_for() -> None:
    samples = (
        "eval('1')", "import pickle", "from marshal import loads", "import os\nos.system('x')",
        "import subprocess\nsubprocess.run('x', shell=True)", "import yaml\nyaml.load(x)", "archive.extractall()",
        "zip_file.extract(m)",
    )  # fmt: skip
    for sample in samples:
        assert list(offences(sample)), sample
    assert not list(offences("subprocess.run(['x'], shell=False)\nyaml.safe_load(x)\nstage.extract(message)"))


def test_no_cython_file_calls_the_interpreter(cython_files: list[Path], root: Path) -> None:
    pattern = re.compile(r"\b(?:eval|exec|system|popen|pickle)\s*\(")
    found = [str(p.relative_to(root)) for p in cython_files if pattern.search(p.read_text(encoding="utf-8"))]
    assert not found


def test_source_speaks_only_of_the_product(text_files: list[Path], root: Path) -> None:
    found = {}
    for path in text_files:
        match = FOREIGN.search(path.read_text(encoding="utf-8", errors="replace"))
        if match:
            found[str(path.relative_to(root))] = match[0]
    assert not found


def test_nothing_is_left_unfinished(text_files: list[Path], root: Path) -> None:
    found = [
        str(path.relative_to(root))
        for path in text_files
        if path.suffix in (".py", ".pyx", ".pxd", ".h", ".sh") and _UNFINISHED.search(path.read_text(encoding="utf-8"))
    ]
    assert not found


def test_every_exception_from_a_check_has_its_reason(python_files: list[Path], root: Path) -> None:
    found = [
        f"{path.relative_to(root)}:{number}"
        for path in python_files
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if _UNEXPLAINED.search(line)
    ]
    assert not found
