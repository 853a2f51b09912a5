"""Dot-stuffing: what goes out is canonical, and the data reader gives the canonical message back."""

from __future__ import annotations

from mxward.pyx import dotstuff, smtpdata

SEEDS = [b"Subject: a\r\n\r\n.x\r\n..\r\n.\r\n", b".", b"a\rb\nc\0", b"x" * 200 + b"\r\n." + b"y" * 200]
WORDS = [b"\r\n", b".", b"\r\n.\r\n", b"\r", b"\n", b"\0", b"\n.", b"\r.", b"x" * 31]


def run(data: bytes) -> None:
    sent = dotstuff.stuff(data)
    bare = sent.replace(b"\r\n", b"")
    assert b"\r" not in bare and b"\n" not in bare and b"\0" not in sent
    assert not sent or sent.endswith(b"\r\n")
    assert b"\r\n.\r\n" not in b"\r\n" + sent
    if not dotstuff.faults(data):
        reader = smtpdata.DataReader(len(data) + 10)
        stream = sent + b".\r\nQUIT"
        assert reader.feed(stream) == len(sent) + 3 and reader.take() == data
