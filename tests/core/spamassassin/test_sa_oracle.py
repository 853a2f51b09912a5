"""Texts, headers, relays, addresses and HTML analysis equal to those of SpamAssassin itself.

On mail of our own and on real mail.

docs/spamassassin-texts.md says in what they may differ.
"""

from __future__ import annotations

import random
from typing import Any

import pytest

from mxtest import corpus, samail, spamassassin
from mxward.core.rules.spamassassin.markup import Markup
from mxward.core.rules.spamassassin.texts import TextSet, split

HEADERS = (
    "ALL",
    "ALL:raw",
    "ALL-TRUSTED",
    "ALL-EXTERNAL",
    "MESSAGEID",
    "ToCc",
    "EnvelopeFrom",
    "From:addr",
    "From:name",
    "From:raw",
    "From:name:raw",
    "From:addr:host",
    "From:addr:domain",
    "To:addr",
    "To:name",
    "Reply-To:addr",
    "Subject",
    "Subject:raw",
    "Received",
    "Received:revip",
    "X-Originating-IP:ip",
    "EnvelopeFrom:addr",
    "Message-ID:host",
)
NUMBERS = (
    "length",
    "html_length",
    "non_space_len",
    "ratio",
    "image_area",
    "min_size",
    "max_size",
    "closed_extra_ratio",
    "bad_tag_ratio",
    "non_element_ratio",
    "obfuscation_ratio",
    "backhair_count",
    "font_low_contrast",
    "font_invalid_color",
    "font_face_bad",
    "form_action_mailto",
    "embeds",
)
STRINGS = ("comment", "script", "title", "anchor")
TOKENS = [
    "<a href='http://www.h.example/%41?x=1#y'>",
    "</a>",
    "<b>",
    "</b>",
    "<br/>",
    "<p style='color:#fff'>",
    "</p>",
    "<td>",
    "</td>",
    "<tr>",
    "<table bgcolor=red>",
    "<font size=+1>",
    "<font color=#fefefe>",
    "<font face='Arial 7!'>",
    "</font>",
    "<script>",
    "</script>",
    "<style>",
    "</style>",
    "<title>",
    "</title>",
    "<!-- c -->",
    "<!--",
    "-->",
    "<!x>",
    "<![CDATA[",
    "]]>",
    "<?x>",
    ">",
    " < ",
    "&nbsp;",
    "&amp;",
    "&#228;",
    "&#8364;",
    "&eacute",
    "&",
    " ",
    "\n",
    "word",
    "two words",
    "é",
    "“q”",
    "\u00a0",
    "<img src=http://i.example/i.gif width=5 height=10%>",
    "<meta http-equiv=refresh content='1;url=http://m.example/'>",
    "<o:p>",
    "</o:p>",
    "<!DOCTYPE html>",
    "<base href=http://b.example/d/f.htm>",
    "<a href=rel/x>",
    "<x-unknown y='z'>",
    "=",
    "</",
    "<div style='display:none'>",
    "</div>",
    "<span style='visibility:hidden;background:url(x) #fff'>",
    "</span>",
    "http://t.example/a",
    "www.t.example.",
    "m@t.example,",
    "t.co.uk",
    "<small>",
    "<big>",
    "<body text=white>",
    "<form action=mailto:x@y.example>",
    "<embed>",
]
RECEIVED = [
    "from a.example (b.example [198.51.100.1]) by c.example (Postfix) with ESMTPS id ABCD for <x@y.example>",
    "from a.example ([10.0.0.1]) by c.example with Microsoft SMTPSVC(5.0.2195.6624)",
    "by c.example with SMTP id x1",
    "from [198.51.100.2] (helo=h.example) by c.example with smtp (Exim 4.50) id 1AbC",
    "from nowhere",
    "from unknown (HELO h.example) (u@198.51.100.3) by c.example with SMTP",
    "(qmail 7 invoked from network)",
    "from a.example (a.example. [IPv6:2001:db8::1]) by mx.google.com with ESMTPS id ab1sm1cde.1.2021.01.02.03.04.05",
    "from h.example (EHLO h2.example) [198.51.100.4] by mail.gmx.net (mp010) with SMTP",
    "from 198.51.100.5 (SquirrelMail authenticated user x) by w.example with HTTP",
    "from l by l.example (8.9) with LMTP",
    "from a.example (u@localhost) by c.example (8.11.6/8.11.6) with ESMTP id h2R",
    "from p.example with POP3",
]
NAMES = [
    "a@b.example",
    '"Q, R" <q@r.example>',
    "W X <w@x.example>",
    "<n@o.example> (note)",
    "=?utf-8?q?=C3=A9?= <e@f.example>",
    "list:;",
]


