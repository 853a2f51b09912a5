"""A site of its own for each test: real store, real passwords, clocks that move only when told to."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from mxtest.console import Factory, Site, open_site, seed


@pytest.fixture
def make_site(tmp_path: Path) -> Iterator[Factory]:
    """Make sites with chosen settings of the console; all are closed afterwards."""
    made: list[Site] = []

    def make(**web: object) -> Site:
        site = open_site(tmp_path / f"site{len(made)}", **web)
        made.append(site)
        return site

    yield make
    for site in made:
        site.store.close()


@pytest.fixture
def site(make_site: Factory) -> Site:
    """A site with the four known messages."""
    made = make_site()
    seed(made)
    return made


@pytest.fixture
async def client(site: Site) -> AsyncIterator[httpx.AsyncClient]:
    """Nobody signed in."""
    async with site.client() as client:
        yield client


@pytest.fixture
async def admin(site: Site) -> AsyncIterator[httpx.AsyncClient]:
    """Signed in as the administrator."""
    async with site.client() as client:
        site.enter(client)
        yield client
