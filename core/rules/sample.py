"""A pack's own samples: each must-match gives a hit of the pack, no must-not-match a hit with a weight."""

from __future__ import annotations

from base64 import encodebytes
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mxward.core.detect.detector import Detector
from mxward.core.extract.children import look_inside
from mxward.core.extract.opener import Opener
from mxward.core.extract.parts import extract
from mxward.core.limits import OPENING_DEADLINE_S
from mxward.core.message import Envelope, Message, Recipient
from mxward.core.pipeline import builtin_detectors
from mxward.core.rules.compile import RuleSet, compile_packs
from mxward.core.rules.files import PackFiles, read_folder
from mxward.core.rules.pack import Pack, parse_pack
from mxward.pyx.mime import parse

KINDS: Final = ("must-match", "must-not-match")


@dataclass(frozen=True, slots=True)
class SampleResult:
    """One sample: what hit, and whether that is as it must be."""

    file: str
    must_match: bool
    hits: tuple[str, ...]
    passed: bool


def run_samples(path: Path) -> list[SampleResult]:
    """Run the samples of a pack directory against that pack alone.

    A .eml is a message (any line ends); any other file is tried as the content of an attachment of its name.
    A must-match sample named RULE.anything or RULE--anything must give the hit RULE if the pack has such a rule.
    Raises: RulePackError when the pack does not load or compile.
    """
    files = read_folder(path)
    pack = parse_pack(files, path)
    return list(check_samples(pack, files, compile_packs([pack])))


def check_samples(pack: Pack, files: PackFiles, rules: RuleSet, opener: Opener | None = None) -> Iterator[SampleResult]:
    """As `run_samples`, with rules that were compiled already; hits of other packs among them do not count.

    Args: opener: what opens the attachments of samples; None: they are listed at most.
    """
    detectors = [detector for detector in builtin_detectors(rules) if pack.label in detector.packs]
    known = set(pack.rule_names())
    for kind in KINDS:
        for file in samples_of(files, kind):
            message = _message(file.rpartition("/")[2], files.contents[file])
            look_inside(message, opener, OPENING_DEADLINE_S)
            yield _run(file, message, kind == "must-match", detectors, known - pack.left_out, pack.label)


def samples_of(files: PackFiles, kind: str) -> list[str]:
    """Paths of the samples of a kind, in order; what lies deeper than that folder is none."""
    prefix = f"tests/{kind}/"
    return [path for path in files.contents if path.startswith(prefix) and "/" not in path[len(prefix) :]]


def coverage(pack: Pack, results: Sequence[SampleResult]) -> dict[str, int]:
    """For each rule that may give a hit, how many must-match samples it hit; 0 is a rule that nobody has tried."""
    counted = Counter(name for result in results if result.must_match for name in result.hits)
    return {name: counted[name] for name in pack.rule_names(private=False)}


def _message(name: str, data: bytes) -> Message:
    raw = data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n") if name.endswith(".eml") else _attach(name, data)
    message = Message(raw, Envelope("sender@sender.example", (Recipient("staff@trust.example"),)))
    message.mime = parse(raw)
    extract(message)
    return message


def _run(
    file: str, message: Message, must_match: bool, detectors: Sequence[Detector], known: set[str], label: str
) -> SampleResult:
    name = file.rpartition("/")[2]
    hits = [hit for detector in detectors for hit in detector.detect(message) if hit.pack == label]
    names = tuple(dict.fromkeys(hit.name for hit in hits if hit.weight > 0 or must_match))
    wanted = name.partition(".")[0].partition("--")[0]
    passed = (wanted in names if wanted in known else bool(names)) if must_match else not names
    return SampleResult(file, must_match, names, passed)


def _attach(name: str, data: bytes) -> bytes:
    safe = "".join(c if c.isascii() and c.isprintable() and c not in '"\\' else "_" for c in name)
    head = (
        "From: sender@sender.example\r\nTo: staff@trust.example\r\nSubject: sample\r\nMIME-Version: 1.0\r\n"
        f'Content-Type: application/octet-stream; name="{safe}"\r\n'
        f'Content-Disposition: attachment; filename="{safe}"\r\nContent-Transfer-Encoding: base64\r\n\r\n'
    )
    return head.encode("ascii") + encodebytes(data).replace(b"\n", b"\r\n")
