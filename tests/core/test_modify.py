"""core/modify: byte edits that keep the body, parse back, cannot inject, and can be repeated."""

from __future__ import annotations

from email import message_from_bytes, policy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mxtest import corpus, mailkit
from mxward.core.modify import ModifyError, apply, encode_field
from mxward.pyx.mime import parse

RAW = mailkit.plain("Body.\r\n.\r\nend\r\n", subject="Results")
BODY = RAW[RAW.index(b"\r\n\r\n") :]


def test_tag_is_added_at_the_top() -> None:
    assert apply(RAW, [("tag", "X-Spam-Flag: YES")]) == b"X-Spam-Flag: YES\r\n" + RAW


def test_nothing_to_do_gives_the_same_bytes() -> None:
    assert apply(RAW, []) is RAW
    assert apply(RAW, [("copy", "a@b.example")]) == RAW


def test_subject_prefix() -> None:
    edited = apply(RAW, [("tag", "subject: [SUSPECT] ")])
    assert edited == RAW.replace(b"Subject: Results", b"Subject: [SUSPECT] Results")


def test_subject_prefix_before_encoded_words_stays_readable() -> None:
    raw = RAW.replace(b"Subject: Results", b"Subject: =?utf-8?q?R=C3=A9sultats?=")
    edited = apply(raw, [("tag", "subject: [SUSPECT] ")])
    assert parse(edited).text("subject") == "[SUSPECT] Résultats"


def test_subject_prefix_that_is_not_ascii_is_encoded() -> None:
    edited = apply(RAW, [("tag", "subject: [Verdächtig] ")])
    assert edited.isascii()
    assert parse(edited).text("subject") == "[Verdächtig] Results"


def test_absent_subject_is_added() -> None:
    raw = RAW.replace(b"Subject: Results\r\n", b"")
    assert apply(raw, [("tag", "subject: [SUSPECT] ")]) == b"Subject: [SUSPECT]\r\n" + raw


def test_empty_subject_gets_the_prefix() -> None:
    raw = RAW.replace(b"Subject: Results\r\n", b"Subject:\r\n")
    assert parse(apply(raw, [("tag", "subject: [SUSPECT] ")])).text("subject").strip() == "[SUSPECT]"


def test_only_the_first_subject_is_changed() -> None:
    raw = RAW.replace(b"Subject: Results\r\n", b"Subject: one\r\nSubject: two\r\n")
    assert apply(raw, [("tag", "subject: [S] ")]) == raw.replace(b"Subject: one", b"Subject: [S] one")


def test_a_long_subject_is_folded() -> None:
    raw = RAW.replace(b"Results", b"word " * 14 + b"end")
    edited = apply(raw, [("tag", "subject: [SUSPECT] ")])
    assert max(map(len, edited.split(b"\r\n"))) <= 998
    assert b" ".join((parse(edited).field("subject") or b"").split()).startswith(b"[SUSPECT] word word")


@pytest.mark.parametrize(
    "value", ["a\r\nBcc: all@x.example", "a\nb", "a\r\n\r\nbody", "a\x00b", "a\u2028b", "\r\n", "a\x85b"]
)
@pytest.mark.parametrize("name", ["X-Test", "subject"])
def test_line_ends_cannot_be_injected(name: str, value: str) -> None:
    edited = apply(RAW, [("tag", f"{name}: {value}")])
    names = [field.lower() for field, _ in parse(edited).fields(0)]
    before = [field.lower() for field, _ in parse(RAW).fields(0)]
    assert names in (before, [name.lower().encode(), *before])
    assert edited.endswith(BODY)


@pytest.mark.parametrize("argument", ["no colon", "bad name: x", "naïve: x", ": x", "", "a\r\nb: x"])
def test_what_is_no_field_is_refused(argument: str) -> None:
    with pytest.raises(ModifyError, match="no header field"):
        apply(RAW, [("tag", argument)])


@pytest.mark.parametrize("kind", ["modify", "encrypt", "burn"])
def test_unknown_edits_are_refused(kind: str) -> None:
    with pytest.raises(ModifyError, match="no such edit"):
        apply(RAW, [(kind, "x")])


def test_a_header_that_begins_with_a_fold_is_not_edited() -> None:
    """The new field would swallow the first line."""
    with pytest.raises(ModifyError, match="header"):
        apply(b" folded: first\r\n" + RAW, [("tag", "X-A: 1")])


TAGS = st.one_of(
    st.tuples(st.just("tag"), st.text(max_size=120).map(lambda v: f"X-Note: {v}")),
    st.tuples(st.just("tag"), st.text(min_size=1, max_size=40).map(lambda v: f"subject: {v}")),
)


@given(st.lists(TAGS, max_size=3), st.text(st.characters(codec="utf-8"), max_size=60))
def test_body_stays_and_result_parses_back(tags: list[tuple[str, str]], subject: str) -> None:
    subject = " ".join(subject.split())
    raw = mailkit.plain("Body\r\n\r\n--x\r\nX-Note: no\r\n", subject=subject)
    try:
        edited = apply(raw, tags)
    except ModifyError:
        return
    body = raw[parse(raw).parts[0].body_start :]
    after = parse(edited)
    assert edited[after.parts[0].body_start :] == body
    assert message_from_bytes(edited, policy=policy.compat32).get_payload() is not None
    old = [name for name, _ in parse(raw).fields(0)]
    assert [name for name, _ in after.fields(0)][-len(old) :] == old
    assert b"\n" not in edited.replace(b"\r\n", b"")


@given(st.lists(TAGS, max_size=2))
def test_repeating_changes_nothing(tags: list[tuple[str, str]]) -> None:
    once = apply(RAW, tags)
    last_subject = [t for t in tags if t[1].startswith("subject")][-1:]
    again = [t for t in tags if not t[1].startswith("subject")] + last_subject
    assert apply(once, again) == once


@given(st.binary(max_size=400))
def test_any_bytes_are_edited_safely_or_not_at_all(raw: bytes) -> None:
    try:
        edited = apply(raw, [("tag", "X-Spam-Flag: YES")])
    except ModifyError:
        return
    assert edited == b"X-Spam-Flag: YES\r\n" + raw


@given(st.text(max_size=400))
def test_encoded_fields_obey_the_line_limits(value: str) -> None:
    value = " ".join(value.split())
    field = encode_field("X-Long", "".join(c if c.isprintable() else " " for c in value))
    assert field.endswith(b"\r\n")
    assert field.isascii()
    lines = field[:-2].split(b"\r\n")
    assert all(line.startswith(b" ") for line in lines[1:])
    assert max(map(len, lines)) <= 998


@pytest.mark.corpus
def test_every_message_of_the_corpus_keeps_its_body() -> None:
    corpus.need()
    refused = 0
    for path in corpus.paths()[::7]:
        raw = corpus.fold(path.read_bytes())
        try:
            edited = apply(raw, [("tag", "X-Spam-Flag: YES"), ("tag", "subject: [SUSPECT] ")])
        except ModifyError:
            refused += 1
            continue
        assert edited[parse(edited).parts[0].body_start :] == raw[parse(raw).parts[0].body_start :], path.name
        assert parse(edited).text("subject").lstrip().startswith("[SUSPECT]"), path.name
        assert apply(edited, [("tag", "X-Spam-Flag: YES"), ("tag", "subject: [SUSPECT] ")]) == edited, path.name
    assert refused < 12  # torture mail whose header cannot take a field
