"""Every module says its subject, every public function its types, every stub what its extension really has."""

from __future__ import annotations

import ast
import importlib
import inspect
import sys
from pathlib import Path

import pytest

ALLOWED_EXTRA = {"annotations"}  # names an extension may have that are not its interface


def stubs() -> list[Path]:
    root = Path(__file__).resolve().parents[2]
    return sorted((*root.glob("pyx/*.pyi"), *root.glob("bindings/*.pyi")))


def test_every_module_has_a_docstring(product_files: list[Path], root: Path) -> None:
    silent = [
        str(path.relative_to(root))
        for path in product_files
        if "versions" not in path.parts and not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert not silent


def test_every_kernel_has_a_docstring_and_a_stub(cython_files: list[Path], root: Path) -> None:
    for path in cython_files:
        if path.suffix == ".pyx":
            lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line and line[0] != "#"]
            assert lines[0].startswith(('"""', 'r"""')), f"{path.relative_to(root)} opens without its subject"
            assert path.with_suffix(".pyi").exists(), f"{path.relative_to(root)} has no stub"


def test_public_functions_are_annotated(product_files: list[Path], root: Path) -> None:
    bare = []
    for path in product_files:
        if "versions" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) or node.name.startswith("_"):
                continue
            arguments = (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)
            missing = [a.arg for a in arguments if a.annotation is None and a.arg not in ("self", "cls")]
            if missing or node.returns is None:
                bare.append(f"{path.relative_to(root)}:{node.lineno}: {node.name}")
    assert not bare


def stub_names(stub: Path) -> dict[str, ast.stmt]:
    """Public names that a stub declares."""
    names: dict[str, ast.stmt] = {}
    for node in ast.parse(stub.read_text(encoding="utf-8")).body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            names[node.name] = node
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names[node.target.id] = node
        elif isinstance(node, ast.Assign):
            names.update({t.id: node for t in node.targets if isinstance(t, ast.Name)})
    return {name: node for name, node in names.items() if not name.startswith("_")}


def public_names(module: object) -> set[str]:
    """Public names that an extension defines itself (not what it imported)."""
    found = set()
    for name, value in vars(module).items():
        if name.startswith("_") or inspect.ismodule(value) or name in ALLOWED_EXTRA:
            continue
        origin = getattr(value, "__module__", None)
        if origin in (None, getattr(module, "__name__", "")) or not callable(value):
            found.add(name)
    return found


@pytest.mark.parametrize("stub", stubs(), ids=lambda p: p.stem)
def test_stub_matches_extension(stub: Path) -> None:
    module = importlib.import_module(f"mxward.{stub.parent.name}.{stub.stem}")
    assert Path(module.__file__ or "").suffix == ".so", f"{module.__name__} is not built"
    declared = stub_names(stub)
    assert set(declared) <= set(dir(module)), "declared and absent"
    assert public_names(module) <= set(declared), "present and undeclared"
    for name, node in declared.items():
        if isinstance(node, ast.ClassDef):
            members = {n.name for n in node.body if isinstance(n, ast.FunctionDef)}
            absent = members - set(dir(getattr(module, name)))
            assert not absent, f"{name} lacks {absent}"
            exposed = {m for m in vars(getattr(module, name)) if not m.startswith("_")}
            fields = {n.target.id for n in node.body if isinstance(n, ast.AnnAssign) and isinstance(n.target, ast.Name)}
            assert exposed <= members | fields | {"count", "index"}, f"{name} has undeclared {exposed - members}"


def test_stub_parameters_match(cython_files: list[Path]) -> None:
    checked = 0
    for stub in stubs():
        module = importlib.import_module(f"mxward.{stub.parent.name}.{stub.stem}")
        for name, node in stub_names(stub).items():
            if isinstance(node, ast.FunctionDef):
                try:
                    signature = inspect.signature(getattr(module, name))
                except ValueError:
                    continue
                declared = [a.arg for a in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]
                assert list(signature.parameters) == declared, f"{module.__name__}.{name}"
                checked += 1
    assert checked or not cython_files


def test_guards_refuse_the_wrong_name(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`import core` from the checkout must fail: only mxward.* is importable."""
    monkeypatch.syspath_prepend(str(root))
    for name in ("core", "pyx", "bindings", "server"):
        sys.modules.pop(name, None)
        with pytest.raises(ImportError, match=f"mxward.{name}"):
            importlib.import_module(name)
