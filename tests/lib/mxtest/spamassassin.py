"""The oracle for SpamAssassin rules: Debian's own spamassassin over messages, many in one process, results kept.

Results are kept by content hash, rule set and script under a cache folder (MXTEST_ORACLE_CACHE, else the temporary
folder), so that only the first run costs the 80 ms a message. Tests that need it skip loudly without the package.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from mxtest import corpus

SCRIPT = Path(__file__).with_suffix(".pl")
STOCK = Path("/usr/share/spamassassin")
PRE = Path("/etc/spamassassin")


@dataclass(frozen=True, slots=True)
class Judged:
    """What SpamAssassin made of one message. Texts are bytes as its rules saw them."""

    hits: dict[str, float]  # rule, sub-rules too -> how often
    cpu_s: float
    body: list[bytes] = field(default_factory=list)
    rawbody: list[bytes] = field(default_factory=list)
    uris: list[bytes] = field(default_factory=list)
    uri_detail: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    html: list[dict[str, Any]] = field(default_factory=list)
    relays: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, bytes | None] = field(default_factory=dict)


def is_present() -> bool:
    """Whether perl and Mail::SpamAssassin are installed."""
    perl = shutil.which("perl")
    if perl is None:
        return False
    return subprocess.run([perl, "-MMail::SpamAssassin", "-e", "1"], capture_output=True, check=False).returncode == 0


def need() -> None:
    """Skip the calling test, with a clear reason, when SpamAssassin is absent."""
    if not is_present():
        pytest.skip("spamassassin is absent: SpamAssassin's results cannot be compared (apt-get install spamassassin)")


def rules_dir() -> Path:
    """The rule set of the corpus, or the installed one."""
    shared = corpus.root() / "rules" / "spamassassin" / "debian-4.0.1"
    return shared if shared.is_dir() else STOCK


def lines(message: bytes) -> bytes:
    """A message as SpamAssassin gets it here: LF line ends, no mbox line."""
    return corpus.fold(message).replace(b"\r\n", b"\n")


def judge(
    messages: Sequence[bytes], rules: Path | None = None, headers: Iterable[str] = (), extra: str = ""
) -> list[Judged]:
    """SpamAssassin's judgement of each message, in order.

    Args: messages: any line ends; rules: folder of .cf files; headers: names, with modifiers, to be given as header
    rules see them; extra: configuration text.
    """
    rules = rules or rules_dir()
    names = " ".join(sorted(headers))
    key = _key(rules, names, extra)
    found: dict[bytes, Judged] = {}
    missing: dict[bytes, bytes] = {}
    digests = [hashlib.sha256(key + message).digest() for message in messages]
    for digest, message in zip(digests, messages, strict=True):
        kept = _cache_dir() / digest.hex()
        if kept.exists():
            found[digest] = _judged(json.loads(zlib.decompress(kept.read_bytes())))
        else:
            missing[digest] = message
    if missing:
        for digest, result in zip(missing, _run(list(missing.values()), rules, names, extra), strict=True):
            kept = _cache_dir() / digest.hex()
            partial = kept.with_suffix(f".{os.getpid()}")
            partial.write_bytes(zlib.compress(json.dumps(result).encode(), 3))
            partial.rename(kept)
            found[digest] = _judged(result)
    return [found[digest] for digest in digests]


def _run(messages: list[bytes], rules: Path, names: str, extra: str) -> list[dict[str, Any]]:
    perl = shutil.which("perl")
    assert perl is not None, "asked before is_present"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        pre = folder / "pre"
        pre.mkdir()
        for path in PRE.glob("*.pre"):
            shutil.copy(path, pre)
        paths = []
        for number, message in enumerate(messages):
            paths.append(folder / str(number))
            paths[-1].write_bytes(lines(message))
        environment = {**os.environ, "MXTEST_SA_HEADERS": names, "MXTEST_SA_EXTRA": extra}
        listed = "".join(f"{path}\n" for path in paths)
        done = subprocess.run(
            [perl, str(SCRIPT), str(rules), str(pre)], input=listed.encode(), capture_output=True, check=True,
            env=environment,
        )  # fmt: skip
    return [json.loads(line) for line in done.stdout.splitlines()][1:]


def _judged(result: dict[str, Any]) -> Judged:
    def encoded(texts: list[str]) -> list[bytes]:
        return [text.encode("latin-1") for text in texts]

    return Judged(
        result["hits"], result["cpu_s"], encoded(result["body"]), encoded(result["rawbody"]), encoded(result["uris"]),
        result.get("uri_detail", {}), result["html"], result["relays"],
        {name: None if value is None else value.encode("latin-1") for name, value in result["headers"].items()},
    )  # fmt: skip


@cache
def _key(rules: Path, names: str, extra: str) -> bytes:
    digest = hashlib.sha256(SCRIPT.read_bytes() + names.encode() + b"\0" + extra.encode())
    for path in sorted(rules.glob("*.cf")):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.digest()


@cache
def _cache_dir() -> Path:
    chosen = os.environ.get("MXTEST_ORACLE_CACHE")
    folder = Path(chosen) if chosen else Path(tempfile.gettempdir()) / f"mxtest-oracle-{os.getuid()}"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder
