"""pyx/sarender: any bytes are rendered, within bounds and in linear time; what is counted is right in small documents.

That it renders as SpamAssassin does is tests/core/spamassassin/test_sa_oracle.py.
"""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mxward.pyx.sarender import KINDS, MAX_BYTES, render

TOKENS = [
    "<a href=x>",
    "</a>",
    "<b>",
    "</b>",
    "<br/>",
    "<p style='color:#fff'>",
    "<td>",
    "</td>",
    "<tr>",
    "<font size=+1>",
    "</font>",
    "<script>",
    "</script>",
    "<style>",
    "</style>",
    "<title>",
    "</title>",
    "<!-- c -->",
    "<!--",
    "-->",
    "<!",
    "<![CDATA[",
    "]]>",
    "<?x",
    ">",
    "<",
    "&nbsp;",
    "&amp;",
    "&#228;",
    "&#x20ac;",
    "&eacute",
    "&",
    " ",
    "\n",
    "word",
    "é",
    "“",
    "\u00a0",
    "\0",
    "<img src=i width=5 height=10%>",
    "<meta http-equiv=refresh content='1;url=u'>",
    "<o:p>",
    "<!DOCTYPE html>",
    "<base href=http://b.example/d/f.htm>",
    "<textarea>",
    "<x-unknown y='",
    "\"'",
    "=",
    "/",
    "</",
]


def fields(source: str, *, is_wide: bool | None = None) -> dict[str, object]:
    data = source.encode()
    text, wide, items, inside, numbers = render(data, not data.isascii() if is_wide is None else is_wide)
    return {"text": text, "wide": wide, "items": items, "inside": inside, "numbers": numbers}


@given(st.binary(max_size=400), st.booleans())
def test_any_bytes_are_rendered(data: bytes, is_wide: bool) -> None:
    text, _, items, _, numbers = render(data, is_wide)
    assert len(text) <= len(data) + 64
    assert all(0 <= kind < len(KINDS) for kind, _, _, _ in items)
    assert numbers[0] >= numbers[1]


@given(st.lists(st.sampled_from(TOKENS), max_size=40).map("".join))
def test_any_markup_gives_valid_text(source: str) -> None:
    found = fields(source)
    assert isinstance(found["text"], bytes)
    found["text"].decode()
    assert isinstance(found["inside"], dict)
    assert all(count >= 0 for count in found["inside"].values())


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("a<br>b<p>c", "a\nb\n\nc"),
        ("a <b>b</b> c", "a b c"),
        ("x<script>y</script>z", "xz"),
        ("a&nbsp;b&#228;", "a bä"),
        ("a<!-- b -->c", "ac"),
        ("<![CDATA[a<b]]>", "a<b"),
        ("1 < 2 > 3", "1 < 2 > 3"),
        ("<td>a</td><td>b", " a  b"),
        ("a  \n b <br> c", "a b\nc"),
        ("<title>t</title>x", "\n\nt\n\nx"),
        ("&lt;b&gt; &notit &alpha; &alphax;", "<b> ¬it α &alphax;"),
        ("<p", ""),
        ("a<style>b", "a"),
        ("&#xD83D;&#xDE00;", "😀"),
        ("&#0;&#1114112;", "&#0;&#1114112;"),
    ],
)
def test_texts(source: str, text: str) -> None:
    found = fields(source)["text"]
    assert isinstance(found, bytes)
    assert found.decode() == text


def test_addresses_come_in_order_with_their_elements_and_words() -> None:
    source = (
        "<a href='http://a.example/'>one <b>two</b></a><img src=i.gif><body background=b.png><form action=mailto:x>"
    )
    found = fields(source)["items"]
    assert isinstance(found, list)
    assert [(KINDS[kind], tag, value, words) for kind, tag, value, words in found] == [
        ("uri", b"a", b"http://a.example/", b""),
        ("anchor", b"a", b"http://a.example/", b"one two"),
        ("uri", b"img", b"i.gif", b""),
        ("uri", b"body", b"b.png", b""),
        ("uri", b"form", b"mailto:x", b""),
        ("action", b"form", b"mailto:x", b""),
    ]


@pytest.mark.parametrize(
    ("style", "is_low", "is_invalid"),
    [
        ("color:#fff", 1, 0),
        ("color: white !important", 1, 0),
        ("color:rgb(250,250,255)", 1, 0),
        ("color:nonsense", 0, 1),
        ("color:#eee;background-color:#111", 0, 0),
        ("color:transparent", 1, 0),
        ("background:url(x) #000", 1, 0),
        ("background:#000, url('a;b') white", 0, 0),
        ("color:inherit", 0, 0),
        ("display:none", 0, 0),
    ],
)
def test_colours(style: str, is_low: int, is_invalid: int) -> None:
    numbers = fields(f'<p style="{style}">text</p>')["numbers"]
    assert isinstance(numbers, tuple)
    assert (numbers[12], numbers[13]) == (is_low, is_invalid)


def test_counts() -> None:
    found = fields("<!doctype html><html><foo>wo<b>rd</b></foo></i><font size=7>x</font><img width=10 height=20>")
    numbers = found["numbers"]
    assert isinstance(numbers, tuple)
    _, _, tags, elements, _, _, closed_extra, obfuscation, _, area, smallest, largest, *_ = numbers
    assert (tags, elements, closed_extra, obfuscation) == (10, 8, 1, 2)
    assert (area, smallest, largest) == (200, 3, 7)
    assert found["inside"] == {b"html": 1, b"foo": 0, b"b": 0, b"i": 0, b"font": 0, b"img": 1}


@pytest.mark.parametrize(
    "unit",
    [
        "<",
        "<a ",
        "<a href='",
        "<!--",
        "<title>",
        "<b>",
        "<p style=color:red>",
        "</p>",
        "<x1y>",
        "&",
        "&#",
        "<![",
        "]]>",
        "<textarea>",
        "<script>",
        "'",
        "<a =",
        "<td><font>",
        "-",
        "<!-- - ",
        "word <i></i>",
    ],
)
def test_the_time_grows_with_the_size_only(unit: str) -> None:
    def spent(size: int) -> float:
        source = (unit * (size // len(unit) + 1))[:size].encode()
        best = 1.0
        for _ in range(3):
            start = time.process_time()
            render(source, False)
            best = min(best, time.process_time() - start)
        return best

    assert spent(400_000) < 25 * max(spent(40_000), 0.0002)


def test_only_the_first_bytes_of_a_huge_document_are_read() -> None:
    text = render(b"x" * (MAX_BYTES + 5), False)[0]
    assert len(text) == MAX_BYTES


def test_many_open_elements_and_unknown_names_are_bounded() -> None:
    source = "".join(f"<n{number}>" for number in range(5000)) + "<div>" * 150_000 + "x"
    _, _, _, inside, numbers = render(source.encode(), False)
    assert numbers[2] == 155_000
    assert len(inside) == 2001
