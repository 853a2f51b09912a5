"""HTML to text: bounded output for any bytes."""

from __future__ import annotations

from mxward.pyx import htmltext

SEEDS = [
    b"<html><head><style>a{}</style></head><body>a<b>b</b>&amp;&#65;&#x41;<a href='http://x/'>c</a><!-- d --></body>",
    b"<script>if (a<b) '</script>'</script>x<img src=cid:1><form action=//y>",
    b'<a href="x\ny">z<br/><p>&nosuch;&#xffffffff;',
]
WORDS = [
    b"<",
    b">",
    b"</",
    b"<a href=",
    b"<!--",
    b"-->",
    b"<script>",
    b"</script>",
    b"&#",
    b"&#x",
    b"&amp",
    b";",
    b"'",
    b'"',
    b"\0",
    b"<style",
    b"<style>.a{display:none}</style>",
    b"<div class=a>",
    b"<b style='font-size:0;color:#fff'>",
    b"</b>",
    b"<table bgcolor=red>",
    b"<td>",
    b"</table>",
    b"<p>",
    b"<!--[if mso]>",
    b"<![endif]-->",
    b"background:url(",
    b"@media screen{",
    b"}",
]


def run(data: bytes) -> None:
    text, shown, hidden, links, _, reasons = htmltext.read(data)
    assert len(text) <= len(data)
    assert len(shown) <= len(text) <= len(shown) + len(hidden)
    assert len(links) <= htmltext.MAX_LINKS
    assert bool(hidden) >= bool(sum(reasons))
