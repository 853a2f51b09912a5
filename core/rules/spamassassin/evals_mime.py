"""Eval tests of MIME structure, transfer encodings and charsets (plug-in MIMEEval)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from mxward.core.rules.spamassassin.evaltools import Eval, keep, number
from mxward.core.rules.spamassassin.nodes import Node, content_type
from mxward.pyx.saline import count_letters, longest_line

if TYPE_CHECKING:
    from mxward.core.rules.spamassassin.texts import TextSet

# Charsets whose letters have no case, or whose bytes look like capitals.
CASELESS: Final = re.compile(
    rb"[-_a-z0-9]*(?:koi|jp|jis|euc|gb|big5|isoir|cp1251|windows-1251|georgianps|pt154|tis)[-_a-z0-9]*", re.I
)
_ASCII_NAME: Final = re.compile(
    r"us-ascii|ansi_x3\.4-1968|iso-ir-6|ansi_x3\.4-1986|iso_646\.irv:1991|ascii|iso646-us|us|ibm367|cp367|csascii"
)
_ISO: Final = re.compile(r"iso-\S+-\S+\b", re.I)
_GOOD_ISO: Final = re.compile(r"iso-(?:8859-\d{1,2}|2022-(?:jp|kr))\b")
_ESCAPED_LETTER: Final = re.compile(rb"=(?:09|3[0-9ABCEF]|[2456][0-9A-F]|7[0-9A-E])")
_ESCAPED_END: Final = re.compile(rb"((?:=09|=20)+)[ \t\r\f\v]*$", re.M)
LONG_LINE: Final = 79  # bytes of a line of quoted-printable, its line feed included, that programs keep to
_ENTITY: Final = re.compile(rb"&#x[0-9A-F]{4};")
_HTML: Final = re.compile(rb"text/html", re.I)
_CHARSET: Final = re.compile(rb"""charset=(?:"([^"]+)"|'([^']+)'|(\S+))""", re.I)
_FIELD: Final = re.compile(rb"[\x21-\x39\x3b-\x7e]+:")
_FIELD_OR_BLANK: Final = re.compile(rb"[\x21-\x39\x3b-\x7e]+[ \t]*:|[ \t]")
_TEXT: Final = re.compile(rb"[^\s.]")
_NAMES: Final[tuple[str, ...]] = (
    "mime_base64_count", "mime_base64_encoded_text", "mime_body_html_count", "mime_body_text_count",
    "mime_faraway_charset", "mime_missing_boundary", "mime_multipart_alternative", "mime_qp_count",
    "mime_qp_long_line", "mime_qp_ratio", "mime_ascii_text_illegal", "mime_text_unicode_ratio", "mime_attachment",
    "mime_bad_iso_charset",
)  # fmt: skip
MAX_EPILOGUE: Final = 65_536  # bytes behind a closing boundary that are looked at


@dataclass(slots=True)
class _Facts:
    """Counts under the names that rules know them by."""

    count: dict[str, float] = field(default_factory=lambda: dict.fromkeys(_NAMES, 0.0) | {"mime_multipart_ratio": 1.0})
    charsets: list[str] = field(default_factory=list)
    sizes: list[tuple[str, int]] = field(default_factory=list)  # (type, bytes) of text leaves that are no attachments
    qp_bytes: int = 0
    qp_letters: float = 0
    letters: int = 0
    entities: int = 0


def _look(texts: TextSet) -> _Facts:
    facts = _Facts()
    for node in texts.nodes:
        kind, _, charset, _, _ = content_type(node.fields.last("content-type"))
        disposition = node.fields.last("content-disposition").decode("latin-1").lower()
        if kind == "multipart/alternative":
            facts.count["mime_multipart_alternative"] = 1
        _declared(facts, kind, node.encoding, disposition, (charset or "").lower())
        if node.is_leaf:
            _content(facts, node, kind, disposition, None if charset is None else charset.lower())
    count = facts.count
    if facts.qp_bytes:
        count["mime_qp_ratio"] = facts.qp_letters / facts.qp_bytes
        count["mime_qp_count"] = facts.qp_letters
    if facts.letters:
        count["mime_text_unicode_ratio"] = facts.entities / facts.letters
    if count["mime_multipart_alternative"]:
        text = next((size for kind, size in reversed(facts.sizes) if kind == "text/plain"), None)
        html = next((size for kind, size in reversed(facts.sizes) if kind == "text/html"), None)
        if text is not None and html:
            count["mime_multipart_ratio"] = text / html
    return facts


