"""pyx/htmltext: what is read out of HTML, and that nothing breaks it."""

from __future__ import annotations

import html
import time
from html.entities import name2codepoint

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mxward.pyx.htmltext import KINDS, MAX_LINKS, REASONS, read


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (b"plain", b"plain"),
        (b"<p>one</p><p>two</p>", b"one\ntwo\n"),
        (b"ver<b>if</b>y <span>your</span> acc<!-- x -->ount", b"verify your account"),
        (b"a<script>var b = '</p>';</script>c", b"a\nc"),
        (b"a<STYLE>p{}</StYlE >c", b"a\nc"),
        (b"a<script>never ends", b"a\n"),
        (b"1 &lt; 2 &amp; 3 &#65;&#x42; &pound;5 &unknown;", b"1 < 2 & 3 AB \xc2\xa35 &unknown;"),
        (b"&#x1F600;", b"\xf0\x9f\x98\x80"),
        (b"&#xD800;&#9999999999;&#0;", b"?? "),
        (b"5 < 6 and <3", b"5 < 6 and <3"),
        (b"a<!-- no end", b"a"),
        (b"<a href=x", b""),
        (b"<td>a<td>b", b"a\nb"),
    ],
)
def test_text(source: bytes, text: bytes) -> None:
    assert read(source)[0] == text


@pytest.mark.parametrize(
    ("source", "link"),
    [
        (b'<a href="http://a/">go <b>there</b></a>', ("a", b"http://a/", b"go there")),
        (b"<A HREF='http://a/?x=1&amp;y'>w</A>", ("a", b"http://a/?x=1&y", b"w")),
        (b"<a class=x href=http://a/b>w</a>", ("a", b"http://a/b", b"w")),
        (b"<img alt=x src='cid:1'/>", ("img", b"cid:1", b"")),
        (b"<form action=http://a/>", ("form", b"http://a/", b"")),
        (b"<iframe src=//a>", ("frame", b"//a", b"")),
        (b"<script src=x.js></script>", ("script", b"x.js", b"")),
        (b'<meta http-equiv="refresh" content="0; URL=http://a/">', ("other", b"http://a/", b"")),
        (b"<a/href=x>y</a>", ("a", b"x", b"y")),
        (b"<a href=x>never closed", ("a", b"x", b"never closed")),
    ],
)
def test_link(source: bytes, link: tuple[str, bytes, bytes]) -> None:
    assert [found[:3] for found in read(source)[3]] == [link]


def test_counts() -> None:
    assert read(b"<form><input type=password><input type='PASSWORD'></form><script></script>")[4] == (1, 2, 1)


def test_links_are_bounded() -> None:
    assert len(read(b"<a href=x>" * (MAX_LINKS + 10))[3]) == MAX_LINKS


SEEN = b"seen"
HIDDEN_BY = [
    (b"<span style='display:none'>x</span>", "none"),
    (b"<div style='DISPLAY : none !important; display:block'>x</div>", "none"),
    (b"<p hidden>x</p>", "none"),
    (b"<div hidden><p>x<b>y</b></div>", "none"),
    (b"<template>x</template>", "none"),
    (b"<span style=visibility:hidden>x</span>", "visibility"),
    (b"<div style='opacity:0.01'>x</div>", "opacity"),
    (b"<div style='font-size:0'>x</div>", "tiny"),
    (b"<div style='font:1px/1px Arial'>x</div>", "tiny"),
    (b"<div style='font-size:10px'><i style='font-size:10%'>x</i></div>", "tiny"),
    (b"<div style='max-height:0;overflow:hidden'>x</div>", "clipped"),
    (b"<div style='width:1px;height:1px;overflow:hidden'>x</div>", "clipped"),
    (b"<span style='display:inline-block;width:0;overflow:hidden'>x</span>", "clipped"),
    (b"<div style='position:absolute;left:-9999px'>x</div>", "offscreen"),
    (b"<div style='text-indent:-5000px'>x</div>", "offscreen"),
    (b"<div style='margin-left:-999em'>x</div>", "offscreen"),
    (b"<font color=white>x</font>", "colour"),
    (b"<font color='#fefefe'>x</font>", "colour"),
    (b"<table bgcolor=#000000><td><font color=black>x</font></table>", "colour"),
    (b"<div style='background:#123456'><p style='color:rgb(18, 52, 86)'>x</p></div>", "colour"),
    (b"<div style='background:navy none'><p style='color:#000080'>x</p></div>", "colour"),
    (b"<span style='color:transparent'>x</span>", "colour"),
    (b"<span style='color:rgba(1,2,3,0)'>x</span>", "colour"),
    (b"<span style='mso-hide:all'>x</span>", "mso"),
    (b"<style>.p{display:none}</style><span class='a p'>x</span>", "none"),
    (b"<style>#q{font-size:0}</style><div id=q>x</div>", "tiny"),
    (b"<style>i{color:#fff}</style><i>x</i>", "colour"),
    (b"<style>b{} p.z, div.z { /* c */ visibility : hidden }</style><div class=z>x</div>", "visibility"),
    (b"<style>@media screen{.p{opacity:0}}</style><div class=p>x</div>", "opacity"),
    (b"<p>seen</p><span class=p>x</span><style>.p{display:none}</style>", "none"),
    (b"<!--[if mso]><p>x x x x</p><![endif]-->", "aside"),
    (b"<title>x</title>", "aside"),
]  # fmt: skip


