"""Reference mails that rules are measured with: the everyday mail of an office, and the worst that can be sent.

All are made by this code from nothing but a seed, byte for byte the same everywhere; a test holds their digest, so
that costs can be compared between machines and releases. None is anybody's mail.
"""

from __future__ import annotations

import io
import zipfile
from base64 import encodebytes
from collections.abc import Callable, Iterable
from quopri import encodestring
from typing import Final

_VOCABULARY: Final = """
the the the the of of of and and and to to to in in for for is is on that with as at by this we you it be are from
have has will not your our please can all if any would was were they their which there been new one more about also
only when who other some time day week month year team ward clinic patient patients appointment meeting rota shift
report result results letter referral form list note notes update plan review care health service staff nurse doctor
consultant manager office building floor room theatre pharmacy records system access training course session date
change request question answer issue order delivery supplier contract budget cost invoice payment number reference
document attached below above following details information contact telephone email address website page link thank
thanks regards kind best dear hello morning afternoon monday tuesday wednesday thursday friday tomorrow today
yesterday next last first second before after during available required completed confirmed cancelled moved agreed
discussed sent received opened closed started finished need want think know make take give find show ask help call
work send keep look let put say see get go come back over out up down off into through between under without small
large early late good better long short high low open full clear ready important possible different same own several
many each both every
"""
_WORDS: Final = tuple(_VOCABULARY.split())
_NAMES: Final = ("Ann Bell", "Tom Okafor", "Siân Hughes", "R. Patel", "Zoë Marsh", "Li Wen", "J. O'Neill", "Eva Novák")
WORST_BYTES: Final = 262_144  # of each worst-case input
_BOUNDARY: Final = "=_reference"


