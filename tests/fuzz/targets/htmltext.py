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
]


def run(data: bytes) -> None:
    text, links, _ = htmltext.to_text(data)
    assert len(text) <= 4 * len(data) + 64
    assert len(links) <= htmltext.MAX_LINKS
