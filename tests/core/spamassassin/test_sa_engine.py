"""Rules of our own over messages of our own: every kind of test, metas, counts, captures, limits."""

from __future__ import annotations

from pathlib import Path

import pytest

from mxward.core.detect.spamassassin import LEAST, MOST, SpamAssassinDetector
from mxward.core.extract.parts import extract
from mxward.core.message import Envelope, Message, Recipient
from mxward.core.policy.score import SPAM
from mxward.core.rules.compile import compile_packs
from mxward.core.rules.pack import Pack, load_pack
from mxward.core.rules.spamassassin import compile as compiling
from mxward.core.rules.spamassassin.engine import Engine
from mxward.core.rules.spamassassin.evals import EVALS
from mxward.core.rules.spamassassin.evaltools import Eval
from mxward.core.rules.spamassassin.load import load_engine
from mxward.core.rules.spamassassin.report import Report
from mxward.core.rules.spamassassin.source import CfOptions, CfSource
from mxward.core.rules.spamassassin.texts import TextSet
from mxward.pyx.mime import parse

MAIL = (
    b"Received: from a.example by b.example; Mon, 2 Jun 2025 10:00:00 +0000\r\n"
    b'From: "Llama Sales" <sales@llama.example>\r\nTo: staff@trust.example\r\n'
    b"Subject: Buy llamas, llamas\r\nMessage-ID: <1@llama.example>\r\nMIME-Version: 1.0\r\n"
    b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
    b"--b\r\nContent-Type: text/plain\r\n\r\nHello,\r\nbuy our llamas.\r\n\r\nSee http://www.llama.example/#staff@trust.example\r\n"
    b'--b\r\nContent-Type: application/pdf; name="llama.pdf"\r\nContent-Transfer-Encoding: base64\r\n\r\nJVBERi0=\r\n'
    b"--b--\r\n"
)


def load(rules: str, options: CfOptions | None = None, cache: Path | None = None) -> tuple[Engine, Report]:
    return load_engine([CfSource("test.cf", rules)], options or CfOptions(), (), cache)


def message(raw: bytes = MAIL) -> Message:
    made = Message(raw, Envelope("sales@llama.example", (Recipient("staff@trust.example"),)))
    made.mime = parse(raw)
    extract(made)
    return made


def fired(rules: str, raw: bytes = MAIL) -> dict[str, float]:
    engine, report = load(f"util_rb_tld example\n{rules}")
    assert report.problems == []
    outcome = engine.run(TextSet(message(raw), engine.site))
    assert outcome.exhausted == []
    return {engine.book.names[slot]: value for slot, value in outcome.values.items()}


@pytest.mark.parametrize(
    ("rule", "times"),
    [
        ("header A Subject =~ /^buy/i", 1),
        ("header A Subject =~ /^buy/", 0),
        ("header A Subject !~ /cats/", 1),
        ("header A Subject !~ /llamas/", 0),
        ("header A X-None =~ /./", 0),
        ("header A X-None =~ /^$/", 1),
        ("header A X-None !~ /./", 1),
        ("header A X-None =~ /un/ [if-unset: unset]", 1),
        ("header A From:addr =~ /^sales\\@llama\\.example$/", 1),
        ("header A From:name =~ /^Llama Sales$/", 1),
        ("header A ALL =~ /^Subject: Buy/m", 1),
        ("header A ToCc =~ /staff/", 1),
        ("header A MESSAGEID =~ /llama/", 1),
        ("header A exists:Subject", 1),
        ("header A exists:X-None", 0),
        ("header A exists:ToCc", 1),
        ("header A Subject =~ /llama/\ntflags A multiple", 2),
        ("header A Subject =~ /llama/\ntflags A multiple maxhits=1", 1),
        ("body A /^Hello, buy our/", 1),
        ("body A /buy/i", 1),
        ("body A /llama/\ntflags A multiple", 4),
        ("body A /Buy llamas, llamas/\ntflags A nosubject", 0),
        ("body A /^Hello/\ntflags A nosubject", 1),
        ("rawbody A /Hello,\\nbuy/", 1),
        ("full A /boundary=b\\n/", 1),
        ("uri A m{^http://www\\.llama\\.example/}", 1),
        ("uri A /cat/", 0),
        ("mimeheader A Content-Type =~ /pdf/", 1),
        ("mimeheader A Content-Type !~ /zip/", 1),
        ("mimeheader A Content-Type !~ /pdf/", 0),
        ("mimeheader A Content-Type =~ /multipart/\ntflags A range=1", 1),
        ("mimeheader A Content-Type =~ /multipart/\ntflags A range=2-", 0),
        ("mimeheader A Content-Type =~ /pdf/\ntflags A range=-2", 0),
        ("mimeheader A Content-Type =~ /plain.*pdf/s\ntflags A concat", 1),
        ("mimeheader A Content-Type =~ /[ap]/\ntflags A multiple maxhits=3", 3),
        ("mimeheader A X-None =~ /y/ [if-unset: yes]", 1),
        ("uri_detail A domain =~ /^llama\\.example$/ raw =~ /^http/", 1),
        ("uri_detail A domain =~ /^llama/ raw =~ /^ftp/", 0),
        ("uri_detail A host !~ /cats/", 1),
    ],
)  # fmt: skip
def test_each_kind_of_test(rule: str, times: int) -> None:
    assert fired(rule).get("A", 0) == times


