"""The parser against the standard library's `email` (compat32) on every message of the corpus and on own messages.

Same types in the same order and the same decoded bytes, or the difference has a reason listed here.
"""

from __future__ import annotations

import email
import email.message
from collections import Counter

import pytest

from mxtest import corpus
from mxward.pyx.mime import Mime, parse

# Anomalies that mean the RFC reading and the library's reading differ, with what the library does.
EXPLAINED_BY = {
    "too_deep": "stops with RecursionError or goes deeper",
    "bare_cr": "takes a bare CR for a line end",
    "mixed_line_ends": "removes CR and LF of a mixed line end one after the other",
    "fold_without_field": "ends the header or drops the line",
    "blank_fold": "keeps the fold as part of the value",
    "space_before_colon": "ends the header at a field name with a space behind it",
    "space_before_mime_colon": "ends the header at a field name with a space behind it",
    "junk_in_header": "ends the header at the first line that is no field",
    "junk_hides_field": "ends the header at the first line that is no field",
    "missing_blank_line": "keeps or drops the first body line",
    "no_header": "keeps or drops the first body line",
    "header_cut_by_boundary": "lets the header go on or drops the part",
    "double_colon": "does not skip the second colon",
    "missing_colon": "ends the header there",
    "control_before_name": "ends the header there",
    "type_syntax": "keeps damaged subtypes, or falls back to text/plain",
    "duplicate_content_type": "merges nothing, takes the first as we do, but keeps damaged ones",
    "comment_in_mime_field": "does not know comments",
    "parameter_syntax": "cuts values elsewhere",
    "boundary_folded": "keeps the line end in the value",
    "multipart_empty": "gives the text around the missing parts",
    "boundary_syntax": "cuts the boundary elsewhere",
    "boundary_rfc2231": "decodes sections in order of appearance",
    "boundary_empty": "splits at every line of two dashes",
    "boundary_never_used": "turns the multipart into text",
    "boundary_missing": "turns the multipart into text",
    "boundary_nested_same": "gives the delimiter to the inner multipart",
    "boundary_prefix": "differs in what follows the boundary on its line",
    "encoded_message": "reads the encoded text as a message",
    "encoded_multipart": "ignores the encoding, as we do in reading 0",
    "encoding_blank": "does not decode then",
    "encoding_syntax": "does not decode a damaged encoding",
    "encoding_unusual": "knows uuencode only, and needs its first line",
    "base64_junk": "gives undecoded text for some damage",
    "base64_inner_padding": "gives undecoded text for some damage",
    "base64_truncated": "gives undecoded text for some damage",
    "base64_line_shift": "gives undecoded text for some damage",
    "qp_bad_escape": "drops or keeps damaged escapes in other places",
    "qp_ambiguous": "drops or keeps damaged escapes in other places",
}
# message/* types the library opens as messages although RFC 2046 does not say that a message is inside.
OPENED = {"message/delivery-status", "message/disposition-notification", "message/partial", "message/external-body"}


def stdlib_view(raw: bytes) -> list[tuple[str, bytes | None]]:
    """(type, decoded content or None for a container) in document order; opened reports count as leaves."""
    out: list[tuple[str, bytes | None]] = []
    stack: list[email.message.Message] = [email.message_from_bytes(raw)]
    while stack:
        part = stack.pop()
        kind = part.get_content_type()
        if part.is_multipart() and not (
            kind.startswith("message/") and kind not in ("message/rfc822", "message/global", "message/news")
        ):
            out.append((kind, None))
            stack.extend(reversed(part.get_payload()))
        else:
            out.append((kind, None if kind.startswith("message/") else part.get_payload(decode=True)))
    return out


def our_view(mime: Mime) -> list[tuple[str, bytes | None]]:
    """The same of reading 0."""
    children: dict[int, list[int]] = {}
    for index, part in enumerate(mime.parts):
        if part.reading == 0:
            children.setdefault(part.parent, []).append(index)
    out: list[tuple[str, bytes | None]] = []
    stack = list(reversed(children.get(-1, [])))
    while stack:
        index = stack.pop()
        part = mime.parts[index]
        below = children.get(index, [])
        if below or part.content_type.startswith("message/"):
            out.append((part.content_type, None))
        else:
            out.append((part.content_type, mime.decode(index)))
        stack.extend(reversed(below))
    return out


def loosened(content: bytes | None) -> bytes | None:
    """Without what transport may change: line end form and white space at line ends, empty lines around."""
    if content is None:
        return None
    lines = content.replace(b"\r\n", b"\n").split(b"\n")
    return b"\n".join(line.rstrip() for line in lines).strip(b"\n")


def difference(raw: bytes) -> str:
    """ "" when equal (white space at line ends apart), else what differs and the anomalies we named."""
    mime = parse(raw)
    theirs, ours = stdlib_view(raw), our_view(mime)
    if [(kind, loosened(content)) for kind, content in theirs] == [(kind, loosened(content)) for kind, content in ours]:
        return ""
    reasons = {anomaly.code for anomaly in mime.anomalies} & EXPLAINED_BY.keys()
    what = "bytes" if [kind for kind, _ in theirs] == [kind for kind, _ in ours] else "tree"
    return f"{what}:{','.join(sorted(reasons)) or 'UNEXPLAINED'}"


@pytest.mark.corpus
@pytest.mark.parametrize("label", corpus.LABELS)
def test_same_tree_and_bytes_as_the_standard_library(label: str) -> None:
    corpus.need("mail")
    unexplained = []
    seen: Counter[str] = Counter()
    for mail in corpus.mails(label):
        found = difference(mail.stored)
        seen[found.partition(":")[0] or "same"] += 1
        if found.endswith("UNEXPLAINED"):
            unexplained.append(f"{mail.name}: {found}")
    assert not unexplained, "\n".join(unexplained)
    assert seen["same"] > (0.95 if label != "torture" else 0.6) * sum(seen.values()), seen


OWN = {
    "plain": b"Subject: a\n\nhello\n",
    "empty": b"",
    "header only": b"Subject: a\n",
    "nested": (
        b"Content-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: multipart/alternative; boundary=b\n\n"
        b"--b\n\none\n--b\nContent-Type: text/html\n\ntwo\n--b--\n--a\nContent-Type: message/rfc822\n\n"
        b"Subject: x\nContent-Transfer-Encoding: base64\n\nQUJD\n--a--\nepilogue\n"
    ),
    "quoted-printable": b"Content-Transfer-Encoding: quoted-printable\n\na=3Db=\nc =E9\n",
    "digest": b"Content-Type: multipart/digest; boundary=a\n\n--a\n\nSubject: x\n\nbody\n--a--\n",
}


@pytest.mark.parametrize("name", sorted(OWN))
@pytest.mark.parametrize("crlf", [False, True])
def test_own_messages_agree(name: str, crlf: bool) -> None:
    raw = OWN[name].replace(b"\n", b"\r\n") if crlf else OWN[name]
    assert difference(raw) == ""
