"""Lines of text as SpamAssassin sees them: segments that cover the text, addresses that stand in it."""

from __future__ import annotations

from mxward.pyx.saline import TopLevel, find_uris, longest_line, plain_host, squeeze

SEEDS = [
    b"see http://a.com/x, www.b.co.uk (c@d.com) e.com:80/f <g.com> and\n\n\nmore words",
    b"\x1b$B\x1b(B CAPITALS and small \xc2\xa0 \xe2\x80\xa8 mailto:a@b.com?x=y" + b"x" * 3000,
]
WORDS = [
    b"http://",
    b"www.",
    b"ftp.",
    b"mailto:",
    b"@",
    b".com",
    b".uk",
    b" ",
    b"\n",
    b"\n\n",
    b"\0",
    b"\xc2\xa0",
    b"\xe3\x80\x80",
    b"(",
    b")",
    b",",
    b"'",
    b":80",
    b"/",
    b"-",
    b"_",
    b"\x1b(B",
    b"\x1b$B",
    b"A" * 70 + b" ",
]
KNOWN = TopLevel([b"com", b"uk"])


def run(data: bytes) -> None:
    for is_wide in (False, True):
        text, starts = squeeze(b"s\n", [data[: len(data) // 2], data[len(data) // 2 :]], is_wide)
        ends = [*starts[1:], len(text)]
        assert starts[0] == 0
        assert all(0 < end - start <= 2049 for start, end in zip(starts, ends, strict=True))
        for kind, found, host in find_uris(text, starts, KNOWN, 1000):
            assert kind in (0, 1, 2)
            assert found in text
            plain = plain_host(found, KNOWN)
            assert plain is None or plain in found.lower()
            assert host is None or found.startswith(host)
    assert longest_line(data, 0, len(data)) <= len(data)
