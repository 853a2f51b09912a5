"""The straight line without server: Pipeline.judge with the starter packs and the shipped policy."""

from __future__ import annotations

import functools
from typing import Any

import pytest

from bench import inputs
from mxward.core.message import Envelope, Message, Recipient

pipeline = pytest.importorskip("mxward.core.pipeline", reason="this tree has no pipeline", exc_type=ImportError)
ENVELOPE = Envelope("load@sender.example", (Recipient("u@trust.example"),), client_ip="192.0.2.1", helo="mx.example")
GTUBE = b"XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"


@functools.cache
def starter() -> Any:
    """The pipeline that a fresh installation has."""
    made = pipeline.load_pipeline(None, ("trust.example",))
    made.warm()
    return made


def judge(raw: bytes) -> Message:
    message: Message = starter().judge(raw, ENVELOPE)
    return message


def actions(message: Message) -> list[str]:
    return [disposition.action for disposition in message.dispositions]


def test_judge_plain(benchmark: Any) -> None:
    message = benchmark(judge, inputs.plain())
    assert message.verdict is not None and message.verdict.name == "clean"
    assert actions(message) == ["deliver"]


def test_judge_newsletter(benchmark: Any) -> None:
    assert actions(benchmark(judge, inputs.newsletter())) == ["deliver"]


def test_judge_attachment(benchmark: Any) -> None:
    message = benchmark(judge, inputs.attachment())
    assert len(message.parts) == 3


def test_judge_gtube(benchmark: Any) -> None:
    message = benchmark(judge, inputs.plain().replace(b"\r\n\r\n", b"\r\n\r\n" + GTUBE + b"\r\n", 1))
    assert message.verdict is not None and message.verdict.name == "spam"


def test_judge_spamassassin(benchmark: Any) -> None:
    mails = inputs.spamassassin(every=60)
    if not mails:
        pytest.skip("the shared corpus is absent")

    def all_of_them() -> int:
        return sum(message.verdict is not None for message in map(judge, mails))

    assert benchmark(all_of_them) == len(mails)


def test_growth_judge_text(growth: Any) -> None:
    growth(lambda k: inputs.plain(4000 * k), judge)
