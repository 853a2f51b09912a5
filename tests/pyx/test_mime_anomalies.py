"""Every named malformation: a small message of our own that has it, and one table for code, docs and tests."""

from __future__ import annotations

import base64
import importlib.util
from pathlib import Path

import pytest

from mxward.core import limits
from mxward.pyx.mime import ANOMALIES, LIMITS, parse

ZIP = base64.b64encode(b"PK\x03\x04" + bytes(range(60)) + b"eicar.com").decode()
MIXED = "Content-Type: multipart/mixed; boundary=b\n\n"


def multipart(*parts: str, head: str = MIXED, end: str = "--b--\n") -> bytes:
    return (head + "".join(f"--b\n{part}\n" for part in parts) + end).encode("latin-1")


def leaf(body: str, encoding: str = "", more: str = "") -> str:
    head = f"Content-Transfer-Encoding: {encoding}\n" if encoding else ""
    return f"Content-Type: application/zip\n{head}{more}\n{body}"


LINES = "\n".join(ZIP[i : i + 16] for i in range(0, len(ZIP), 16))
CASES: dict[str, bytes] = {
    "too_many_parts": multipart(*["\nx"] * 1001),
    "too_deep": b"".join(b"Content-Type: message/rfc822\n\n" for _ in range(120)),
    "too_many_fields": b"A: b\n" * 1001 + b"\n",
    "header_too_long": b"A: " + b"x" * 300_000 + b"\nB: c\n\n",
    "too_many_parameters": b"Content-Type: multipart/mixed; " + b"a=b; " * 101 + b"boundary=x\n\n",
    "too_many_readings": multipart(*["Content-Type: text/plain\n\n--x\nContent-Type: text/html\n\ny"] * 10),
    "decode_budget": multipart(
        "Content-Type: message/rfc822\nContent-Transfer-Encoding: gzip64\n\nH4sIAAAA",
    ),
    "nul_byte": b"Subject: a\n\n\0\n",
    "bare_cr": b"Subject: a\n\nx\ry\n",
    "mixed_line_ends": b"Subject: a\r\n\nx\n",
    "long_line": b"Subject: a\n\n" + b"x" * 999 + b"\n",
    "bare_cr_structure": b"Subject: a\rContent-Transfer-Encoding: base64\n\nQUJD\n",
    "raw_8bit_header": b"Subject: \xe4\n\n",
    "mbox_from_line": b"From a@b Mon Jan  1\nSubject: a\n\n",
    "fold_without_field": b" x\nSubject: a\n\n",
    "blank_fold": b"Subject: a\n \n b\n\n",
    "blank_fold_hides_field": b"Subject: a\n \nContent-Transfer-Encoding: base64\n\nQUJD\n",
    "space_before_colon": b"Subject : a\n\n",
    "space_before_mime_colon": b"Content-Type : text/html\n\n",
    "field_without_name": b": x\nSubject: a\n\n",
    "junk_in_header": b"Subject: a\njunk\nTo: b\n\n",
    "junk_hides_field": b"Subject: a\njunk\nContent-Transfer-Encoding: base64\n\nQUJD\n",
    "field_in_fold": b"X-Foo :bar\n Content-Type: multipart/mixed; boundary=b\n\n--b\n\nx\n--b--\n",
    "double_colon": b"Content-Transfer-Encoding:: base64\n\nQUJD\n",
    "missing_colon": b"Content-Transfer-Encoding base64\n\nQUJD\n",
    "control_before_name": b"\x01Content-Transfer-Encoding: base64\n\nQUJD\n",
    "missing_blank_line": b"Subject: a\nhello there\nfriend\n",
    "header_cut_by_boundary": multipart("Content-Type: text/plain"),
    "no_header": b"hello\nthere\n",
    "duplicate_field": b"Subject: a\nSubject: b\n\n",
    "duplicate_content_type": b"Content-Type: text/plain\nContent-Type: text/html\n\n",
    "duplicate_encoding": b"Content-Transfer-Encoding: 7bit\nContent-Transfer-Encoding: base64\n\nQUJD\n",
    "type_syntax": b"Content-Type: text\n\nx\n",
    "comment_in_mime_field": b"Content-Type: (c) text/html\n\nx\n",
    "parameter_syntax": multipart("\nx", head='Content-Type: multipart/mixed; boundary="b" x\n\n'),
    "multipart_syntax": multipart("\nx", head="Content-Type: ultipart/mixed; boundary=b\n\n"),
    "duplicate_boundary": multipart("\nx", head="Content-Type: multipart/mixed; boundary=a; boundary=b\n\n"),
    "boundary_syntax": multipart("\nx", head='Content-Type: multipart/mixed; boundary="b"c\n\n--"b"c\n\ny\n'),
    "boundary_folded": multipart("\nx", head='Content-Type: multipart/mixed; boundary="b\n c"\n\n'),
    "boundary_rfc2231": multipart("\nx", head="Content-Type: multipart/mixed; boundary*=''%62\n\n"),
    "boundary_missing": multipart("\nx", head="Content-Type: multipart/mixed\n\n"),
    "boundary_empty": multipart("\nx", head='Content-Type: multipart/mixed; boundary=""\n\n'),
    "boundary_too_long": b"Content-Type: multipart/mixed; boundary=" + b"b" * 71 + b"\n\n",
    "name_conflict": b'Content-Type: a/b; name="a.txt"\nContent-Disposition: attachment; filename=b.zip\n\n',
    "charset_unknown": b"Content-Type: text/plain; charset=x-nonsense\n\n",
    "boundary_never_used": b"Content-Type: multipart/mixed; boundary=b\n\nx\n",
    "boundary_guessed": multipart(
        "Content-Type: text/plain\n\nx", head="Content-Type: multipart/mixed; boundary=q\n\n"
    ),
    "multipart_empty": multipart(),
    "missing_close": multipart("\nx", end=""),
    "boundary_prefix": multipart("\nx").replace(b"--b--", b"--bx\n\ny\n--b--"),
    "boundary_nested_same": multipart(f"{MIXED}--b\n\nx\n--b--"),
    "part_after_close": multipart("\nx") + b"--b\n\ny\n",
    "mime_in_preamble": multipart("\nx", head=MIXED + "--q\nContent-Type: text/plain\n\nz\n"),
    "mime_in_epilogue": multipart("\nx") + b"--q\nContent-Type: text/plain\n\nz\n",
    "mime_in_text": multipart("Content-Type: text/plain\n\n--q\nContent-Type: text/html\n\nz"),
    "undeclared_multipart": b"Subject: a\n\n--q\nContent-Type: text/plain\n\nz\n--q--\n",
    "encoded_multipart": multipart("\nx", head="Content-Transfer-Encoding: base64\n" + MIXED),
    "encoded_multipart_parts": ("Content-Transfer-Encoding: base64\n" + MIXED).encode()
    + base64.b64encode(b"--b\nContent-Type: text/plain\n\nx\n--b--\n"),
    "inner_after_outer": multipart(
        "Content-Type: multipart/mixed; boundary=i\n\n--i\n\nx\n--b\n\ny\n--i\nContent-Type: text/html\n\nz\n--i--",
    ),
    "encoded_message": b"Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n"
    + base64.b64encode(b"Subject: inner\n\nhello\n"),
    "message_partial": b"Content-Type: message/partial; id=1; number=1\n\nx\n",
    "message_external_body": b"Content-Type: message/external-body; access-type=URL\n\nx\n",
    "encoding_unknown": b"Content-Transfer-Encoding: rot13\n\nx\n",
    "encoding_blank": b"Content-Transfer-Encoding: base64 \n\nQUJD\n",
    "encoding_syntax": b"Content-Transfer-Encoding: base-64\n\nQUJD\n",
    "encoding_unusual": b"Content-Transfer-Encoding: x-uuencode\n\nbegin 644 a\n#04)#\n`\nend\n",
    "base64_undeclared": multipart(leaf(LINES)),
    "base64_junk": multipart(leaf(ZIP[:8] + "#" + ZIP[8:], "base64")),
    "base64_junk_ambiguous": multipart(leaf(ZIP[:8] + "#" + ZIP[8:], "base64")),
    "base64_inner_padding": multipart(leaf("UEs=\nQUJD\nQUJD", "base64")),
    "base64_truncated": multipart(leaf("QUJDQUJ", "base64")),
    "base64_line_shift": multipart(leaf("A\n" + LINES, "base64")),
    "qp_bad_escape": multipart(leaf("a=zz", "quoted-printable")),
    "qp_ambiguous": multipart(leaf("=0=50=4B", "quoted-printable")),
    "qp_mixed_case": multipart(leaf("=0a=4B", "quoted-printable")),
    "uuencode_block": b"Subject: a\n\ntext\nbegin 644 a.zip\n#04)#\n`\nend\n",
    "yenc_block": b"Subject: a\n\ntext\n=ybegin line=128 size=3 name=a.zip\nklm\n=yend size=3\n",
    "binhex_block": b"Subject: a\n\n(This file must be converted with BinHex 4.0)\n:x:\n",
}
# Needs four gigabytes to provoke; the cut itself is one comparison.
NOT_TRIED = {"message_too_large"}


