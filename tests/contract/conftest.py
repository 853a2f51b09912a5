"""One suite, every backend: `store` is a fresh store, `reopen` closes it and opens it again on the same data."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mxtest.postgres import Cluster, cluster
from mxtest.storekit import store_config
from mxward.server.store.opening import open_store
from mxward.server.store.store import SqlStore

Opener = Callable[..., SqlStore]


@pytest.fixture(scope="session")
def postgres() -> Iterator[Cluster]:
    with cluster() as running:
        yield running


@pytest.fixture(params=["sqlite", "postgresql"])
def backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def open_another(backend: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Opener]:
    """Opens stores on one set of data: each call is a process of its own as far as the store can tell."""
    url = "sqlite"
    if backend == "postgresql":
        url = request.getfixturevalue("postgres").url("contract")
    opened: list[SqlStore] = []

    def open_it(process: str = "smtp.0", **store: Any) -> SqlStore:
        opened.append(open_store(store_config(tmp_path / "data", url, **store), process))
        return opened[-1]

    yield open_it
    for store in opened:
        store.close()


@pytest.fixture
def store(open_another: Opener) -> SqlStore:
    return open_another()