@pytest.mark.parametrize(("source", "reason"), HIDDEN_BY)
def test_hidden_words_are_kept_apart(source: bytes, reason: str) -> None:
    text, shown, hidden, _, _, reasons = read(b"seen " + source + b" seen")
    assert b"x" in text and b"x" in hidden and b"x" not in shown
    assert shown.count(SEEN) >= 2 and SEEN not in hidden
    assert [name for name, size in zip(REASONS, reasons, strict=True) if size] == [reason]


@pytest.mark.parametrize(
    "source",
    [
        b"<div style='visibility:hidden'><p style='visibility:visible'>x</p></div>",
        b"<div style='font-size:0'><p style='font-size:14px'>x</p></div>",
        b"<div style='color:white;background:black'>x</div>",
        b"<table background=a.png><td><font color=white>x</font></table>",
        b"<div style='background:url(a.png);color:white'>x</div>",
        b"<table bgcolor=navy><tr><td style='color:#ffffff'>x</td></tr></table>",
        b"<td style='height:0;overflow:hidden'>x</td>",
        b"<span style='width:0;overflow:hidden'>x</span>",
        b"<div style='display:none'>y</div>x",
        b"<div style='display:none'>y<b>y</div>x",
        b"<div style='display:none'><p>y</div><p>x",
        b"<table><tr style='display:none'><td>y<tr><td>x</table>",
        b"<ul><li style='display:none'>y<li>x</ul>",
        b"<p style='display:none'>y<div>x</div>",
        b"<br style='display:none'>x",
        b"<img style='display:none'>x",
        b"<div style='display:none'>y</div></body></html>x",
        b"<style>@media print{.p{display:none}}</style><p class=p>x</p>",
        b"<style media=print>.p{display:none}</style><p class=p>x</p>",
        b"<style>.a .p{display:none} .p{color:red}</style><p class=p>x</p>",
        b"<style>.p{display:none}</style><p class=p style='display:block'>x</p>",
        b"<style>.p{display:none}</style><p class=P-x>x</p>",
        b"<font color=white><table bgcolor=red><td>x</table></font>",
        b"<a href=http://a/ style='color:#ffffff;background-color:#0000ee'>x</a>",
        b"<div style='display:none;display:nonsense(;)'></div>x",
        b"<!--[if mso]><div style='display:none'><![endif]-->x",
        b"<!-->x",
        b"<!--->x",
        b"<!-- y --!>x",
    ],
)  # fmt: skip
def test_shown_words_are_shown(source: bytes) -> None:
    assert b"x" in read(source)[1]


def test_a_formatting_element_goes_on_behind_its_block() -> None:
    assert read(b"<p><font color=white>a</p>b</font>c")[1].split() == [b"c"]


def test_nothing_hidden_makes_no_copy() -> None:
    text, shown, hidden, *_ = read(b"<p>one <b>two</b></p>")
    assert shown is text
    assert hidden == b""


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        (b"<a href=x>words</a>", True),
        (b"<a href=x> </a>", False),
        (b"<a href=x><img src=y></a>", True),
        (b"<a href=x style='display:none'>words</a>", False),
        (b"<a href=x><span style='font-size:0'>words</span></a>", False),
        (b"<div style='display:none'><a href=x>words</a></div>", False),
        (b"<a href=x><span style='font-size:0'>words</span> more</a>", True),
    ],
)
def test_links_know_whether_they_are_shown(source: bytes, shown: bool) -> None:
    assert read(source)[3][0][3] is shown


def test_named_references_are_those_of_html() -> None:
    plain = {"nbsp", "ensp", "emsp", "thinsp", "shy", "zwnj", "zwj", "lrm", "rlm", "rsquo", "lsquo", "ldquo", "rdquo",
             "ndash", "mdash", "hellip"}  # fmt: skip
    for name in name2codepoint:
        if name not in plain:
            assert read(f"a&{name};b".encode())[0].decode() == html.unescape(f"a&{name};b")
            without = html.unescape(f"&{name} b")
            assert read(f"a&{name} b".encode())[0].decode() == f"a{without}"


