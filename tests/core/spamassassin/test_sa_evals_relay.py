"""Eval tests of relays: each function over a message in which it matches and one in which it does not."""

from __future__ import annotations

import pytest

from mxtest.saevals import Case, check, mail, untested
from mxward.core.rules.spamassassin import evals_relay


def hop(host: str, ip: str, by: str, helo: str = "") -> str:
    """A Received field as Postfix writes it."""
    return f"Received: from {helo or host} ({host} [{ip}]) by {by} (Postfix); Mon, 2 Jun 2025 10:00:00 +0000"


OURS = hop("a.example", "203.0.113.5", "mx.trust.example")
TRAIL = (
    hop("mx.two.example", "203.0.113.5", "mx.trust.example"),
    hop("mx.three.example", "203.0.113.6", "mx.other.example"),
    hop("mx.four.example", "203.0.113.7", "mx.else.example"),
)
SOUND = (
    hop("mx.two.example", "203.0.113.5", "mx.trust.example"),
    hop("mx.three.example", "203.0.113.6", "mail.two.example"),
    hop("mx.four.example", "203.0.113.7", "mail.three.example"),
)
TRUSTED = {"trusted_networks": ["203.0.113.0/24"]}

CASES = [
    Case("check_for_numeric_helo()", mail(hop("a.example", "203.0.113.5", "mx.example", "198.51.100.7")), True),
    Case("check_for_numeric_helo()", mail(hop("a.example", "203.0.113.5", "mx.example", "8.8.8.8")), True),
    Case("check_for_numeric_helo()", mail(hop("a.example", "203.0.113.5", "mx.example", "10.0.0.1")), False),
    Case("check_for_numeric_helo()", mail(OURS), False),
    Case("helo_ip_mismatch()", mail(hop("a.example", "8.8.4.4", "mx.example", "8.8.8.8")), True),
    Case("helo_ip_mismatch()", mail(hop("a.example", "8.8.8.4", "mx.example", "8.8.8.8")), False),
    Case("helo_ip_mismatch()", mail(hop("a.example", "8.8.4.4", "mx.example")), False),
    Case("check_all_trusted()", mail(OURS), True, TRUSTED),
    Case("check_all_trusted()", mail(OURS), False, {"trusted_networks": ["192.0.2.0/24"]}),
    Case("check_all_trusted()", mail("Subject: x"), False),
    Case("check_no_relays()", mail("Subject: x"), True),
    Case("check_no_relays()", mail(OURS), False),
    Case("check_relays_unparseable()", mail("Received: from (what is this"), True),
    Case("check_relays_unparseable()", mail(OURS), False),
    Case("check_for_sender_no_reverse()", mail(OURS, hop("b.example", "8.8.8.8", "a.example")), True),
    Case("check_for_sender_no_reverse()", mail(OURS, hop("b.example", "10.0.0.1", "a.example")), False),
    Case(
        "check_for_from_domain_in_received_headers(llama.example; true)",
        mail("From: a@llama.example", hop("mx.llama.example", "8.8.8.8", "in.llama.example")), True,
    ),
    Case("check_for_from_domain_in_received_headers(llama.example; true)", mail("From: a@llama.example", OURS), False),
    Case("check_for_from_domain_in_received_headers(llama.example; false)", mail("From: a@llama.example", OURS), True),
    Case("check_for_from_domain_in_received_headers(llama.example; false)", mail("From: a@x.example", OURS), False),
    Case("check_for_no_rdns_dotcom_helo()", mail(hop("unknown", "8.8.8.8", "mx.example", "mail.yahoo.com")), True),
    Case("check_for_no_rdns_dotcom_helo()", mail(hop("unknown", "8.8.8.8", "mx.example", "mail.x.example")), False),
    Case("check_for_no_rdns_dotcom_helo()", mail(hop("a.example", "8.8.8.8", "mx.example", "mail.yahoo.com")), False),
    Case("check_for_forged_received_trail()", mail(*TRAIL), True),
    Case("check_for_forged_received_trail()", mail(*SOUND), False),
    Case("check_for_forged_received_trail()", mail(*TRAIL[:2]), False),
    Case("check_for_forged_received_ip_helo()", mail(hop("a.example", "8.9.4.4", "mx.yy.example", "8.8.8.8")), True),
    Case("check_for_forged_received_ip_helo()", mail(hop("a.example", "8.8.4.4", "mx.yy.example", "8.8.8.8")), False),
    Case("check_for_illegal_ip()", mail(OURS), False),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case.call))
def test_functions_over_small_messages(case: Case) -> None:
    check(case)


def test_every_function_matches_and_does_not() -> None:
    assert untested(evals_relay.TABLE, CASES) == set()
