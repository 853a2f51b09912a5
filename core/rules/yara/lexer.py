"""Tokens of YARA text. One regular expression a place in the grammar, none of which can backtrack without bound."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from mxward.core.rules.yara.tree import NotUnderstood

MAX_TOKENS: Final = 200_000  # of one condition


class Token(NamedTuple):
    """`kind`: word, string ($a), set ($a*), mark (#a @a !a), number, text, regex, op."""

    kind: str
    text: str
    flags: str = ""  # of a regex


SPACE: Final = re.compile(r"(?:[ \t\r\n]++|//[^\n]*+|/\*(?:[^*]++|\*(?!/))*+\*/)*+")
TEXT: Final = re.compile(r'"((?:[^"\\\n]++|\\[^\n])*+)"')
REGEX: Final = re.compile(r"/(?![/*])((?:[^/\\\n]++|\\[^\n])++)/(i?s?)")
HEX: Final = re.compile(r"\{((?:[^}/]++|//[^\n]*+|/\*(?:[^*]++|\*(?!/))*+\*/)*+)\}")
WORD: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*+")
NUMBER: Final = re.compile(r"0x[0-9A-Fa-f]++|0o[0-7]++|[0-9]++(?:\.[0-9]++|KB|MB)?")
_TOKEN: Final = re.compile(
    r"""(?P<word>[A-Za-z_][A-Za-z0-9_]*+)
    |(?P<set>\$[A-Za-z0-9_]*+\*)
    |(?P<string>\$[A-Za-z0-9_]*+)
    |(?P<op>!=|==|<=|>=|<<|>>|\.\.|[<>().,:+\-*\\%&|^~\[\]}])
    |(?P<mark>[#@!][A-Za-z0-9_]*+)
    |(?P<number>0x[0-9A-Fa-f]++|0o[0-7]++|[0-9]++(?:\.[0-9]++|KB|MB)?)
    |(?P<text>"(?:[^"\\\n]++|\\[^\n])*+")
    |(?P<regex>/(?![/*])(?:[^/\\\n]++|\\[^\n])++/i?s?)""",
    re.VERBOSE,
)
_ESCAPES: Final = {"t": b"\t", "n": b"\n", "r": b"\r", '"': b'"', "\\": b"\\"}


def skip(text: str, at: int) -> int:
    """The next place that is neither space nor comment."""
    found = SPACE.match(text, at)
    return found.end() if found else at


def tokens(text: str, at: int) -> tuple[list[Token], int]:
    """Tokens of a condition up to the brace that closes its rule, and the place behind that brace.

    Raises: NotUnderstood at a character that begins no token, at the end of the text, or beyond MAX_TOKENS.
    """
    found: list[Token] = []
    match = _TOKEN.match
    while len(found) < MAX_TOKENS:
        at = skip(text, at)
        token = match(text, at)
        if token is None:
            raise NotUnderstood("its condition holds an unknown token, or does not end")
        at, kind, body = token.end(), str(token.lastgroup), token[0]
        if body == "}" and kind == "op":
            return found, at
        if kind == "regex":
            inner, _, flags = body[1:].rpartition("/")
            found.append(Token(kind, inner, flags))
        else:
            found.append(Token(kind, body[1:-1] if kind == "text" else body))
    raise NotUnderstood("its condition is too long")


def number(text: str) -> int | float:
    """The value of a number token. Raises NotUnderstood when it does not fit libyara's integers."""
    if text[:2] in ("0x", "0o"):
        value = int(text[2:], 16 if text[1] == "x" else 8)
    elif "." in text:
        return float(text)
    elif text.endswith("B"):
        value = int(text[:-2]) * (1024 if text[-2] == "K" else 1 << 20)
    else:
        value = int(text)
    if value >= 1 << 63:
        raise NotUnderstood("a number is too large")
    return value


def unescape(body: str) -> bytes:
    """The bytes of a text string, as libyara reads its escapes. Raises NotUnderstood on any other escape."""
    raw = body.encode("utf-8", "surrogateescape")
    if b"\\" not in raw:
        return raw
    out, at = bytearray(), 0
    while at < len(raw):
        if raw[at] != 0x5C:
            out.append(raw[at])
            at += 1
        elif raw[at + 1 : at + 2] == b"x" and re.fullmatch(rb"[0-9A-Fa-f]{2}", raw[at + 2 : at + 4]):
            out.append(int(raw[at + 2 : at + 4], 16))
            at += 4
        else:
            plain = _ESCAPES.get(chr(raw[at + 1]) if at + 1 < len(raw) else "")
            if plain is None:
                raise NotUnderstood("an unknown escape in a text")
            out += plain
            at += 2
    return bytes(out)
