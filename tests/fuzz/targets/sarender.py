"""HTML as SpamAssassin renders it: no crash, text and values within bounds."""

from __future__ import annotations

from mxward.pyx.sarender import KINDS, MAX_BYTES, render

SEEDS = [
    b"<body bgcolor=#fff text=red><a href='http://a.example/?x&amp;y'>w<b>or</b>d</a><img width=1 height=2%>",
    b"<title>t<p style='color:rgb(1,2,3);background:url(x) #fff;display:none'>x&nbsp;&#228;&eacutez<br/>",
    b"<!doctype html><!-- c --><![CDATA[a<b]]><script>x</script><style>y</style>",
    b"<meta http-equiv=refresh content='1;url=u'>",
    b"<table><tr><td><font face=a size=9>x<td>y<tr></table><base href=http://b.example/><o:p></o:p>",
]
WORDS = [
    b"<",
    b">",
    b"</",
    b"<!--",
    b"-->",
    b"<![CDATA[",
    b"]]>",
    b"'",
    b'"',
    b"=",
    b"&",
    b"&#",
    b"&#x",
    b";",
    b"<title>",
    b"</title>",
    b"<script>",
    b"</script>",
    b"<style>",
    b"<textarea>",
    b"<a href=",
    b"</a>",
    b" style='color:",
    b"&nbsp;",
    b"/>",
    b"\xe2\x80\x9c",
    b"\xc2\xa0",
    b"\0",
    b"<td>",
    b"<font size=",
    b"<p ",
    b"<!doctype",
    b"%",
    b"#fff",
    b"rgb(",
    b"&#xD83D;&#xDE00;",
]


def run(data: bytes) -> None:
    for is_wide in (False, True):
        text, _, items, inside, numbers = render(data, is_wide)
        assert len(text) <= len(data[:MAX_BYTES]) + 64
        assert numbers[0] >= numbers[1] >= 0
        assert all(count >= 0 for count in inside.values())
        for kind, _, value, words in items:
            assert kind < len(KINDS)
            assert len(value) <= len(data)
            assert len(words) <= 2 * len(data)
