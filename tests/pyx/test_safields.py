"""pyx/safields and pyx/saheader against regular expressions."""

from __future__ import annotations

import re
from unittest import mock

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mxtest import sareffields
from mxward.core.rules.spamassassin import addresses
from mxward.pyx.safields import ALL, CLEAN, DECODED, MAIL, NAME, OTHER, RAW, FieldPlan, FieldTable
from mxward.pyx.saheader import blank_lines, encoded_words, line_feeds, raw_lines, raw_text, usual_mailboxes

PIECES = [
    b"Subject", b"To", b"to", b"X-Spam-Flag", b"x-spam", b":", b": ", b" :", b" ", b"\t", b"\n", b"\n ", b"\n\n", b"\r",
    b"\r\n", b"\r\n\t",
    b"a@b.example", b"<a@b>", b"'", b'"', b"Subject:N <a@b>\n", b"=?",
    b"=", b"?", b"\xe9", b"\0", b"\x0b", b"a", b"word " * 400, b"n" * 300,
]  # fmt: skip
SECTIONS = st.lists(st.sampled_from(PIECES), max_size=40).map(b"".join)
PAIRS = st.lists(st.tuples(st.sampled_from([b"Subject", b"TO", b"to", b"", b"x" * 300]), SECTIONS), max_size=8)
NAMES = [b"subject", b"to", b"x-spam-flag", b"", b"a", b"x" * 256]
BOXES = [
    b'"', b"a", b"b c", b"@", b"<", b">", b" ", b"\n", b",", b"\\", b"(", b"x@y.z", b"<x@y.z>", b'"n" ',
    b", x@y.z", b"N <n@m>, ", b"\x80", b"[",
]  # fmt: skip


def decode(value: bytes, name: bytes) -> bytes:
    return b"[" + name + b"|" + value + b"]"


def agree(made: FieldTable, known: sareffields.Fields) -> None:
    assert made.order == [name for name, _ in known.pairs]
    assert len(made) == len(known.pairs)
    assert list(made) == list(dict.fromkeys(name.lower() for name, _ in known.pairs))
    assert made.is_truncated == known.is_truncated
    for name in NAMES:
        assert (name in made) == any(name == written.lower() for written, _ in known.pairs)
        assert made.raw(name) == known.raw(name)
        assert made.values(name) == known.values(name)
        assert made.numbers(name) == [i for i, (written, _) in enumerate(known.pairs) if written.lower() == name]
    kinds = (DECODED, RAW, MAIL | RAW, NAME | RAW, NAME | CLEAN | RAW, MAIL)
    for names in ([b"subject"], [b"to"], [b"to", b"x-spam-flag"], [b"x" * 256]):
        assert answers(made, [(names, kind) for kind in kinds]) == [asked(known, names, kind) for kind in kinds]
    lines = known.lines()
    assert answers(made, [([], ALL), ([b"to"], OTHER)]) == [b"".join(lines) or None, ...]
    assert made.lines() == lines
    assert made.n_lines == len(lines)
    assert made.text(1, 3) == b"".join(lines[1:3])
    assert made.text(2) == b"".join(lines[2:])
    assert made.is_truncated == known.is_truncated


def answers(made: FieldTable, entries: list[tuple[list[bytes], int]]) -> list[object]:
    """What a table says to a plan, Ellipsis for what it leaves open."""
    found, waiting = made.joined(FieldPlan(entries))
    assert all(found[number] is None for number in waiting)
    return [... if number in waiting else value for number, value in enumerate(found)]


def asked(known: sareffields.Fields, names: list[bytes], kind: int) -> object:
    """What an entry of a plan gives."""
    if kind & RAW:
        values = [value for name in names for value in known.raw(name)]
    else:
        values = [value + b"\n" for name in names for value in known.values(name)]
    if not kind & (MAIL | NAME):
        return b"".join(values) if values else None
    boxes = [usual_mailboxes(value) for value in values]
    if any(found is None for found in boxes):
        return ...
    if kind & MAIL:
        found = [address for several in boxes for _, address in several or ()]
        return b"\n".join(found) if found else None
    phrases = [phrase for several in boxes for phrase, _ in several or () if phrase is not None]
    if kind & CLEAN:
        if any(b"=?" in name or not name.isascii() or b"\r" in name or not name.strip() for name in phrases):
            return ...
        phrases = [unquoted(b" ".join(name.replace(b"\n", b"").split())) for name in phrases]
    return b"\n".join(phrases) if phrases else None


def unquoted(name: bytes) -> bytes:
    return name[1:-1] if len(name) > 1 and name.startswith(b"'") and name.endswith(b"'") else name


