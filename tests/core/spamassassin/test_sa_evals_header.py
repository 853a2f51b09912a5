"""Eval tests of header fields: each function over a message in which it matches and one in which it does not."""

from __future__ import annotations

import pytest

from mxtest.saevals import Case, check, mail, untested
from mxward.core.rules.spamassassin import evals_header

NAMES = ("ann", "bob", "cid", "dan", "eve", "fay", "gus")
SORTED = mail("To: " + ", ".join(f"{name}@{name}.example" for name in NAMES))
ALIKE = mail("To: " + ", ".join(f"staff{n}@x{n}.example" for n in range(5)))
EZMLM = ("Mailing-List: contact x-help@l.example; run by ezmlm", "Delivered-To: mailing list x@l.example")
QMAIL = "Received: (qmail 123 invoked from network); 2 Jun 2025"
RECEIVED = "Received: from a.example by b.example; Mon, 2 Jun 2025 10:00:00 +0000"


def sent(author: str, sender: str, *fields: str) -> bytes:
    return mail(f"Return-Path: <{sender}>", f"From: {author}", *fields)


CASES = [
    Case("check_illegal_chars(Subject; 0.00; 2)", mail("Subject: caf\xe9 caf\xe9"), True),
    Case("check_illegal_chars(Subject; 0.00; 2)", mail("Subject: caf\xc3\xa9 caf\xc3\xa9"), False),
    Case("check_illegal_chars(Subject; 0.00; 2)", mail("Subject: a\x01b\x02"), True),
    Case("check_illegal_chars(Subject; 0.00; 1)", mail("Subject: \xa3"), False),
    Case("check_illegal_chars(From; 0.00; 1)", mail("From: \xa3"), True),
    Case("check_illegal_chars(From; 0.90; 1)", mail("From: plenty of letters and \xa3"), False),
    Case("check_illegal_chars(Subject; 0.00; 0)", mail("Subject: plain"), True),
    Case("check_illegal_chars(Subject; 0.00; 0)", mail("From: x"), False),
    Case("check_illegal_chars(ALL; 0.010; 2)", mail("Subject: caf\xe9 caf\xe9"), True),
    Case("check_illegal_chars(ALL; 0.010; 2)", mail("Subject: plain"), False),
    Case("check_for_matching_env_and_hdr_from()", sent("a@x.example", "A@X.example"), True),
    Case("check_for_matching_env_and_hdr_from()", sent("a@x.example", "b@x.example"), False),
    Case("sorted_recipients()", SORTED, True),
    Case("sorted_recipients()", mail("To: " + ", ".join(f"{name}@x.example" for name in reversed(NAMES))), False),
    Case("sorted_recipients()", mail("To: a@x.example, b@x.example"), False),
    Case("similar_recipients(0.65; undef)", ALIKE, True),
    Case("similar_recipients(0.65; undef)", SORTED, False),
    Case("similar_recipients(undef; 0.65)", SORTED, True),
    Case("similar_recipients(0.65; undef)", mail("To: a@x.example", "Cc: b@x.example"), False),
    Case("check_for_missing_to_header()", mail("From: a@x.example"), True),
    Case("check_for_missing_to_header()", mail("To: a@x.example"), False),
    Case("check_for_missing_to_header()", mail("Apparently-To: a@x.example"), False),
    Case("subject_is_all_caps()", mail("Subject: BUY LLAMAS NOW"), True),
    Case("subject_is_all_caps()", mail("Subject: Re: Fwd: BUY LLAMAS NOW"), True),
    Case("subject_is_all_caps()", mail("Subject: Buy LLAMAS NOW"), False),
    Case("subject_is_all_caps()", mail("Subject: Note: LLAMAS NOW"), False),
    Case("subject_is_all_caps()", mail("Subject: re: THIS: LLAMAS now"), False),
    Case("subject_is_all_caps()", mail("Subject: LLAMASALLDAY"), False),
    Case("subject_is_all_caps()", mail("Subject: 123 456 7890"), False),
    Case("subject_is_all_caps()", mail("Subject: =?koi8-r?Q?BUY_LLAMAS_NOW?="), False),
    Case("check_for_to_in_subject(user)", mail("To: jo@x.example", "Subject: jo, hello"), True),
    Case("check_for_to_in_subject(user)", mail("To: jo@x.example", "Subject: Re: dear jo"), True),
    Case("check_for_to_in_subject(user)", mail("To: jo@x.example", "Subject: JO"), True),
    Case("check_for_to_in_subject(user)", mail("To: jo@x.example", "Subject: , jo!"), True),
    Case("check_for_to_in_subject(user)", mail("To: jo@x.example", "Subject: Hello jo"), False),
    Case("check_for_to_in_subject(user)", mail("To: jo@x.example", "Subject: JO, hello"), False),
    Case("check_for_to_in_subject(user)", mail("Subject: jo"), False),
    Case("check_for_to_in_subject(address)", mail("To: jo@x.example", "Subject: for JO@x.example now"), True),
    Case("check_for_to_in_subject(address)", mail("To: jo@x.example", "Subject: for ajo@x.example now"), False),
    Case("check_for_to_in_subject(other)", mail("To: jo@x.example", "Subject: jo"), False),
    Case("check_messageid_not_usable()", mail(RECEIVED, "List-Unsubscribe: <mailto:leave-x@l.example>"), True),
    Case("check_messageid_not_usable()", mail("Received: from a by b (iPlanet Messaging Server 5)"), True),
    Case("check_messageid_not_usable()", mail(RECEIVED), False),
    Case("gated_through_received_hdr_remover()", mail("From: a@x.example"), True),
    Case("gated_through_received_hdr_remover()", mail(*EZMLM, RECEIVED), False),
    Case("gated_through_received_hdr_remover()", mail(*EZMLM, QMAIL), True),
    Case("gated_through_received_hdr_remover()", mail("Received: from groups.msn.com (x.msn.com [1.2.3.4])"), True),
    Case("gated_through_received_hdr_remover()", mail(RECEIVED), False),
    Case("check_header_count_range(X-A; 2; 3)", mail("X-A: 1", "X-A: 2", "X-A: 2"), True),
    Case("check_header_count_range(X-A; 2; 3)", mail("X-A: 1", "X-A: 1"), False),
    Case("check_unresolved_template()", mail("X-Offer: %NAME_HERE now"), True),
    Case("check_unresolved_template()", mail("Subject: %NAME_HERE now"), False),
    Case("check_unresolved_template()", mail("X-Offer: 100%"), False),
    Case("check_ratware_name_id()", mail(f"Message-ID: <{'A' * 28}.jo@x.example>", 'From: "Jo" <jo@x.example>'), True),
    Case("check_ratware_name_id()", mail(f"Message-ID: <{'A' * 28}.jo@x.example>", "From: Jo <jo@x.example>"), False),
    Case("check_ratware_name_id()", mail("Message-ID: <1.jo@x.example>", 'From: "Jo" <jo@x.example>'), False),
    Case("check_ratware_envelope_from()", sent("a@b.example", "x-b.example.jo@y.example", "To: jo@b.example"), True),
    Case("check_ratware_envelope_from()", sent("a@b.example", "xb.example.jo@y.example", "To: jo@b.example"), False),
    Case("check_ratware_envelope_from()", sent("a@b.example", "b.example.joe@y.example", "To: jo@b.example"), False),
    Case("check_ratware_envelope_from()", sent("a@b.example", "b.example-jo@y.example", "To: jo@b.example"), True),
    Case("check_ratware_envelope_from()", sent("a@b.example", "SRS0=b.example-jo@y.example", "To: jo@b.example"),
         False),
    Case("check_ratware_envelope_from()", sent("a@b.example", "b.unknown-jo@y.example", "To: jo@b.unknown"), False),
    Case("check_equal_from_domains()", sent("a@x.example", "b@mail.y.example"), True),
    Case("check_equal_from_domains()", sent("a@news.x.example", "b@mail.x.example"), False),
    Case("check_equal_from_domains()", mail("From: a@x.example"), False),
    Case("check_for_unique_subject_id()", mail("Subject: llamas 1234567"), False),
    Case("check_for_faraway_charset_in_headers()", mail("Subject: =?koi8-r?Q?x?="), False),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case.call))
def test_functions_over_small_messages(case: Case) -> None:
    check(case)


def test_every_function_matches_and_does_not() -> None:
    assert untested(evals_header.TABLE, CASES) == set()
