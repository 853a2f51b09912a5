"""Pools of sandboxed workers: with the product's readers, and with readers that do harm."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mxtest.sandboxkit import Boxed, asked
from mxward.server.log import Log
from mxward.server.sandbox.pool import SandboxPool

LIB = Path(__file__).resolve().parents[2] / "lib"


@pytest.fixture(scope="session", autouse=True)
def _library() -> Iterator[None]:
    """Templates of tests find their module."""
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = str(LIB) if before is None else f"{LIB}:{before}"
    yield
    os.environ.pop("PYTHONPATH") if before is None else os.environ.update(PYTHONPATH=before)


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[..., Boxed]]:
    """Pools that log to a file."""
    made: list[Boxed] = []

    def one(**settings: object) -> Boxed:
        fd = os.open(tmp_path / f"log{len(made)}", os.O_RDWR | os.O_CREAT | os.O_APPEND)
        idle = settings.pop("idle", 2)
        assert isinstance(idle, int)
        pool = SandboxPool(asked(**settings), idle, Log("test", fd=fd))
        made.append(Boxed(pool, tmp_path / f"log{len(made)}", fd))
        return made[-1]

    yield one
    for box in made:
        box.pool.close()
        os.close(box.fd)


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Boxed]:
    """One pool with harmful readers, for tests that leave it as it was."""
    path = tmp_path_factory.mktemp("box") / "log"
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND)
    with SandboxPool(asked(), 2, Log("test", fd=fd)) as pool:
        yield Boxed(pool, path, fd)
    os.close(fd)
