"""The source files as the tests of the house rules see them."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PRODUCT = ("core", "pyx", "bindings", "server", "mxward")


def _tracked(suffixes: tuple[str, ...]) -> list[Path]:
    """Files that belong to the project: tracked, or new and not ignored; links are not followed."""
    command = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, capture_output=True, check=True).stdout.decode().split("\0")
    paths = [ROOT / name for name in names if name.endswith(suffixes)]
    return sorted(path for path in paths if path.is_file() and not path.is_symlink())


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def python_files() -> list[Path]:
    return _tracked((".py",))


@pytest.fixture(scope="session")
def cython_files() -> list[Path]:
    return _tracked((".pyx", ".pxd"))


@pytest.fixture(scope="session")
def product_files(python_files: list[Path]) -> list[Path]:
    """Python files of the product proper."""
    return [path for path in python_files if path.relative_to(ROOT).parts[0] in PRODUCT]


@pytest.fixture(scope="session")
def text_files() -> list[Path]:
    """Everything a reader may read."""
    return _tracked(
        (".py", ".pyx", ".pxd", ".pyi", ".h", ".md", ".sh", ".toml", ".in", ".html", ".css", ".yar", ".json", "run")
    )
