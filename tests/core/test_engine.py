"""What other scanners say becomes hits, marks and degraded mode."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from mxtest import mailkit
from mxtest.carriers import CARRIERS
from mxtest.openkit import HereOpener
from mxward.core.detect.engine import EngineDetector, Said
from mxward.core.detect.hashlist import HashListDetector
from mxward.core.errors import EngineTimeout, EngineUnavailable
from mxward.core.message import Message
from mxward.core.pipeline import Pipeline
from mxward.core.policy.load import load_policy
from mxward.core.rules.hashlist import index_hashes, parse_hashes

BAD = b"something bad"


class Scanner:
    """Finds BAD; `says` is what it calls it, `fails` what it raises."""

    name = "scanner"

    def __init__(self, says: str = "Bad.Thing", fails: Exception | None = None) -> None:
        self.says, self.fails, self.seen = says, fails, list[bytes]()

    def scan(self, data: bytes | memoryview, seconds: float) -> list[Said]:
        self.seen.append(bytes(data))
        if self.fails:
            raise self.fails
        return [Said(self.says)] if BAD in bytes(data) else []


def judged(scanner: Scanner, raw: bytes, **more: object) -> Message:
    detector = EngineDetector(scanner, seconds=10, **more)  # type: ignore[arg-type] # on_down and scans
    return Pipeline([detector], load_policy(None), opener=HereOpener()).judge(raw, mailkit.envelope())


def test_a_signature_is_a_hit_of_malware() -> None:
    message = judged(Scanner(), mailkit.plain(BAD.decode()))
    (hit,) = message.hits
    assert (hit.name, hit.category, hit.detector) == ("scanner:Bad.Thing", "malware", "scanner")
    assert message.verdict is not None
    assert message.verdict.name == "malware"


def test_what_was_opened_is_scanned_too_and_nothing_twice() -> None:
    scanner = Scanner()
    inner = CARRIERS["zip.stored"](BAD, "a.txt")
    message = judged(scanner, mailkit.with_attachment("a.zip", CARRIERS["gz"](inner, "a.zip")))
    assert [hit.name for hit in message.hits] == ["scanner:Bad.Thing"]
    assert message.hits[0].evidence[0].part >= 3
    assert len(scanner.seen) == len(set(scanner.seen))


def test_it_is_given_what_it_is_to_be_given() -> None:
    raw = mailkit.with_attachment("a.zip", CARRIERS["zip.stored"](BAD, "a.txt"))
    seen = {}
    for scans in (("message",), ("parts",), ("opened",), ("parts", "opened")):
        scanner = Scanner()
        judged(scanner, raw, scans=scans)
        seen[scans] = scanner.seen
    assert seen["message",] == [raw]
    assert seen["opened",] == [BAD]
    assert [data[:2] for data in seen["parts",]] == [b"Se", b"PK"]
    assert seen["parts", "opened"] == seen["parts",] + seen["opened",]


def test_unwanted_kinds_of_trusted_files_are_no_hits() -> None:
    """A file on an allow list, and a scanner that finds it unwanted; what it calls malware counts all the same."""
    zipped = CARRIERS["zip.stored"](BAD, "a.txt")
    listed = parse_hashes(f"@kind allow\n{hashlib.sha256(zipped).hexdigest()}", "known/good.hashes")
    index = index_hashes([("known@1", listed)])
    assert index is not None
    for name, expected in (("PUA.Win.Tool", []), ("Win.Trojan.X", ["scanner:Win.Trojan.X"])):
        detectors = [HashListDetector(index), EngineDetector(Scanner(name), seconds=10)]
        pipeline = Pipeline(detectors, load_policy(None), opener=HereOpener())
        message = pipeline.judge(mailkit.with_attachment("a.zip", zipped), mailkit.envelope())
        assert [hit.name for hit in message.hits if hit.detector == "scanner"] == expected


@pytest.mark.parametrize(
    ("name", "category"),
    [
        ("Win.Trojan.X-1", "malware"), ("PUA.Win.Tool.Y", "attachment"), ("Heuristics.Phishing.Email.Z", "phish"),
        ("Heuristics.OLE2.ContainsMacros.VBA", "attachment"), ("Heuristics.Structured.SSN", "policy"),
    ],
)  # fmt: skip
def test_names_that_say_something_else_are_taken_for_it(name: str, category: str) -> None:
    assert judged(Scanner(name), mailkit.plain(BAD.decode())).hits[0].category == category


@pytest.mark.parametrize(
    ("name", "reason"),
    [("Heuristics.Encrypted.Zip", "encrypted"), ("Heuristics.Limits.Exceeded.MaxFileSize", "limit:bytes")],
)
def test_what_it_could_not_look_into_is_not_inspected(name: str, reason: str) -> None:
    message = judged(Scanner(name), mailkit.plain(BAD.decode()))
    assert reason in [n.reason for n in message.not_inspected]
    assert all(hit.category == "not_inspected" for hit in message.hits)


@pytest.mark.parametrize("error", [EngineUnavailable("clamd: no server answers"), EngineTimeout("late")])
def test_a_scanner_that_is_down_is_degraded_or_marked(error: Exception) -> None:
    degraded = judged(Scanner(fails=error), mailkit.plain("hello"))
    assert [hit.category for hit in degraded.hits] == ["degraded"]
    assert degraded.dispositions[0].action == "defer"
    marked = judged(Scanner(fails=error), mailkit.plain("hello"), on_down="mark")
    assert [n.reason for n in marked.not_inspected] == ["engine:scanner"]


def test_a_policy_can_hold_what_a_scanner_was_not_asked_about(tmp_path: Path) -> None:
    rule = (
        '[[policy_rule]]\nname = "hold"\nwhen = { hit = "NOT_INSPECTED_ENGINE_*" }\naction = "hold"\narea = "engine"\n'
    )
    (tmp_path / "policy.toml").write_text(f'name = "own"\n{rule}')
    detector = EngineDetector(Scanner(fails=EngineUnavailable("down")), seconds=10, on_down="mark")
    pipeline = Pipeline([detector], load_policy(tmp_path / "policy.toml"))
    message = pipeline.judge(mailkit.plain("hello"), mailkit.envelope())
    assert [(d.action, d.argument) for d in message.dispositions] == [("hold", "engine")]


def test_names_are_shown_without_what_could_deceive() -> None:
    hit = judged(Scanner("Bad\r\n\u202eName<script>"), mailkit.plain(BAD.decode())).hits[0]
    assert hit.name.isprintable()
    assert "<" not in hit.name
