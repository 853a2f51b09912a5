"""Training: any examples and costs give the same finite weights twice, masked ones none; rounding is what it says."""

from __future__ import annotations

import math
import struct
from contextlib import suppress

from mxward.pyx import linear, tokens
from mxward.pyx.tokens import LINES, MIN_BITS, N_SEGMENTS, Features

BITS = max(MIN_BITS, 8)
SIZE = 1 << BITS
SEEDS = [
    b"\x01\x03some words here\n\x00\x02other words there\n\x03\x00left out words\n\x02\xffsome there",
    b"\x00\x01a\n\x01\x01a\n\x00\x01b\n\x01\xffb\n",
    b"W" + struct.pack("<4d", 0.5, -1.5, math.inf, math.nan),
    b"\x05\x07" + b"word " * 40 + b"\n\x04\x09" + b"other " * 40,
]
WORDS = [b"\n", b"\x00\x01", b"\x01\xff", b" word", b" other", struct.pack("<d", -0.5), struct.pack("<d", math.nan)]
WORDS += [struct.pack("<d", 1e308), b"\xff\xff\xff\x7f", b"\0\0\0\x80"]
LIMIT = 4096


def run(data: bytes) -> None:
    _train(data)
    _round(data)
    _divide(data)
    for bits in (data[0] if data else 0, 63, 64, 2**32 - 1):
        with suppress(ValueError, MemoryError):  # sizes that do not fit are refused, however they wrap
            linear.quantise(b"", bits, 1.0, bytearray(), 0)


def _train(data: bytes) -> None:
    rows, values, signs, costs = [], [], [], []
    for line in data.split(b"\n")[:60]:
        head, text = line[:2].ljust(2, b"\0"), line[2:]
        rows.append(Features([(0, LINES, text[:9]), (head[0] % N_SEGMENTS, tokens.WORDS, text)], BITS))
        values.append([(head[1] - 100) / (s + 1) for s in range(N_SEGMENTS)])
        signs.append(head[0] % 2 or -1)
        costs.append(head[1] / 16)
    allowed = linear.spread(rows, BITS, 1 + len(data) % 3)
    counts = [0] * SIZE
    for row in rows:
        for number in (number for part in row.indices for number in part):
            counts[number] += 1
    assert allowed == bytes(count >= 1 + len(data) % 3 for count in counts)
    weights, bias = linear.fit(rows, values, signs, costs, allowed, 4, 0.01)
    assert (weights, bias) == linear.fit(rows, values, signs, costs, allowed, 4, 0.01)
    assert math.isfinite(bias)
    for may, weight in zip(allowed, memoryview(weights).cast("d"), strict=True):
        assert math.isfinite(weight)
        assert may or not weight


def _round(data: bytes) -> None:
    source = data[1:].ljust(8 * SIZE, b"\0")[: 8 * SIZE]
    table, step = bytearray(2 * SIZE), (1 + len(data) % 5) / 4
    linear.quantise(source, BITS, step, table, 1)
    for number, weight in enumerate(memoryview(source).cast("d")):
        value = 0.0 if math.isnan(weight) else max(-127.0, min(127.0, weight / step))
        expected = math.copysign(int(abs(value) + 0.5), value)
        assert table[2 * number] == 0
        assert memoryview(table).cast("b")[2 * number + 1] == expected


def _divide(data: bytes) -> None:
    source = data.ljust(4 * SIZE, b"\0")[: 4 * SIZE]
    table, divisor = bytearray(2 * SIZE), 1 + len(data) % 7
    linear.narrow(source, BITS, divisor, table, 0)
    for number, value in enumerate(memoryview(source).cast("i")):
        expected = max(-127, min(127, int(math.copysign(abs(value) // divisor, value))))
        assert memoryview(table).cast("b")[2 * number] == expected
