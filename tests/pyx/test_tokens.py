"""pyx/tokens against a slow reading of its own description: words, features, sums on every path of the processor."""

from __future__ import annotations

import array
import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mxward.pyx import tokens
from mxward.pyx.tokens import LINES, PAIRS, WORDS, Features, feature

MASK = (1 << 64) - 1
PAIR = 0x9E3779B97F4A7C15
SIGNS = b"!$%?"
Piece = tuple[int, int, bytes]


def mix(h: int) -> int:
    for _ in range(2):
        h = (h ^ (h >> 32)) * 0xD6E8FEB86659FD93 & MASK
    return h ^ (h >> 32)


def fnv(data: bytes) -> int:
    value = 14695981039346656037
    for byte in data:
        value = (value ^ byte) * 1099511628211 & MASK
    return value


def is_word(byte: int) -> bool:
    return byte >= 0x80 or chr(byte).isalnum()


def sign_at(data: bytes, at: int) -> int:
    if data[at] == 0xC2 and at + 1 < len(data):
        return 2
    if at + 2 < len(data) and (
        (data[at] == 0xE2 and 0x80 <= data[at + 1] <= 0xAF) or (data[at] == 0xE3 and data[at + 1] == 0x80)
    ):
        return 3
    return 0


def shape(byte: int) -> int:
    return ord("0") if chr(byte).isdigit() and byte < 0x80 else byte | 0x20 if byte < 0x80 else byte


def words(data: bytes) -> list[bytes]:
    """What stands for each word, in order."""
    out: list[bytes] = []
    at = 0
    while at < len(data):
        byte = data[at]
        if byte in SIGNS:
            end = at
            while end < len(data) and data[end] == byte:
                end += 1
            out.append(data[at : min(end, at + 3)])
            at = end
        elif not is_word(byte):
            at += 1
        elif byte >= 0xC2 and sign_at(data, at):
            at += sign_at(data, at)
        elif byte >= 0xF0:
            out.append(data[at : at + 4])
            at += 4
        else:
            at = one_word(data, at, out)
    return out


def one_word(data: bytes, start: int, out: list[bytes]) -> int:
    at, made = start, bytearray()
    while at < len(data) and is_word(data[at]):
        if data[at] >= 0xF0 or (data[at] >= 0xC2 and sign_at(data, at)):
            break
        made.append(shape(data[at]))
        at += 1
        if at + 1 < len(data) and data[at] == ord("'") and is_word(data[at + 1]):
            at += 1
    size = at - start
    if 0xE3 <= data[start] <= 0xED and size >= 6:
        out += [data[i : i + 6] for i in range(start, at - 5, 3)]
    elif size > (48 if any(b >= 0x80 for b in made) else 24):
        out.append(bytes([1, size.bit_length() - 1, ord("0") in made]))
    else:
        out.append(bytes(made))
    return at


def oracle(pieces: list[Piece], bits: int, limit: int) -> list[list[int]]:
    seen: set[int] = set()
    found: list[list[int]] = [[] for _ in range(tokens.N_SEGMENTS)]
    for segment, mode, data in pieces:
        salt, last = mix((segment + 1) * PAIR & MASK), 0
        names = [line for line in data.split(b"\n") if line] if mode == LINES else words(data)
        for name in names:
            value = fnv(name)
            hashes = [value] + ([(last * PAIR + value) & MASK] if mode == PAIRS and last else [])
            last = value
            for one in hashes:
                number = mix(one ^ salt) >> (64 - bits)
                if number not in seen and len(found[segment]) < limit:
                    seen.add(number)
                    found[segment].append(number)
    return found


TEXT = st.one_of(
    st.binary(max_size=120),
    st.text(max_size=80).map(lambda t: t.encode("utf-8", "replace")),
    st.text(alphabet="aZ09 '!?$%.-\n\u4e2d\u6587\u0436\u2014\u00a3\U0001f600x", max_size=120).map(str.encode),
)
PIECES = st.lists(st.tuples(st.integers(0, 7), st.sampled_from((LINES, WORDS, PAIRS)), TEXT), max_size=6).map(
    lambda pieces: sorted(pieces, key=lambda piece: piece[0])
)


@given(PIECES, st.sampled_from((10, 14, 18)), st.sampled_from((1, 5, 4096)))
def test_features_are_what_the_slow_reading_finds(pieces: list[Piece], bits: int, limit: int) -> None:
    made = Features(pieces, bits, limit)
    wanted = oracle(pieces, bits, limit)
    assert made.indices == wanted
    assert made.counts == tuple(map(len, wanted))
    assert len(made) == sum(made.counts)


TABLE = bytes(random.Random(7).randbytes((2 << 18) + 2))


@given(PIECES, st.integers(0, 2))
def test_every_path_sums_what_the_slow_sum_does(pieces: list[Piece], level: int) -> None:
    made = Features(pieces, 18)
    signed = memoryview(TABLE).cast("b")
    wanted = [(sum(signed[2 * i] for i in part), sum(signed[2 * i + 1] for i in part)) for part in made.indices]
    assert made.dot(TABLE, level) == made.dot(TABLE) == wanted
    assert made.margins(TABLE, GAINS, DAMPS, level) == slow_margins(made, wanted)