def _page(rng: random.Random) -> bytes:
    return "".join(rng.choice(TOKENS) for _ in range(rng.randrange(60))).encode()


def _made(seed: int) -> bytes:
    """A message of our own, different for each seed."""
    rng = random.Random(seed)
    lines = [
        b"Received: " + rng.choice(RECEIVED).encode() + b"; Mon, 9 Aug 2021 09:54:01 +0000"
        for _ in range(rng.randrange(5))
    ]
    lines += [b"From: " + rng.choice(NAMES).encode(), b"To: " + ", ".join(rng.sample(NAMES, 2)).encode()]
    lines += [
        b"Subject: " + rng.choice([b"plain", b"=?iso-8859-1?q?caf=E9?=\n folded", "é".encode()]),
        b"MIME-Version: 1.0",
    ]
    kind = rng.choice(
        [b"text/plain; charset=utf-8", b"text/html; charset=utf-8", b"multipart/alternative; boundary=bb"]
    )
    lines += [b"Content-Type: " + kind, b"Date: Mon, 9 Aug 2021 09:54:00 +0000", b""]
    if not kind.startswith(b"multipart"):
        return b"\n".join([*lines, _page(rng), b""])
    parts = [b"--bb\nContent-Type: text/%b; charset=utf-8\n\n%b" % (one, _page(rng)) for one in (b"plain", b"html")]
    return b"\n".join([*lines, *parts, b"--bb--", b""])


def _differences(texts: TextSet, judged: spamassassin.Judged) -> set[str]:
    """Names of what is not equal."""
    found: dict[str, tuple[Any, Any]] = {
        "body": (split(texts.body), judged.body),
        "rawbody": (split(texts.rawbody), judged.rawbody),
        "uris": (sorted(texts.uris), judged.uris),
        "unparseable": (texts.relays.n_unparseable, judged.relays["unparseable"]),
    }
    for which in ("trusted", "untrusted", "internal", "external"):
        found[which] = (texts.relays.text(which), judged.relays[which].encode("latin-1"))
    for name in HEADERS:
        found[name] = (texts.header(name), judged.headers[name])
    analysed = [known for known in judged.html if known]  # an empty part is counted, with nothing in it
    found["html"] = (len(texts.html), len(analysed))
    for markup, known in zip(texts.html, analysed, strict=False):
        found |= _html(markup, known)
    return {name for name, (ours, theirs) in found.items() if ours != theirs}


def _html(markup: Markup, known: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    found: dict[str, tuple[Any, Any]] = {}
    for name in NUMBERS:
        theirs = known.get(name)
        found[f"html {name}"] = (pytest.approx(markup.number(name) or 0.0), float(theirs or 0))
    for name in STRINGS:
        found[f"html {name}"] = (markup.strings(name), [text.encode("latin-1") for text in known.get(name) or []])
    theirs = {tag.encode("latin-1"): count for tag, count in (known.get("inside") or {}).items() if tag != "!doctype"}
    found["html inside"] = (markup.inside, theirs)
    return found


def test_made_mail_has_the_same_texts() -> None:
    spamassassin.need()
    mails = [_made(seed) for seed in range(150)]
    site = samail.site_of(spamassassin.rules_dir())
    judged = spamassassin.judge(mails, headers=HEADERS)
    for seed, (raw, one) in enumerate(zip(mails, judged, strict=True)):
        assert _differences(samail.texts(raw, site), one) == set(), f"message {seed}"


@pytest.mark.parametrize(("label", "every", "equal"), [("ham", 30, 0.97), ("spam", 20, 0.97), ("phish", 25, 0.97)])
def test_real_mail_has_the_same_texts(label: str, every: int, equal: float) -> None:
    spamassassin.need()
    corpus.need()
    mails = [mail.stored for mail in corpus.mails(label, every=every)]
    site = samail.site_of(spamassassin.rules_dir())
    judged = spamassassin.judge(mails, headers=HEADERS)
    different = [
        differences
        for raw, one in zip(mails, judged, strict=True)
        if (differences := _differences(samail.texts(raw, site), one))
    ]
    assert len(different) <= (1 - equal) * len(mails), different
