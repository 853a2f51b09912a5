"""What holds for any bytes: nothing raised, spans inside, one structure for LF and CRLF, linear and bounded cost."""

from __future__ import annotations

import base64
import os
import quopri
import threading
import time
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mxward.pyx.mime import LIMITS, Mime, PartInfo, parse

PIECES = st.sampled_from(
    [
        b"\n", b"\r\n", b"\r", b"--b\n", b"--b--\n", b"--c\n", b"--", b" ", b"\t", b": ", b"Subject: x\n", b"text\n",
        b"=\n",
        b"Content-Type: multipart/mixed; boundary=b\n", b"Content-Type: multipart/mixed; boundary=c\n", b"QUJD\n",
        b"\xff",
        b"Content-Type: message/rfc822\n", b"Content-Transfer-Encoding: base64\n", b"Content-Type: text/html\n", b"\0",
        b"Content-Transfer-Encoding: quoted-printable\n", b"boundary*0=b; ", b'"', b"(", b"begin 644 a\n", b"end\n",
        b"=zz",
    ]
)  # fmt: skip
MESSAGES = st.lists(PIECES, max_size=40).map(b"".join)


def check(raw: bytes) -> Mime:
    """Everything a caller can ask for, with its bounds."""
    mime = parse(raw)
    assert 1 <= mime.n_parts <= LIMITS["MAX_PARTS"]
    assert mime.parts[0].header_start == 0 and mime.parts[0].parent == -1 and mime.parts[0].reading == 0
    decoded = mime.decode_all()
    for index, part in enumerate(mime.parts):
        assert isinstance(part, PartInfo)
        assert 0 <= part.header_start <= part.body_start <= part.body_end <= len(raw)
        assert part.kind in ("leaf", "multipart", "message")
        assert decoded[index] == (mime.decode(index) if part.kind == "leaf" else b"")
        assert part.content_type == part.content_type.lower()
        if part.parent >= 0:
            above = mime.parts[part.parent]
            assert above.depth < part.depth
        counts = Counter(name.lower() for name, _ in mime.fields(index))
        assert mime.field_counts((*counts, b"x-no-such-field"), index) == [*counts.values(), 0]
        for name, value in mime.fields(index):
            assert name and b":" not in name and not value.endswith((b"\n", b"\r"))
    for name, _ in mime.fields(0):
        text = name.decode("latin-1")
        spans = mime.field_spans(text)
        assert len(spans) == len(mime.field_all(text)) > 0
        for line, value, end in spans:
            assert raw[line : line + len(name)].lower() == name.lower() and line < value <= end <= len(raw)
    return mime


@given(st.binary(max_size=2000))
def test_any_bytes_are_a_message(raw: bytes) -> None:
    check(raw)


@given(MESSAGES)
def test_anything_like_mail_is_a_message(raw: bytes) -> None:
    check(raw)


@given(MESSAGES.map(lambda raw: raw.replace(b"\r", b"")))
def test_lf_and_crlf_have_one_structure(raw: bytes) -> None:
    crlf = raw.replace(b"\n", b"\r\n")
    one, other = parse(raw), parse(crlf)
    shape = [(p.parent, p.depth, p.reading, p.kind, p.content_type, p.encoding, p.names) for p in one.parts]
    assert shape == [(p.parent, p.depth, p.reading, p.kind, p.content_type, p.encoding, p.names) for p in other.parts]
    assert {a.code for a in one.anomalies} == {a.code for a in other.anomalies}
    for part, there in zip(one.parts, other.parts, strict=True):
        if part.encoding in ("7bit", "8bit", "binary"):
            body = raw[part.body_start : part.body_end]
            assert body.replace(b"\n", b"\r\n") == crlf[there.body_start : there.body_end]


