"""pyx/tlsh against digests of the first program of that name, and its search against plain comparison."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mxward.pyx import tlsh


def content(size: int, n_different: int, seed: int) -> bytes:
    """The same bytes on every machine."""
    out = bytearray()
    for _ in range(size):
        seed = (seed * 1103515245 + 12345) & 0x7FFFFFFF
        out.append((seed >> 16) % n_different)
    return bytes(out)


VECTORS = [
    (256, 256, 1, "T13AD09766632DD9030700AB7831BA38084A0C02B3E8AC763A26701691C6A03E789B902F"),
    (257, 250, 2, "T14FD0953BCD5C0DB137F68D524651145305DAD306DB47F1329717ACE935995B445C04B1"),
    (656, 90, 3, "T15EF0832E0C0E2A7B378126510469A706428067897A0F5028362F43BD6D341F109B0061"),
    (657, 90, 4, "T16E01C80CB4C305B2C495ED75D72746417E3D66222A7B74F113428D9CE095C217D16995"),
    (1000, 20, 5, "T12111A520A3B853285340705A4F76DCA2D209EA2284D24DDD1DA4B66E4679F0407CE6C3"),
    (3199, 256, 6, "T11B616D7134B66360C213772D4B8B69CD52AC9AD53792DC4BCA1F4B4DFA304AD445A146"),
    (3200, 40, 7, "T19E615C331C5B6434BA51CD993762C5AC844EC6093969F6B8F8CF228500E0BA2BB42476"),
    (10907, 7, 8, "T1F722231BB92E7618A46E33D348661A4FE6A4F04432330A4F5D0A37D0E4133ADAF7635E"),
    (10908, 256, 9, "T19832C0082C597AACFCA0555B135101DC42FB378DEAD02A2DDD24F2D5561FA5E934DCE8"),
    (60000, 100, 10, "T169430270BFABD47CC8A76464915DE14B8E27DF0906F387069A41B91BC1DEB3422C59E2"),
    (278670, 256, 11, "T1A24423B1D6D54B32BCC887AB305FA099ED8862D762CEEC4DED9DD5DC811102892D1F36"),
    (278671, 33, 12, "T1205402BFB1EA792A2D8BF0E78B0080B7C91BE562578351346ACC2F4D981DD6CCD54762"),
    (300, 4, 13, "T134E02602976B3592B9B50D1510BA0B2BD105FE142B27CB97A918797B426F1C31B91254"),
    (4000, 2, 14, ""),
    (255, 256, 15, ""),
]  # fmt: skip


@pytest.mark.parametrize(("size", "n_different", "seed", "expected"), VECTORS)
def test_digests_are_the_known_ones(size: int, n_different: int, seed: int, expected: str) -> None:
    found = tlsh.digest(content(size, n_different, seed))
    assert (f"T1{found.hex().upper()}" if found else "") == expected


def test_distances_are_the_known_ones() -> None:
    first = content(3000, 256, 1)
    texts = [first, content(3000, 256, 2), content(2600, 256, 1), content(9000, 256, 3)]
    texts.append(first[:100] + b"x" * 40 + first[140:])
    digests = list(map(tlsh.digest, texts))
    known = [[0, 216, 83, 464, 19], [216, 0, 218, 447, 200], [83, 218, 0, 499, 59], [464, 447, 499, 0, 479],
             [19, 200, 59, 479, 0]]  # fmt: skip
    assert [[tlsh.distance(a, b) for b in digests] for a in digests] == known


def test_what_has_no_digest() -> None:
    assert tlsh.digest(b"") == b""
    assert tlsh.digest(bytes(100_000)) == b""
    assert tlsh.digest(memoryview(b"ab" * 5000)) == b""


def plain_distance(a: bytes, b: bytes) -> int:
    """The definition, bucket by bucket."""

    def ring(x: int, y: int, n: int) -> int:
        return min((x - y) % n, (y - x) % n)

    length = ring(a[1] >> 4 | (a[1] & 15) << 4, b[1] >> 4 | (b[1] & 15) << 4, 256)
    total = length if length <= 1 else 12 * length
    for q in (ring(a[2] >> 4, b[2] >> 4, 16), ring(a[2] & 15, b[2] & 15, 16)):
        total += q if q <= 1 else 12 * (q - 1)
    total += a[0] != b[0]
    for x, y in zip(a[3:], b[3:], strict=True):
        for shift in (0, 2, 4, 6):
            total += (0, 1, 2, 6)[abs((x >> shift & 3) - (y >> shift & 3))]
    return total


DIGESTS = st.binary(min_size=tlsh.SIZE, max_size=tlsh.SIZE)


@given(DIGESTS, DIGESTS)
def test_distance_is_its_definition(a: bytes, b: bytes) -> None:
    assert tlsh.distance(a, b) == tlsh.distance(b, a) == plain_distance(a, b) < tlsh.FAR
    assert tlsh.distance(a, a) == 0


@given(st.integers(0, 2**32), st.integers(0, 700), st.integers(0, 4))
def test_search_finds_the_nearest_of_each_list(seed: int, limit: int, n_lists: int) -> None:
    dice = random.Random(seed)
    base = dice.randbytes(tlsh.SIZE)

    def near() -> bytes:
        changed = bytearray(base)
        for _ in range(dice.randrange(6)):
            changed[dice.randrange(tlsh.SIZE)] ^= 1 << dice.randrange(8)
        return bytes(changed)

    lists = [[near() for _ in range(dice.randrange(20))] for _ in range(n_lists)]
    expected = []
    for number, digests in enumerate(lists):
        best = min((tlsh.distance(base, digest) for digest in digests), default=limit + 1)
        if best <= limit:
            expected.append((number, best))
    for level in (0, 1):
        nearest = tlsh.Nearest([b"".join(digests) for digests in lists], level)
        assert nearest.n == sum(map(len, lists))
        assert nearest.find(base, limit) == expected


def test_a_change_stays_near_and_other_content_far() -> None:
    dice = random.Random(7)
    text = b" ".join(dice.choice((b"invoice", b"amount", b"of", b"the", b"total", b"%d" % n)) for n in range(3000))
    changed = text.replace(b" 1500 ", b" please pay at once ")
    assert tlsh.distance(tlsh.digest(text), tlsh.digest(changed)) < 30
    assert tlsh.distance(tlsh.digest(text), tlsh.digest(dice.randbytes(len(text)))) > 150


def test_wrong_sizes_are_refused() -> None:
    with pytest.raises(ValueError, match="35 bytes"):
        tlsh.distance(b"", bytes(35))
    with pytest.raises(ValueError, match="35 bytes"):
        tlsh.Nearest([bytes(34)])
    nearest = tlsh.Nearest([])
    with pytest.raises(ValueError, match="35 bytes"):
        nearest.find(b"", 10)
    with pytest.raises(ValueError, match="once"):
        nearest.__init__([])  # type: ignore[misc]  # called a second time on purpose