def test_metas_follow_from_what_fired() -> None:
    rules = (
        "body __L /llama/\ntflags __L multiple\nheader __S Subject =~ /Buy/\nmeta A __L > 3 && __S\n"
        "meta B A && !__NOWHERE\nmeta C B + A == 2\nmeta D C && 0\nmeta E !__S\nmeta N __S - 2\nmeta M N == 1"
    )
    assert set(fired(rules)) == {"__L", "__S", "A", "B", "C", "N", "M"}


def test_metas_over_names_that_match() -> None:
    rules = (
        "body __L_1 /llama/\nbody __L_2 /Hello/\nbody __L_3 /cat/\n"
        "meta A rules_matching(__L_*) == 2\nmeta B rules_matching(NO*)"
    )
    assert "A" in fired(rules)
    assert "B" not in fired(rules)


def test_metas_that_cannot_be_are_named() -> None:
    rules = (
        "body __A /llama/\nmeta R1 R2 || __A\nmeta R2 R1\nmeta R3 R1 || __A\nmeta Z __A\nscore Z 0\nmeta D Z || __A\n"
        "meta D2 D || __A\nmeta OK __A"
    )
    report = load(rules)[1]
    assert report.idle[compiling.RING] == ["R1", "R2", "R3"]
    assert report.idle[compiling.DEAD] == ["D", "D2"]
    assert report.idle[compiling.NO_SCORE] == ["Z"]
    assert set(fired(rules)) == {"__A", "OK"}


def test_what_does_not_run_is_listed_with_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(EVALS, "mine_to_know", Eval(lambda _texts, *arguments: len(arguments)))
    rules = (
        "header N eval:check_rbl('x', 'y')\nbody U eval:nobody_knows_it()\nbody O /x/\nscore O 0 1 1 1\nreuse E\n"
        "body L eval:mine_to_know()\ntflags L learn\nbody W eval:mine_to_know()\ntflags W net\n"
        "body K eval:mine_to_know('a', 'b')\n"
        "body P /(/\nmeta X ((((A\nmeta M K || L"
    )
    engine, report = load(rules)
    assert report.idle == {
        compiling.ASKS_NETWORK: ["N", "W"], compiling.UNKNOWN_FUNCTION: ["U"], compiling.NO_SCORE: ["O"],
        compiling.UNDEFINED: ["E"], compiling.LEARNT: ["L"], compiling.BAD_PATTERN: ["P"],
    }  # fmt: skip
    assert "parenthes" in report.faults["P"]
    assert report.functions == {"nobody_knows_it": 1}
    assert report.partial == ["M"]
    assert [p.rule for p in report.problems] == ["X"]
    assert report.kinds["eval"] == (4, 1)
    outcome = engine.run(TextSet(message(), engine.site))
    assert {engine.book.names[slot]: value for slot, value in outcome.values.items()} == {"K": 2, "M": 2}
    assert load("body O /llama/\nscore O 0 1 1 1", CfOptions(score_set=1))[0].book.names == ["O"]


