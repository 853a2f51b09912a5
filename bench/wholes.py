"""Whole scanners side by side: mxward with everything on, rspamd and spamd, the same mails in the same run.

CPU is user and system time: of the judging thread for mxward (best of several passes), of the process tree for the
peers. mxward is asked in this process, the peers over loopback; the cost of their protocols is a few per cent of
theirs. Median: of the messages' own costs; mean: of the whole sample. Needs the shared corpus.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from bench import everything, gate, scanners
from mxtest import corpus
from mxward.core.message import Envelope, Recipient
from mxward.core.pipeline import Pipeline

RESULT: Final = gate.ROOT / "build" / "bench" / "wholes.json"
SHARES: Final = (("ham", 500), ("spam", 250), ("phish", 250))
ENVELOPE: Final = Envelope("sender@sender.example", (Recipient("staff@trust.example"),), client_ip="192.0.2.1")
N_SLOW: Final = 100  # messages for spamd, which takes 80 ms each


def sample(n: int = 1000) -> list[bytes]:
    """`n` mails of the corpus: half ham, a quarter spam, a quarter phishing, evenly spread over each; CRLF."""
    mails = []
    for label, share in SHARES:
        paths, wanted = corpus.paths(label), share * n // 1000
        mails += [corpus.fold(paths[i * len(paths) // wanted].read_bytes()) for i in range(wanted)]
    return mails


def own_cost(pipeline: Pipeline, mails: Sequence[bytes], passes: int = 5) -> list[float]:
    """CPU microseconds of each message, the best of `passes`."""
    best = [float("inf")] * len(mails)
    for _ in range(passes):
        for i, mail in enumerate(mails):
            start = time.thread_time_ns()
            pipeline.judge(mail, ENVELOPE)
            best[i] = min(best[i], (time.thread_time_ns() - start) / 1000)
    return best


def threads_gain(pipeline: Pipeline, mails: Sequence[bytes], n_threads: int = 2, tries: int = 5) -> float:
    """Messages a second of `n_threads` threads over those of one, by wall clock, best of `tries` each."""

    def run(share: Sequence[bytes]) -> None:
        for mail in share:
            pipeline.judge(mail, ENVELOPE)

    def wall(n: int) -> float:
        workers = [threading.Thread(target=run, args=(mails[k::n],)) for k in range(n)]
        start = time.perf_counter()
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        return time.perf_counter() - start

    return min(wall(1) for _ in range(tries)) / min(wall(n_threads) for _ in range(tries))


def peer_cost(kind: type[scanners.Rspamd] | type[scanners.Spamd], mails: Sequence[bytes]) -> dict[str, Any]:
    """CPU microseconds a message of the peer's whole process tree, after it has seen some."""
    with kind() as peer:
        peer.wait_until_ready(mails[0])
        for mail in mails[:20]:
            peer.scan(mail)
        start = peer.cpu_seconds()
        for mail in mails:
            peer.scan(mail)
        return {"mean_us": round((peer.cpu_seconds() - start) / len(mails) * 1e6, 1), "n": len(mails)}


def measure(data: Path, say: Callable[[str], None], n: int = 1000) -> dict[str, Any]:
    """All figures of one run."""
    mails = sample(n)
    start = time.perf_counter()
    everything.pipeline(data)
    first_s = time.perf_counter() - start
    start = time.perf_counter()
    pipeline = everything.pipeline(data)
    start_s = time.perf_counter() - start
    say(f"start with cached packs: {start_s:.2f} s (first start: {first_s:.1f} s)")
    costs = own_cost(pipeline, mails)
    result: dict[str, Any] = {
        "n": len(mails), "median_bytes": statistics.median(map(len, mails)), "start_s": round(start_s, 3),
        "mxward": {"median_us": round(statistics.median(costs), 1), "mean_us": round(statistics.fmean(costs), 1)},
        "threads_gain": round(threads_gain(pipeline, mails), 2),
    }  # fmt: skip
    say(f"mxward, everything on: {result['mxward']}, two threads give {result['threads_gain']}")
    for kind in scanners.available():
        name = kind.__name__.lower()
        result[name] = peer_cost(kind, mails if kind is scanners.Rspamd else mails[:: max(1, len(mails) // N_SLOW)])
        result[name]["ratio"] = round(result["mxward"]["mean_us"] / result[name]["mean_us"], 4)
        say(f"{name}: {result[name]}")
    return result


def main(options: list[str]) -> int:
    """`python -m bench wholes [--n N] [--data DIR]`."""
    parser = argparse.ArgumentParser(prog="bench wholes")
    parser.add_argument("--n", type=int, default=1000, help="mails of the corpus")
    parser.add_argument("--data", type=Path, help="keep packs and cache here (default: a temporary directory)")
    chosen = parser.parse_args(options)
    if not corpus.is_present():
        print("the shared corpus is absent: nothing to compare")
        return 2
    with tempfile.TemporaryDirectory(prefix="mxward-wholes-") as temporary:
        result = measure(chosen.data or Path(temporary), lambda text: print(text, flush=True), chosen.n)
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    return 0
