"""Eval tests of mail that claims to come from a large provider: each function matching and not matching."""

from __future__ import annotations

import pytest

from mxtest.saevals import Case, check, mail, untested
from mxward.core.rules.spamassassin import evals_forged

PLAIN = "Received: from a.example (a.example [192.0.2.1]) by b.example; Mon, 2 Jun 2025 10:00:00 +0000"
MARK = "x" * 60
GW05 = "Received: from a.b by spam with ESMTP; Mon, 2 Jun 2025 10:00:00 +0000"
GROUP = (
    "To: <llamas@groups.msn.com>",
    "Message-Id: <llamas-1@groups.msn.com>",
    "Return-Path: <llamas-bounce@groups.msn.com>",
)
WEB = "Received: by web1.mail.yahoo.com via HTTP"
RELAYED = "X-Received: by 10.1.2.3 with SMTP id x"
COOKIE = "Received: from cookie.juno.com by x"
MSN = "Received: from mail pickup service by p01.groups.msn.com with Microsoft SMTPSVC"


def claim(domain: str, *fields: str) -> bytes:
    return mail(PLAIN, f"From: jo@{domain}", *fields)


CASES = [
    Case("check_for_fake_aol_relay_in_rcvd()", mail("Received: from x.example by rly-xa01.mx.aol.com"), True),
    Case("check_for_fake_aol_relay_in_rcvd()", mail("Received: by rly-xa01.mx.aol.com (v9/AOL-1.2.3)"), False),
    Case("check_for_fake_aol_relay_in_rcvd()", mail("Received: by RLY-xa01.mx.aol.com ESMTP id MAILIN1"), False),
    Case("check_for_fake_aol_relay_in_rcvd()", mail("Received: by early-xa01.mx.aol.com"), False),
    Case("check_for_fake_aol_relay_in_rcvd()", mail(PLAIN), False),
    Case("check_for_forged_hotmail_received_headers()", mail("Received: from x.hotmail.com by b.example"), True),
    Case("check_for_forged_hotmail_received_headers()", claim("hotmail.com"), False),
    Case("check_for_forged_hotmail_received_headers()", mail("Received: by hotmail.community.example"), False),
    Case(
        "check_for_forged_hotmail_received_headers()",
        mail("Received: from a.hotmail.com ([192.0.2.1]) by b.example", "X-Originating-Ip: [192.0.2.9]"), False,
    ),
    Case(
        "check_for_forged_hotmail_received_headers()",
        mail("Received: from mail pickup service by hotmail.com with Microsoft SMTPSVC;"), False,
    ),
    Case("check_for_no_hotmail_received_headers()", claim("hotmail.com"), True),
    Case("check_for_no_hotmail_received_headers()", claim("nothotmail.com"), False),
    Case("check_for_no_hotmail_received_headers()", claim("x.example"), False),
    Case(
        "check_for_no_hotmail_received_headers()",
        claim(
            "hotmail.com", "Received: from x.eurprd01.prod.outlook.com (192.0.2.1) by y",
            "X-OriginatorOrg: hotmail.com",
        ), False,
    ),
    Case("check_for_msn_groups_headers()", mail(*GROUP, MSN), True),
    Case("check_for_msn_groups_headers()", mail(*GROUP, PLAIN), False),
    Case("check_for_msn_groups_headers()", mail(*GROUP[1:], "To: a@b.example", MSN), False),
    Case(
        "check_for_msn_groups_headers()",
        mail("To: <notifications@groups.msn.com>", "Message-Id: <1@p01.groups.msn.com>", MSN), True,
    ),
    Case("check_for_forged_eudoramail_received_headers()", claim("eudoramail.com"), True),
    Case(
        "check_for_forged_eudoramail_received_headers()",
        claim("eudoramail.com", "X-Sender-Ip: 192.0.2.1", "Received: by x.whowhere.com;"), False,
    ),
    Case("check_for_forged_yahoo_received_headers()", claim("yahoo.com"), True),
    Case("check_for_forged_yahoo_received_headers()", claim("yahoo.com", WEB), False),
    Case("check_for_forged_yahoo_received_headers()", claim("myyahoo.com"), False),
    Case(
        "check_for_forged_yahoo_received_headers()",
        claim("reply.yahoo.com", "Received: from mailer1.bulk.scd.yahoo.com by x"), False,
    ),
    Case("check_for_forged_juno_received_headers()", claim("juno.com"), True),
    Case(
        "check_for_forged_juno_received_headers()",
        claim("juno.com", "X-Originating-IP: 192.0.2.1", "X-Mailer: Juno 5", COOKIE), False,
    ),
    Case("check_for_forged_juno_received_headers()", claim("x.example"), False),
    Case("check_for_forged_gmail_received_headers()", claim("gmail.com"), True),
    Case(
        "check_for_forged_gmail_received_headers()",
        claim("gmail.com", f"X-Gm-Message-State: {MARK}", f"X-Google-Smtp-Source: {MARK}"), False,
    ),
    Case("check_for_forged_gmail_received_headers()", claim("gmail.com", RELAYED), False),
    Case("check_for_forged_gw05_received_headers()", mail(PLAIN, GW05), True),
    Case("check_for_forged_gw05_received_headers()", mail(GW05), False),
    Case("check_for_forged_gw05_received_headers()", mail(PLAIN, GW05.replace("spam", "a.example")), False),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case.call))
def test_functions_over_small_messages(case: Case) -> None:
    check(case)


def test_every_function_matches_and_does_not() -> None:
    assert untested(evals_forged.TABLE, CASES) == set()
