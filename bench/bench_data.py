"""The reader of message data in SMTP (mxward.pyx.smtpdata): unstuffing, end of data, forbidden bytes."""

from __future__ import annotations

from typing import Any

import pytest

from bench import inputs
from mxtest.sender import stuff

smtpdata = pytest.importorskip("mxward.pyx.smtpdata", reason="this tree has no data reader", exc_type=ImportError)
READ_SIZE = 65536  # what a socket gives at once
LIMIT = 64 << 20


def read(wire: bytes) -> bytes:
    """Feed a DATA stream in blocks of a socket and take the message."""
    reader = smtpdata.DataReader(LIMIT)
    for start in range(0, len(wire), READ_SIZE):
        reader.feed(wire[start : start + READ_SIZE])
    assert reader.done and not (reader.bare_cr or reader.bare_lf or reader.nul)
    return bytes(reader.take())


def test_read_plain(benchmark: Any) -> None:
    message = inputs.plain()
    assert benchmark(read, stuff(message)) == message


def test_read_dotted(benchmark: Any) -> None:
    message = inputs.dotted()
    assert benchmark(read, stuff(message)) == message


def test_read_attachment(benchmark: Any) -> None:
    message = inputs.attachment()
    assert benchmark(read, stuff(message)) == message


def test_growth_read(growth: Any) -> None:
    growth(lambda k: stuff(inputs.dotted(1500 * k)), read)
