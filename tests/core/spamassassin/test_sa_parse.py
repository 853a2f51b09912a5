"""Definitions, scores and settings of .cf files: each construct, and what is wrong with bad ones."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mxward.core.rules.spamassassin import parse
from mxward.core.rules.spamassassin.config import MAX_COUNT, Config, SaTest
from mxward.core.rules.spamassassin.parse import parse_files
from mxward.core.rules.spamassassin.pattern import Pattern, PatternError, parse_pattern


def read(text: str) -> Config:
    return parse_files({"test.cf": text})


def one(text: str) -> SaTest:
    config = read(text)
    assert config.problems == []
    (test,) = config.tests.values()
    return test


def test_header_tests() -> None:
    assert one("header A Subject =~ /x/i") == SaTest("A", "header", "test.cf", 1, "Subject", pattern=Pattern("x", "i"))
    test = one("header A  From:name:raw !~ m{a/b}  [if-unset: no one at all]")
    assert (test.target, test.negated, test.pattern, test.unset) == (
        "From:name:raw", True, Pattern("a/b", ""), "no one at all",
    )  # fmt: skip
    assert one("header A From: =~ /x/").target == "From"
    assert one("header A X-Weird_1.2=~/x/").target == "X-Weird_1.2"
    assert (one("header A exists:X-Mailer").kind, one("header A exists:X-Mailer:").target) == ("exists", "X-Mailer")


@pytest.mark.parametrize("kind", ["body", "rawbody", "uri", "full"])
def test_text_tests(kind: str) -> None:
    test = one(f"{kind} __A m'https?://x'is")
    assert (test.kind, test.pattern) == (kind, Pattern("https?://x", "is"))


def test_eval_tests() -> None:
    test = one("body A eval:check_it('one', \"two, three\", 4.5, mail.example)")
    assert (test.kind, test.target, test.function) == ("eval", "body", "check_it")
    assert test.arguments == ("one", "two, three", "4.5", "mail.example")
    assert one("header A eval:check_it()").arguments == ()
    assert one("rawbody A eval:check_it ( )").target == "rawbody"
    assert one("full A eval:check_it()").target == "full"


@pytest.mark.parametrize(
    ("line", "target"),
    [
        ("header A eval:check_rbl('x', 'zone.example.')", "check_rbl"),
        ("header A eval:check_dns_sender()", "check_dns_sender"),
        ("header A rbleval:check_it()", "check_it"),
        ("urirhssub A zone.example. A 2", "urirhssub"),
        ("askdns A _SENDERDOMAIN_.zone.example A /x/", "askdns"),
    ],
)
def test_what_asks_the_network_is_set_apart(line: str, target: str) -> None:
    assert (one(line).kind, one(line).target) == ("network", target)


def test_mime_header_tests() -> None:
    test = one("mimeheader A Content-Type:raw !~ /x/ [if-unset: y]")
    assert (test.kind, test.target, test.negated, test.unset) == ("mimeheader", "Content-Type:raw", True, "y")


def test_uri_detail_tests() -> None:
    test = one("uri_detail A text =~ /\\bhttps:/  cleaned !~ m!^https:!i  domain =~ /x/")
    assert [(c.target, c.sign, c.pattern) for c in test.conditions] == [
        ("text", "=~", Pattern("\\bhttps:", "")), ("cleaned", "!~", Pattern("^https:", "i")),
        ("domain", "=~", Pattern("x", "")),
    ]  # fmt: skip


def test_metas_and_names_that_are_only_named() -> None:
    config = read("meta A (B + C > 1) && !D\nmeta E ()\nreuse F G\nreuse A")
    assert config.problems == []
    assert {name: test.kind for name, test in config.tests.items()} == {"A": "meta", "E": "empty", "F": "empty"}
    assert config.tests["A"].expression == "(B + C > 1) && !D"


def test_the_last_good_definition_counts() -> None:
    config = read("body A /one/\nheader A Subject =~ /two/\nbody A /three\nscore A 1\nscore A 2")
    assert config.tests["A"].kind == "header"
    assert [(p.line, p.rule, p.severity) for p in config.problems] == [(3, "A", "error")]
    assert config.score("A", 0) == 2


def test_scores() -> None:
    config = read(
        "score A 1.5\nscore B 0 1 2 -3.25\nscore A (0.5)\nscore B (1) (1) (1) (1)\n"
        "body C /x/\nbody T_D /x/\nbody E /x/\ntflags E nice"
    )
    assert config.problems == []
    assert [config.score("A", n) for n in range(4)] == [2.0] * 4
    assert [config.score("B", n) for n in range(4)] == [1.0, 2.0, 3.0, -2.25]
    assert [config.score(name, 0) for name in ("C", "T_D", "E")] == [1.0, 0.01, -1.0]


def test_flags() -> None:
    config = read(
        "tflags A multiple maxhits=7\ntflags B multiple\ntflags C nice net\ntflags C learn\ntflags D maxhits=3"
    )
    assert [config.max_hits(name) for name in "ABCD"] == [7, MAX_COUNT, 0, 0]
    assert config.flags["C"] == {"learn"}


def test_descriptions_are_text() -> None:
    text = "describe A W\u00e4hrung \u20ac".encode().decode("latin-1") + "\ndescribe B caf\xe9\ndescribe C"
    config = read(text)
    assert config.descriptions == {"A": "W\u00e4hrung \u20ac", "B": "caf\ufffd"}


def test_settings_and_what_clears_them() -> None:
    config = read(
        "freemail_domains a.example b.example\nfreemail_domains c.example\nutil_rb_2tld x\nclear_util_rb\nutil_rb_tld y"
    )
    assert config.settings["freemail_domains"] == ["a.example b.example", "c.example"]
    assert "util_rb_2tld" not in config.settings
    assert config.settings["util_rb_tld"] == ["y"]


def test_samples() -> None:
    assert read("test A ok  some text\ntest A fail\tother").samples == [
        ("A", "ok", "some text"),
        ("A", "fail", "other"),
    ]


def test_tags_in_patterns() -> None:
    config = read(
        "replace_tag A [a4]\nreplace_tag B b<A>\nreplace_inter W \\W?\nreplace_pre P x\nreplace_post Q {1,2}\n"
        "replace_rules R S\nreplace_rules T"
    )
    tags = config.tags
    assert config.replaced == {"R", "S", "T"}
    assert tags.apply("(?i)v<A>l<B> <C> (?<!x)") == "(?i)v[a4]lb[a4] <C> (?<!x)"
    assert tags.apply("<inter W><A><A><B>z") == "[a4]\\W?[a4]\\W?b[a4]z"
    assert tags.apply("<post Q>y<A><A>") == "y[a4]{1,2}[a4]{1,2}"
    assert tags.apply("<pre P>y<A><A>") == "yx[a4]x[a4]"
    config = read("replace_start [\nreplace_end ]\nreplace_tag A b")
    assert (config.tags.start, config.tags.end) == ("[", "]")


def test_tags_that_hold_themselves_end() -> None:
    tags = read("replace_tag A <A><A>").tags
    assert tags.apply("<A>") == "<A>" * 64
    tags.tag["A"] = "<A>" * 200
    with pytest.raises(PatternError, match="longer"):
        tags.apply("<A>")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("header A Subject ~ /x/", "expected"),
        ("header A Subject:nosuch =~ /x/", "modifier :nosuch"),
        ("header A", "expected"),
        ("header", "expected"),
        ("header A eval:nothing", "eval:function"),
        ("header A eval:f(a b)", "arguments"),
        ("header A eval:f('a)", "arguments"),
        ("body A", "missing"),
        ("body A x", "delimiters"),
        ("body A /x", "end delimiter"),
        ("body A /x/e", "end delimiter"),
        ("body A /x/k", "modifier 'k'"),
        ("body A /a/b/", "unescaped"),
        ("body A m\\x\\", "backslash"),
        ("body A //", "matches everything"),
        ("body A /a||b/", "matches everything"),
        ("body A /(?{ system 'x' })/", "code"),
        ("body A /x(??{ $y })/", "code"),
        ("body 1A /x/", "name"),
        ("body A-B /x/", "name"),
        (f"body {'A' * 101} /x/", "at most"),
        ("mimeheader A x", "expected"),
        ("uri_detail A link =~ /x/", "unknown form"),
        ("uri_detail A", "expected"),
        ("uri_detail A text =~ /x/ and more", "expected"),
        ("meta A", "missing"),
        ("meta A B &&", "ends too early"),
        ("meta A B C", "did not expect 'C'"),
        ("meta A (B", "missing"),
        ("meta A $B", "neither"),
        ("meta A B @ C", "neither"),
        ("meta A 1.2.3", "neither"),
        ("meta A B ? C", "without ':'"),
        (f"meta A {'(' * 99}B{')' * 99}", "levels"),
        ("score A", "1 or 4"),
        ("score A 1 2", "1 or 4"),
        ("score A one", "1 or 4"),
        ("score A 1e9", "1 or 4"),
        ("score A (1)", "without an earlier"),
        ("tflags A", "missing"),
        ("test A maybe x", "expected"),
        ("test A", "expected"),
        ("replace_tag A", "expected"),
        ("replace_start", "missing"),
        ("priority A high", "expected"),
        ("frobnicate yes", "unknown setting"),
    ],
)
def test_bad_lines_are_named_and_have_no_effect(line: str, words: str) -> None:
    config = read(f"\n{line}\n")
    (problem,) = config.problems
    assert (problem.file, problem.line) == ("test.cf", 2)
    assert words in problem.text
    assert str(problem).startswith("test.cf:2: ")
    assert config.tests == {}
    assert config.scores == {}


def test_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parse, "MAX_TESTS", 2)
    config = read("body A /x/\nbody B /x/\nbody C /x/\nbody A /y/")
    assert list(config.tests) == ["A", "B"]
    assert config.tests["A"].pattern.source == "y"
    monkeypatch.setattr(parse, "MAX_SETTINGS", 1)
    assert "more than 1 settings" in read("ok_locales en\nok_locales de").problems[0].text


def test_patterns_know_their_captures_and_templates() -> None:
    pattern = parse_pattern(r"/(?<GB_ADDR>.*)(?P<X>y)(?<lower>z)%{GB_ADDR} \%{NOT} %{HEADER(From:addr)}/")
    assert pattern.captures == ["GB_ADDR", "X"]
    assert pattern.templates == ["GB_ADDR", "HEADER"]
    assert pattern.filled({"GB_ADDR": "(?:a)"}).endswith(r"(?:a) \%{NOT} %{HEADER(From:addr)}")


COMMANDS = (
    "header",
    "body",
    "uri",
    "meta",
    "score",
    "tflags",
    "mimeheader",
    "replace_tag",
    "if",
    "describe",
    "uri_detail",
    "test",
)


@given(st.lists(st.tuples(st.sampled_from(COMMANDS), st.text(alphabet="AB_ /=~!()'\"1<>[]|:eval\\x\t&", max_size=30))))
def test_any_line_is_read_or_named(rows: list[tuple[str, str]]) -> None:
    read("\n".join(f"{command} {rest}" for command, rest in rows))
