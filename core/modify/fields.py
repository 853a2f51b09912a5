"""Edits of the header section: a field that is added, a prefix of the Subject.

Every edit is checked by parsing the result: the body must be the same bytes and the fields must be the old ones and
the new.
"""

from __future__ import annotations

import re
from base64 import b64encode
from typing import Final

from mxward.core.modify.error import ModifyError
from mxward.pyx.mime import Mime, parse

_NAME: Final = re.compile(r"[!-9;-~]{1,76}")
_UNSAFE: Final = re.compile(r"[\x00-\x1f\x7f\u0085\u2028\u2029]+")
LINE: Final = 78  # RFC 5322 2.1.1: lines should not be longer
_WORD_BYTES: Final = 45  # of UTF-8 in one encoded word: 60 characters of base64 and 12 around them
SUBJECT: Final = "subject"


def tag(raw: bytes, argument: str) -> bytes:
    """Add the field "Name: value", folded and encoded by RFC 2047, or put the prefix "subject: PREFIX". Idempotent.

    Raises: ModifyError.
    """
    name, colon, value = argument.partition(":")
    name = name.strip()
    if not colon or not _NAME.fullmatch(name):
        raise ModifyError(f"no header field: {argument!r}")
    mime = parse(raw)
    if name.lower() == SUBJECT:
        edited = _prefix_subject(raw, mime, _UNSAFE.sub(" ", value).lstrip())
    else:
        edited = _add_field(raw, mime, name, _UNSAFE.sub(" ", value).strip())
    return edited


def _add_field(raw: bytes, mime: Mime, name: str, value: str) -> bytes:
    field = encode_field(name, value)
    if _unfolded(field.partition(b":")[2]) in [_unfolded(v) for v in mime.field_all(name)]:
        return raw
    return _checked(raw, field + raw, mime, field)


def _unfolded(value: bytes) -> bytes:
    return b" ".join(value.split())


def _prefix_subject(raw: bytes, mime: Mime, prefix: str) -> bytes:
    spans = mime.field_spans(SUBJECT)
    if not spans:
        return _add_field(raw, mime, "Subject", prefix.strip())
    if " ".join(mime.text(SUBJECT).split()).startswith(" ".join(prefix.split())):
        return raw
    start, value, end = spans[0]
    shown = raw[value:end].lstrip(b" \t")
    at = end - len(shown)
    first_line = raw[start:end].partition(b"\r\n")[0]
    if _is_plain(prefix):
        word = prefix.encode("ascii")
    else:
        # white space between two encoded words is not shown (RFC 2047 6.2), so it stands inside the first
        word = _words(prefix if shown.startswith(b"=?") else prefix.rstrip()) + b" "
    if len(first_line) + len(word) > LINE and shown.strip():
        word = word.rstrip() + b"\r\n "
    lead = b"" if raw[at - 1 : at] in (b" ", b"\t") else b" "
    return _checked(raw, raw[:at] + lead + word + raw[at:], mime)


def _checked(raw: bytes, edited: bytes, before: Mime, added: bytes = b"") -> bytes:
    """`edited` if it parses to the same body and to the same fields beside the change. Raises: ModifyError.

    Args: added: the field that was put in front; empty when one field was changed in place.
    """
    after = parse(edited)
    old, new = before.fields(0), after.fields(0)
    if added:
        name, _, value = added.partition(b":")
        same_fields = new[1:] == old and new[0][0] == name and _unfolded(new[0][1]) == _unfolded(value)
    else:
        same_fields = [n for n, _ in new] == [n for n, _ in old] and sum(
            a != b for a, b in zip(new, old, strict=True)
        ) <= 1
    body, new_body = before.parts[0].body_start, after.parts[0].body_start
    if not same_fields or raw[body:] != edited[new_body:] or after.n_parts != before.n_parts:
        raise ModifyError("the header section is too malformed to be edited")
    return edited


def _is_plain(text: str) -> bool:
    return text.isascii() and "=?" not in text


def encode_field(name: str, value: str) -> bytes:
    """A whole header field with its CRLF: folded at white space, encoded words where it is not plain ASCII."""
    if not _is_plain(value):
        return f"{name}: ".encode("ascii") + _words(value) + b"\r\n"
    lines, line = [], f"{name}:"
    for word in value.split(" "):
        pieces = [word[i : i + 900] for i in range(0, len(word), 900)] or [""]
        for piece in pieces:
            if len(line) + 1 + len(piece) > LINE and line.strip() and line != f"{name}:":
                lines.append(line)
                line = ""
            line += f" {piece}"
    lines.append(line)
    return "\r\n".join(lines).encode("ascii") + b"\r\n"


def _words(text: str) -> bytes:
    """RFC 2047 encoded words, one a line, never splitting a character (section 5)."""
    words: list[bytes] = []
    chunk = b""
    for character in text:
        encoded = character.encode("utf-8", "replace")
        if len(chunk) + len(encoded) > _WORD_BYTES:
            words.append(chunk)
            chunk = b""
        chunk += encoded
    words.append(chunk)
    return b"\r\n ".join(b"=?utf-8?b?" + b64encode(word) + b"?=" for word in words)
