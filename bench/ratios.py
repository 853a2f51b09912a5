"""Gate 3: our kernels against references, both measured in this process: CPU time, minima, best of several tries.

A ratio of minima of CPU time in one run spreads by 2-3 % on a quiet machine and by a third on a busy one, so a
target that is missed is measured again before it counts as missed.
"""

from __future__ import annotations

import base64
import binascii
import email
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from bench import inputs
from mxtest.sender import stuff as stuff_message


@dataclass(frozen=True, slots=True)
class Pair:
    """Our call and the reference's, and how often each runs in one round."""

    name: str
    ours: Callable[[], Any]
    reference: Callable[[], Any]
    check: Callable[[Any, Any], bool]
    n_bytes: int


def _mails() -> Sequence[bytes]:
    return inputs.spamassassin() or (inputs.plain(), inputs.newsletter(), inputs.attachment(20_000)) * 20


def _stdlib(mails: Sequence[bytes]) -> int:
    n = 0
    for mail in mails:
        for part in email.message_from_bytes(mail).walk():
            part.get_payload(decode=True)
            n += 1
    return n


def pairs() -> list[Pair]:
    """Every comparison of targets.toml that this tree can run."""
    from fast_mail_parser import parse_email

    from mxward.pyx import dotstuff, mime, smtpdata

    mails = _mails()
    size = sum(map(len, mails))

    def parse() -> int:
        return sum(len(mime.parse(mail).decode_all()) for mail in mails)

    def rust() -> int:
        n = 0
        for mail in mails:
            try:
                parse_email(mail)
            except Exception:
                pass
            n += 1
        return n

    content = b"\x00\x01\x02\xfe" * (1 << 20)
    body = base64.encodebytes(content).replace(b"\n", b"\r\n")
    carrier = b"Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n\r\n" + body
    dots = inputs.dotted(20_000)
    wire = stuff_message(dots)

    def read() -> bytes:
        reader = smtpdata.DataReader(64 << 20)
        for start in range(0, len(wire), 65536):
            reader.feed(wire[start : start + 65536])
        return bytes(reader.take())

    return [
        Pair("parse_vs_fast_mail_parser", parse, rust, lambda a, b: a >= b, size),
        Pair("parse_vs_stdlib", parse, lambda: _stdlib(mails), lambda a, b: a > 0 and b > 0, size),
        Pair("base64_vs_binascii", lambda: mime.parse(carrier).decode(0), lambda: binascii.a2b_base64(body),
             lambda a, b: a == b == content, len(body)),
        Pair("read_vs_replace", read, lambda: wire.replace(b"\r\n..", b"\r\n."), lambda a, b: a == dots, len(wire)),
        Pair("stuff_vs_replace", lambda: dotstuff.stuff(dots), lambda: dots.replace(b"\r\n.", b"\r\n.."),
             lambda a, b: a == (b"." + b if b.startswith(b".") else b), len(dots)),
    ]  # fmt: skip


def _cpu(call: Callable[[], Any]) -> int:
    start = time.thread_time_ns()
    call()
    return time.thread_time_ns() - start


def measure(pair: Pair, rounds: int = 15) -> tuple[float, float]:
    """(CPU seconds of ours, of the reference): minima over alternating rounds. AssertionError on a wrong result."""
    assert pair.check(pair.ours(), pair.reference()), f"{pair.name}: the results differ"
    ours = reference = 1 << 62
    for _ in range(rounds):
        ours = min(ours, _cpu(pair.ours))
        reference = min(reference, _cpu(pair.reference))
    return ours / 1e9, reference / 1e9


def run(targets: dict[str, Any], *, tries: int = 3) -> list[dict[str, Any]]:
    """Measure every pair against its target; a missed one is tried again, and the best try counts."""
    rows = []
    from bench import engine_pairs

    for pair in (*pairs(), *engine_pairs.pairs()):
        limit = float(targets[pair.name]["at_most"])
        best: tuple[float, float, float] | None = None
        for _ in range(tries):
            ours, reference = measure(pair)
            if best is None or ours / reference < best[0]:
                best = (ours / reference, ours, reference)
            if best[0] <= limit:
                break
        assert best is not None
        rows.append({
            "name": pair.name, "ratio": round(best[0], 3), "at_most": limit, "ours_s": best[1], "reference_s": best[2],
            "ours_mb_s": round(pair.n_bytes / best[1] / 1e6), "passed": best[0] <= limit,
        })  # fmt: skip
    return rows
