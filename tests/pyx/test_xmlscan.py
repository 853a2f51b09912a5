"""pyx/xmlscan: text and tags of XML; lxml as an oracle on well-formed documents, any bytes do no harm."""

from __future__ import annotations

import time
from xml.sax.saxutils import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from mxward.pyx.xmlscan import CODE, CODE_LINE, GAP, LINE, TAG, TEXT, UNSHARED, Scanner

NAMES = {
    "t": TEXT, "p": LINE, "tab": GAP, "instrText": CODE, "fldChar": CODE_LINE, "sheet": TAG, "c": GAP | UNSHARED,
    "v": TEXT, "body": TEXT | LINE,
}  # fmt: skip
SCANNER = Scanner(NAMES)


def text_of(data: bytes) -> bytes:
    return SCANNER.scan(data)[0]


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"<w:p><w:t>a</w:t><w:tab/><w:t>b</w:t></w:p>", b"a\tb\n"),
        (b'<t xml:space="pre>serve">x</t >', b"x"),
        (b"<t a='>'>x</t>", b"x"),
        (b"<t>&amp;&lt;&gt;&quot;&apos;&#65;&#x20AC;&#x1F600;</t>", "&<>\"'A€😀".encode()),
        (b"<t>&nbsp;&#xD800;&#1114112;&#;&#x;&</t>", b"&nbsp;&#xD800;&#1114112;&#;&#x;&"),
        (b"<t><![CDATA[<b>&amp;]]></t>", b"<b>&amp;"),
        (b"<t>a<!-- <t>no</t> -->b<?x y?>c</t>", b"abc"),
        (b"<body>a<t>b</t>c<x>d</x></body>e", b"abcd\n"),
        (b"<t/>not<t></t>", b""),
        (b'<c t="s"><v>12</v></c><c t="n"><v>7</v></c><c t=\'s\'><v>9</v></c><c><v>8</v></c>', b"\t7\t\t8\t"),
        (b"<t>never closed", b"never closed"),
        (b"<t", b""),
        (b"<", b""),
        (b"", b""),
        (b"<t>x</t><t a='unclosed>y</t>", b"x"),
        (b"</t></t><t>x</t>", b"x"),
    ],
)
def test_text(data: bytes, text: bytes) -> None:
    assert text_of(data) == text


def test_code_and_tags() -> None:
    data = b'<r><instrText>DD</instrText><instrText>E "x"</instrText><fldChar/><x:sheet name="A" state="hidden"/></r>'
    text, code, tags, declares, overflow = SCANNER.scan(data)
    assert (text, code, declares, overflow) == (b"", b'DDE "x"\n', False, False)
    assert [(name, data[start:end]) for name, start, end in tags] == [("sheet", b' name="A" state="hidden"/')]


def test_declarations_are_told_and_not_used() -> None:
    bomb = b'<!DOCTYPE a [<!ENTITY b "bbbb">]><t>&b;&b;</t>'
    assert SCANNER.scan(bomb)[0] == b"&b;&b;"
    assert SCANNER.scan(bomb)[3]


def test_tags_are_bounded() -> None:
    _, _, tags, _, overflow = SCANNER.scan(b"<sheet/>" * 50, max_tags=10)
    assert len(tags) == 10
    assert overflow


@pytest.mark.parametrize("wrong", [{"": 1}, {"x" * 40: 1}, {"a": 128}, {"a": 0}, {f"n{i}": 1 for i in range(129)}])
def test_tables_that_cannot_be(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=r"no such action|too many names"):
        Scanner(wrong)


_WORDS = st.text(st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters="\ufffe\uffff"), max_size=20)


@given(st.lists(st.lists(_WORDS, max_size=4), max_size=6))
def test_a_parser_gives_the_same(paragraphs: list[list[str]]) -> None:
    body = "".join("<p>" + "".join(f"<t>{escape(word)}</t>" for word in words) + "</p>" for words in paragraphs)
    data = f"<root>{body}</root>".encode()
    root = etree.fromstring(data)
    expected = "".join("".join(t.text or "" for t in p.iter("t")) + "\n" for p in root.iter("p"))
    assert text_of(data).decode() == expected


_PIECES = st.sampled_from(
    [b"<t>", b"</t>", b"<p/>", b"<", b">", b'"', b"'", b"&", b"&#x41;", b"<!--", b"-->", b"<![CDATA[", b"]]>", b"<!",
     b"<?", b"?>", b"<c t='s'>", b"<sheet ", b"x", b"\0", b"\xff", b"<instrText>", b"<fldChar/>", b"<body>", b"</body>"]
)  # fmt: skip


@given(st.lists(_PIECES, max_size=40).map(b"".join) | st.binary(max_size=200))
def test_any_bytes(data: bytes) -> None:
    text, code, tags, _, _ = SCANNER.scan(data)
    assert len(text) <= len(data)
    assert len(code) <= len(data)
    at = 0
    for name, start, end in tags:
        assert name == "sheet"
        assert at <= start <= end <= len(data)
        at = end


@pytest.mark.parametrize("piece", [b"<t", b"<t a='", b"<!--", b"<![CDATA[", b"&", b"<", b"<!", b"<t>&#1"])
def test_linear(piece: bytes) -> None:
    start = time.process_time()
    SCANNER.scan(piece * 300_000)
    assert time.process_time() - start < 1.0
