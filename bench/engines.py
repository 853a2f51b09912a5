"""Each engine against its references on the same input in the same run: the table of docs/benchmarks.md.

Per message: the median over mails of each one's least CPU time in several passes. Per byte: least CPU time over all
texts. Needs the shared corpus for rules and mail. Whole scanners are wholes.py, growth is curves.py.
"""

from __future__ import annotations

import json
import random
import re
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from bench import curves, everything, gate, wholes
from mxtest import corpus
from mxward.bindings import yara
from mxward.bindings.pcre2 import PatternError, Patterns
from mxward.core.extract.parts import extract
from mxward.core.message import Message
from mxward.core.rules.compile import EXTERNALS
from mxward.core.rules.regex import Regex, RegexSet
from mxward.core.rules.yara.store import open_index
from mxward.pyx.mime import parse

RESULT: Final = gate.ROOT / "build" / "bench" / "engines.json"
N_MAILS: Final = 300
Search = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Row:
    """One comparison; cost in `unit`, less is better; ratio: ours over the reference."""

    engine: str
    what: str
    reference: str
    ours: float
    theirs: float
    unit: str

    @property
    def ratio(self) -> float:
        return self.ours / self.theirs


def medians(searches: dict[str, Search], inputs: Sequence[tuple[Any, ...]], passes: int = 4) -> dict[str, float]:
    """Microseconds of CPU: the median over inputs of each one's best pass. Passes of all searches alternate."""
    best = {name: [float("inf")] * len(inputs) for name in searches}
    for _ in range(passes):
        for name, search in searches.items():
            for i, arguments in enumerate(inputs):
                start = time.thread_time_ns()
                search(*arguments)
                best[name][i] = min(best[name][i], (time.thread_time_ns() - start) / 1000)
    return {name: statistics.median(costs) for name, costs in best.items()}


# -- regular expressions


def body_patterns() -> list[Regex]:
    """The body expressions of the public SpamAssassin rules."""
    from mxward.core.rules.spamassassin.compile import compile_config
    from mxward.core.rules.spamassassin.evals import EVALS
    from mxward.core.rules.spamassassin.matcher import regex
    from mxward.core.rules.spamassassin.parse import parse_files

    folder = corpus.root() / everything.SPAMASSASSIN
    config = parse_files({file.name: file.read_text("latin-1") for file in sorted(folder.glob("*.cf"))})
    found = [regex(test) for test in compile_config(config, EVALS).regexes if test.place == "body"]
    return [pattern for pattern in found if _compiles(pattern)]


def _compiles(pattern: Regex) -> bool:
    """PCRE2 takes all but one or two, which the product tries in another form."""
    try:
        Patterns([(pattern.pattern, pattern.flags, 1)])
    except PatternError:
        return False
    return True


def body_texts(n: int = N_MAILS) -> list[tuple[bytes, list[int]]]:
    """The text of mails as body rules see it, and where its paragraphs begin."""
    from mxward.core.rules.spamassassin.texts import TextSet

    found = []
    for mail in wholes.sample(n):
        message = Message(mail, wholes.ENVELOPE)
        message.mime = parse(mail)
        extract(message)
        found.append(TextSet(message).body)
    return found


def _python(patterns: Sequence[Regex]) -> Search:
    """The expressions that Python's `re` takes, one search each and paragraph."""
    flags = {"i": re.I, "m": re.M, "s": re.S, "x": re.X}
    compiled = []
    for pattern in patterns:
        try:
            compiled.append(re.compile(pattern.pattern, sum(flags[f] for f in pattern.flags)))
        except (re.error, OverflowError):  # Perl syntax that Python does not have
            continue

    def search(text: bytes, starts: Sequence[int]) -> None:
        for begin, end in pairwise((*starts, len(text))):
            piece = text[begin:end]
            for expression in compiled:
                expression.search(piece)

    return search


def hyperscan_search(patterns: Sequence[Regex]) -> Search:
    """One database of all expressions that Hyperscan takes, exactly or as a filter; scanned a paragraph at a time."""
    import hyperscan as hs

    flags = {"i": hs.HS_FLAG_CASELESS, "m": hs.HS_FLAG_MULTILINE, "s": hs.HS_FLAG_DOTALL, "x": 0}
    taken = []
    for pattern in patterns:
        wanted = sum(flags[f] for f in pattern.flags) | hs.HS_FLAG_SINGLEMATCH | hs.HS_FLAG_ALLOWEMPTY
        for more in (0, hs.HS_FLAG_PREFILTER):
            try:
                trial = hs.Database(mode=hs.HS_MODE_BLOCK)
                trial.compile(expressions=[pattern.pattern], ids=[0], elements=1, flags=[wanted | more])
            except Exception:  # its own error class differs between releases
                continue
            taken.append((pattern.pattern, wanted | more))
            break
    base = hs.Database(mode=hs.HS_MODE_BLOCK)
    base.compile(
        expressions=[p for p, _ in taken], ids=list(range(len(taken))), elements=len(taken), flags=[f for _, f in taken]
    )

    def search(text: bytes, starts: Sequence[int]) -> None:
        for begin, end in pairwise((*starts, len(text))):
            base.scan(text[begin:end], match_event_handler=curves.ignore)

    return search