def test_a_test_whose_code_fails_is_said_to(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_texts: TextSet) -> int:
        raise ZeroDivisionError

    monkeypatch.setitem(EVALS, "fail", Eval(fail))
    monkeypatch.setitem(EVALS, "less", Eval(lambda _texts: -3))
    engine, _ = load("body A eval:fail()\nbody B eval:less()\nbody C /llama/")
    outcome = engine.run(TextSet(message(), engine.site))
    assert [engine.book.names[slot] for slot in outcome.failed] == ["A"]
    assert {engine.book.names[slot]: value for slot, value in outcome.values.items()} == {"B": 1, "C": 1}


def test_captured_values_stand_in_other_patterns() -> None:
    rules = (
        "header __TO To:addr =~ /(?<TO_ADDR>.*)/\nuri A m{\\#%{TO_ADDR}}i\nuri B m{/%{TO_ADDR}}\n"
        "uri C m{\\#%{NO_SUCH}}\n"
        "header __PART To:addr =~ /x?(?<PART>.*)\\@/\nuri D m{\\#%{PART}}"
    )
    assert set(fired(rules)) == {"__TO", "A", "__PART"}
    assert set(fired(rules, MAIL.replace(b"To: staff@trust.example", b"To: b.d@x.example"))) == {"__TO", "__PART"}


def test_captured_values_are_no_patterns() -> None:
    raw = MAIL.replace(b"To: staff@trust.example", b"To: st.ff@trust.example")
    assert "A" not in fired("header __TO To:addr =~ /(?<TO_ADDR>.*)/\nuri A m{\\#%{TO_ADDR}}i", raw)


def test_tags_are_replaced_and_large_patterns_are_taken() -> None:
    forms = "|".join(f"[{n:02x}][x]" for n in range(60))
    letters = "".join(f"replace_tag {c} (?:[{c.lower()}{c}]|{forms})\n" for c in "LAM")
    rules = f"{letters}replace_rules A B\nbody A /<L><L><A><M><A>s/\nbody B /x?(?:{'<L><L><A><M><A>s|' * 100}<M><A>s)/"
    engine, report = load(rules)
    assert report.faults == {}
    assert {engine.book.names[slot] for slot in engine.run(TextSet(message(), engine.site)).values} == {"A", "B"}


def test_a_pattern_that_never_ends_gives_up_and_is_named() -> None:
    raw = MAIL.replace(b"Hello,", b"a" * 3000)
    engine, _ = load("body A /^(?:a+)+$/\nbody B /llamas/")
    outcome = engine.run(TextSet(message(raw), engine.site))
    assert {engine.book.names[slot] for slot in outcome.values} == {"B"}
    assert [engine.book.names[slot] for slot in outcome.exhausted] == ["A"]


def test_a_cache_changes_nothing(tmp_path: Path) -> None:
    rules = "body A /llama/\nheader B Subject =~ /Buy/\nmeta C A && B"
    results = []
    for _ in range(2):
        engine, _ = load(rules, cache=tmp_path / "cache")
        results.append(engine.run(TextSet(message(), engine.site)).values)
    assert results[0] == results[1] == {0: 1, 1: 1, 2: 1}


def make_pack(folder: Path, rules: str, manifest: str = "") -> Pack:
    folder.mkdir()
    (folder / "pack.toml").write_text(f'name = "{folder.name}"\nversion = "1"\n{manifest}')
    (folder / "10.cf").write_bytes(rules.encode("latin-1"))
    return load_pack(folder)


def test_hits_have_weight_description_and_place(tmp_path: Path) -> None:
    pack = make_pack(
        tmp_path / "sa", "body __SUB /llama/\nbody A /our llamas/\nscore A 2.5\ndescribe A Sells llamas\n"
        "header NICE Subject =~ /Buy/\ntflags NICE nice\nmeta PHISH_X A && NICE\nscore PHISH_X 1 0 0 0\n",
    )  # fmt: skip
    detector = SpamAssassinDetector(compile_packs([pack]))
    assert detector.packs == ("sa@1",)
    mail = message()
    hits = {hit.name: hit for hit in detector.detect(mail)}
    assert set(hits) == {"A", "NICE", "PHISH_X"}
    hit = hits["A"]
    assert (hit.weight, hit.category, hit.detail, hit.pack) == (2.5 * SPAM / 5, "spam", "Sells llamas", "sa@1")
    (evidence,) = hit.evidence
    body = TextSet(mail).body[0]
    assert evidence.view == "spamassassin body"
    assert body[evidence.offset : evidence.offset + evidence.length] == b"our llamas"
    assert hits["NICE"].weight == -SPAM / 5
    assert (hits["PHISH_X"].category, hits["PHISH_X"].evidence) == ("phish", ())
    assert mail.not_inspected == []