GAINS, DAMPS = (0.5, 0.6, 0.4, 2.4, 0.8, 0.6, 0.2, 3.0), (8.0, 4.0, 4.0, 15.0, 10.0, 10.0, 20.0, 1.0)


def slow_margins(made: Features, sums: list[tuple[int, int]]) -> tuple[float, float]:
    totals = [0.0, 0.0]
    for gain, damp, n, both in zip(GAINS, DAMPS, made.counts, sums, strict=True):
        for column in (0, 1):
            totals[column] += gain / math.sqrt(n + damp) * both[column]
    return totals[0], totals[1]


@given(PIECES, st.integers(1, 64))
def test_the_strongest_come_first(pieces: list[Piece], n: int) -> None:
    made, signed = Features(pieces, 18), memoryview(TABLE).cast("b")
    flat = [(s, i) for s, part in enumerate(made.indices) for i in part]
    worth = [(-GAINS[s] * signed[2 * i], k, i) for k, (s, i) in enumerate(flat) if signed[2 * i] > 0]
    assert made.strongest(TABLE, GAINS, n) == [i for _, _, i in sorted(worth)[:n]]


def test_long_sums_agree_on_every_path() -> None:
    dice = random.Random(3)
    text = " ".join("".join(dice.choices("abcdefgh", k=6)) for _ in range(5000)).encode()
    made = Features([(3, PAIRS, text)], 18, 65536)
    assert made.counts[3] > 9000
    for extreme in (b"\x7f", b"\x80"):
        table = extreme * ((2 << 18) + 2)
        sums = {tuple(made.dot(table, level)[3]) for level in (0, 1, 2)}
        value = memoryview(extreme).cast("b")[0]
        assert sums == {(value * made.counts[3],) * 2}


def test_words_and_their_likenesses() -> None:
    def same(one: str, other: str) -> bool:
        return Features([(0, PAIRS, one.encode())]).indices == Features([(0, PAIRS, other.encode())]).indices

    assert same("Don't pay 1234", "dont PAY 9876")
    assert same("wow!!!", "wow!!!!!!!!")
    assert same("a \u2014 b", "a b")
    assert same("x" * 30, "y" * 31)
    assert not same("wow!", "wow!!")
    assert not same("pay now", "now pay")
    assert sorted(Features([(0, WORDS, b"pay now")]).indices[0]) == sorted(
        Features([(0, WORDS, b"now pay")]).indices[0]
    )


def test_a_word_in_two_segments_is_two_features() -> None:
    assert feature(1, b"free") != feature(3, b"free")
    assert feature(3, b"click here") == Features([(3, PAIRS, b"click here")]).indices[3][-1]
    assert feature(3, b"...") == -1


@given(TEXT, st.lists(st.integers(-(1 << 30), 1 << 30), min_size=8, max_size=8))
def test_what_was_added_can_be_taken_away(text: bytes, deltas: list[int]) -> None:
    made = Features([(0, LINES, b"one\ntwo"), (3, PAIRS, text)], 10)
    sums = bytearray(4 << 10)
    made.add(sums, deltas)
    added = array.array("i", sums)
    assert all(added[i] == deltas[s] for s, part in enumerate(made.indices) for i in part)
    made.add(sums, [-delta for delta in deltas])
    assert not any(sums)


def test_sums_stop_at_their_bound_and_spared_features_stay() -> None:
    made = Features([(0, LINES, b"one\ntwo")], 10)
    first, second = made.indices[0]
    sums, spared = bytearray(4 << 10), bytearray(1 << 10)
    spared[second] = 1
    for _ in range(3):
        made.add(sums, [1 << 30] * 8, spared)
    values = array.array("i", sums)
    assert (values[first], values[second]) == (1 << 30, 0)


def test_what_is_wrong_is_refused() -> None:
    made = Features([(0, LINES, b"x")], 10)
    for wrong in ([(1, 0, b""), (0, 0, b"")], [(8, 0, b"")], [(0, 3, b"")]):
        with pytest.raises(ValueError, match="in order"):
            Features(wrong)
    for bits, limit in ((9, 1), (23, 1), (18, 0), (18, 65537)):
        with pytest.raises(ValueError, match="bits are"):
            Features([], bits, limit)
    with pytest.raises(TypeError):
        Features([(0, 0, "text")])  # type: ignore[list-item]  # that it is refused is the point
    with pytest.raises(ValueError, match="has 2050 bytes"):
        made.dot(bytes(2 << 10))
    for size, n in ((3, 1), (2050, 0), (2050, 65)):
        with pytest.raises(ValueError, match="too short, or more"):
            made.strongest(bytes(size), GAINS, n)
    with pytest.raises(ValueError, match="have 4096"):
        made.add(bytearray(10), [0] * 8)
    with pytest.raises(ValueError, match="at most"):
        made.add(bytearray(4096), [1 << 31] * 8)
    with pytest.raises(ValueError, match="is spared"):
        made.add(bytearray(4096), [0] * 8, bytes(3))
    with pytest.raises(ValueError, match="made once"):
        made.__init__([], 10)  # type: ignore[misc]  # that it is refused is the point


def test_one_megabyte_of_one_word_is_one_feature() -> None:
    assert Features([(3, PAIRS, b"word " * 200_000)]).counts[3] == 2