def _declared(facts: _Facts, kind: str, encoding: str, disposition: str, charset: str) -> None:
    count = facts.count
    if kind == "text/html":
        count["mime_body_html_count"] += 1
    elif kind.startswith("text"):
        count["mime_body_text_count"] += 1
    if "base64" in encoding:
        count["mime_base64_count"] += 1
    elif "quoted-printable" in encoding:
        count["mime_qp_count"] += 1
    if "attachment" in disposition:
        count["mime_attachment"] += 1
    is_bare = not disposition.startswith(("attachment", "inline"))
    if kind.startswith("text") and "base64" in encoding and is_bare and (not charset or _ASCII_NAME.search(charset)):
        count["mime_base64_encoded_text"] = 1
    if _ISO.search(charset) and not _GOOD_ISO.search(charset):
        count["mime_bad_iso_charset"] = 1
    if re.search("[a-z]", charset):
        facts.charsets.append(charset)


def _content(facts: _Facts, node: Node, kind: str, disposition: str, charset: str | None) -> None:
    is_attachment = "attachment" in disposition
    if kind not in ("text/plain", "text/html") and node.encoding != "quoted-printable":
        return
    encoding = node.encoding
    raw = node.raw
    if kind in ("text/plain", "text/html") and not is_attachment:
        counted = len(raw) if facts.count["mime_multipart_alternative"] else 0
        facts.sizes.append((kind, counted))
    if encoding == "quoted-printable":
        if longest_line(raw, 0, len(raw)) > LONG_LINE:
            facts.count["mime_qp_long_line"] = 1
        facts.qp_bytes += len(raw)
        if b"=" in raw:
            facts.qp_letters += len(_ESCAPED_LETTER.findall(raw))
            facts.qp_letters -= sum(len(end) // 3 for end in _ESCAPED_END.findall(raw))
    if kind != "text/plain":
        return
    if charset in (None, "us-ascii") and (not raw.isascii() or b"\0" in raw or b"\r" in raw):
        facts.count["mime_ascii_text_illegal"] = 1
    if encoding in ("", "7bit", "8bit"):
        entities = len(_ENTITY.findall(raw)) if b"&#x" in raw else 0
        facts.entities += entities
        facts.letters += len(raw) - 8 * entities


def _facts(texts: TextSet) -> _Facts:
    return keep(texts, "mime", _look)


def check_for_mime(texts: TextSet, name: str) -> bool:
    """Whether a count of the MIME structure is not 0."""
    return bool(_facts(texts).count.get(name))


def check_for_mime_html(texts: TextSet) -> bool:
    """Whether there is an HTML part."""
    return bool(_is_all_html(texts) or _facts(texts).count["mime_body_html_count"])


def check_for_mime_html_only(texts: TextSet) -> bool:
    """Whether all text parts are HTML."""
    count = _facts(texts).count
    return _is_all_html(texts) or bool(count["mime_body_html_count"] and not count["mime_body_text_count"])


def _is_all_html(texts: TextSet) -> bool:
    return _HTML.match(texts.headers.first("Content-Type")) is not None


def check_mime_multipart_ratio(texts: TextSet, low: str, high: str) -> bool:
    """Whether plain text has so many bytes a byte of HTML."""
    return number(low) <= _facts(texts).count["mime_multipart_ratio"] < number(high)


def check_for_ascii_text_illegal(texts: TextSet) -> bool:
    """Whether text declared as ASCII has other bytes."""
    return bool(_facts(texts).count["mime_ascii_text_illegal"])


def check_abundant_unicode_ratio(texts: TextSet, ratio: str) -> bool:
    """Whether plain text has so many numeric references of HTML."""
    if not re.fullmatch(r"\d{0,3}\.\d{1,3}", ratio):
        return False
    return _facts(texts).count["mime_text_unicode_ratio"] >= number(ratio)


def check_qp_ratio(texts: TextSet, low: str) -> bool:
    """Whether so much of quoted-printable parts is encoded without need."""
    return _facts(texts).count["mime_qp_ratio"] >= number(low)


def check_for_faraway_charset(texts: TextSet) -> bool:
    """Never: which charsets belong to which languages is not known here; the default is that all are welcome."""
    return False


def check_for_uppercase(texts: TextSet, low: str, high: str) -> bool:
    """Whether so many percent of the letters are capitals."""
    return number(low) < keep(texts, "uppercase", _uppercase) <= number(high)


MIN_LETTERS: Final = 200  # bytes of lines of words below which capitals say nothing


def _uppercase(texts: TextSet) -> float:
    declared = _CHARSET.search(texts.headers.first("Content-Type"))
    charsets = [charset.encode("latin-1", "replace") for charset in _facts(texts).charsets]
    if declared:
        charsets.append(declared[1] or declared[2] or declared[3])
    if any(CASELESS.fullmatch(charset) for charset in charsets):
        return 0.0
    size, large, small = count_letters(*texts.body)
    return 100.0 * large / (large + small) if size >= MIN_LETTERS and large + small else 0.0


def check_ma_non_text(texts: TextSet) -> bool:
    """Whether alternatives of a text include something that is no text."""
    for node in texts.nodes:
        if node.type == "multipart/alternative":
            for child in node.children:
                if child.is_leaf and child.type != "application/rtf" and not child.type.startswith("text/"):
                    return True
    return False


def check_base64_length(texts: TextSet, low: str, high: str | None = None) -> bool:
    """Whether the longest line of base64 has so many bytes, its end included."""
    return number(low) <= keep(texts, "base64_length", _base64_length) <= number(high, float("inf"))


def _base64_length(texts: TextSet) -> int:
    longest = 0
    for node in texts.leaves:
        if node.encoding == "base64" and node.type != "application/ics":
            longest = max(longest, node.longest_line)
    return longest


def check_msg_parse_flags(texts: TextSet, name: str) -> bool:
    """Whether the message is malformed in a certain way."""
    known = _FLAGS.get(name)
    return known is not None and known(texts)


def _is_truncated(texts: TextSet) -> bool:
    fields = texts.nodes[0].fields
    return fields.is_truncated or len(fields.all) < len(fields.order)


def _lacks_separator(texts: TextSet) -> bool:
    header = texts.pristine_header
    return not (header.endswith(b"\n\n") or header == b"\n")


def _lacks_part_fields(texts: TextSet) -> bool:
    """Whether a part of a multipart begins with anything but a field."""
    return any(
        not _FIELD.match(start)
        for node in texts.nodes
        if node.parent is not None and node.parent.type.startswith("multipart/")
        for start in (node.head[:4096],)
        if start
    )


def _lacks_part_separator(texts: TextSet) -> bool:
    """Whether the fields of a part run into its content without an empty line."""
    for node in texts.nodes:
        if node.parent is None or not node.parent.type.startswith("multipart/"):
            continue
        head = node.head
        if not (head.endswith(b"\n\n") or head == b"\n") and node.has_body:
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

TABLE: Final = {
    run.__name__: Eval(run)
    for run in (
        check_for_mime, check_for_mime_html, check_for_mime_html_only, check_mime_multipart_ratio,
        check_for_ascii_text_illegal, check_abundant_unicode_ratio, check_qp_ratio, check_for_faraway_charset,
        check_for_uppercase, check_ma_non_text, check_base64_length, check_msg_parse_flags,
    )
}  # fmt: skip
