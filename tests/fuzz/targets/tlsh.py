"""TLSH: any content has a digest or none, at no distance from itself, and the search agrees with comparing."""

from __future__ import annotations

from mxward.pyx import tlsh

SEEDS = [bytes(range(256)) * 2, b"the quick brown fox jumps over the lazy dog 0123456789 " * 9]
WORDS = [b"\0" * 64, bytes(range(128)), b"abc" * 30]


def run(data: bytes) -> None:
    digest = tlsh.digest(data)
    assert len(digest) in (0, tlsh.SIZE)
    listed = data[: len(data) // tlsh.SIZE * tlsh.SIZE]
    wanted = digest or data.ljust(tlsh.SIZE, b"\x55")[: tlsh.SIZE]
    limit = len(data) % 400
    distances = [tlsh.distance(wanted, listed[i : i + tlsh.SIZE]) for i in range(0, len(listed), tlsh.SIZE)]
    nearest = min(distances, default=limit + 1)
    for level in (0, 1):
        assert tlsh.Nearest([listed], level).find(wanted, limit) == ([(0, nearest)] if nearest <= limit else [])
