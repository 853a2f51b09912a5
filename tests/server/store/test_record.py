"""Sealed records: every torn or flipped one is noticed, and a record opens only as itself."""

from __future__ import annotations

import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mxward.core.errors import StoreCorrupt
from mxward.server.store.crypto import OVERHEAD, Sealer, check
from mxward.server.store.keys import KeyRing

NAME, OTHER = "A" * 16, "B" * 16


@pytest.fixture(scope="module")
def sealer(tmp_path_factory: pytest.TempPathFactory) -> Sealer:
    return Sealer(KeyRing(tmp_path_factory.mktemp("keys")), 1)


def seal(sealer: Sealer, raw: bytes, name: str = NAME) -> bytes:
    return b"".join(sealer.seal(name, raw).pieces)


@given(raw=st.binary(max_size=5000))
def test_round_trip(sealer: Sealer, raw: bytes) -> None:
    record = seal(sealer, raw)
    assert sealer.open(record, NAME) == raw
    assert sealer.seal(NAME, raw).length == len(record) >= OVERHEAD


def test_every_prefix_is_torn(sealer: Sealer) -> None:
    record = seal(sealer, b"text " * 40)
    for size in range(len(record)):
        with pytest.raises(StoreCorrupt):
            sealer.open(record[:size], NAME)


def test_every_flipped_bit_is_noticed(sealer: Sealer) -> None:
    record = seal(sealer, b"text " * 10)
    for at in range(len(record)):
        damaged = bytearray(record)
        damaged[at] ^= 1 << at % 8
        with pytest.raises(StoreCorrupt):
            sealer.open(bytes(damaged), NAME)


def test_a_forger_who_mends_the_checksum_fails_too(sealer: Sealer) -> None:
    record = bytearray(seal(sealer, b"pay 10 pounds" * 10))
    record[-12] ^= 1  # inside the ciphertext's tag
    record[-8:-4] = zlib.crc32(record[:-8]).to_bytes(4, "little")
    check(bytes(record), NAME)
    with pytest.raises(StoreCorrupt, match="authentication"):
        sealer.open(bytes(record), NAME)


def test_records_do_not_open_under_another_name(sealer: Sealer) -> None:
    with pytest.raises(StoreCorrupt, match="belongs to"):
        sealer.open(seal(sealer, b"x"), OTHER)


def test_a_record_shows_nothing_of_the_message(sealer: Sealer) -> None:
    record = seal(sealer, b"confidential " * 100)
    assert b"confidential" not in record
    assert record != seal(sealer, b"confidential " * 100)


def test_equal_messages_have_equal_digests_only_under_one_key(sealer: Sealer, tmp_path: Path) -> None:
    other = Sealer(KeyRing(tmp_path), 1)
    assert sealer.seal(NAME, b"same").digest == sealer.seal(OTHER, b"same").digest
    assert sealer.seal(NAME, b"same").digest != other.seal(NAME, b"same").digest


def test_rewrap_changes_the_wrapping_only(sealer: Sealer, tmp_path: Path) -> None:
    keys = KeyRing(tmp_path)
    mine = Sealer(keys, 1)
    record = seal(mine, b"text" * 100)
    keys.rotate()
    again = b"".join(mine.rewrap(record, NAME).pieces)
    assert not mine.is_current(record) and mine.is_current(again)
    assert mine.open(again, NAME) == mine.open(record, NAME) == b"text" * 100
    assert len(again) == len(record)


def test_an_unknown_key_is_told(sealer: Sealer, tmp_path: Path) -> None:
    with pytest.raises(StoreCorrupt, match="no master key"):
        Sealer(KeyRing(tmp_path), 1).open(seal(sealer, b"x"), NAME)
