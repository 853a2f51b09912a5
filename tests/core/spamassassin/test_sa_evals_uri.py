"""Eval tests of web addresses: each function matching and not matching; redirectors."""

from __future__ import annotations

import pytest

from mxtest.saevals import Case, check, html, mail, untested
from mxward.core.rules.spamassassin import evals_uri
from mxward.core.rules.spamassassin.redirector import group_alone
from mxward.core.rules.spamassassin.site import MAX_REDIRECTED, Site

LISTS = {"enlist_uri_host": ["(ZOO) llama.example icu !good.icu 192.0.2.9"]}
BLOCK, WELCOME = {"blocklist_uri_host": ["llama.example"]}, {"welcomelist_uri_host": ["llama.example"]}


def text(words: str) -> bytes:
    return mail("Content-Type: text/plain", body=words)


AT_LLAMA, AT_X = text("see http://www.llama.example/x now"), text("see http://www.x.example/x now")
CASES = [
    Case("check_uri_host_listed(ZOO)", AT_LLAMA, True, LISTS),
    Case("check_uri_host_listed(ZOO)", AT_X, False, LISTS),
    Case("check_uri_host_listed(NONE)", AT_LLAMA, False, LISTS),
    Case("check_uri_host_listed(ZOO)", text("http://any.icu/"), True, LISTS),
    Case("check_uri_host_listed(ZOO)", text("http://a.good.icu/"), False, LISTS),
    Case("check_uri_host_listed(ZOO)", text("http://192.0.2.9/x"), True, LISTS),
    Case("check_uri_host_listed(ZOO)", text("http://192.0.2.8/x"), False, LISTS),
    Case("check_uri_host_listed(ZOO)", text("mail jo@llama.example"), False, LISTS),
    Case("check_uri_host_listed(ZOO)", AT_LLAMA, False, LISTS | {"delist_uri_host": ["llama.example"]}),
    Case("check_uri_host_in_blocklist()", AT_LLAMA, True, BLOCK),
    Case("check_uri_host_in_blocklist()", AT_X, False, BLOCK),
    Case("check_uri_host_in_blacklist()", AT_LLAMA, True, BLOCK),
    Case("check_uri_host_in_blacklist()", AT_LLAMA, False, WELCOME),
    Case("check_uri_host_in_welcomelist()", AT_LLAMA, True, WELCOME),
    Case("check_uri_host_in_welcomelist()", AT_X, False, WELCOME),
    Case("check_uri_host_in_whitelist()", AT_LLAMA, True, WELCOME),
    Case("check_uri_host_in_whitelist()", AT_LLAMA, False, BLOCK),
    Case("check_for_http_redirector()", text("http://a.example/go?http://b.example/"), True),
    Case("check_for_http_redirector()", text("http://a.example/go?http://www.a.example/"), False),
    Case("check_for_http_redirector()", AT_X, False),
    Case("check_uri_truncated()", html('<a href="http://x.example/' + "x" * 9000 + '">y</a>'), True),
    Case("check_uri_truncated()", html('<a href="http://x.example/">y</a>'), False),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case.call))
def test_functions_over_small_messages(case: Case) -> None:
    check(case)


def test_every_function_matches_and_does_not() -> None:
    assert untested(evals_uri.TABLE, CASES) == set()


@pytest.mark.parametrize(
    ("source", "alone"),
    [
        (r"^http:\/\/x\.example\/(.*)$", r"^http:\/\/x\.example\/\K(.*)(?=$)"),
        (r"^x(?:a|b)/([^&]*)(?:$|&)", r"^x(?:a|b)/\K([^&]*)(?=(?:$|&))"),
        (r"x[(]\((?<=y)(.*)", r"x[(]\((?<=y)\K(.*)"),
        (r"/(?<to>.+?);", r"/\K(?<to>.+?)(?=;)"),
        (r"/(a(b)c)d", r"/\K(a(b)c)(?=d)"),
    ],
)
def test_a_group_is_made_the_whole_match(source: str, alone: str) -> None:
    assert group_alone(source) == alone


@pytest.mark.parametrize(
    "source", ["x", "a|b(c)", "(?:a(b))", "a(b)?c", "a(b){2}", r"a(b)\1", "a(b)(?1)", "a(b)|c", r"\(x\)"]
)
def test_groups_that_do_not_stand_alone_are_refused(source: str) -> None:
    with pytest.raises(ValueError, match="address"):
        group_alone(source)


SITE = Site({"redirector_pattern": [
    r"m'^https?://go\.example/\?to=(.*?)(?:$|[&#])'i", "no pattern", "/(broken/", "/a|(b)/", r"/x=([^&]*)/",
]})  # fmt: skip


@pytest.mark.parametrize(
    ("address", "target"),
    [
        (b"http://go.example/?to=http://b.example/&x=1", b"http://b.example/"),
        (b"HTTP://GO.example/?to=b.example", b"b.example"),
        (b"http://go.example/?to=nowhere&x=c.example", b"c.example"),
        (b"http://go.example/?to=", None),
        (b"http://x.example/?x=nodot", None),
        (b"http://x.example/" + b"y" * MAX_REDIRECTED + b"?x=a.example", None),
    ],
)
def test_where_redirectors_lead(address: bytes, target: bytes | None) -> None:
    assert SITE.redirected(address) == target
    assert SITE.may_redirect(address) is (target is not None)


def test_a_site_without_redirectors_leads_nowhere() -> None:
    assert Site().redirected(b"http://go.example/?to=b.example") is None


def test_a_pattern_that_never_ends_leads_nowhere() -> None:
    site = Site({"redirector_pattern": [r"/^((?:a+)+)$/"]})
    assert site.redirected(b"a" * 2000 + b".") is None
