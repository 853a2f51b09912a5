"""core/detect: what each detector finds, and what it leaves alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from mxtest import mailkit
from mxward.core.detect.anomaly import AnomalyDetector
from mxward.core.detect.brand import BRANDS, borrowed
from mxward.core.detect.detector import Detector
from mxward.core.detect.filetype import AttachmentDetector, extension
from mxward.core.detect.header import HeaderDetector
from mxward.core.detect.link import LinkDetector
from mxward.core.detect.literal import LiteralDetector
from mxward.core.detect.teststring import EICAR, GTUBE, PHISH_TEST, TestStringDetector
from mxward.core.detect.text import TextDetector
from mxward.core.detect.yara import YaraDetector, judge_meta
from mxward.core.extract.urls import organisation
from mxward.core.message import Envelope
from mxward.core.rules.compile import RuleSet, compile_packs
from mxward.core.rules.pack import load_pack


def run(detector: Detector, raw: bytes, to: Envelope | None = None) -> set[str]:
    return {hit.name for hit in detector.detect(mailkit.extracted(raw, to))}


def rules(tmp_path: Path, **files: str) -> RuleSet:
    """A rule set of one pack made of `name__ext` files."""
    (tmp_path / "pack.toml").write_text('name = "p"\nversion = "1"\n')
    for name, text in files.items():
        (tmp_path / name.replace("__", ".")).write_text(text, encoding="utf-8")
    return compile_packs([load_pack(tmp_path)])


def author(value: str, extra: str = "", sender: str = "x@partner.example") -> tuple[bytes, Envelope]:
    raw = mailkit.plain().replace(b"From: A Person <person@partner.example>", b"From: " + value.encode())
    return raw.replace(b"\r\nTo:", b"\r\n" + extra.encode() + b"To:", 1), mailkit.envelope(sender=sender)


@pytest.mark.parametrize(
    ("value", "extra", "wanted"),
    [
        ("A Person <person@partner.example>", "", set()),
        ("person@trust.example", "", {"HDR_OWN_DOMAIN_OUTSIDE"}),
        ("Boss <boss@mail.trust.example>", "", {"HDR_OWN_DOMAIN_OUTSIDE"}),
        ("Boss <boss@nottrust.example>", "", set()),
        ('"boss@trust.example" <x@evil.example>', "", {"HDR_DISPLAY_ADDRESS"}),
        ('"x@partner.example" <x@mail.partner.example>', "", set()),
        ("trust.example desk <x@evil.example>", "", {"HDR_OWN_DOMAIN_NAME"}),
        ("IT Service Desk <it.desk77@gmail.com>", "", {"HDR_OFFICE_FREE_MAIL"}),
        ("PayPal <service@evil.example>", "", {"HDR_BRAND_NAME"}),
        ("PayPal <service@paypal.co.uk>", "", set()),
        ("=?utf-8?b?UGF5UGHigItM?= <service@evil.example>", "", {"HDR_BRAND_NAME", "HDR_HIDDEN_CHARACTERS"}),
        ("A <a@partner.example>", "Reply-To: a.partner@gmail.com\r\n", {"HDR_REPLY_FREE_MAIL"}),
        ("A <a@gmail.com>", "Reply-To: b@gmail.com\r\n", {"HDR_REPLY_ELSEWHERE"}),
        ("A <a@gmail.com>", "Reply-To: A@gmail.com\r\n", set()),
        ("A <a@partner.example>", "Reply-To: b@partner.example\r\n", set()),
        ("a@partner.example, b@partner.example", "", {"HDR_MANY_AUTHORS"}),
        ("a@partner.example, b@partner.example", "Sender: a@partner.example\r\n", set()),
        ("A <a@partner.example>", "List-Unsubscribe: <https://x.example>\r\n", {"HDR_BULK"}),
        ("A <a@partner.example>", "Precedence: Bulk\r\n", {"HDR_BULK"}),
        ("A <a@partner.example>\r\nFrom: B <b@partner.example>", "", {"HDR_DOUBLE_FROM"}),
    ],
)  # fmt: skip
def test_header(value: str, extra: str, wanted: set[str]) -> None:
    raw, to = author(value, extra)
    assert run(HeaderDetector(["trust.example"]), raw, to) == wanted


def test_own_domain_is_no_fault_outbound() -> None:
    raw, _ = author("staff@trust.example")
    assert run(HeaderDetector(["trust.example"]), raw, mailkit.envelope(direction="outbound")) == set()


def test_bounces_may_bear_the_name_of_the_mail_system() -> None:
    raw, to = author("Microsoft Outlook <MicrosoftExchange329e@partner.example>", sender="")
    assert run(HeaderDetector(), raw, to) == set()


def test_missing_fields() -> None:
    assert run(HeaderDetector(), b"X: y\r\n\r\nbody") == {
        "HDR_NO_FROM", "HDR_NO_DATE", "HDR_NO_MESSAGE_ID", "HDR_NO_TO",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("subject", "wanted"),
    [("MAKE MONEY NOW FAST", {"HDR_SUBJECT_CAPITALS"}), ("RE: MRI", set()), ("Results of MRI", set()),
     ("=?utf-8?b?UmXigItzdWx0?=", {"HDR_HIDDEN_SUBJECT"})],
)  # fmt: skip
def test_subject(subject: str, wanted: set[str]) -> None:
    assert run(HeaderDetector(), mailkit.plain(subject=subject)) == wanted


def test_brands_are_whole_words() -> None:
    assert borrowed("apple support", "evil.example") == "apple"
    assert borrowed("pineapple support", "evil.example") == ""
    assert borrowed("apple via google", "apple.com") == "google"
    assert all(name == name.lower() and domains for name, domains in BRANDS.items())


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        ("<a href='https://bank.example/'>https://bank.example/</a>", set()),
        ("<a href='https://evil.example/'>https://bank.example/</a>", {"LINK_SHOWS_OTHER"}),
        ("<a href='https://click.bank.example/'>www.bank.example</a>", set()),
        ("<a href='https://evil.example/'>click here</a>", set()),
        ("<a href='http://192.0.2.1/a'>x</a>", {"LINK_BARE_ADDRESS"}),
        ("<a href='http://3221225985/a'>x</a>", {"LINK_BARE_ADDRESS", "LINK_ODD_NUMBER"}),
        ("<a href='http://0xc0.0.0x201/a'>x</a>", {"LINK_BARE_ADDRESS", "LINK_ODD_NUMBER"}),
        ("<img src='http://192.0.2.1/a'>", set()),
        ("<a href='https://bank.example@evil.example/'>x</a>", {"LINK_USER_PART"}),
        ("<a href='https://xn--bnk-rla.example/'>x</a>", {"LINK_PUNYCODE"}),
        ("<a href='https://ра\u0443\u0440\u0430l.example/'>x</a>", {"LINK_LOOKALIKE_HOST"}),
        ("<a href='https://xn--pypal-4ve.example/'>x</a>", {"LINK_PUNYCODE", "LINK_LOOKALIKE_HOST"}),
        ("<a href='https://bücher.example/'>x</a>", set()),
        ("<a href='https://почта.example/'>x</a>", set()),
        ("<a href='https://ev%69l.example/'>x</a>", {"LINK_ESCAPED_HOST"}),
        (
            "<a href='https://eur01.safelinks.protection.outlook.com/?url=https%3A%2F%2Fbank.example%2Fa&data=x'>"
            "bank.example</a>",
            set(),
        ),
        (
            "<a href='https://eur01.safelinks.protection.outlook.com/?url=https%3A%2F%2Fevil.example%2Fa&data=x'>"
            "bank.example</a>",
            {"LINK_SHOWS_OTHER"},
        ),
        ("<a href='data:text/html;base64,AAAA'>x</a>", {"LINK_DATA"}),
        ("<img src='data:image/png;base64,AAAA'>", set()),
        ("<a href='javascript:location=unescape(\"%68%74%74%70%3a\")+1'>x</a>", {"LINK_SCRIPT"}),
        ("<a href='http://[bad/'>x</a>", {"LINK_BROKEN"}),
        ("<a href='https://x.example/#me@trust.example'>x</a>", {"LINK_ADDRESS_IN_FRAGMENT"}),
        ("<a href='mailto:a@b.example'>a@b.example</a>", set()),
        ("<form action='https://x.example'><input type=password>", {"HTML_PASSWORD_FIELD"}),
        ("<form action='https://x.example'><input>", {"HTML_FORM"}),
    ],
)
def test_link(source: str, wanted: set[str]) -> None:
    assert run(LinkDetector(), mailkit.html(source)) == wanted


def test_organisation() -> None:
    assert organisation("a.b.partner.co.uk") == "partner.co.uk"
    assert organisation("a.b.partner.example") == "partner.example"
    assert organisation("trust.nhs.uk") == "trust.nhs.uk"
    assert organisation("localhost") == "localhost"


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("a.PDF", "pdf"),
        ("a.exe. . ", "exe"),
        ("a\u202efdp.exe", "exe"),
        ("none", ""),
        (".profile", "profile"),
        ("", ""),
    ],
)
def test_extension(name: str, wanted: str) -> None:
    assert extension(name) == wanted


@pytest.mark.parametrize(
    ("name", "content", "wanted"),
    [
        ("letter.pdf", b"%PDF-1.4", set()),
        ("letter.pdf", b"MZ" + bytes(70), {"TYPE_MISMATCH", "BY_TYPE"}),
        ("letter.pdf.exe", b"MZ" + bytes(70), {"NAME_DOUBLE_EXTENSION", "BY_TYPE", "BY_NAME"}),
        ("letter.pdf          .exe", b"x", {"NAME_DOUBLE_EXTENSION", "BY_NAME"}),
        ("setup.exe.", b"x", {"NAME_TRAILING", "BY_NAME"}),
        ("v1.2.pdf", b"%PDF-1.4", set()),
        ("photo.jpg", b"\x89PNG\r\n\x1a\n", set()),
        ("report.xls", b"<html><table>", set()),
        ("report.docx", b"%PDF-1.4", {"TYPE_MISMATCH"}),
        ("picture.bin", b"\x89PNG\r\n\x1a\n", {"FAMILY"}),
    ],
)
def test_attachment(tmp_path: Path, name: str, content: bytes, wanted: set[str]) -> None:
    data = (
        '[[attachment]]\nname = "BY_NAME"\nextensions = ["exe"]\n'
        '[[attachment]]\nname = "BY_TYPE"\ntypes = ["application/x-dosexec"]\n'
        '[[attachment]]\nname = "FAMILY"\ntypes = ["image/*"]\n'
    )
    found = run(AttachmentDetector(rules(tmp_path, attachments__toml=data)), mailkit.with_attachment(name, content))
    assert found - ({"FAMILY"} if name == "photo.jpg" else set()) == wanted


def test_containers_are_said_to_be_closed() -> None:
    empty = RuleSet((), None, (), (), "")
    (hit,) = AttachmentDetector(empty).detect(mailkit.extracted(mailkit.with_attachment("a.gz", b"\x1f\x8b\x08\0")))
    assert (hit.name, hit.category, hit.weight, hit.evidence[0].part) == ("CONTAINER_NOT_OPENED", "info", 0.0, 2)


def test_direction_marks_in_names() -> None:
    raw = mailkit.with_attachment("=?utf-8?b?YeKArmZkcC5leGU=?=", b"x")
    message = mailkit.extracted(raw)
    empty = RuleSet((), None, (), (), "")
    assert "\u202e" in message.parts[2].names[0]
    assert "NAME_BIDI" in {hit.name for hit in AttachmentDetector(empty).detect(message)}


def test_anomalies_become_hits() -> None:
    raw = mailkit.plain(extra="Content-Type: text/html\r\n")
    hits = {hit.name: hit for hit in AnomalyDetector().detect(mailkit.extracted(raw))}
    assert {"MIME_DUPLICATE_CONTENT_TYPE", "MIME_AMBIGUOUS"} <= set(hits)
    assert hits["MIME_DUPLICATE_CONTENT_TYPE"].evidence[0].view == "raw"
    assert AnomalyDetector().detect(mailkit.extracted(mailkit.plain())) == ()


@pytest.mark.parametrize(
    ("text", "weight"),
    [
        ("a bad phrase here", 1.5), ("BAD\r\n  Phrase", 1.5), ("ba\u200bd phrase", 1.5), ("bad phrases", None),
        ("xbad phrase", None), ("bad phrase, bad phrase", 1.5), ("bad phrase and worse one", 4.0),
        ("bad phrase, worse one, third one", 5.0), ("nothing", None),
    ],
)  # fmt: skip
def test_literal(tmp_path: Path, text: str, weight: float | None) -> None:
    data = "@weight 1.5\n@cap 5\n@category phish\nbad phrase\n2.5 | worse one\n4 | third one\n"
    found = list(LiteralDetector(rules(tmp_path, my_words__list=data)).detect(mailkit.extracted(mailkit.plain(text))))
    assert [hit.weight for hit in found] == ([] if weight is None else [weight])
    assert all((hit.name, hit.category, hit.pack) == ("MY_WORDS", "phish", "p@1") for hit in found)


def test_literal_views_and_evidence(tmp_path: Path) -> None:
    data = "@views subject names urls\n@words no\nneedle\n"
    detector = LiteralDetector(rules(tmp_path, w__list=data))
    assert run(detector, mailkit.plain("needle")) == set()
    assert run(detector, mailkit.plain(subject="Needles")) == {"W"}
    assert run(detector, mailkit.with_attachment("my-needle.txt", b"x")) == {"W"}
    assert run(detector, mailkit.plain("http://needle.example/")) == {"W"}
    (hit,) = LiteralDetector(rules(tmp_path, w__list="é needle\n")).detect(
        mailkit.extracted(mailkit.plain("ß É Needle"))
    )
    assert hit.evidence[0] == (hit.evidence[0].__class__)(0, "text", 3, 9)
    assert hit.detail == 'contains words of the list W: "é needle"'


def test_ten_thousand_parts_of_words_hide_no_other(tmp_path: Path) -> None:
    detector = LiteralDetector(rules(tmp_path, w__list="@words no\n@weight 1\nneedle\nhay\n"))
    (hit,) = detector.detect(mailkit.extracted(mailkit.plain("hay " * 12_000 + "needle")))
    assert hit.weight == 2


@pytest.mark.parametrize(
    ("text", "is_found"),
    [("$win", True), ("a$win", True), ("$wins", False), ("$win\u00e9", False), ("$win\u20ac", True), ("$w", False)],
)
def test_phrases_that_begin_with_a_sign_end_as_words(tmp_path: Path, text: str, is_found: bool) -> None:
    assert bool(run(LiteralDetector(rules(tmp_path, w__list="$win\n")), mailkit.plain(text))) == is_found


YARA = """
rule RAW { meta: views = "raw" category = "spam" weight = "1.5" description = "x" strings: $a = "needle" condition: $a }
rule PART { meta: views = "part" strings: $a = "needle" condition: $a and extension == ".txt" }
rule TEXT { meta: views = "text" strings: $a = "needle" condition: $a }
rule TYPED : trojan { condition: true_type == "application/pdf" and filename == "a.pdf" and direction == "inbound" }
"""


def test_yara_views(tmp_path: Path) -> None:
    detector = YaraDetector(rules(tmp_path, a__yar=YARA))
    assert run(detector, mailkit.plain("needle")) == {"RAW", "TEXT"}
    assert run(detector, mailkit.with_attachment("a.txt", b"a needle", "text/plain")) == {"PART", "TEXT"}
    assert run(detector, mailkit.with_attachment("a.doc", b"a needle")) == set()
    assert run(detector, mailkit.html("nee<b>dle</b>")) == {"TEXT"}
    assert run(detector, mailkit.with_attachment("a.pdf", b"%PDF-1.4")) == {"TYPED"}


def test_yara_hits_tell_where(tmp_path: Path) -> None:
    detector = YaraDetector(rules(tmp_path, a__yar=YARA))
    raw = mailkit.plain("needle")
    (hit,) = (one for one in detector.detect(mailkit.extracted(raw)) if one.name == "RAW")
    assert (hit.category, hit.weight, hit.pack, hit.detail) == ("spam", 1.5, "p@1", "x")
    assert (hit.evidence[0].view, hit.evidence[0].offset, hit.evidence[0].length) == ("raw", raw.find(b"needle"), 6)


@pytest.mark.parametrize("asked", ["text", "part text", "text part"])
def test_a_rule_for_text_alone_sees_a_text_that_came_as_it_is(tmp_path: Path, asked: str) -> None:
    rule = 'rule R { meta: views = "%s" strings: $a = "needle" condition: $a }'
    detector = YaraDetector(rules(tmp_path, a__yar=rule % asked))
    (hit,) = detector.detect(mailkit.extracted(mailkit.plain("a needle")))
    assert (hit.evidence[0].view, hit.evidence[0].offset) == ("text", 2)


def test_a_second_look_at_text_is_for_rules_of_text_alone(tmp_path: Path) -> None:
    source = """rule TEXT { meta: views = "text" strings: $a = "needle" condition: $a }
        rule SMALL { condition: filesize < 20 }
        rule SMALL_TOO { meta: views = "raw text" condition: filesize < 20 }"""
    assert run(YaraDetector(rules(tmp_path, a__yar=source)), mailkit.plain("a needle")) == {"TEXT"}


def test_the_same_content_is_scanned_once(tmp_path: Path) -> None:
    one = mailkit.with_attachment("a.txt", b"a needle", "application/x-a")
    part = one[one.index(b"--=_boundary\r\nContent-Type: application/x-a") : one.index(b"--=_boundary--")]
    twice = one.replace(b"--=_boundary--", part + b"--=_boundary--")
    message = mailkit.extracted(twice)
    assert len(message.parts) == 4
    assert [h.name for h in YaraDetector(rules(tmp_path, a__yar=YARA)).detect(message)] == ["PART"]


def test_the_time_of_a_message_bounds_what_yara_scans(tmp_path: Path) -> None:
    detector = YaraDetector(rules(tmp_path, a__yar=YARA))
    message = mailkit.extracted(mailkit.with_attachment("a.txt", b"a needle", "application/x-a"))
    asked = iter((False, True))
    message.is_late = lambda: next(asked)
    assert list(detector.detect(message)) == []
    (entry,) = message.not_inspected
    assert (entry.reason, entry.part) == ("timeout", 2)


def test_a_yara_timeout_is_not_silent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mxward.core.detect.yara.YARA_TIMEOUT_S", 1)
    detector = YaraDetector(rules(tmp_path, a__yar="rule BOMB { strings: $a = /a.*b.*c/s condition: $a }"))
    message = mailkit.extracted(mailkit.plain("a" * 4_000_000))
    assert list(detector.detect(message)) == []
    assert {n.reason for n in message.not_inspected} == {"timeout"}


@pytest.mark.parametrize(
    ("meta", "tags", "defaults", "wanted"),
    [
        ({}, (), ("", None), ("attachment", 4.0)),
        ({"category": "phish", "weight": 2}, (), ("", None), ("phish", 2.0)),
        ({"category": "phish", "weight": "2.5"}, (), ("spam", 9.0), ("phish", 2.5)),
        ({"weight": "lots"}, (), ("", None), ("attachment", 4.0)),
        ({"weight": 1e9}, (), ("", None), ("attachment", 100.0)),
        ({"malware": "Emotet"}, (), ("", None), ("malware", 15.0)),
        ({"tc_detection_type": "Ransomware"}, (), ("", None), ("attachment", 4.0)),
        ({"category": "Malware"}, (), ("", None), ("malware", 15.0)),
        ({"type": "exploit.doc"}, (), ("", None), ("malware", 15.0)),
        ({}, ("trojan",), ("", None), ("malware", 15.0)),
        ({}, ("trojan",), ("policy", None), ("policy", 4.0)),
        ({}, (), ("spam", 1.0), ("spam", 1.0)),
    ],
)
def test_yara_metadata(
    meta: dict[str, object], tags: tuple[str, ...], defaults: tuple[str, float | None], wanted: tuple[str, float]
) -> None:
    assert judge_meta(meta, tags, defaults) == wanted


@pytest.mark.parametrize(("needle", "name"), [(EICAR, "EICAR_TEST"), (GTUBE, "GTUBE_TEST"), (PHISH_TEST, "PHISH_TEST")])
def test_test_strings(needle: bytes, name: str) -> None:
    detector = TestStringDetector()
    assert run(detector, mailkit.plain(needle.decode())) == {name}
    assert run(detector, mailkit.with_attachment("a.bin", b"x" + needle)) == {name}
    assert run(detector, mailkit.plain(needle.decode()[:-1])) == set()


def test_every_detector_is_one() -> None:
    empty = RuleSet((), None, (), (), "")
    made: list[Detector] = [
        AnomalyDetector(), AttachmentDetector(empty), HeaderDetector(), LinkDetector(), LiteralDetector(empty),
        TestStringDetector(), TextDetector(), YaraDetector(empty),
    ]  # fmt: skip
    assert all(isinstance(detector, Detector) for detector in made)
    assert len({detector.name for detector in made}) == len(made)
    for detector in made:
        assert list(detector.detect(mailkit.extracted(b""))) == [] or detector.name == "header"


FILLER = "filler words " * 80


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        (f"<p>{FILLER}", set()),
        ("<div style='display:none'>a preview line of the usual length</div><p>News", set()),
        (f"<title>{FILLER}</title><p>News", set()),
        (f"<!--[if mso]>{FILLER}<![endif]--><p>News", set()),
        (f"<div style='font-size:0'>{FILLER}</div><p>{FILLER}", {"HTML_HIDDEN_TEXT"}),
        (f"<div style='color:#fff'>{FILLER}</div><p>Buy now", {"HTML_MOSTLY_HIDDEN"}),
        ("<p>V\u0435rify y\u043eur \u0430ccount", {"TEXT_MIXED_ALPHABETS"}),
        ("<p>\u0423\u0432\u0430\u0436\u0430\u0435\u043c\u044b\u0439 \u043a\u043b\u0438\u0435\u043d\u0442", set()),
        ("<p>\u202etnuocca ruoy\u202c", {"TEXT_REVERSED"}),
        ("<p>\u200f\u05e9\u05dc\u05d5\u05dd\u200e", set()),
    ],
)
def test_text(source: str, wanted: set[str]) -> None:
    assert run(TextDetector(), mailkit.html(source)) == wanted


def test_reversed_subject() -> None:
    assert run(TextDetector(), mailkit.plain(subject="\u202eeciovni\u202c")) == {"SUBJECT_REVERSED"}


def test_a_listed_phrase_in_letters_that_only_look_latin_is_found(tmp_path: Path) -> None:
    detector = LiteralDetector(rules(tmp_path, w__list="@views text subject\nverify your account\nother\n"))
    disguised = "v\u0435rify y\u043eur \u0430\u0441\u0441\u043eunt"
    (hit,) = detector.detect(mailkit.extracted(mailkit.plain(f"\u00e9 {disguised} and other")))
    assert [(place.view, place.offset) for place in hit.evidence] == [("text", 33), ("text_skeleton", 2)]
    assert hit.detail.endswith('"other", "verify your account", some of it in letters that only look so')
    raw = mailkit.plain(subject=f"\u00dcber {disguised}")
    assert run(detector, raw) == {"W"}