class _Source:
    """A linear congruential generator (Knuth's MMIX constants): the same everywhere and for ever."""

    def __init__(self, seed: int) -> None:
        self._state = seed * 2 + 1

    def below(self, n: int) -> int:
        self._state = (self._state * 6364136223846793005 + 1442695040888963407) % (1 << 64)
        return (self._state >> 33) * n >> 31

    def pick(self, items: tuple[str, ...]) -> str:
        return items[self.below(len(items))]

    def noise(self, n_bytes: int) -> bytes:
        """Bytes without pattern, as compressed content has them."""
        return b"".join((self.below(1 << 24)).to_bytes(3, "big") for _ in range((n_bytes + 2) // 3))[:n_bytes]

    def sentence(self) -> str:
        words = [self.pick(_WORDS) for _ in range(5 + self.below(16))]
        return " ".join(words).capitalize() + ".!?.."[self.below(5)]

    def text(self, n_bytes: int) -> str:
        """About so many bytes of paragraphs, wrapped as mail programs do."""
        lines, line, size = [], "", 0
        while size < n_bytes:
            for word in self.sentence().split():
                if len(line) + len(word) > 72:
                    lines.append(line)
                    size, line = size + len(line) + 2, ""
                line = f"{line} {word}".lstrip()
            if self.below(4) == 0:
                lines += [line, ""]
                size, line = size + len(line) + 4, ""
        return "\r\n".join((*lines, line, ""))


def _head(source: _Source, number: int, more: str) -> str:
    name, other = source.pick(_NAMES), source.pick(_NAMES)
    sender = name.encode("ascii", "replace").decode().replace("?", "e").split()[-1].lower()
    shown = name if name.isascii() else f"=?utf-8?q?{encodestring(name.encode()).decode().replace(' ', '_')}?="
    date = f"Mon, 5 Jan 2026 09:{number % 60:02}:00 +0000"
    return (
        f"Received: from mail{source.below(9)}.partner.example (mail.partner.example [192.0.2.{source.below(255)}])\r\n"
        f"\tby mx.trust.example with ESMTPS id {source.below(1 << 30):08x}; {date}\r\n"
        f"From: {shown} <{sender}@partner.example>\r\nTo: staff{source.below(99)}@trust.example\r\n"
        f"Subject: {source.sentence()[:60]}\r\nDate: {date}\r\n"
        f"Message-ID: <{source.below(1 << 30):x}.{number}@partner.example>\r\nMIME-Version: 1.0\r\n"
        f"X-Mailer: Reference {other.split()[-1][:1]}1.0\r\n{more}\r\n"
    )


def _note(source: _Source, number: int) -> bytes:
    body = source.text(400 + source.below(2600))
    return (_head(source, number, "Content-Type: text/plain; charset=utf-8\r\n") + body).encode()


def _reply(source: _Source, number: int) -> bytes:
    quoted = "".join(f"> {line}\r\n" for line in source.text(1500 + source.below(4000)).split("\r\n"))
    body = f"{source.text(500)}\r\nOn Monday {source.pick(_NAMES)} wrote:\r\n{quoted}"
    return (_head(source, number, "Content-Type: text/plain; charset=utf-8\r\n") + body).encode()


def _newsletter(source: _Source, number: int) -> bytes:
    rows = "".join(
        f'<tr><td style="font-family:Arial;font-size:14px;padding:8px" bgcolor="#ffffff"><h2>{source.sentence()}</h2>'
        f'<p>{source.text(300)}</p><a href="https://www.partner.example/n/{source.below(1 << 30):x}?u={number}">'
        f"{source.sentence()}</a></td></tr>\r\n"
        for _ in range(6 + source.below(20))
    )
    html = f"<html><head><style>td{{margin:0}}</style></head><body><table>{rows}</table></body></html>"
    parts = [
        ("text/plain; charset=utf-8", "8bit", source.text(1500).encode()),
        (
            "text/html; charset=utf-8",
            "quoted-printable",
            encodestring(html.replace("\r\n", "\n").encode()).replace(b"\n", b"\r\n"),
        ),
    ]
    return _multipart(source, number, "alternative", parts)


def _document(source: _Source, number: int) -> bytes:
    stream = source.noise(20_000 + source.below(60_000))
    pdf = b"%PDF-1.4\n1 0 obj\n<</Type /Catalog /Pages 2 0 R>>\nendobj\n4 0 obj\n<</Filter /FlateDecode>>\nstream\n"
    content = pdf + stream + b"\nendstream\nendobj\ntrailer\n<</Root 1 0 R>>\n%%EOF\n"
    return _attached(source, number, f"letter-{number}.pdf", "application/pdf", content)


def _office(source: _Source, number: int) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:  # stored: compressed bytes would depend on the library's release
        for name, content in (
            ("[Content_Types].xml", '<?xml version="1.0"?><Types/>'),
            ("word/document.xml", f"<w:document><w:body>{source.text(9000)}</w:body></w:document>"),
            ("word/media/image1.png", source.noise(15_000).hex()),
        ):
            file.writestr(zipfile.ZipInfo(name, (2026, 1, 5, 9, 0, 0)), content)
    kind = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
    return _attached(source, number, f"minutes {number}.docx", kind, buffer.getvalue())


def _picture(source: _Source, number: int) -> bytes:
    content = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01" + source.noise(40_000) + b"\xff\xd9"
    return _attached(source, number, f"IMG_{number:04}.jpg", "image/jpeg", content)


def _attached(source: _Source, number: int, name: str, kind: str, content: bytes) -> bytes:
    encoded = encodebytes(content).replace(b"\n", b"\r\n")
    parts = [
        ("text/plain; charset=utf-8", "8bit", source.text(700).encode()),
        (f'{kind}; name="{name}"\r\nContent-Disposition: attachment; filename="{name}"', "base64", encoded),
    ]
    return _multipart(source, number, "mixed", parts)


def _multipart(source: _Source, number: int, kind: str, parts: Iterable[tuple[str, str, bytes]]) -> bytes:
    out = [_head(source, number, f'Content-Type: multipart/{kind}; boundary="{_BOUNDARY}"\r\n').encode()]
    for content_type, encoding, body in parts:
        head = f"--{_BOUNDARY}\r\nContent-Type: {content_type}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n"
        out += [head.encode(), body, b"\r\n"]
    return b"".join((*out, f"--{_BOUNDARY}--\r\n".encode()))


# Half are short texts, a quarter is formatted, the rest carries something.
_KINDS: Final[tuple[Callable[[_Source, int], bytes], ...]] = (
    _note, _reply, _newsletter, _note, _document, _reply, _newsletter, _note, _office, _reply, _newsletter, _picture,
)  # fmt: skip


def everyday(n: int = 48) -> list[bytes]:
    """The first `n` everyday mails, CRLF line ends. None of them should be more than a curiosity to any rule."""
    return [_KINDS[number % len(_KINDS)](_Source(number), number) for number in range(n)]


_RUNS: Final = {
    "spaces": b" ", "letters a": b"a", "digits": b"0", "zero bytes": b"\0", "bytes ff": b"\xff", "line ends": b"\r\n",
    "tags": b"<a href=x>", "open tags": b"<div ", "addresses": b"a@b.", "links": b"http://a.b/", "quotes": b'"\'',
    "hexadecimal": b"\\x4d\\x5a", "base64 letters": b"QUFB", "brackets": b"((((", "dots": b"a.", "equal signs": b"=3D",
}  # fmt: skip


def worst(near: Iterable[bytes] = ()) -> list[tuple[str, bytes]]:
    """(what it is, mail) of WORST_BYTES each: long runs that make bad patterns slow, as text and as an attachment.

    Args: near: strings that rules look for; of each there is a mail that repeats it all but its last byte, which is
    what a sender would do who knows the rules.
    """
    runs = {**_RUNS, **{f"almost {text[:40].decode('latin-1')!r}": text[:-1] for text in near if len(text) > 2}}
    return [(name, _worst_mail(run)) for name, run in runs.items()]


def _worst_mail(run: bytes) -> bytes:
    content = (run * (WORST_BYTES // len(run) + 1))[:WORST_BYTES]
    text = content.translate(None, b"\0\r\n")[: WORST_BYTES // 2]
    lines = b"\r\n".join(text[at : at + 990] for at in range(0, len(text), 990))
    source = _Source(1)
    parts = [
        ("text/html; charset=utf-8", "8bit", b"<p>" + lines),
        ('application/octet-stream; name="a.dat"', "base64", encodebytes(content).replace(b"\n", b"\r\n")),
    ]
    return _multipart(source, 1, "mixed", parts)
