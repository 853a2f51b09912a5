"""Facts: programs of any steps are refused or run, patterns are found where they stand, nothing is read outside."""

from __future__ import annotations

from mxward.pyx.facts import OPS, Facts

SEEDS = [b"\x00\x05\x01\x02\x0f\0text", b"MASK\xff\xff\xff\xff\0xxMASKxx", b"\x02\x01\x04\x0f\x00\x00\x11\0abcdef"]
WORDS = [bytes((n,)) for n in range(22)] + [b"\xff" * 8, b"\0", b"MASK"]


def run(data: bytes) -> None:
    head, _, text = data.partition(b"\0")
    steps = [(OPS[byte % len(OPS)], (byte >> 4) - 1 if byte % len(OPS) != 1 else 1 << byte % 3) for byte in head]
    try:
        facts = Facts([("compute", steps)])
    except ValueError:
        pass
    else:
        assert facts.holding(text) in ([], [0])
    half = len(head) // 2
    wanted, mask = head[:half], head[half : 2 * half]
    if half >= 2:
        wanted = bytes(byte & bits for byte, bits in zip(wanted, mask, strict=True))
        facts = Facts([("mask", wanted, mask), ("at", half, wanted)])
        stands = any(
            all(text[at + i] & mask[i] == wanted[i] for i in range(half)) for at in range(len(text) - half + 1)
        )
        assert facts.occurring(text, [0]) == ([0] if stands else [])
        assert facts.holding(text) == ([1] if text[half : 2 * half] == wanted else [])
