"""Words, charsets, parameters and file names: text comes out of any bytes, in bounded size."""

from __future__ import annotations

from mxward.pyx.mime_text import decode_text, decode_words, file_names, parameter

SEEDS = [
    b"=?utf-8?Q?=C3=A4_b?= =?utf-8?B?w6Q=?= c =?iso-2022-jp?B?GyRCRnxLXBsoQg==?=",
    b'attachment; filename*0*=utf-8\'\'a%20; filename*1=b; filename="c\\"d.zip"; filename=(x)e',
    b'text/plain; charset="utf-7"; name==?gb2312?q?a=B0?=.zip',
    b"utf-16\0\xfe\xff\0a",
    b"hz\0~{VPND~}",
]
WORDS = [
    b"=?", b"?=", b"?q?", b"?b?", b"*0*=", b"*1=", b"*", b"%", b"%41", b"'", b"''", b'"', b"\\", b"(", b")", b";", b"=",
    b"filename", b"name", b"utf-7", b"punycode", b"idna", b"utf-16", b"hz", b"big5", b"iso-2022-kr", b"\x1b$B", b"\0",
]  # fmt: skip
LIMIT = 8192


def run(data: bytes) -> None:
    assert len(decode_words(data)) <= 4 * len(data)
    parameter(data, "charset")
    names = file_names([data], [data])
    assert len(names) <= 2 * 100 + 200
    charset, _, body = data.partition(b"\0")
    assert isinstance(decode_text(body, charset.decode("latin-1")), str)
