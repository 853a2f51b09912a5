"""pyx/htmltext: what is read out of HTML, and that nothing breaks it."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mxward.pyx.htmltext import KINDS, MAX_LINKS, to_text


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
    assert to_text(source)[0] == text


@pytest.mark.parametrize(
    ("source", "link"),
    [
        (b'<a href="http://a/">go <b>there</b></a>', ("a", b"http://a/", b"go there")),
        (b"<A HREF='http://a/?x=1&amp;y'>w</A>", ("a", b"http://a/?x=1&amp;y", b"w")),
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
    assert to_text(source)[1] == [link]


def test_counts() -> None:
    assert to_text(b"<form><input type=password><input type='PASSWORD'></form><script></script>")[2] == (1, 2, 1)


def test_links_are_bounded() -> None:
    assert len(to_text(b"<a href=x>" * (MAX_LINKS + 10))[1]) == MAX_LINKS


MARKUP = st.lists(
    st.sampled_from([b"<", b">", b"</", b"<!--", b"-->", b"a", b"<a href=", b"'", b'"', b"=", b"&", b"#", b";", b"x",
                     b"9", b"<script", b"</script", b"<p", b" ", b"/", b"&amp;", b"\xc3", b"\x00",
                     b"<meta content=url="]),
    max_size=60,
).map(b"".join)  # fmt: skip


@given(st.one_of(MARKUP, st.binary(max_size=300)))
def test_never_fails_and_never_grows(source: bytes) -> None:
    text, links, counts = to_text(source)
    assert len(text) <= len(source)
    assert all(kind in KINDS and url in source for kind, url, _ in links)
    assert min(counts) >= 0


@pytest.mark.parametrize(
    "piece", [b"<", b"<a", b"<!--", b"<script>", b"</", b"<a href='", b"&#", b"&#x", b"<a b=c ", b"<p>"]
)
def test_cost_is_linear(piece: bytes) -> None:
    source = piece * (2_000_000 // len(piece))
    started = time.process_time()
    to_text(source)
    assert time.process_time() - started < 2.0
