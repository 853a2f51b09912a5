"""A pack's own samples: each must-match gives a hit of the pack, no must-not-match a hit with a weight."""

from __future__ import annotations

from base64 import encodebytes
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mxward.core.detect.detector import Detector
from mxward.core.detect.filetype import AttachmentDetector
from mxward.core.detect.literal import LiteralDetector
from mxward.core.detect.yara import YaraDetector
from mxward.core.extract.parts import extract
from mxward.core.message import Envelope, Message, Recipient
from mxward.core.rules.compile import compile_packs
from mxward.core.rules.pack import load_pack
from mxward.pyx.mime import parse

MAX_SAMPLE_BYTES: Final = 16 * 1024 * 1024


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
    pack = load_pack(path)
    rules = compile_packs([pack])
    detectors: list[Detector] = [AttachmentDetector(rules), LiteralDetector(rules), YaraDetector(rules)]
    known = {literal_list.name for literal_list in pack.literals} | {rule.name for rule in pack.attachments}
    known |= set(rules.yara.names()) if rules.yara else set()
    found = []
    for kind in ("must-match", "must-not-match"):
        for file in sorted((path / "tests" / kind).glob("*")):
            if file.is_file() and file.stat().st_size <= MAX_SAMPLE_BYTES:
                found.append(_run(file, kind == "must-match", detectors, known, pack.label))
    return found


def _run(file: Path, must_match: bool, detectors: list[Detector], known: set[str], label: str) -> SampleResult:
    data = file.read_bytes()
    raw = data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n") if file.suffix == ".eml" else _attach(file.name, data)
    message = Message(raw, Envelope("sender@sender.example", (Recipient("staff@trust.example"),)))
    message.mime = parse(raw)
    extract(message)
    hits = [hit for detector in detectors for hit in detector.detect(message) if hit.pack == label]
    names = tuple(dict.fromkeys(hit.name for hit in hits if hit.weight > 0 or must_match))
    wanted = file.name.partition(".")[0].partition("--")[0]
    passed = (wanted in names if wanted in known else bool(names)) if must_match else not names
    return SampleResult(f"tests/{file.parent.name}/{file.name}", must_match, names, passed)


def _attach(name: str, data: bytes) -> bytes:
    safe = "".join(c if c.isascii() and c.isprintable() and c not in '"\\' else "_" for c in name)
    head = (
        "From: sender@sender.example\r\nTo: staff@trust.example\r\nSubject: sample\r\nMIME-Version: 1.0\r\n"
        f'Content-Type: application/octet-stream; name="{safe}"\r\n'
        f'Content-Disposition: attachment; filename="{safe}"\r\nContent-Transfer-Encoding: base64\r\n\r\n'
    )
    return head.encode("ascii") + encodebytes(data).replace(b"\n", b"\r\n")
