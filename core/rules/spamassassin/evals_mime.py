"""Eval tests of MIME structure, transfer encodings and charsets (plug-in MIMEEval)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from math import inf
from typing import TYPE_CHECKING, Final

from mxward.core.rules.spamassassin.evaltools import (
    NEVER,
    NOT_ZERO,
    Bound,
    above_to,
    alone,
    counted_lines,
    evals,
    from_below,
    from_to,
    has_parts,
    keep,
    measured,
    number,
)
from mxward.core.rules.spamassassin.nodes import MAX_BLANK, MAX_LINE, Node, content_type
from mxward.pyx.sacount import count_part

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from mxward.core.rules.spamassassin.texts import TextSet

# Charsets whose letters have no case, or whose bytes look like capitals.
CASELESS: Final = re.compile(
    rb"[-_a-z0-9]{0,80}(?:koi|jp|jis|euc|gb|big5|isoir|cp1251|windows-1251|georgianps|pt154|tis)[-_a-z0-9]{0,80}", re.I
)
_ASCII_NAME: Final = re.compile(
    r"us-ascii|ansi_x3\.4-1968|iso-ir-6|ansi_x3\.4-1986|iso_646\.irv:1991|ascii|iso646-us|us|ibm367|cp367|csascii"
)
_ISO: Final = re.compile(r"iso-\S+-\S+\b", re.I)
_GOOD_ISO: Final = re.compile(r"iso-(?:8859-\d{1,2}|2022-(?:jp|kr))\b")
_TEXTS: Final = ("text/plain", "text/html")
LONG_LINE: Final = 79  # bytes of a line of quoted-printable, its line feed included, that programs keep to
_HTML: Final = re.compile(rb"text/html", re.I)
_CHARSET: Final = re.compile(rb"""charset=(?:"([^"]+)"|'([^']+)'|(\S+))""", re.I)
_FIELD: Final = re.compile(rb"[\x21-\x39\x3b-\x7e]+:")
_TEXT: Final = re.compile(rb"[^\s.]")
_EMPTY_LINES: Final = (b"\n\n", b"\n\r\n")
_LINE_ENDS: Final = (b"\n", b"\r\n")
MAX_FIELD: Final = 4096  # bytes in which the name of a field is looked for
MAX_EPILOGUE: Final = 65_536  # bytes behind a closing boundary that are looked at


@dataclass(slots=True)
class _Facts:
    """Counts that are not 0 under the names that rules know them by, and charsets."""

    count: dict[str, float] = field(default_factory=lambda: {"mime_multipart_ratio": 1.0})
    charsets: list[str] = field(default_factory=list)


class _Amounts:
    """What is added up over the parts: bytes and letters of quoted-printable, letters and entities of plain text."""

    qp_bytes = qp_letters = letters = entities = 0


def _look(texts: TextSet) -> _Facts:
    facts, amounts = _Facts(), _Amounts()
    count = facts.count
    sizes: dict[str, int] = {}  # type -> bytes of the last text that is no attachment
    for node in texts.nodes:
        kind, charset, encoding = _declared_type(node), (node.charset or "").lower(), node.encoding
        dispositions = node.fields.values(b"content-disposition")
        disposition = dispositions[-1].lower() if dispositions else b""
        is_attachment = b"attachment" in disposition
        if kind == "multipart/alternative":
            count["mime_multipart_alternative"] = 1
        if is_attachment:
            count["mime_attachment"] = count.get("mime_attachment", 0) + 1
        if kind.startswith("text"):
            name = "mime_body_html_count" if kind == "text/html" else "mime_body_text_count"
            count[name] = count.get(name, 0) + 1
        if encoding:
            _encoded(count, kind, encoding, disposition, charset)
        if charset:
            _named(facts, charset)
        if not node.children and (kind in _TEXTS or encoding == "quoted-printable"):
            _content(facts, amounts, sizes, texts, node, kind, is_attachment=is_attachment)
    if amounts.qp_bytes:
        count["mime_qp_ratio"] = amounts.qp_letters / amounts.qp_bytes
        count["mime_qp_count"] = amounts.qp_letters
    if amounts.letters:
        count["mime_text_unicode_ratio"] = amounts.entities / amounts.letters
    if "mime_multipart_alternative" in count and "text/plain" in sizes and sizes.get("text/html"):
        count["mime_multipart_ratio"] = sizes["text/plain"] / sizes["text/html"]
    return facts


def _declared_type(node: Node) -> str:
    """The type as declared: multiparts without a boundary or a part, and parts of a digest, are taken for another."""
    if node.type not in ("text/plain", "message/rfc822"):
        return node.type
    values = node.fields.values(b"content-type")
    if not values or (values[-1][:5].lower() == b"text/" and node.type == "text/plain"):
        return "text/plain"
    return content_type(values[-1])[0]