@given(
    st.lists(st.binary(max_size=200), min_size=1, max_size=6), st.sampled_from(["base64", "quoted-printable", "8bit"])
)
def test_what_was_put_in_comes_out(contents: list[bytes], encoding: str) -> None:
    if encoding == "quoted-printable":  # text: its line ends are those of the transport
        contents = [content.replace(b"\r", b"") for content in contents]
    elif encoding == "8bit":  # nothing that looks like a delimiter or an escape
        contents = [content.replace(b"-", b"").replace(b"=", b"") for content in contents]
    raw = b"Content-Type: multipart/mixed; boundary=frontier\r\n\r\n"
    for content in contents:
        if encoding == "base64":
            body = base64.encodebytes(content).replace(b"\n", b"\r\n")
        elif encoding == "quoted-printable":
            body = quopri.encodestring(content, quotetabs=True).replace(b"\n", b"\r\n")
        else:
            body = content
        head = f"--frontier\r\nContent-Type: application/x-y\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n"
        raw += head.encode() + body + b"\r\n"
    mime = parse(raw + b"--frontier--\r\n")
    leaves = [i for i, p in enumerate(mime.parts) if p.reading == 0 and p.kind == "leaf"]
    got = [mime.decode(i) for i in leaves]
    assert [g.replace(b"\r\n", b"\n") for g in got] == [c.replace(b"\r\n", b"\n") for c in contents]


@given(MESSAGES, MESSAGES)
def test_parsing_has_no_memory(first: bytes, second: bytes) -> None:
    before = parse(first)
    parse(second)
    after = parse(first)
    assert (before.parts, before.anomalies, before.decode_all()) == (after.parts, after.anomalies, after.decode_all())


BOMBS = {
    "parts": b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\nx\n" * 20_000,
    "depth": b"Content-Type: message/rfc822\n\n" * 20_000,
    "multiparts": b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (i, i) for i in range(3000)
    ),
    "fields": b"A: b\n" * 100_000 + b"\n",
    "folds": b"Subject: x\n" + b" y\n" * 100_000 + b"\n",
    "parameters": b"Content-Type: multipart/mixed" + b"; boundary*1=x" * 20_000 + b"\n\n",
    "comments": b"Content-Type: multipart/mixed; boundary=" + b"(" * 100_000 + b"\n\n--b\n\nx\n",
    "quotes": b'Content-Type: multipart/mixed; boundary="' + b'\\"' * 100_000 + b"\n\n--b\n\nx\n",
    "dashes": b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--\n" * 100_000,
    "prefixes": b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--bx\n" * 50_000,
    "guesses": b"Subject: x\n\n" + b"--q\nContent-Type: text/plain\n" * 10_000,
    "blocks": b"Subject: x\n\n" + b"begin 644 a\n" * 20_000,
    "empty lines": b"Subject: x\n\n" + b"\n" * 500_000,
    "pads": b"Content-Transfer-Encoding: base64\n\n" + b"QQ==\n" * 100_000,
    "words": b"Subject: " + b"=?utf-8?q?x?= " * 20_000 + b"\n\n",
    "open words": b"Subject: " + b"=?" * 100_000 + b"\n\n",
    "blanks": b"Content-Type: multipart/mixed; boundary=a" + b" " * 200_000 + b"b\n\n",
    "damaged types": b"Content-Type: multipart/mixed; boundary=b\n\n"
    + (b"--b\nContent-Type: multipart/x; " + b"boundary(=\"" * 400 + b"\n\n") * 100,
    "carriage returns": b"Subject: x\n\n" + b"a\r" * 200_000,
    "encoded messages": b"Content-Type: message/rfc822\nContent-Transfer-Encoding: quoted-printable\n\n" * 3000,
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(BOMBS))
def test_a_bomb_costs_little(name: str) -> None:
    """A second is a hundred times what these cost; quadratic work would need minutes."""
    raw = BOMBS[name]
    start = time.thread_time()
    mime = parse(raw)
    mime.decode_all()
    assert len(mime.parts) <= LIMITS["MAX_PARTS"] and len(mime.anomalies) < 40_000
    mime.text("subject")
    limit = 20.0 if os.environ.get("MXWARD_SANITIZED") else 2.0
    assert time.thread_time() - start < limit