def regex_rows() -> list[Row]:
    """Ours beside one Hyperscan database and Python's re, and ours without the filter by literals."""
    patterns, texts = body_patterns(), body_texts()
    what = f"{len(patterns)} body expressions of SpamAssassin, median mail"
    plain = Patterns([(p.pattern, p.flags, 1) for p in patterns])
    quick: dict[str, Search] = {
        "mxward": RegexSet(patterns).match_all, "Hyperscan, one database": hyperscan_search(patterns),
        "PCRE2 JIT, each expression": plain.match,
    }  # fmt: skip
    costs = medians(quick, texts) | medians({"Python re": _python(patterns)}, texts[::15], 1)
    ours = costs.pop("mxward")
    return [Row("regex", what, name, ours, cost, "µs") for name, cost in costs.items()]


# -- literals


def literal_rows(counts: Sequence[int] = (100, 1000, 10_000, 100_000)) -> list[Row]:
    """Lists like word lists (a twentieth of the words stand in the texts) and lists that hardly match anything."""
    texts, rows = curves.mail_texts(), []
    megabytes = sum(map(len, texts)) / 1e6
    for what, make in (("words like those of the texts", curves.word_list), ("host names", curves.host_names)):
        for n in counts:
            cost = {
                name: curves.least(partial(curves.each, search, texts), 4 if name in ("mxward", "Hyperscan") else 2)
                for name, search in curves.literal_searchers(make(texts, n)).items()
            }
            ours = cost.pop("mxward") / megabytes * 1000
            rows += [
                Row("literals", f"{n:,} {what}", name, ours, seconds / megabytes * 1000, "ms/MB")
                for name, seconds in cost.items()
            ]
    return rows


# -- YARA


def yara_sources() -> dict[str, str]:
    """The two public sets, one namespace a file."""
    found = {}
    with tempfile.TemporaryDirectory(prefix="mxward-engines-") as folder:
        for file in sorted((everything.make(Path(folder)) / "rules").rglob("*.yar")):
            found[f"{file.parent.name}:{file.name}"] = file.read_text("utf-8")
    return found


def yara_rows() -> list[Row]:
    """Whole messages as they came, and attachments, by all rules of two public sets."""
    sources = yara_sources()
    with tempfile.TemporaryDirectory(prefix="mxward-engines-") as cache:
        index = open_index(sources, EXTERNALS, Path(cache))
        libyara = yara.compile_rules(sources, EXTERNALS)
        ours: Search = partial(_scan, index.scan)
        theirs: Search = partial(_scan, libyara.scan)
        what = f"{len(index.names()):,} public rules"
        cost = medians({"ours": ours, "theirs": theirs}, [(mail,) for mail in wholes.sample(150)], 3)
        rows = [Row("yara", f"{what}, median mail", "yara-python", cost["ours"], cost["theirs"], "µs")]
        for size in (1_000_000, 10_000_000):
            content = random.Random(size).randbytes(size)
            times = [curves.least(partial(call, content), 3) * 1000 for call in (ours, theirs)]
            rows.append(
                Row("yara", f"{what}, {size // 1_000_000} MB of noise", "yara-python", times[0], times[1], "ms")
            )
    return rows


def _scan(scan: Search, data: bytes) -> None:
    scan(data, EXTERNALS, 60)


GROUPS: Final[dict[str, Callable[[], list[Row]]]] = {"literals": literal_rows, "regex": regex_rows, "yara": yara_rows}


def to_markdown(rows: Sequence[Row]) -> str:
    """The table of docs/benchmarks.md."""
    lines = ["| engine | on | reference | ours | reference's | ratio |", "|---|---|---|--:|--:|--:|"]
    for row in rows:
        lines.append(
            f"| {row.engine} | {row.what} | {row.reference} | {row.ours:.3g} {row.unit} | {row.theirs:.3g} {row.unit} "
            f"| {row.ratio:.3g} |"
        )
    return "\n".join(lines) + "\n"


def main(options: list[str]) -> int:
    """`python -m bench engines [GROUP…]`."""
    if not corpus.is_present():
        print("the shared corpus is absent: nothing to compare")
        return 2
    rows = [row for name in options or GROUPS for row in GROUPS[name]()]
    print(to_markdown(rows))
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps([asdict(row) | {"ratio": row.ratio} for row in rows], indent=1) + "\n", "utf-8")
    return 0
