"""Transfer decodings in every mode: bounded output, nothing raised. The first byte picks the decoder."""

from __future__ import annotations

from mxward.pyx.decode import (
    BASE64_MODES,
    QP_MODES,
    decode_base64,
    decode_binhex,
    decode_qp,
    decode_uu,
    decode_yenc,
)

SEEDS = [
    b"\0" + b"UEsDBBQAAgAIABFKjkk8z1FoRgAAAEQAAAAJAAAAZWljYXIuY29tizD1VwxQdXAMiDaJCYiKMDXR\r\n" * 4 + b"QQ==\r\nQUJD",
    b"\1=41=4a=\r\n=zz a = \t\r\nend=",
    b"\2begin 644 a\n#04)#\n`\nend\n",
    b"\3=ybegin line=128 size=3 name=a\r\nk=}lm\r\n=yend\r\n",
    b"\4:$f*TEQKPH#jSEQ-:\x90!!3r2cmr2cmr2`:",
]
WORDS = [
    b"=",
    b"==",
    b"\n",
    b"\r\n",
    b" ",
    b"A",
    b"QUJD" * 8,
    b"#",
    b"\xff",
    b"begin ",
    b"end",
    b"`",
    b"=y",
    b":",
    b"!",
    b"M",
]


def run(data: bytes) -> None:
    kind, body = data[:1], data[1:]
    if kind == b"\1":
        for mode in range(len(QP_MODES)):
            assert len(decode_qp(body, mode)) <= len(body)
    elif kind == b"\2":
        assert len(decode_uu(body)) <= len(body) + 1
    elif kind == b"\3":
        assert len(decode_yenc(body)) <= len(body)
    elif kind == b"\4":
        assert len(decode_binhex(body)) <= 4 * len(body) + 64
    else:
        for mode in range(len(BASE64_MODES)):
            assert len(decode_base64(body, mode)) <= len(body) * 3 // 4 + 1