@given(st.integers(1, 0x10FFFF))
def test_numeric_references_are_those_of_html(code: int) -> None:
    expected = html.unescape(f"&#{code};")
    if expected and expected != "\ufffd" and (code >= 0xA0 or 0x20 <= code < 0x7F):
        assert read(f"&#{code};".encode())[0].decode() == read(f"&#x{code:X};".encode())[0].decode() == expected


@pytest.mark.parametrize("code", range(128, 160))
def test_windows_references(code: int) -> None:
    assert read(f"&#{code};".encode())[0].decode() == html.unescape(f"&#{code};")


MARKUP = st.lists(
    st.sampled_from([b"<", b">", b"</", b"<!--", b"-->", b"a", b"<a href=", b"'", b'"', b"=", b"&", b"#", b";", b"x",
                     b"9", b"<script", b"</script", b"<p", b" ", b"/", b"&amp;", b"\xc3", b"\x00",
                     b"<meta content=url=", b"<style>", b"</style>", b".c{", b"}", b"display:none", b"<b style='",
                     b"<div class=c>", b"</div>", b"<table>", b"<td>", b"</table>", b"<font color=#fff>", b"</font>",
                     b"<!--[if mso]>", b"<![endif]-->", b"{", b"/*", b"*/", b"@media ", b"background:url(",
                     b"font-size:1e", b"<title>", b"<body bgcolor=red>", b"</p>", b"<b>", b"</b>"]),
    max_size=80,
).map(b"".join)  # fmt: skip


@given(st.one_of(MARKUP, st.binary(max_size=300)))
def test_never_fails_and_never_grows(source: bytes) -> None:
    text, shown, hidden, links, counts, reasons = read(source)
    assert len(text) <= len(source)
    assert all(kind in KINDS and len(url) <= len(source) for kind, url, _, _ in links)
    assert min(counts) >= 0
    # nothing is lost and nothing is in both
    assert sorted(shown + hidden.replace(b" ", b"")) == sorted(text) or b" " in text
    assert len(shown) + len(hidden) >= len(text)
    assert bool(sum(reasons)) <= bool(hidden)


@given(MARKUP)
def test_plain_text_is_what_html_says_it_is(source: bytes) -> None:
    """Without any markup the words come through as they are."""
    words = source.replace(b"<", b" ").replace(b"&", b" ")
    assert read(words)[:3] == (words, words, b"")


PIECES = [
    b"<", b"<a", b"<!--", b"<script>", b"</", b"<a href='", b"&#", b"&#x", b"<a b=c ", b"<p>", b"<b>", b"<div>",
    b"<b></p>", b"<p><b>", b"</b>", b"<i></i>", b"<td>", b"<table>", b"</x>", b"<font color=#fff>x</font>y", b"<style>",
    b"<style>.a{color:red}</style>", b"<b style='display:none'>x</b>y", b"<!--[if mso]>x x x x x x x<![endif]-->",
    b"<b class='a b c d e f g h'>", b"<b style=';;;;:::((((", b"<!--->", b"<!--x", b"--", b"<li>", b"<a href=x>y",
]  # fmt: skip


@pytest.mark.parametrize("piece", PIECES)
def test_cost_is_linear(piece: bytes) -> None:
    source = piece * (2_000_000 // len(piece))
    started = time.process_time()
    read(source)
    assert time.process_time() - started < 2.0


@pytest.mark.parametrize(
    "source",
    [
        b"<b " + b"a=1 " * 100_000 + b">x",
        b"<b style='" + b"color:red;" * 100_000 + b"'>x",
        b"<b class='" + b"a " * 100_000 + b"'>x",
        b"<style>" + b".a{color:red}" * 50_000 + b"</style>" + b"<b class='a a a a a a a'>x" * 50_000,
        b"<style>" + b".a" * 500_000 + b"{display:none}</style>x",
        b"<style>" + b".a," * 500_000 + b"{display:none}</style>x",
        b"<style>" + b"@media{" * 200_000,
        b"<div>" * 1_000_000 + b"x" + b"</div>" * 1_000_000,
        b"".join(b"<b><i><u><p>" for _ in range(50)) + b"</p><p>" * 200_000,
    ],
    ids=["attributes", "declarations", "classes", "rules", "selector", "selectors", "media", "deep", "reopened"],
)
def test_hostile_documents_cost_no_more(source: bytes) -> None:
    started = time.process_time()
    text = read(source)[0]
    assert time.process_time() - started < 2.0
    assert len(text) <= len(source)
