"""Opening containers in one process (mxward.core.unpack): CPU of common files of about 1 MB, and of bombs."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import random
import tarfile
import zipfile
from collections.abc import Callable
from typing import Any

import pytest

run = pytest.importorskip("mxward.core.unpack.run", reason="this tree opens no attachments", exc_type=ImportError)
opener = pytest.importorskip("mxward.core.extract.opener", exc_type=ImportError)
filetype = pytest.importorskip("mxward.pyx.filetype", exc_type=ImportError)

_CHANCE = random.Random(5)
WORDS = [_CHANCE.randbytes(_CHANCE.randrange(2, 9)).hex().encode() for _ in range(4000)]
BUDGET = opener.Budget(100 << 20, 5000, 16, 5.0)


def text(size: int) -> bytes:
    """Text that deflate makes about three times smaller."""
    return b" ".join(_CHANCE.choice(WORDS) for _ in range(size // 10))[:size]


def zipped(members: list[bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as container:
        for number, data in enumerate(members):
            container.writestr(f"folder/file{number}.txt", data)
    return out.getvalue()


def tarred(members: list[bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as container:
        for number, data in enumerate(members):
            info = tarfile.TarInfo(f"folder/file{number}.txt")
            info.size = len(data)
            container.addfile(info, io.BytesIO(data))
    return out.getvalue()


MEMBERS = [text(150_000) for _ in range(20)]
FILES: dict[str, Callable[[], bytes]] = {
    "zip": lambda: zipped(MEMBERS),
    "tar.gz": lambda: gzip.compress(tarred(MEMBERS[:15]), 6, mtime=0),
    "tar.bz2": lambda: bz2.compress(tarred(MEMBERS[:4])),
    "tar.xz": lambda: lzma.compress(tarred(MEMBERS[:4])),
    "zip of 2,000 small files": lambda: zipped([b"x" * 100] * 2000),
    "zip bomb": lambda: zipped([bytes(10 << 20)] * 10),
}


def opened(data: bytes) -> int:
    """Bytes of the answer."""
    size = 0

    def write(piece: bytes) -> None:
        nonlocal size
        size += len(piece)

    run.unpack(opener.Request(filetype.identify(data), "", (), BUDGET), data, write)
    return size


@pytest.mark.parametrize("kind", FILES)
def test_open(kind: str, benchmark: Any) -> None:
    data = FILES[kind]()
    assert benchmark(opened, data) > 1000


def test_the_decoder_alone(benchmark: Any) -> None:
    """The same zip by the standard library, content only: the difference is what naming, judging and telling cost."""
    data = zipped(MEMBERS)

    def alone() -> int:
        with zipfile.ZipFile(io.BytesIO(data)) as container:
            return sum(len(container.read(name)) for name in container.namelist())

    assert benchmark(alone) > 1000


def test_growth_members(growth: Any) -> None:
    growth(lambda k: zipped(MEMBERS[:4] * k), opened)