def test_every_anomaly_has_a_case() -> None:
    assert {kind.code for kind in ANOMALIES} == CASES.keys() | NOT_TRIED


@pytest.mark.parametrize("code", sorted(CASES))
@pytest.mark.parametrize("crlf", [False, True])
def test_case_has_the_anomaly(code: str, crlf: bool) -> None:
    raw = CASES[code].replace(b"\n", b"\r\n") if crlf and code != "mixed_line_ends" else CASES[code]
    mime = parse(raw)
    found = [anomaly for anomaly in mime.anomalies if anomaly.code == code]
    assert found, [anomaly.code for anomaly in mime.anomalies]
    assert all(0 <= one.part < mime.n_parts and 0 <= one.offset <= len(raw) for one in found)
    assert len({(one.part, one.code) for one in mime.anomalies}) == len(mime.anomalies)


@pytest.mark.parametrize("kind", [k for k in ANOMALIES if k.code not in NOT_TRIED], ids=lambda kind: kind.code)
def test_ambiguous_ones_make_the_message_ambiguous(kind) -> None:
    table = {one.code: one.is_ambiguous for one in ANOMALIES}
    mime = parse(CASES[kind.code])
    assert mime.is_ambiguous == any(table[anomaly.code] for anomaly in mime.anomalies)
    if kind.is_ambiguous:
        assert mime.is_ambiguous


CLEAN = multipart(
    "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\na=3Db=\nc",
    leaf(LINES, "base64", 'Content-Disposition: attachment; filename="a.zip"\n'),
    head="From: a@example.org\nSubject: x\nMIME-Version: 1.0\n" + MIXED,
)


def test_clean_message_has_none() -> None:
    mime = parse(CLEAN)
    assert mime.anomalies == () and not mime.is_ambiguous
    assert [part.reading for part in mime.parts] == [0, 0, 0]


def test_limits_are_those_of_core() -> None:
    assert {name: getattr(limits, name) for name in LIMITS} == LIMITS


def test_documentation_is_generated_from_the_table(repository: Path) -> None:
    spec = importlib.util.spec_from_file_location("docs_anomalies", repository / "docs" / "anomalies.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    page = (repository / "docs" / "anomalies.md").read_text(encoding="utf-8")
    assert page == module.page(), "run: python docs/anomalies.py"
    for kind in ANOMALIES:
        assert kind.what and kind.exploits
