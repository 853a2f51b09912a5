"""Dot-stuffing kernel: against a slow oracle, against a receiver's un-stuffing, and over the end-of-data grid."""

from __future__ import annotations

import itertools
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mxward.pyx import dotstuff

SPICY = st.lists(
    st.sampled_from([b"\r\n", b"\r", b"\n", b".", b"..", b"\0", b"a", b"text " * 5, b"\r\n.\r\n", b"\xff", b"x" * 31])
).map(b"".join)


def oracle(data: bytes) -> bytes:
    """The definition, by regular expressions."""
    if not data:
        return b""
    text = re.sub(rb"\r\n|\r|\n", b"\r\n", data).replace(b"\0", b" ")
    if not text.endswith(b"\r\n"):
        text += b"\r\n"
    return re.sub(rb"(?:\A|(?<=\n))\.", b"..", text)


def unstuff(wire: bytes) -> tuple[bytes, bytes]:
    """What a strict receiver takes as the message, and what is left over after CRLF.CRLF."""
    body, _, rest = (b"\r\n" + wire).partition(b"\r\n.\r\n")
    lines = (body[2:] + b"\r\n" if body else b"").split(b"\r\n")
    return b"\r\n".join(line[1:] if line.startswith(b".") else line for line in lines), rest


@given(SPICY)
@example(b".")
@example(b"\r")
@example(b"\r\n.")
@example(b"x" * 15 + b"\r\n." + b"y" * 20 + b"\r\n")
def test_equals_the_oracle(data: bytes) -> None:
    assert dotstuff.stuff(data) == oracle(data)


@given(st.binary(max_size=300))
def test_any_bytes_come_out_canonical(data: bytes) -> None:
    out = dotstuff.stuff(data)
    assert not re.search(rb"\r(?!\n)|(?<!\r)\n|\0", out)
    assert not out or out.endswith(b"\r\n")
    assert b"\r\n.\r\n" not in b"\r\n" + out


@given(SPICY)
def test_a_receiver_gets_the_canonical_message_and_nothing_behind_it(data: bytes) -> None:
    canonical = re.sub(rb"\r\n|\r|\n", b"\r\n", data).replace(b"\0", b" ")
    if canonical and not canonical.endswith(b"\r\n"):
        canonical += b"\r\n"
    assert unstuff(dotstuff.stuff(data) + b".\r\n") == (canonical, b"")


@given(st.lists(st.binary(max_size=80).map(lambda b: re.sub(rb"[\r\n\0]", b"", b)), min_size=1))
def test_canonical_input_without_dots_is_returned_as_it_is(lines: list[bytes]) -> None:
    data = b"".join(line.lstrip(b".") + b"\r\n" for line in lines)
    assert dotstuff.faults(data) == 0
    assert dotstuff.stuff(data) is data


@pytest.mark.parametrize("size", [1, 15, 16, 17, 31, 32, 33, 240 * 16 - 1, 240 * 16, 240 * 16 + 1, 10_000])
@pytest.mark.parametrize("needle", [b"\r", b"\n", b"\0", b"\r\n.", b"\n."])
def test_a_needle_is_found_at_every_place_of_a_vector(size: int, needle: bytes) -> None:
    """Shifted over 40 positions so that it meets each lane, block edge and the scalar tail."""
    for shift in range(40):
        data = b"a" * (size + shift) + needle + b"b" * (40 - shift) + b"\r\n"
        assert dotstuff.stuff(data) == oracle(data)


@pytest.mark.parametrize(
    ("data", "mask"),
    [
        (b"", 0),
        (b"a\r\n", 0),
        (b"a", dotstuff.NO_FINAL_CRLF),
        (b"a\r\r\n", dotstuff.BARE_CR),
        (b"a\nb\r\n", dotstuff.BARE_LF),
        (b"\0\r\n", dotstuff.NUL),
        (b"a\n", dotstuff.BARE_LF | dotstuff.NO_FINAL_CRLF),
        (b"\n\r", dotstuff.BARE_CR | dotstuff.BARE_LF | dotstuff.NO_FINAL_CRLF),
        (b"x" * 5000 + b"\r\n", 0),
        (b"x" * 5000 + b"\r", dotstuff.BARE_CR | dotstuff.NO_FINAL_CRLF),
    ],
)
def test_faults_are_named(data: bytes, mask: int) -> None:
    assert dotstuff.faults(data) == mask


PREFIXES = [b"\r\n", b"\n", b"\r", b"\r\r\n", b"\n\r", b"\r\n\0", b"\0\n", b"\v", b"\f", b"\xc2\x85", b"\xe2\x80\xa8"]
DOTS = [b".", b"..", b" .", b"\0.", b"\t.", b"\xef\xbc\x8e"]
ENDS = [b"\r\n", b"\n", b"\r", b"\r\r\n", b"\n\r", b"\v", b"\xc2\x85"]


@pytest.mark.parametrize("grid", [list(itertools.product(PREFIXES, DOTS, ENDS))], ids=["11x6x7"])
def test_no_end_of_data_trick_gets_out(grid: list[tuple[bytes, bytes, bytes]]) -> None:
    """Each trick in the middle of a message: a receiver of any leniency sees one message."""
    for parts in grid:
        out = dotstuff.stuff(b"first" + b"".join(parts) + b"MAIL FROM:<smuggled@evil.example>\r\n") + b".\r\n"
        ends = re.findall(rb"(?:\r\n|\r|\n)\.(?:\r\n|\r|\n)", out)
        assert ends == [b"\r\n.\r\n"], parts


@pytest.mark.parametrize("value", ["text", bytearray(b"x"), None, 7])
def test_other_types_are_refused(value: object) -> None:
    with pytest.raises(TypeError):
        dotstuff.stuff(value)  # type: ignore[arg-type]  # the wrong type is the test
    with pytest.raises(TypeError):
        dotstuff.faults(value)  # type: ignore[arg-type]  # the wrong type is the test