def _encoded(count: dict[str, float], kind: str, encoding: str, disposition: bytes, charset: str) -> None:
    if "base64" in encoding:
        count["mime_base64_count"] = count.get("mime_base64_count", 0) + 1
        is_bare = not disposition.startswith((b"attachment", b"inline"))
        if is_bare and kind.startswith("text") and (not charset or _ASCII_NAME.search(charset)):
            count["mime_base64_encoded_text"] = 1
    elif "quoted-printable" in encoding:
        count["mime_qp_count"] = count.get("mime_qp_count", 0) + 1


def _named(facts: _Facts, charset: str) -> None:
    if "iso-" in charset and _ISO.search(charset) and not _GOOD_ISO.search(charset):
        facts.count["mime_bad_iso_charset"] = 1
    if charset.islower():  # has letters
        facts.charsets.append(charset)


def _content(
    facts: _Facts, amounts: _Amounts, sizes: dict[str, int], texts: TextSet, node: Node, kind: str, *,
    is_attachment: bool,
) -> None:  # fmt: skip
    is_plain, is_escaped = kind == "text/plain", node.encoding == "quoted-printable"
    is_compared = not is_attachment and kind in _TEXTS
    if is_compared and "mime_multipart_alternative" not in facts.count:
        sizes[kind], is_compared = 0, False
    if not (is_compared or is_escaped or is_plain):
        return
    size, longest, escapes, entities, is_odd = _counted(texts, node, is_escaped=is_escaped, is_text=is_plain)
    if is_compared:
        sizes[kind] = size
    if is_escaped:
        if longest > LONG_LINE:
            facts.count["mime_qp_long_line"] = 1
        amounts.qp_bytes += size
        amounts.qp_letters += escapes
    if not is_plain:
        return
    if is_odd and (node.charset is None or node.charset.lower() == "us-ascii"):
        facts.count["mime_ascii_text_illegal"] = 1
    if node.encoding in ("", "7bit", "8bit"):
        amounts.entities += entities
        amounts.letters += size - 8 * entities


def _counted(texts: TextSet, node: Node, *, is_escaped: bool, is_text: bool) -> tuple[int, int, int, int, bool]:
    """(bytes, longest line, needless escapes, entities, whether bytes are odd) of a part as SpamAssassin has it."""
    mime = texts.message.mime
    assert mime is not None, "parse comes before texts"
    info = mime.parts[node.index]
    size, longest, blank, escapes, entities, is_odd = count_part(
        texts.message.raw, info.body_start, info.body_end, escapes=is_escaped, text=is_text
    )
    if longest > MAX_LINE or blank >= MAX_BLANK:  # lines may have been broken, or left out
        raw = node.raw
        size, longest, _, escapes, entities, is_odd = count_part(raw, 0, len(raw), escapes=is_escaped, text=is_text)
    return size, longest, escapes, entities, is_odd


def _facts(texts: TextSet) -> _Facts:
    return keep(texts, "mime", _look)


def _counts(texts: TextSet, names: Collection[str]) -> Iterable[tuple[str, float]]:
    """Counts of the MIME structure, those that there are."""
    count = _facts(texts).count
    return [(name, count.get(name, 0.0)) for name in names]


def check_for_mime(name: str) -> Bound:
    """Whether a count of the MIME structure is not 0."""
    return Bound(_counts, name, NOT_ZERO)


def check_for_mime_html(texts: TextSet) -> bool:
    """Whether there is an HTML part."""
    return "mime_body_html_count" in _facts(texts).count or _is_all_html(texts)


def check_for_mime_html_only(texts: TextSet) -> bool:
    """Whether all text parts are HTML."""
    count = _facts(texts).count
    return ("mime_body_html_count" in count and "mime_body_text_count" not in count) or _is_all_html(texts)


def _is_all_html(texts: TextSet) -> bool:
    return _HTML.match(texts.headers.first("Content-Type")) is not None


def check_mime_multipart_ratio(low: str, high: str) -> Bound:
    """Whether plain text has so many bytes a byte of HTML."""
    return Bound(_counts, "mime_multipart_ratio", from_below(number(low), number(high)))


def check_for_ascii_text_illegal() -> Bound:
    """Whether text declared as ASCII has other bytes."""
    return Bound(_counts, "mime_ascii_text_illegal", NOT_ZERO)


def check_abundant_unicode_ratio(ratio: str) -> Bound:
    """Whether plain text has so many numeric references of HTML."""
    is_ratio = re.fullmatch(r"\d{0,3}\.\d{1,3}", ratio)
    return Bound(_counts, "mime_text_unicode_ratio", from_to(number(ratio), inf) if is_ratio else ())


def check_qp_ratio(low: str) -> Bound:
    """Whether so much of quoted-printable parts is encoded without need."""
    return Bound(_counts, "mime_qp_ratio", from_to(number(low), inf))


def check_for_uppercase(low: str, high: str) -> Bound:
    """Whether so many percent of the letters are capitals."""
    return Bound(_capitals, number(low), above_to(number(low), number(high)))


