"""The MIME parser: spans inside the message, a proper tree, decoded sizes bounded, nothing raised."""

from __future__ import annotations

from mxward.pyx.mime import LIMITS, parse

_B64 = b"UEsDBBQAAgAIABFKjkk8z1FoRgAAAEQAAAAJAAAAZWljYXIuY29tizD1VwxQdXAMiDaJCYiKMDXR\r\n"
SEEDS = [
    b"From: a@b\r\nSubject: =?utf-8?Q?=C3=A4?=\r\n b\r\n\r\nhello\r\n",
    b'Content-Type: multipart/mixed; boundary="a b"\n\npre\n--a b\n\nx\n--a b\nContent-Type: multipart/x;'
    b"\n boundary=c\n\n--c\nContent-Type: message/rfc822\n\nSubject: y\n\nz\n--c--\n--a b--\nepi\n",
    b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: application/zip; name*0*=''a%2e; name*1=zip"
    b"\r\nContent-Disposition: attachment; filename=x(y).txt\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    + _B64 * 3 + b"--b\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n=41=\r\n=zz\r\n--b--\r\n",
    b"Subject: u\n\nbegin 644 a.zip\n#04)#\n`\nend\n=ybegin line=128 size=3 name=a\nklm\n=yend\n"
    b"(This file must be converted with BinHex 4.0)\n:$f*TEQKPH#jSEQ-:\n",
    b"Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\nU3ViamVjdDogeAoKaGVsbG8K\n",
    b"Content-Type: multipart/mixed; boundary=q\nContent-Transfer-Encoding: quoted-printable\n\n--q=0A\n\nx\n--q--\n",
    b"X-Foo :bar\n Content-type: multipart/mixed; boundary*1=b; boundary*0=a\n\n--ab"
    b"\nContent-type: text/plain\n\nx\n--ab--\n",
]  # fmt: skip
WORDS = [
    b"\r\n", b"\n", b"\n\n", b"--", b"\n--b\n", b"\n--b--\n", b"\n--a b\n", b"boundary=", b'boundary="', b"*0*=''",
    b"*1=",
    b"Content-Type: ", b"Content-Type: multipart/mixed; boundary=b\n", b"Content-Type: message/rfc822\n\n", b"=?",
    b"?=",
    b"Content-Transfer-Encoding: base64\n", b"Content-Transfer-Encoding: quoted-printable\n", b"(", b")", b"\\", b'"',
    b"Content-Transfer-Encoding: x-uuencode\n", b"Content-Transfer-Encoding: gzip64\n", b"filename=", b"name*=utf-7''",
    b"begin 644 a\n", b"=ybegin name=a\n", b"(This file must be converted with BinHex", b"%00", b"=", b"==", b"\0",
    b";",
    b"=?utf-8?b?", b"=?idna?q?", b" ", b"\t", b":", b"\r", b"multipart/digest", b"\xff",
]  # fmt: skip


def run(data: bytes) -> None:
    mime = parse(data)
    decoded = mime.decode_all()
    assert 1 <= mime.n_parts <= LIMITS["MAX_PARTS"] == 1000
    assert len(mime.parts) == len(decoded) == mime.n_parts
    for index, part in enumerate(mime.parts):
        assert 0 <= part.header_start <= part.body_start <= part.body_end <= len(data)
        assert -1 <= part.parent < mime.n_parts and part.parent != index and part.depth <= 6500
        assert len(decoded[index]) <= 4 * len(data) + 64 or part.encoding in ("gzip64", "binhex")
        for name, value in mime.fields(index):
            assert name and len(value) <= len(data)
        for line, start, end in mime.field_spans("content-type", index):
            assert 0 <= line < start <= end <= len(data)
        mime.text("subject", index)
        mime.field_all("content-type", index)
    for anomaly in mime.anomalies:
        assert 0 <= anomaly.part < mime.n_parts