def test_weights_are_bounded_together(tmp_path: Path) -> None:
    high = make_pack(tmp_path / "high", "body A /llama/\nscore A 900\nbody B /Hello/\nscore B 100")
    low = make_pack(tmp_path / "low", "body C /llama/\nscore C -50", "[spamassassin]\nthreshold = 6.0\nscore_set = 1\n")
    hits = list(SpamAssassinDetector(compile_packs([high, low])).detect(message()))
    assert {hit.name: round(hit.weight, 2) for hit in hits} == {"A": MOST * 0.9, "B": MOST * 0.1, "C": LEAST}


def test_what_gave_up_or_failed_is_on_the_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_texts: TextSet) -> int:
        raise ZeroDivisionError

    monkeypatch.setitem(EVALS, "fail", Eval(fail))
    pack = make_pack(tmp_path / "sa", "body SLOW /^(?:a+)+$/\nbody F eval:fail()")
    mail = message(MAIL.replace(b"Hello,", b"a" * 3000))
    (hit,) = SpamAssassinDetector(compile_packs([pack])).detect(mail)
    assert (hit.name, hit.category, hit.weight) == ("SPAMASSASSIN_FAILED", "degraded", 0)
    assert [(n.reason, "SLOW" in n.detail) for n in mail.not_inspected] == [("limit:regex", True)]


@pytest.mark.parametrize(("place", "size", "count"), [("body", 49_000, 180), ("rawbody", 490_000, 36)])
def test_text_of_all_parts_together_is_bounded(tmp_path: Path, place: str, size: int, count: int) -> None:
    texts = [b"words and words " * (size // 16) for _ in range(count)]
    texts[0], texts[-1] = b"first " + texts[0], b"final " + texts[-1]
    head = b"From: a@b.example\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
    raw = head + b"".join(b"--b\r\n\r\n" + text + b"\r\n" for text in texts) + b"--b--\r\n"
    pack = make_pack(tmp_path / "sa", f"{place} FIRST /first/\n{place} FINAL /final/")
    mail = message(raw)
    hits = {hit.name for hit in SpamAssassinDetector(compile_packs([pack])).detect(mail)}
    assert hits == {"FIRST"}
    assert [n.reason for n in mail.not_inspected] == ["limit:text"]
    assert len(getattr(TextSet(mail), place)[0]) < size * count - size


@pytest.mark.parametrize(
    "rules",
    [
        "body A /never/\nbody B eval:tick()\nbody C eval:last()",
        "mimeheader M Content-Type =~ /p/\ntflags M multiple\nbody C eval:last()",
        "uri_detail U raw =~ /llama/\nbody C eval:last()",
    ],
)
def test_the_time_of_a_message_bounds_its_rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rules: str) -> None:
    monkeypatch.setitem(EVALS, "tick", Eval(lambda _texts: 0))
    monkeypatch.setitem(EVALS, "last", Eval(lambda _texts: 1))
    detector = SpamAssassinDetector(compile_packs([make_pack(tmp_path / "sa", rules)]))
    late, mail = message(), message()
    late.is_late = lambda: True
    assert list(detector.detect(late)) == []
    assert "timeout" in {n.reason for n in late.not_inspected}
    assert "C" in {hit.name for hit in detector.detect(mail)}
    assert mail.not_inspected == []


def test_rules_left_out_of_a_pack_do_not_run(tmp_path: Path) -> None:
    pack = make_pack(tmp_path / "sa", "body A /llama/\nbody B /llama/\nmeta C A && B")
    assert set(pack.rule_names()) == {"A", "B", "C"}
    hits = SpamAssassinDetector(compile_packs([pack.without({"B"})])).detect(message())
    assert [hit.name for hit in hits] == ["A"]


@pytest.mark.parametrize(
    "section", ["score_set = 4", "score_set = true", "threshold = 0", "threshold = 'x'", "other = 1"]
)
def test_a_faulty_section_is_refused(tmp_path: Path, section: str) -> None:
    with pytest.raises(Exception, match=r"sa/pack\.toml"):
        make_pack(tmp_path / "sa", "body A /x/", f"[spamassassin]\n{section}\n")
