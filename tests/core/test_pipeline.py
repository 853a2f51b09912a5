"""core/pipeline: any bytes are judged, faults of detectors show, threads agree, time is bounded."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mxtest import corpus, mailkit
from mxward.core import pipeline as pipeline_module
from mxward.core.detect.classifier import shipped
from mxward.core.detect.teststring import EICAR, GTUBE, PHISH_TEST
from mxward.core.errors import EngineTimeout, PolicyError, RulePackError
from mxward.core.limits import MAX_HITS, MAX_TEXT_BYTES
from mxward.core.message import Message
from mxward.core.pipeline import Pipeline, load_pipeline
from mxward.core.policy.load import load_policy
from mxward.core.scan import normalise, scan_bytes
from mxward.core.verdict import ACTIONS, VERDICTS, Hit


@pytest.fixture(scope="module")
def pipeline() -> Pipeline:
    made = load_pipeline(None, ["trust.example"])
    made.warm()
    return made


def test_loads_what_ships(pipeline: Pipeline) -> None:
    assert pipeline.packs == ("starter@1.0", shipped().label)
    assert pipeline.version.startswith(load_policy(None).version + "+")


def test_plain_mail_is_delivered(pipeline: Pipeline) -> None:
    message = pipeline.judge(mailkit.plain(), mailkit.envelope())
    assert message.verdict is not None
    assert (message.verdict.name, message.verdict.score, message.hits) == ("clean", 0.0, [])
    assert message.dispositions[0].action == "deliver"
    assert message.dispositions[0].explanation.sentence == "The message was delivered. It was judged clean (score 0)."


@pytest.mark.parametrize(
    ("raw", "verdict", "action"),
    [
        (mailkit.plain(EICAR.decode() + "\r\n"), "malware", "reject"),
        (mailkit.with_attachment("eicar.com", EICAR), "malware", "reject"),
        (mailkit.plain(GTUBE.decode() + "\r\n"), "spam", "reject"),
        (mailkit.plain(PHISH_TEST.decode() + "\r\n"), "phish", "quarantine"),
        (mailkit.with_attachment("note.txt", GTUBE, "text/plain"), "spam", "reject"),
        (mailkit.with_attachment("a.exe", b"MZ" + bytes(70)), "policy", "quarantine"),
    ],
)
def test_test_strings_and_programs(pipeline: Pipeline, raw: bytes, verdict: str, action: str) -> None:
    message = pipeline.judge(raw, mailkit.envelope())
    assert message.verdict is not None
    assert (message.verdict.name, message.dispositions[0].action) == (verdict, action)


PIECES = st.sampled_from([
    b"\r\n", b"\n", b"\r", b"\x00", b"From: a@b.c\r\n", b"Subject: =?utf-7?q?+AGE-?=\r\n",
    b"Content-Type: text/html; charset=hz\r\n", b"Content-Type: multipart/mixed; boundary=b\r\n", b"--b\r\n",
    b"--b--\r\n", b"Content-Transfer-Encoding: base64\r\n",
    b"<a href='http://[x/'>http://y.example</a>", b"PK\x03\x04",
    b"PK\x05\x06", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"MZ", b"begin 644 a\r\n",
    b"Content-Type: message/rfc822\r\n\r\n",
    b"name*0*=x'y'%ff;", b"\xff\xfe<\x00", b"7z\xbc\xaf\x27\x1c", b"Rar!\x1a\x07\x00", b"<form><input type=password>",
    b'From: "a@b.c" <x@', b'Content-Disposition: attachment; filename="a\xe2\x80\xaegpj.exe"\r\n',
])  # fmt: skip
HOSTILE = st.one_of(
    st.binary(max_size=600), st.lists(st.one_of(PIECES, st.binary(max_size=12)), max_size=30).map(b"".join)
)


@given(HOSTILE)
def test_judges_any_bytes(raw: bytes) -> None:
    pipeline = _shared()
    message = pipeline.judge(raw, mailkit.envelope("a@trust.example", "b@trust.example"))
    assert message.verdict is not None
    assert message.verdict.name in VERDICTS
    assert [d.rcpt for d in message.dispositions] == ["a@trust.example", "b@trust.example"]
    assert all(d.action in ACTIONS for d in message.dispositions)
    assert [hit for hit in message.hits if hit.category == "degraded"] == []


_made: list[Pipeline] = []


def _shared() -> Pipeline:
    if not _made:
        _made.append(load_pipeline(None, ["trust.example"]))
    return _made[0]


class Failing:
    name = "failing"
    packs: tuple[str, ...] = ()

    def __init__(self, error: Exception) -> None:
        self.error = error

    def detect(self, message: Message) -> Iterator[Hit]:
        yield Hit("BEFORE", "spam", 1.0)
        raise self.error


class Flood:
    name = "flood"
    packs = ("flood@1",)

    def detect(self, message: Message) -> Iterable[Hit]:
        hits = [Hit(f"H{i}", "info", 0.0) for i in range(MAX_HITS * 3)]
        return [*hits, Hit("LAST", "malware", 15.0)]


@pytest.mark.parametrize(
    ("error", "detail"),
    [(EngineTimeout("no answer in 5 s"), "no answer in 5 s"), (ValueError("secret content"), "ValueError")],
)
def test_a_failing_detector_degrades_and_defers(error: Exception, detail: str) -> None:
    message = Pipeline([Failing(error)], load_policy(None)).judge(mailkit.plain(), mailkit.envelope())
    (degraded,) = [hit for hit in message.hits if hit.category == "degraded"]
    assert degraded.name == "FAILING_FAILED"
    assert detail in degraded.detail
    assert "secret" not in degraded.detail
    assert message.dispositions[0].action == "defer"


def test_hits_are_bounded_and_the_gravest_stay() -> None:
    made = Pipeline([Flood()], load_policy(None))
    message = made.judge(mailkit.plain(), mailkit.envelope())
    assert len(message.hits) == MAX_HITS
    assert message.verdict is not None
    assert message.verdict.name == "malware"
    assert made.packs == ("flood@1",)


class Slow:
    """Uses up the time of a message and asks whether it did."""

    name, packs = "slow", ()

    def __init__(self, clock: list[float]) -> None:
        self.clock, self.was_late = clock, [False]

    def detect(self, message: Message) -> Iterable[Hit]:
        self.was_late = [message.is_late()]
        self.clock[0] += 31
        self.was_late.append(message.is_late())
        return ()


def test_a_detector_can_ask_whether_the_time_is_over() -> None:
    clock = [0.0]
    slow = Slow(clock)
    Pipeline([slow], load_policy(None), monotonic=lambda: clock[0]).judge(mailkit.plain(), mailkit.envelope())
    assert slow.was_late == [False, True]


def test_detectors_beyond_the_deadline_are_named_as_not_inspected() -> None:
    ticks = iter([0.0, 0.0, 31.0])
    made = Pipeline([Flood(), Failing(ValueError())], load_policy(None), monotonic=lambda: next(ticks))
    message = made.judge(mailkit.plain(), mailkit.envelope())
    assert [(n.reason, n.detail) for n in message.not_inspected] == [("timeout", "no time left for failing")]
    assert "NOT_INSPECTED_TIMEOUT" in {hit.name for hit in message.hits}


def test_a_fault_of_the_parser_is_degraded(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(raw: bytes) -> None:
        raise MemoryError

    monkeypatch.setattr(pipeline_module, "parse", broken)
    message = Pipeline([], load_policy(None)).judge(mailkit.plain(), mailkit.envelope())
    assert [hit.name for hit in message.hits] == ["PARSER_FAILED"]
    assert message.dispositions[0].action == "defer"


def test_eight_threads_agree(pipeline: Pipeline) -> None:
    raws = [
        mailkit.plain(EICAR.decode()), mailkit.with_attachment("a.zip", b"PK\x05\x06" + bytes(18)), mailkit.plain(),
        mailkit.html("<p>verify your account <a href='http://1.2.3.4/'>bank.example</a>"), mailkit.plain("é" * 3000),
    ]  # fmt: skip
    wanted = [pipeline.judge(raw, mailkit.envelope()) for raw in raws]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda i: pipeline.judge(raws[i % 5], mailkit.envelope()), range(400)))
    for number, message in enumerate(found):
        assert message.verdict == wanted[number % 5].verdict
        assert message.dispositions == wanted[number % 5].dispositions


def test_faults_of_the_data_directory_are_precise(tmp_path: Path) -> None:
    (tmp_path / "policy.toml").write_text('[[policy_rule]]\nname = "a"\naction = "burn"\n')
    with pytest.raises(PolicyError, match=r"policy.toml:1: policy rule a: action: 'burn'"):
        load_pipeline(tmp_path)
    (tmp_path / "policy.toml").unlink()
    pack = tmp_path / "rules" / "mine"
    pack.mkdir(parents=True)
    (pack / "pack.toml").write_text('name = "mine"\nversion = "1"\n')
    (pack / "a.yar").write_text("rule A {\n condition: nothing\n}\n")
    with pytest.raises(RulePackError, match=r"mine/a.yar:2: .*nothing"):
        load_pipeline(tmp_path)


def test_scan_gives_the_documented_record(pipeline: Pipeline) -> None:
    record = scan_bytes(pipeline, mailkit.with_attachment("a.exe", b"MZ" + bytes(70)))
    assert {"verdict", "score", "hits", "parts", "not_inspected", "elapsed_us"} <= set(record)
    assert {"name", "category", "weight", "pack", "part", "evidence"} <= set(record["hits"][0])
    assert {"type", "name", "size", "sha256", "depth"} <= set(record["parts"][2])
    assert record["parts"][2]["true_type"] == "application/x-dosexec"
    assert "dispositions" not in record


@pytest.mark.parametrize(
    ("stored", "wanted"),
    [
        (b"From a@b Mon\nSubject: x\n\ny\n", b"Subject: x\r\n\r\ny\r\n"),
        (b">From a@b Mon\r\nSubject: x\r\n", b"Subject: x\r\n"),
        (b"From: a\nTo: b\r\n", b"From: a\r\nTo: b\r\n"),
        (b"From only", b""),
        (b"a\rb\n", b"a\rb\r\n"),
        (b"", b""),
    ],
)
def test_normalise(stored: bytes, wanted: bytes) -> None:
    assert normalise(stored) == wanted


@pytest.mark.corpus
@pytest.mark.slow
def test_corpus_rates(pipeline: Pipeline) -> None:
    """Next to no ham is kept from its reader; a floor for what starter pack and classifier must find."""
    corpus.need()
    kept: dict[str, list[bool]] = {}
    for label in ("ham", "spam", "phish"):
        for path in corpus.paths(label):
            message = pipeline.judge(corpus.fold(path.read_bytes()), mailkit.envelope())
            assert not any(hit.category == "degraded" for hit in message.hits), path.name
            kept.setdefault(label, []).append(message.dispositions[0].action != "deliver")
    rates = {label: sum(values) / len(values) for label, values in kept.items()}
    assert rates["ham"] <= 0.001
    assert rates["spam"] >= 0.90
    assert rates["phish"] >= 0.55


BOMBS = {
    "lines": mailkit.plain("\r\n" * 5_000_000),
    "text": mailkit.plain("привет мир на свете \r\n" * 300_000),
    "parts": mailkit.plain().replace(b"text/plain; charset=utf-8", b"multipart/mixed; boundary=b")
    + b"--b\r\n\r\nx\r\n" * 100_000,
    "fields": b"X: y\r\n" * 200_000 + mailkit.plain(),
    "words": mailkit.plain(subject="\r\n =?utf-8?q?x?=" * 50_000),
    "authors": mailkit.plain().replace(b"From: ", b"From: " + b"a@b.example, " * 50_000),
    "links": mailkit.html("<a href='http://x.example/a'>http://y.example</a>" * 100_000),
    "tags": mailkit.html("<" * 3_000_000),
    "names": mailkit.with_attachment("a.zip", b"PK\x03\x04" * 500_000),
}


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_cost_little(pipeline: Pipeline, name: str) -> None:
    started = time.process_time()
    message = pipeline.judge(BOMBS[name], mailkit.envelope())
    assert time.process_time() - started < 5
    assert message.verdict is not None
    assert len(message.dispositions) == 1


def test_text_beyond_the_limit_is_said_to_be_cut(pipeline: Pipeline) -> None:
    message = pipeline.judge(mailkit.plain("x" * (MAX_TEXT_BYTES + 1)), mailkit.envelope())
    assert [hit.name for hit in message.hits if hit.detector == "literal"] == ["TEXT_CUT"]
    assert message.verdict is not None
    assert message.verdict.name == "clean"
