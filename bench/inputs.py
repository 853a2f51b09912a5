"""Inputs of benchmarks: generated here, the same for ever (append, never change), and mails of the shared corpus.

Generated mail imitates what a gateway sees: short plain text, an HTML newsletter in quoted-printable, a report with a
base64 attachment. Figures that speak of "SpamAssassin mails" use the shared corpus and are left out without it.
"""

from __future__ import annotations

import base64
import quopri
import random
from functools import cache

from mxtest import corpus

_TEXT = (
    "clinic referral patient list appointment ward round letter result sample the of and to for on with please find "
    "attached meeting Thursday rota theatre discharge summary pharmacy order invoice number update regards team"
)
WORDS = _TEXT.split()


def prose(n_words: int, seed: int = 1) -> str:
    """Lines of plain English-like words, CRLF line ends."""
    dice = random.Random(seed)
    lines, line = [], ""
    for _ in range(n_words):
        word = dice.choice(WORDS)
        if len(line) + len(word) > 70:
            lines.append(line)
            line = ""
        line = f"{line} {word}" if line else word
    return "\r\n".join((*lines, line)) + "\r\n"


def head(subject: str, extra: str = "") -> str:
    """The header section of an ordinary mail that came through three hops."""
    received = "".join(
        f"Received: from mx{i}.sender.example (mx{i}.sender.example [192.0.2.{i}])\r\n\tby relay{i}.example with ESMTPS"
        f" id 4XyZ{i}00{i}\r\n\tfor <u@trust.example>; Tue, 24 Nov 2026 09:0{i}:00 +0000\r\n"
        for i in range(1, 4)
    )
    return (
        f'Return-Path: <load@sender.example>\r\n{received}From: "Sender, A." <load@sender.example>\r\n'
        f"To: u@trust.example, Ward 7 <ward7@trust.example>\r\nSubject: {subject}\r\n"
        "Date: Tue, 24 Nov 2026 09:00:00 +0000\r\nMessage-ID: <20261124090000.1@sender.example>\r\n"
        f"MIME-Version: 1.0\r\nX-Mailer: Example Mail 7\r\n{extra}"
    )


@cache
def plain(n_words: int = 400) -> bytes:
    """A text/plain mail, about 3.5 KB by default."""
    return (head("Theatre list") + "Content-Type: text/plain; charset=utf-8\r\n\r\n" + prose(n_words)).encode()


@cache
def newsletter(scale: int = 1) -> bytes:
    """multipart/alternative with an HTML part in quoted-printable, about 12 KB at scale 1."""
    text = prose(300 * scale, 2)
    row = '<tr><td style="font: 14px Arial">caf\u00e9 {}</td><td><a href="https://news.example/?id={}">read</a></td></tr>\r\n'
    html = "<html><body><table>\r\n" + "".join(row.format(w, i) for i, w in enumerate(text.split()[: 70 * scale]))
    coded = quopri.encodestring(html.encode()).replace(b"\r\n", b"\n").replace(b"\n", b"\r\n").decode("ascii")
    return (
        head("=?utf-8?B?TmV3cyBvZiB0aGUgd2VlayDigJMgTm92ZW1iZXI=?=")
        + 'Content-Type: multipart/alternative; boundary="=_alt_1"\r\n\r\nThis is MIME.\r\n--=_alt_1\r\n'
        + f"Content-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n--=_alt_1\r\n"
        + "Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
        + f"{coded}\r\n--=_alt_1--\r\n"
    ).encode()


@cache
def attachment(size: int = 100_000) -> bytes:
    """multipart/mixed with one base64 attachment of `size` bytes of content."""
    content = random.Random(3).randbytes(size)
    coded = base64.encodebytes(content).replace(b"\n", b"\r\n")
    return (
        head("Report").encode()
        + b'Content-Type: multipart/mixed; boundary="=_mix_1"\r\n\r\n--=_mix_1\r\nContent-Type: text/plain\r\n\r\n'
        + prose(60).encode()
        + b'\r\n--=_mix_1\r\nContent-Type: application/pdf; name="report.pdf"\r\n'
        + b"Content-Transfer-Encoding: base64\r\n"
        + b'Content-Disposition: attachment; filename="report.pdf"\r\n\r\n'
        + coded
        + b"--=_mix_1--\r\n"
    )  # fmt: skip


@cache
def many_parts(n: int = 50) -> bytes:
    """multipart/mixed of `n` small text parts."""
    part = '--=_many\r\nContent-Type: text/plain; name="note-{}.txt"\r\n\r\n' + prose(20) + "\r\n"
    body = "".join(part.format(i) for i in range(n))
    return (
        head("Notes") + 'Content-Type: multipart/mixed; boundary="=_many"\r\n\r\n' + body + "--=_many--\r\n"
    ).encode()


@cache
def many_fields(n: int = 80) -> bytes:
    """A mail with `n` header fields more than usual."""
    extra = "".join(f"X-Field-{i}: value {i}; one=two;\r\n\tfolded=yes\r\n" for i in range(n))
    return (head("Fields", extra) + "\r\n" + prose(50)).encode()


@cache
def dotted(n_lines: int = 1000) -> bytes:
    """Text in which every tenth line begins with a dot."""
    return b"".join(
        (b"." if i % 10 == 0 else b"") + b"line of a log file, some of which begin with dots\r\n"
        for i in range(n_lines)
    )


@cache
def spamassassin(every: int = 5) -> tuple[bytes, ...]:
    """Mails of the SpamAssassin public corpus with CRLF line ends; empty when the shared corpus is absent."""
    paths = [p for label in ("ham", "spam") for p in corpus.paths(label) if p.parent.name.startswith("sa2002-")]
    return tuple(corpus.fold(p.read_bytes()) for p in paths[::every])
