"""Facts of links, subjects and authors: any text gives a bounded number of them."""

from __future__ import annotations

from mxward.core.extract.address import Mailbox
from mxward.pyx import mailfacts

SEEDS = [
    b"https://user@a.example:8080/x?y=1#z",
    b"//[::1]:80/\x00data:text/html,x",
    b"Re: [12]: URGENT 123456",
]
WORDS = [b"http:", b"//", b"@", b"[", b"]", b":", b"80", b".", b"\\", b"\x00", b"xn--", b"\xc3\xa9"]


def run(data: bytes) -> None:
    pieces = data.decode("utf-8", "replace").split("\0")
    found, owners = mailfacts.links([(0, "a", url, url[::-1]) for url in pieces], "a.example")
    assert len(found) <= 30 + len(pieces)
    assert len(owners) <= len(pieces)
    assert len(mailfacts.subject(pieces[0])) <= 5
    assert len(mailfacts.author(Mailbox(pieces[0], pieces[-1]), [], frozenset())) <= 8