def _capitals(texts: TextSet, least: Collection[float]) -> Iterable[tuple[float, float]]:
    """Percent of capitals, for each number that they must exceed; nothing when they exceed none."""
    size, large, small, _ = counted_lines(texts)
    percent = 100.0 * large / (large + small) if size >= MIN_LETTERS and large else 0.0
    if percent and percent > min(least) and _has_no_capitals(texts):
        percent = 0.0
    return [(low, percent) for low in least if percent > low]


MIN_LETTERS: Final = 200  # bytes of lines of words below which capitals say nothing


def _has_no_capitals(texts: TextSet) -> bool:
    """Whether a charset says that what looks like capitals may be none."""
    declared = _CHARSET.search(texts.headers.first("Content-Type"))
    charsets = [charset.encode("latin-1", "replace") for charset in _facts(texts).charsets]
    if declared:
        charsets.append(declared[1] or declared[2] or declared[3])
    return any(CASELESS.fullmatch(charset) for charset in charsets)


def check_ma_non_text(texts: TextSet) -> bool:
    """Whether alternatives of a text include something that is no text."""
    for node in texts.nodes:
        if node.type == "multipart/alternative":
            for child in node.children:
                if child.is_leaf and child.type != "application/rtf" and not child.type.startswith("text/"):
                    return True
    return False


def check_base64_length(low: str, high: str | None = None) -> Bound:
    """Whether the longest line of base64 has so many bytes, its end included."""
    return Bound(_BASE64_LENGTH, "", from_to(number(low), number(high, inf)))


def _base64_length(texts: TextSet) -> int:
    longest = 0
    for node in texts.leaves:
        if node.encoding == "base64" and node.type != "application/ics":
            longest = max(longest, node.longest_line)
    return longest


def check_msg_parse_flags(name: str) -> Bound:
    """Whether the message is malformed in a certain way."""
    return Bound(_flags, name, NOT_ZERO, has_parts if name in _FLAGS_OF_PARTS else None)


def _flags(texts: TextSet, names: Collection[str]) -> Iterable[tuple[str, float]]:
    return [(name, 1) for name in names if name in _FLAGS and _FLAGS[name](texts)]


def _is_truncated(texts: TextSet) -> bool:
    fields = texts.nodes[0].fields
    return fields.is_truncated or len(fields.all) < len(fields.order)


def _lacks_separator(texts: TextSet) -> bool:
    header = texts.pristine_header
    return not (header.endswith(b"\n\n") or header == b"\n")


def _parts_of_multiparts(texts: TextSet) -> list[tuple[int, int, int]]:
    """(start, start of the body, end) of each part of a multipart."""
    mime = texts.message.mime
    assert mime is not None, "parse comes before texts"
    infos = [
        mime.parts[node.index]
        for node in texts.nodes
        if node.parent is not None and node.parent.type.startswith("multipart/")
    ]
    return [(info.header_start, info.body_start, info.body_end) for info in infos]


def _lacks_part_fields(texts: TextSet) -> bool:
    """Whether a part of a multipart begins with anything but a field."""
    raw = texts.message.raw
    return any(
        start < body and not _FIELD.match(raw, start, min(body, start + MAX_FIELD))
        for start, body, _ in keep(texts, "parts_of_multiparts", _parts_of_multiparts)
    )


def _lacks_part_separator(texts: TextSet) -> bool:
    """Whether the fields of a part run into its content without an empty line."""
    raw = texts.message.raw
    for start, body, end in keep(texts, "parts_of_multiparts", _parts_of_multiparts):
        if end > body and not (raw.endswith(_EMPTY_LINES, start, body) or raw[start:body] in _LINE_ENDS):
            return True
    return False


def _has_epilogue(texts: TextSet) -> bool:
    """Whether text stands behind the last boundary of a multipart."""
    return any(
        node.children
        and node.boundary is not None
        and node.type.startswith("multipart/")
        and _TEXT.search(node.epilogue(MAX_EPILOGUE))
        for node in texts.nodes
    )


_FLAGS: Final = {
    "truncated_header": _is_truncated, "missing_head_body_separator": _lacks_separator,
    "missing_mime_headers": _lacks_part_fields, "missing_mime_head_body_separator": _lacks_part_separator,
    "mime_epilogue_exists": _has_epilogue,
}  # fmt: skip

_FLAGS_OF_PARTS: Final = frozenset(("missing_mime_headers", "missing_mime_head_body_separator", "mime_epilogue_exists"))
_BASE64_LENGTH: Final = alone(_base64_length)
TABLE: Final = (
    measured(
        check_for_mime, check_mime_multipart_ratio, check_for_ascii_text_illegal, check_abundant_unicode_ratio,
        check_qp_ratio, check_for_uppercase, check_base64_length, check_msg_parse_flags,
    )
    | evals(check_for_mime_html, check_for_mime_html_only, check_ma_non_text)
    | {"check_for_faraway_charset": NEVER}
)  # fmt: skip
