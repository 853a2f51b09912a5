"""The MIME parser (mxward.pyx.mime): parse, and decode of every part, against what the inputs were made of."""

from __future__ import annotations

import random
from typing import Any

import pytest

from bench import inputs

mime = pytest.importorskip("mxward.pyx.mime", reason="this tree has no parser", exc_type=ImportError)


def parse_and_decode(data: bytes) -> list[bytes]:
    """The work of the parse stage: table and content of every part."""
    return list(mime.parse(data).decode_all())


def test_parse_plain(benchmark: Any) -> None:
    parsed = benchmark(mime.parse, inputs.plain())
    assert parsed.n_parts == 1
    assert parsed.text("Subject") == "Theatre list"


def test_decode_plain(benchmark: Any) -> None:
    content = benchmark(parse_and_decode, inputs.plain())
    assert content[0].startswith(inputs.prose(400)[:60].encode())


def test_decode_newsletter(benchmark: Any) -> None:
    content = benchmark(parse_and_decode, inputs.newsletter())
    assert "café".encode() in content[2]


def test_decode_attachment(benchmark: Any) -> None:
    content = benchmark(parse_and_decode, inputs.attachment())
    assert content[2] == random.Random(3).randbytes(100_000)


def test_decode_many_parts(benchmark: Any) -> None:
    assert len(benchmark(parse_and_decode, inputs.many_parts())) == 51


def test_field_lookup(benchmark: Any) -> None:
    parsed = mime.parse(inputs.many_fields())
    assert benchmark(parsed.field, "x-field-79").startswith(b"value 79")


def test_spamassassin_mails(benchmark: Any) -> None:
    mails = inputs.spamassassin(every=40)
    if not mails:
        pytest.skip("the shared corpus is absent")

    def all_of_them() -> int:
        return sum(len(parse_and_decode(mail)) for mail in mails)

    assert benchmark(all_of_them) >= len(mails)


def test_growth_plain(growth: Any) -> None:
    growth(lambda k: inputs.plain(2000 * k), parse_and_decode)


def test_growth_attachment(growth: Any) -> None:
    growth(lambda k: inputs.attachment(50_000 * k), parse_and_decode)


def test_growth_parts(growth: Any) -> None:
    growth(lambda k: inputs.many_parts(90 * k), parse_and_decode)


def test_growth_fields(growth: Any) -> None:
    growth(lambda k: inputs.many_fields(90 * k), lambda data: mime.parse(data).fields())
