"""Eval tests of authors and recipients against lists: each function matching and not matching; the lists themselves."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mxtest.saevals import Case, check, mail, untested
from mxward.core.rules.spamassassin import evals_address
from mxward.core.rules.spamassassin.addresslist import MAX_LOOKED_UP, AddressList

HOP = "Received: from {0} ({0} [203.0.113.5]) by mx.trust.example (Postfix); Mon, 2 Jun 2025 10:00:00 +0000"
LISTS = {"enlist_addrlist": ["(ZOO) *@*.llama.example *@zoo.example", "(OTHER) jo@x.example"]}
FROM_ZOO, FROM_X = mail("From: a@b.llama.example"), mail("From: a@x.example")
RELAYED = {"welcomelist_from_rcvd": ["*@llama.example llama.example"]}
BY_LLAMA = mail(HOP.format("mx.llama.example"), "From: a@llama.example")
BY_OTHER = mail(HOP.format("mx.other.example"), "From: a@llama.example")


def known(relay: str) -> dict[str, list[str]]:
    return {"def_welcomelist_from_rcvd": [f"*@llama.example {relay}"]}


KNOWN = known("llama.example")
SENT = "Return-Path: <a@llama.example>"


def listed(key: str) -> dict[str, list[str]]:
    return {key: ["*@llama.example"]}


def pairs(names: tuple[str, ...], key: str, field: str) -> list[Case]:
    """Both names of a function that looks in the list of a setting."""
    hit, miss = mail(f"{field}: a@LLAMA.example"), mail(f"{field}: a@x.example")
    return [Case(f"{name}()", raw, raw is hit, listed(key)) for name in names for raw in (hit, miss)]


CASES = [
    Case("check_from_in_list(ZOO)", FROM_ZOO, True, LISTS),
    Case("check_from_in_list(ZOO)", FROM_X, False, LISTS),
    Case("check_from_in_list(NONE)", FROM_ZOO, False, LISTS),
    Case("check_from_in_list(ZOO)", mail("Resent-From: a@zoo.example", "From: a@x.example"), True, LISTS),
    Case("check_from_in_list(ZOO)", mail("Resent-From: a@x.example", "From: a@zoo.example"), False, LISTS),
    Case("check_from_in_list(ZOO)", mail("Envelope-Sender: a@b..llama.example"), True, LISTS),
    Case("check_to_in_list(ZOO)", mail("To: a@x.example, b@zoo.example"), True, LISTS),
    Case("check_to_in_list(ZOO)", mail("To: a@x.example"), False, LISTS),
    Case("check_to_in_list(ZOO)", mail("Received: from a by b for <c@zoo.example>; x"), True, LISTS),
    Case("check_to_in_list(ZOO)", mail("Resent-To: a@x.example", "To: b@zoo.example"), False, LISTS),
    Case("check_replyto_in_list(ZOO)", mail("Reply-To: a@zoo.example"), True, LISTS),
    Case("check_replyto_in_list(ZOO)", mail("Reply-To: a@x.example"), False, LISTS),
    Case("check_replyto_in_list(ZOO)", mail("From: a@zoo.example"), False, LISTS),
    Case("check_from_in_welcomelist()", BY_LLAMA, True, RELAYED),
    Case("check_from_in_welcomelist()", BY_OTHER, False, RELAYED),
    Case("check_from_in_default_welcomelist()", BY_LLAMA, True, KNOWN),
    Case("check_from_in_default_welcomelist()", BY_OTHER, False, KNOWN),
    Case("check_from_in_default_welcomelist()", BY_LLAMA, True, known("[203.0.113.5]")),
    Case("check_from_in_default_welcomelist()", BY_LLAMA, True, known("[203.0.113]")),
    Case("check_from_in_default_welcomelist()", BY_LLAMA, False, known("[203.0.112]")),
    Case("check_from_in_default_whitelist()", BY_LLAMA, True, KNOWN),
    Case("check_from_in_default_whitelist()", BY_OTHER, False, KNOWN),
    Case("check_mailfrom_matches_rcvd()", mail(SENT, HOP.format("mx.llama.example")), True),
    Case("check_mailfrom_matches_rcvd()", mail(SENT, HOP.format("mx.other.example")), False),
    Case("check_mailfrom_matches_rcvd()", mail(HOP.format("mx.llama.example")), False),
    *pairs(("check_from_in_welcomelist", "check_from_in_whitelist"), "welcomelist_from", "From"),
    *pairs(("check_from_in_blocklist", "check_from_in_blacklist"), "blocklist_from", "From"),
    *pairs(("check_to_in_blocklist", "check_to_in_blacklist"), "blacklist_to", "To"),
    *pairs(("check_to_in_welcomelist", "check_to_in_whitelist"), "welcomelist_to", "Cc"),
    *pairs(("check_to_in_more_spam",), "more_spam_to", "To"),
    *pairs(("check_to_in_all_spam",), "all_spam_to", "To"),
    *pairs(("check_subject_in_welcomelist", "check_subject_in_whitelist"), "welcomelist_subject", "Subject"),
    *pairs(("check_subject_in_blocklist", "check_subject_in_blacklist"), "blocklist_subject", "Subject"),
    Case("check_from_in_blocklist()", mail("From: a@llama.example"), False,
         {**listed("blocklist_from"), **listed("unblocklist_from")}),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case.call))
def test_functions_over_small_messages(case: Case) -> None:
    check(case)


def test_every_function_matches_and_does_not() -> None:
    assert untested(evals_address.TABLE, CASES) == set()


pieces = st.lists(st.sampled_from(["a", "b", ".", "@", "*", "?", ".com", "A"]), max_size=6).map("".join)
texts = st.lists(st.sampled_from(["a", "b", ".", "@", ".com", "B", "\n"]), max_size=6).map("".join)


@given(st.lists(pieces, max_size=6), texts)
def test_an_address_is_listed_when_one_of_the_globs_matches_it(entries: list[str], address: str) -> None:
    def matches(entry: str) -> bool:
        source = "".join("[^\n]*" if c == "*" else "[^\n]" if c == "?" else re.escape(c) for c in entry.lower())
        return re.fullmatch(source, address.lower()) is not None

    known = AddressList(entries)
    assert known.has(address.encode()) == any(matches(entry) for entry in entries)
    assert bool(known) == bool(entries)


def test_what_is_too_long_for_an_address_is_in_no_glob() -> None:
    known = AddressList(["*@x.example"])
    assert known.has(b"a" * (MAX_LOOKED_UP - 10) + b"@x.example")
    assert not known.has(b"a" * MAX_LOOKED_UP + b"@x.example")
