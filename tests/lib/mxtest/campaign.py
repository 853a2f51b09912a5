"""`./build.sh campaign [NAME ...]`: long fault campaigns on the running product; alone it lists them.

Each campaign says what it does as it goes, writes its result to build/campaign/NAME.json and ends with status 1 when a
promise was broken. The short forms of the same code run in the test suite (tests/integration).
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mxtest import corpus, saparity, spamassassin
from mxtest.crash import CrashRun
from mxtest.product import Product, Settings, route_to
from mxtest.sink import Sink
from mxtest.through import pass_through

RESULTS = corpus.REPOSITORY / "build" / "campaign"
Result = tuple[dict[str, Any], list[str]]  # figures, and broken promises in words


def say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)


@dataclass(frozen=True, slots=True)
class Campaign:
    """A named campaign: what it proves, and the function that runs it for a scale (1: as documented)."""

    about: str
    run: Callable[[Path, float], Result]


def crash(directory: Path, scale: float) -> Result:
    """Rounds of kills until the documented numbers are reached."""
    goal_acked, goal_kills = int(100_000 * scale), max(10, int(200 * scale))
    rounds: list[dict[str, Any]] = []
    broken: list[str] = []
    acked = kills = n = 0
    while acked < goal_acked or kills < goal_kills:
        n += 1
        run = CrashRun(directory / f"round{n}", kills=25, pause=1.5, threads=4, send_pause=0.0, drop_dot_every=1999)
        run.directory.mkdir()
        report = run.run()
        found = report.to_dict()
        rounds.append(found)
        acked, kills = acked + report.n_acked, kills + len(report.kills)
        say(f"crash round {n}: {found['acknowledged']} acknowledged, {found['lost']} lost, "
            f"{found['duplicates']} twice; in all {acked} acknowledged, {kills} kills")  # fmt: skip
        if report.lost:
            broken.append(f"round {n}: {len(report.lost)} acknowledged messages lost: {report.lost[:5]}")
        if report.unexplained:
            broken.append(f"round {n}: duplicates without a lost reply: {report.unexplained[:5]}")
        if not report.ledger["consistent"]:
            broken.append(f"round {n}: ledger inconsistent: {report.ledger}")
    total = {
        key: sum(r[key] for r in rounds)
        for key in ("kills", "acknowledged", "unknown", "arrived", "lost", "duplicates")
    }
    return {
        **total,
        "duplicate_share": round(total["duplicates"] / max(1, total["arrived"]), 6),
        "rounds": rounds,
    }, broken


def whole_corpus(directory: Path, scale: float) -> Result:
    """Every message of the corpus (every n-th at a smaller scale)."""
    if not corpus.is_present():
        return {}, [f"the shared corpus is absent: {corpus.root()}"]
    every = max(1, round(1 / scale))
    with Sink(keep=True) as sink:
        settings = Settings(workers=2, routes=[route_to(sink.port)])
        with Product(directory, settings) as product:
            passage = pass_through(product, sink, corpus.mails(every=every))
    return passage.to_dict(), passage.faults


def burst(directory: Path, scale: float) -> Result:
    """A long undisturbed load; then an orderly restart in the middle of a second one."""
    from mxtest.product import lost
    from mxtest.sender import Load

    seconds = 120 * scale
    with Sink() as sink:
        settings = Settings(workers=2, routes=[route_to(sink.port)])
        with Product(directory, settings) as product:
            load = Load(product.inbound, threads=6, name="burst").start()
            time.sleep(seconds)
            status = product.stop()
            product.start()
            time.sleep(seconds / 4)
            load.stop()
            ledger = product.wait_settled(300)
        missing = lost(load.acked, set(sink.counts))
        twice = [pair for pair, n in sink.counts.items() if n > 1]
    broken = [f"{len(missing)} lost"] if missing else []
    broken += [f"{len(twice)} twice after an orderly restart"] if twice else []
    broken += [f"stop gave status {status}"] if status else []
    return {"acknowledged": load.n_acked, "lost": len(missing), "duplicates": len(twice), "ledger": ledger}, broken


def spamassassin_parity(_directory: Path, scale: float) -> Result:
    """The public SpamAssassin rules over 1,000 mails, here and in Debian's spamassassin."""
    if not (spamassassin.is_present() and corpus.is_present()):
        return {}, ["spamassassin or the shared corpus is absent"]
    engine, report = saparity.stock_engine()
    parity = saparity.compare(saparity.sample(int(1000 * scale)), engine)
    figures = parity.to_dict()
    say(f"{figures['messages']} mails: {parity.share:.4%} of all decisions equal, {parity.strict_share:.3%} of those "
        f"where either side fired; CPU {figures['median_cpu_us']} us, "
        f"SpamAssassin {figures['spamassassin_median_cpu_us']} us")  # fmt: skip
    broken = [f"only {parity.share:.4%} of the decisions are equal"] if parity.share < 0.99 else []
    broken += [f"only {parity.strict_share:.3%} of what fired is equal"] if parity.strict_share < 0.97 else []
    return {**figures, "tests": report.n_tests, "used": report.n_used}, broken


CAMPAIGNS = {
    "crash": Campaign("SIGKILL of random processes under load: 100,000 acknowledged messages, 200 kills", crash),
    "corpus": Campaign("every message of the shared corpus, four accounts compared", whole_corpus),
    "burst": Campaign("two minutes of full load and an orderly restart: nothing lost, nothing twice", burst),
    "spamassassin": Campaign("SpamAssassin's rules over 1,000 mails, here and there", spamassassin_parity),
}


def run_one(name: str, scale: float) -> list[str]:
    """Run a campaign, write its result; returns the broken promises."""
    say(f"{name}: {CAMPAIGNS[name].about} (scale {scale:g})")
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix=f"mxward-{name}-") as directory:
        figures, broken = CAMPAIGNS[name].run(Path(directory), scale)
    figures = {"campaign": name, "scale": scale, "seconds": round(time.monotonic() - started, 1), **figures}
    RESULTS.mkdir(parents=True, exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps({**figures, "broken": broken}, indent=1) + "\n")
    say(f"{name}: {'BROKEN' if broken else 'kept'} after {figures['seconds']} s; result in {RESULTS / name}.json")
    for fault in broken[:20]:
        say(f"    {fault}")
    return broken


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="build.sh campaign", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(CAMPAIGNS))
    parser.add_argument("--scale", type=float, default=1.0, help="share of the documented size (0.1: a tenth)")
    chosen = parser.parse_args(arguments)
    unknown = [name for name in chosen.names if name not in CAMPAIGNS]
    if unknown:
        parser.error(f"no such campaign: {', '.join(unknown)}")
    if not chosen.names:
        for name, campaign in CAMPAIGNS.items():
            print(f"  {name:8} {campaign.about}")
        return 0
    return 1 if [fault for name in chosen.names for fault in run_one(name, chosen.scale)] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
