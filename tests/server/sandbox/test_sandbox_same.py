"""In the sandbox every reader finds what it finds outside: nothing that it needs is missing there.

A library that opens a file, starts a thread or loads a module when first used would tell less, or nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mxtest import carriers, corpus
from mxtest.openkit import HereOpener
from mxtest.unpackkit import USUAL
from mxward.core.extract import reply
from mxward.core.extract.formats import OPENABLE
from mxward.core.extract.opener import Opened, Opener, Request
from mxward.pyx.filetype import identify
from mxward.server.config import Sandbox
from mxward.server.sandbox.pool import SandboxPool
from mxward.server.sandbox.setup import small_pool

ALL = carriers.CARRIERS | carriers.DOCUMENTS
CONTENT = "Plain words \u00e4\u4e16\u0416.\r\n".encode() * 40


@pytest.fixture(scope="module")
def pool() -> Iterator[SandboxPool]:
    with small_pool(Sandbox()) as pool:
        yield pool


def told(opener: Opener, request: Request, data: bytes) -> list[tuple[reply.Record, bytes]]:
    with opener.session(30.0) as session:
        opened: Opened = session.open(request, data)
    assert opened.failure == ""
    return [(record, bytes(content)) for record, content in reply.read(opened.frames)]


def request_of(data: bytes, name: str) -> Request:
    return Request(identify(data), "application/octet-stream", (name,), USUAL, ("secret", "wrong", "p\u00e4ss"))


@pytest.mark.parametrize("kind", sorted(ALL))
def test_a_carrier_tells_the_same(kind: str, pool: SandboxPool) -> None:
    data = ALL[kind](CONTENT, "inside \u00e4.txt")
    request = request_of(data, f"a.{kind}")
    assert told(pool, request, data) == told(HereOpener(), request, data)


@pytest.mark.parametrize("kind", sorted(carriers.LOCKED))
def test_a_locked_one_tells_the_same(kind: str, pool: SandboxPool) -> None:
    for password in ("secret", "unknown"):
        data = carriers.LOCKED[kind](CONTENT, "inside.txt", password)
        request = request_of(data, f"a.{kind}")
        assert told(pool, request, data) == told(HereOpener(), request, data)


@pytest.mark.corpus
def test_the_corpus_tells_the_same(pool: SandboxPool) -> None:
    different = []
    for path in sorted(corpus.need("attachments").rglob("*")):
        if not path.is_file() or path.stat().st_size > 1 << 20 or path.suffix == ".md":
            continue
        data = path.read_bytes()
        if identify(data) not in OPENABLE:
            continue
        request = request_of(data, path.name)
        if told(pool, request, data) != told(HereOpener(), request, data):
            different.append(path.name)
    assert different == []