@example(b"A: b\n c\n\n D\nE : f\r\n \x0b\ng:" + b"x" * 9000)
@example(b"to:\r\r\n a\nto: =?b")
@example(b"".join(b"to%d: " % i + b"y" * 4000 + b"\n" for i in range(20)))
@given(SECTIONS)
def test_sections_like_the_reference(section: bytes) -> None:
    agree(FieldTable(section, decode), sareffields.Fields(section, decode))
    assert raw_lines(section) == sareffields.raw_lines(section)
    assert raw_text(section) == b"".join(sareffields.raw_lines(section))


@example([(b"x" * 300, b"a\r\n b"), (b"to", b"\r\r\n c" * 3000), (b"to", b"")])
@given(PAIRS)
def test_pairs_like_the_reference(pairs: list[tuple[bytes, bytes]]) -> None:
    agree(FieldTable(pairs, decode), sareffields.Fields(pairs, decode))


@given(st.lists(st.sampled_from(BOXES), max_size=9).map(b"".join))
@example(b"A <a@b.example>, b@c.example,\n\t<d@e.example> , F G <h@i>\n")
@example(b"<a@b>,<c@d>")
def test_usual_mailboxes_like_the_whole_parser(value: bytes) -> None:
    usual = usual_mailboxes(value)
    if usual is not None:
        with mock.patch.object(addresses, "usual_mailboxes", lambda _: None):
            assert addresses.mailboxes(value) == usual
    elif sareffields.usual_mailbox(value) is not None:
        pytest.fail("one mailbox is not read")


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        (b' "A, B" <a@b.example>\n', [(b"A, B ", b"a@b.example")]),
        (b"A B <a@b.example>", [(b"A B ", b"a@b.example")]),
        (b" a@b.example ", [(None, b"a@b.example")]),
        (b"<a@b@c>", None),
        (b"a@b.example,c@d.example", [(None, b"a@b.example"), (None, b"c@d.example")]),
        (b"A <a@b>, c@d\n", [(b"A ", b"a@b"), (None, b"c@d")]),
        (b"<a@b>,<c@d>", None),
        (b"a@b,", None),
        (b'"A" <a@b>, c@d', None),
        (b"", None),
    ],
)
def test_usual_mailboxes(value: bytes, wanted: list[tuple[bytes | None, bytes]] | None) -> None:
    assert usual_mailboxes(value) == wanted


@given(st.lists(st.sampled_from([b"\r", b"\n", b"\r\n", b"ab"])).map(b"".join), st.integers(0, 9))
def test_line_feeds(data: bytes, start: int) -> None:
    if start > len(data):
        with pytest.raises(ValueError, match="no such part"):
            line_feeds(data, start, len(data))
        return
    assert line_feeds(data, start, len(data)) == data[start:].replace(b"\r\n", b"\n")


@given(st.lists(st.sampled_from([b"\n", b" ", b"\t\r\n", b"\x0b", b"ab", b"\0"]), max_size=30).map(b"".join))
def test_blank_lines(data: bytes) -> None:
    runs = re.findall(rb"(?m)(?:^[ \t\r\f\v]*\n)+", data)
    assert blank_lines(data) == max((run.count(b"\n") for run in runs), default=0)


WORDS = [
    b"=?utf-8?Q?a_=41?=", b"=?utf-8?b?w6k=?=", b"=?UTF-8*en?q?=?=", b"=?x?B?QQ==?=", b"=?x?b?Q?=", b"=?", b"?=",
    b"?", b"=", b" ",
    b"\n ", b"q", b"b", b"_", b"=4", b"w6k", b"\xe9", b"*",
]  # fmt: skip


@given(st.lists(st.sampled_from(WORDS), max_size=12).map(b"".join))
@example(b"=?a?q?x?=?b?q?y?= =?c?q?z?=")
@example(b"a =?x?q??= =?x?b?w6k?= =?X?q?b?= c")
def test_encoded_words(value: bytes) -> None:
    wanted = sareffields.encoded_words(value)
    assert [run for run in encoded_words(value) if run[1]] == [run for run in wanted if run[1]]


def test_refusals() -> None:
    table = FieldTable(b"a: b\n", decode)
    with pytest.raises(ValueError, match="made once"):
        FieldTable.__init__(table, b"", decode)
    with pytest.raises(TypeError):
        FieldTable([("a", "b")], decode)  # type: ignore[list-item]  # text is not bytes
    with pytest.raises(ValueError, match="no such part"):
        line_feeds(b"abc", 0, 4)


def test_many_fields() -> None:
    section = b"".join(b"n%d: v\n" % i for i in range(50_000))
    table = FieldTable(section, decode)
    assert len(table) == 50_000
    assert table.values(b"n49999") == [b"v"]
