"""Growth curves as plots: patterns, rules and sizes times ten, ours beside the references, in docs/plots.

Every point is the least CPU time of several tries in one process on one input. `python -m bench curves` draws all,
with names those; the figures themselves go to build/bench/curves.json. Expressions and YARA are enginecurves.py.
"""

from __future__ import annotations

import json
import random
import re
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from bench import gate, inputs
from mxward.pyx import literals

if TYPE_CHECKING:
    from bench.scanners import Rspamd

PLOTS: Final = gate.ROOT / "docs" / "plots"
RESULT: Final = gate.ROOT / "build" / "bench" / "curves.json"
Series = dict[str, list[tuple[float, float]]]  # name -> (x, y)
HYPERSCAN_MOST: Final = 10_000  # literals; its compiler takes minutes beyond


class Plot(NamedTuple):
    """How its figures are measured, given a directory for packs and cache; what stands at its axes and above."""

    measure: Callable[[Path], Series]
    x: str
    y: str
    title: str


def least(call: Callable[[], Any], tries: int = 5) -> float:
    """CPU seconds of the best try."""
    best = float("inf")
    for _ in range(tries):
        start = time.process_time()
        call()
        best = min(best, time.process_time() - start)
    return best


def mail_texts() -> list[bytes]:
    """Decoded parts of mails of the shared corpus, or generated prose; each up to 64 KB, 2 MB in all."""
    from mxward.pyx.mime import parse

    mails = inputs.spamassassin() or (inputs.plain(), inputs.newsletter(), inputs.many_fields()) * 60
    texts = [bytes(part[:65536]) for mail in mails[::2] for part in parse(mail).decode_all() if part]
    return texts[: 2_000_000 // max(1, sum(map(len, texts)) // len(texts))]


def word_list(texts: Sequence[bytes], n: int) -> list[bytes]:
    """`n` distinct words and pairs of words, lower case: a twentieth stand in the texts, the rest are like them."""
    dice = random.Random(n)
    real = sorted({word.lower() for text in texts[1::2] for word in re.findall(rb"[A-Za-z]{4,14}", text)})
    dice.shuffle(real)
    found = dict.fromkeys(real[: n // 20])
    while len(found) < n:
        first, second = dice.choice(real), dice.choice(real)
        tail = dice.choice((b"", b" " + dice.choice(real)))
        found[first[: len(first) // 2 + 1] + second[len(second) // 2 :] + tail] = None
    return list(found)


def host_names(_texts: Sequence[bytes], n: int) -> list[bytes]:
    """`n` distinct names such as a block list holds; hardly one stands in mail."""
    dice = random.Random(n)
    syllables = (
        b"ba",
        b"ko",
        b"ti",
        b"ren",
        b"sal",
        b"mo",
        b"quu",
        b"dar",
        b"vix",
        b"lom",
        b"ne",
        b"port",
        b"al",
        b"web",
    )
    found: dict[bytes, None] = {}
    while len(found) < n:
        name = b"".join(dice.choices(syllables, k=dice.randint(2, 5))) + b"%d" % dice.randrange(
            10 ** dice.randint(0, 3)
        )
        found[name + dice.choice((b".com", b".example", b".ru", b".org", b".net"))] = None
    return list(found)


def literal_searchers(words: list[bytes]) -> dict[str, Callable[[bytes], Any]]:
    """Every engine that takes so many literals, ready to search one text; all fold case."""
    import ahocorasick
    import ahocorasick_rs
    import hyperscan

    ours = literals.Literals(literals.compile(words, literals.CASELESS))
    automaton = ahocorasick.Automaton()
    for number, word in enumerate(words):
        automaton.add_word(word.decode("latin-1"), number)
    automaton.make_automaton()
    rust = ahocorasick_rs.BytesAhoCorasick(words)
    found: dict[str, Callable[[bytes], Any]] = {
        "mxward": ours.seen,
        "pyahocorasick": lambda text: sum(1 for _ in automaton.iter(text.decode("latin-1").lower())),
        "ahocorasick-rs": lambda text: rust.find_matches_as_indexes(text.lower(), overlapping=True),
    }
    if len(words) <= HYPERSCAN_MOST:
        base = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
        flags = hyperscan.HS_FLAG_CASELESS | hyperscan.HS_FLAG_SINGLEMATCH
        base.compile(expressions=words, ids=list(range(len(words))), elements=len(words), flags=flags, literal=True)
        found["Hyperscan"] = lambda text: base.scan(text, match_event_handler=ignore)
    return found


def ignore(*_match: object) -> None:
    """Takes a match and does nothing with it."""


def each(search: Callable[[bytes], Any], texts: Sequence[bytes]) -> None:
    """Search every text."""
    for text in texts:
        search(text)


def literal_curve(counts: Sequence[int] = (10, 100, 1000, 10_000, 100_000)) -> Series:
    """MB/s by number of literals."""
    texts, series = mail_texts(), Series()
    megabytes = sum(map(len, texts)) / 1e6
    for n in counts:
        for name, search in literal_searchers(word_list(texts, n)).items():
            tries = 5 if name in ("mxward", "Hyperscan") else 2
            seconds = least(partial(each, search, texts), tries)
            series.setdefault(name, []).append((n, megabytes / seconds))
    return series


def size_curve(data: Path, sizes: Sequence[int] = (1000, 10_000, 100_000, 1_000_000, 10_000_000)) -> Series:
    """Microseconds of `judge` by size of an attachment, everything on; and of rspamd where it is installed."""
    from bench import everything, scanners
    from bench.wholes import ENVELOPE

    pipeline = everything.pipeline(data)
    mails = {size: inputs.attachment(size) for size in sizes}
    series = {
        "mxward, everything on": [
            (float(size), least(partial(pipeline.judge, mail, ENVELOPE)) * 1e6) for size, mail in mails.items()
        ]
    }
    if scanners.Rspamd in scanners.available():
        with scanners.Rspamd() as peer:
            peer.wait_until_ready(mails[sizes[0]])
            series["rspamd"] = [(float(size), peer_seconds(peer, mail) * 1e6) for size, mail in mails.items()]
    return series


def peer_seconds(peer: Rspamd, mail: bytes) -> float:
    """CPU seconds of one scan, the mean of so many that the clock of processes (10 ms) tells them."""
    times = max(5, min(200, 20_000_000 // len(mail)))
    start = peer.cpu_seconds()
    for _ in range(times):
        peer.scan(mail)
    return (peer.cpu_seconds() - start) / times


def draw(name: str, series: Series, x: str, y: str, title: str) -> Path:
    """One plot, both axes logarithmic, as SVG that is the same for the same figures."""
    import matplotlib as mpl

    mpl.use("Agg")
    mpl.rcParams["svg.hashsalt"] = name
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7, 4.2))
    for marker, (label, points) in zip("osD^v", series.items(), strict=False):
        axes.loglog(*zip(*points, strict=True), marker=marker, label=label)
    axes.set(xlabel=x, ylabel=y, title=title)
    axes.grid(which="both", alpha=0.25)
    axes.legend()
    figure.tight_layout()
    PLOTS.mkdir(parents=True, exist_ok=True)
    path = PLOTS / f"{name}.svg"
    figure.savefig(path, metadata={"Date": None})
    pyplot.close(figure)
    return path


def plots() -> dict[str, Plot]:
    """All of them, by name of their file."""
    from bench import enginecurves as engine

    ms, size = "ms CPU a text", "bytes of text"
    mail = "MB/s of mail text"
    return {
        "literals": Plot(lambda _: literal_curve(), "literals", mail, "Literals: ten times as many"),
        "literal-sizes": Plot(lambda _: engine.literal_sizes(), size, ms, "10,000 literals: ten times the text"),
        "regex": Plot(lambda _: engine.regex_curve(), "expressions", "µs CPU a text", "Expressions: ten times as many"),
        "regex-sizes": Plot(lambda _: engine.regex_sizes(), size, ms, "100 expressions: ten times the text"),
        "yara": Plot(lambda _: engine.yara_curve(), "rules", "µs CPU a mail", "YARA rules: ten times as many"),
        "yara-sizes": Plot(lambda _: engine.yara_sizes(), size, ms, "7,075 YARA rules: ten times the text"),
        "sizes": Plot(size_curve, "bytes of attachment", "µs CPU a message", "Whole scan: ten times the size"),
    }


def keep(name: str, series: Series) -> None:
    """Put the figures of one plot into the file of all."""
    figures = json.loads(RESULT.read_text("utf-8")) if RESULT.exists() else {}
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps(figures | {name: series}, indent=1) + "\n", encoding="utf-8")


def main(options: list[str]) -> int:
    """`python -m bench curves [NAME…] [--data DIR]`: measure, draw, keep the figures."""
    import argparse
    import tempfile

    every = plots()
    parser = argparse.ArgumentParser(prog="bench curves")
    parser.add_argument("names", nargs="*", help=f"of {', '.join(every)} (default: all)")
    parser.add_argument("--data", type=Path, help="keep packs and cache here (default: a temporary directory)")
    chosen = parser.parse_args(options)
    if unknown := set(chosen.names) - every.keys():
        parser.error(f"no such plot: {', '.join(sorted(unknown))}")
    with tempfile.TemporaryDirectory(prefix="mxward-curves-") as temporary:
        for name in chosen.names or every:
            plot = every[name]
            series = plot.measure(chosen.data or Path(temporary))
            keep(name, series)
            print(draw(name, series, plot.x, plot.y, plot.title).relative_to(gate.ROOT), flush=True)
    return 0
