"""What the classifier looks at: intent, not age, path or line ends; everything bounded; hidden text apart."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mxtest import mailkit
from mxward.core.classify import facts, features, read
from mxward.core.classify.features import FACT, HIDDEN, LINK, MAX_FEATURES, SITE, SUBJECT, TEXT
from mxward.core.extract.address import Mailbox
from mxward.core.extract.views import Link
from mxward.pyx.tokens import Features

BODY = "Please confirm the details of your account at https://a.example/login?id=1 today.\r\n" * 4


def seen(raw: bytes) -> list[list[int]]:
    return read.features(raw).indices


def told(raw: bytes) -> set[str]:
    """The facts of a message."""
    (first, *_) = features.pieces(read.read(raw))
    return set(first[2].decode().split("\n"))


LEAKS = [
    "Received: from mail.jmason.example (localhost [127.0.0.1]) by zzzz.example; Mon, 26 Aug 2002 10:00:00 -0400\r\n",
    "Delivered-To: zzzz@spamassassin.taint.example\r\n",
    "X-Spam-Status: Yes, score=9.9\r\n",
    "X-MS-Exchange-Organization-SCL: 9\r\n",
    "Authentication-Results: spf=fail\r\n",
    "Received-SPF: Fail\r\n",
    "X-Mailer: Some Program 5.5\r\n",
    "List-Id: <ilug.linux.example>\r\nPrecedence: bulk\r\n",
    "DKIM-Signature: v=1; a=rsa-sha256; d=x.example\r\n",
    "Return-Path: <bounce@x.example>\r\n",
]


@pytest.mark.parametrize("field", LEAKS, ids=[leak.partition(":")[0] for leak in LEAKS])
def test_fields_that_tell_age_or_path_do_not_count(field: str) -> None:
    assert seen(mailkit.plain(BODY, extra=field)) == seen(mailkit.plain(BODY))


def test_dates_and_ids_do_not_count() -> None:
    raw = mailkit.plain(BODY)
    other = raw.replace(b"Mon, 23 Nov 2026 10:00:00 +0000", b"Thu, 1 Aug 2002 01:02:03 -0700")
    other = other.replace(b"<1@partner.example>", b"<200208010102.g7112@dogma.slashnull.example>")
    assert seen(other) == seen(raw)


def test_line_ends_and_mbox_lines_do_not_count() -> None:
    raw = mailkit.plain(BODY)
    bare = raw.replace(b"\r\n", b"\n")
    assert seen(bare) == seen(raw)
    assert seen(b"From someone@x.example Mon Aug 26 10:00:00 2002\n" + bare) == seen(raw)


def test_charset_and_transfer_encoding_do_not_count() -> None:
    raw = mailkit.plain("Caf\u00e9 and more words here.\r\n")
    latin = raw.decode().encode("latin-1").replace(b"utf-8", b"iso-8859-1")
    assert seen(latin) == seen(raw)


def test_hidden_words_are_apart_from_shown_ones() -> None:
    stuffed = "<p>verify your account</p><div style='display:none'>meeting agenda minutes rota</div>"
    made = features.features_of(read.read(mailkit.html(stuffed)))
    plain = features.features_of(read.read(mailkit.html("<p>verify your account</p>")))
    assert made.indices[TEXT] == plain.indices[TEXT]
    assert made.counts[HIDDEN] == 4
    assert plain.counts[HIDDEN] == 0
    assert any(fact.startswith("hidden ") for fact in told(mailkit.html(stuffed)))


def test_everything_is_bounded() -> None:
    words = " ".join(f"w{chr(97 + n % 26)}{chr(97 + n // 26 % 26)}{chr(97 + n // 676 % 26)}x" for n in range(200_000))
    links = "".join(f"<a href='http://h{n}.example/{n}'>words {n}</a>" for n in range(5000))
    message = read.read(mailkit.html(f"<p>{words}</p>{links}", subject="s " * 50_000))
    started = time.process_time()
    made = features.features_of(message)
    assert time.process_time() - started < 2
    assert max(made.counts) <= MAX_FEATURES
    assert made.counts[FACT] < 100
    assert sum(len(data) for _, _, data in features.pieces(message)) < 600_000


def test_the_end_of_a_long_text_counts_too() -> None:
    long = mailkit.plain("word " * 50_000 + "verify your wallet")
    (text,) = [data for segment, _, data in features.pieces(read.read(long)) if segment == TEXT]
    assert text.endswith(b"verify your wallet")


@given(st.binary(max_size=400))
def test_any_bytes_have_features(raw: bytes) -> None:
    assert isinstance(read.features(raw), Features)


@pytest.mark.parametrize("raw", [b"", b"\r\n", b"From", b"From: \r\n\r\n", b"\0", b"Subject: x"])
def test_next_to_nothing_has_features(raw: bytes) -> None:
    assert read.features(raw).counts[FACT] > 0


@pytest.mark.parametrize(
    ("url", "words", "fact"),
    [
        ("http://192.0.2.1/x", "", "link to a number"),
        ("http://a.example:8080/x", "", "link to a port"),
        ("http://bank.example@evil.example/x", "", "link with a user name"),
        ("http://xn--bcher-kva.example/", "", "link to a foreign name"),
        ("http://evil.example/", "www.bank.example", "link shows another place"),
        ("http://a.example/?e=staff@trust.example", "", "link with an address"),
        ("http://abcdefghijklmnopqrstuvwxyz.example/", "", "host long"),
        ("http://a.b.c.d.example/", "", "host deep"),
        ("http://x12345.example/", "", "host digits"),
        ("http://a-b-c-d.example/", "", "host dashes"),
        ("javascript:alert(1)", "", "scheme javascript"),
        ("/relative", "", "no scheme"),
        ("http://partner.example/", "", "hosts own"),
        ("http://elsewhere.example/", "", "hosts foreign"),
    ],
)
def test_facts_about_links(url: str, words: str, fact: str) -> None:
    found, _ = facts.links([Link(0, "a", url, words)], "partner.example")
    assert fact in found


def test_facts_about_authors() -> None:
    free = frozenset(("gmail.com",))
    found = facts.author(Mailbox("PAYROLL TEAM", "x8842119@gmail.com"), [Mailbox("", "y@gmail.com")], free)
    assert {"author free", "author capitals", "author digits", "author name unlike address", "answers near"} <= set(
        found
    )
    assert "answers far" in facts.author(Mailbox("A", "a@b.example"), [Mailbox("", "c@d.example")], free)
    assert "author name unlike address" not in facts.author(Mailbox("Anna Smith", "anna@b.example"), [], free)


def test_facts_about_subject_and_addressing() -> None:
    assert "subject capitals" in told(mailkit.plain(subject="YOU HAVE WON A PRIZE"))
    assert "subject reply" in told(mailkit.plain(subject="Re: rota"))
    assert "subject forward" in told(mailkit.plain(subject="Fwd: rota"))
    assert "an answer" in told(mailkit.plain(extra="In-Reply-To: <2@x.example>\r\n"))
    assert "urgent" in told(mailkit.plain(extra="X-Priority: 1 (Highest)\r\n"))
    assert "to hidden" in told(mailkit.plain().replace(b"staff@trust.example", b"undisclosed-recipients:;"))


def test_the_same_host_in_other_letters_is_one() -> None:
    assert facts.organisation("www.mail.partner.example") == "partner.example"
    assert facts.organisation("a.b.nhs.uk") == "b.nhs.uk"
    assert facts.organisation("") == ""


def test_who_sent_it_counts_for_a_site_only() -> None:
    made = read.features(mailkit.plain(BODY))
    assert made.counts[SITE] == 3  # address, domain, where the link leads
    assert made.counts[SUBJECT] == 1
    assert made.counts[LINK] > 0
