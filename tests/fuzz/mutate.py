"""Mutations of byte strings: bits, runs, lines, and words of the target's grammar. No coverage is measured."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

Mutation = Callable[[random.Random, bytes, Sequence[bytes], Sequence[bytes]], bytes]
EDGES = (0, 1, 9, 10, 13, 32, 34, 45, 58, 59, 61, 63, 127, 128, 255)


def _spot(rng: random.Random, data: bytes) -> int:
    return rng.randrange(len(data) + 1)


def _flip(rng: random.Random, data: bytes, words: Sequence[bytes], seeds: Sequence[bytes]) -> bytes:
    at = _spot(rng, data)
    return data[:at] + bytes([rng.choice((rng.randrange(256), rng.choice(EDGES)))]) + data[at + 1 :]


def _insert_word(rng: random.Random, data: bytes, words: Sequence[bytes], seeds: Sequence[bytes]) -> bytes:
    at = _spot(rng, data)
    return data[:at] + rng.choice(words) * rng.choice((1, 1, 1, 2, 40)) + data[at:]


def _drop(rng: random.Random, data: bytes, words: Sequence[bytes], seeds: Sequence[bytes]) -> bytes:
    at = _spot(rng, data)
    return data[:at] + data[at + rng.choice((1, 2, 7, 60, 500)) :]


def _repeat(rng: random.Random, data: bytes, words: Sequence[bytes], seeds: Sequence[bytes]) -> bytes:
    at = _spot(rng, data)
    run = data[at : at + rng.choice((1, 4, 32, 300))]
    return data[:at] + run * rng.choice((2, 3, 20)) + data[at:]


def _swap_lines(rng: random.Random, data: bytes, words: Sequence[bytes], seeds: Sequence[bytes]) -> bytes:
    lines = data.split(b"\n")
    a, b = rng.randrange(len(lines)), rng.randrange(len(lines))
    lines[a], lines[b] = lines[b], lines[a]
    return b"\n".join(lines)


def _splice(rng: random.Random, data: bytes, words: Sequence[bytes], seeds: Sequence[bytes]) -> bytes:
    other = rng.choice(seeds)
    return data[: _spot(rng, data)] + other[_spot(rng, other) :]


def _cut(rng: random.Random, data: bytes, words: Sequence[bytes], seeds: Sequence[bytes]) -> bytes:
    return data[: _spot(rng, data)]


def _line_ends(rng: random.Random, data: bytes, words: Sequence[bytes], seeds: Sequence[bytes]) -> bytes:
    return data.replace(b"\r\n", b"\n").replace(b"\n", rng.choice((b"\r\n", b"\r", b"\r\r\n", b"\n\n")))


MUTATIONS: tuple[Mutation, ...] = (_flip, _insert_word, _drop, _repeat, _swap_lines, _splice, _cut, _line_ends)
WEIGHTS = (6, 6, 3, 2, 2, 2, 2, 1)


def mutated(rng: random.Random, seeds: Sequence[bytes], words: Sequence[bytes], limit: int) -> bytes:
    """A seed after one to eight mutations, at most `limit` bytes."""
    data = rng.choice(seeds)
    for mutation in rng.choices(MUTATIONS, WEIGHTS, k=rng.choice((1, 1, 2, 3, 5, 8))):
        data = mutation(rng, data, words, seeds)[:limit]
    return data