@pytest.mark.parametrize("name", sorted(BOMBS))
def test_cost_grows_linearly(name: str) -> None:
    def cost(raw: bytes) -> float:
        best = 1e9
        for _ in range(3):
            start = time.thread_time()
            parse(raw)
            best = min(best, time.thread_time() - start)
        return best

    raw = BOMBS[name]
    small, large = cost(raw[: len(raw) // 8]), cost(raw)
    assert large < 0.004 or large / small < 24, (small, large)


def test_threads_parse_side_by_side() -> None:
    raws = [b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\nx\n" * n for n in (1, 50, 400)]
    want = [(m.parts, m.decode_all()) for m in map(parse, raws)]
    wrong: list[int] = []
    shared = [parse(raw) for raw in raws]

    def work() -> None:
        for _ in range(20):
            for i, raw in enumerate(raws):
                fresh = parse(raw)
                if (fresh.parts, fresh.decode_all()) != want[i] or shared[i].parts != want[i][0]:
                    wrong.append(i)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_callers_faults_are_theirs() -> None:
    mime = parse(b"Subject: a\n\nb")
    with pytest.raises(IndexError):
        mime.decode(1)
    with pytest.raises(IndexError):
        mime.fields(-1)
    with pytest.raises(TypeError):
        Mime()
    assert mime.field("none") is None and mime.field_all("none") == [] and mime.text("none") == ""
    assert parse(bytearray(b"Subject: a\n\nb")).parts == mime.parts  # type: ignore[arg-type]  # other buffers are copied


def test_fields_as_written() -> None:
    raw = b"Subject: =?utf-8?q?=C3=A4?=\r\n b\r\nsubject:c\r\nX-Empty:\r\n\r\n"
    mime = parse(raw)
    assert mime.fields() == [(b"Subject", b"=?utf-8?q?=C3=A4?=\r\n b"), (b"subject", b"c"), (b"X-Empty", b"")]
    assert mime.field("SUBJECT") == b"=?utf-8?q?=C3=A4?= b" and mime.text("Subject") == "ä b"
    assert mime.field_all("subject") == [b"=?utf-8?q?=C3=A4?= b", b"c"]
    spans = mime.field_spans("subject")
    assert [raw[a:c] for a, _, c in spans] == [b"Subject: =?utf-8?q?=C3=A4?=\r\n b\r\n", b"subject:c\r\n"]
    assert [raw[b : b + 1] for _, b, _ in spans] == [b"=", b"c"]


def test_parts_of_a_nested_message() -> None:
    inner = b"Subject: in\r\nContent-Transfer-Encoding: base64\r\n\r\nQUJD"
    raw = (
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n"
        + inner
        + b"\r\n--b--\r\n"
    )
    mime = parse(raw)
    assert [(p.kind, p.parent, p.depth) for p in mime.parts] == [
        ("multipart", -1, 0),
        ("message", 0, 1),
        ("leaf", 1, 2),
    ]
    assert raw[mime.parts[1].body_start : mime.parts[1].body_end] == inner
    assert mime.decode_all() == [b"", b"", b"ABC"] and mime.text("subject", 2) == "in"


def test_rows_inside_a_decoded_container() -> None:
    inner = b"Subject: in\n\nhello"
    raw = b"Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n" + base64.b64encode(inner)
    mime = parse(raw)
    assert [p.kind for p in mime.parts] == ["message", "leaf"]
    assert mime.text("subject", 1) == "in" and mime.decode(1) == b"hello"
    assert mime.parts[1][4:7] == mime.parts[0][4:7] and mime.field_spans("subject", 1) == []


def test_a_block_in_a_text_is_a_row() -> None:
    raw = b"Subject: a\n\nsee below\nbegin 644 my file.zip\n#04)#\n`\nend\nbye\n"
    mime = parse(raw)
    block = mime.parts[1]
    assert (block.parent, block.reading, block.encoding, block.names) == (0, 1, "uuencode", ("my file.zip",))
    assert mime.decode(1) == b"ABC" and raw[block.body_start : block.body_end].endswith(b"end\n")
    assert not mime.is_ambiguous


def test_counting_fields_leaves_shared_objects_alone() -> None:
    """Bytes of one character are shared by the whole interpreter."""
    assert parse(b"A: 1\r\nA: 2\r\nb: 3\r\n\r\n").field_counts((b"b", b"c", b"a", b"")) == [1, 0, 2, 0]
    assert bytes([65]) == b"\x41" and bytes([65]).lower() == b"a"
