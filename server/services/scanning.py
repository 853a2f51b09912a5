"""The pipeline as services need it: today's rules, loaded once and again only when they changed on disk."""

from __future__ import annotations

import atexit
import os
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from mxward.core.classify.site import FOLDER
from mxward.core.detect.classifier import OWN_FILE
from mxward.core.extract.opener import Opener
from mxward.core.extract.passwords import SITE_FILE
from mxward.core.message import Envelope, Recipient
from mxward.core.pipeline import Pipeline, load_pipeline
from mxward.core.rules.history import CONTENTS
from mxward.core.verdict import Verdict
from mxward.server.config import Config
from mxward.server.engines.setup import detectors_of
from mxward.server.sandbox.pool import SandboxPool
from mxward.server.sandbox.setup import small_pool
from mxward.server.services import messages
from mxward.server.services.context import Context
from mxward.server.store.api import MessageRow
from mxward.server.trust import trust_of

__all__ = ["SELF_TEST", "Verdict", "current", "load_uncached", "opener_of", "scan_again", "self_test"]

_CACHE: dict[tuple[str, tuple[str, ...]], tuple[object, Pipeline]] = {}
_LOCK: Final = threading.Lock()
_SANDBOXES: dict[str, SandboxPool] = {}  # by settings: one for all that this process judges

_HEAD: Final = (
    b"From: self-test@mxward.invalid\r\nTo: self-test@mxward.invalid\r\nSubject: self-test\r\n"
    b"Date: Thu, 1 Jan 2026 00:00:00 +0000\r\nMessage-ID: <self-test@mxward.invalid>\r\n\r\n"
)
# Two public test patterns, written apart so that nobody's scanner stops at this file.
_EICAR: Final = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
_GTUBE: Final = b"XJS*C4JDBQADN1.NSBN3*2IDNEN*" + b"GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"
# name -> (message, verdicts of which one must come)
SELF_TEST: Final[dict[str, tuple[bytes, frozenset[str]]]] = {
    "EICAR": (_HEAD + _EICAR + b"\r\n", frozenset(("malware",))),
    "GTUBE": (_HEAD + _GTUBE + b"\r\n", frozenset(("spam",))),
    "harmless": (_HEAD + b"Nothing to see here.\r\n", frozenset(("clean",))),
}


def current(config: Config) -> Pipeline:
    """The pipeline with the rules that are on disk now. Raises RulePackError, PolicyError."""
    key = (str(config.data), tuple(config.domains.local))
    with _LOCK:
        stamp = _stamp(config)
        cached = _CACHE.get(key)
        if cached is None or cached[0] != stamp:
            cached = _CACHE[key] = (stamp, load_uncached(config))
        return cached[1]


def load_uncached(config: Config) -> Pipeline:
    """Load rules and policy as a worker would at its start. Raises RulePackError, PolicyError."""
    return load_pipeline(
        config.data, config.domains.local, trust_of(config), opener=opener_of(config), engines=detectors_of(config)
    )


def opener_of(config: Config) -> Opener:
    """What opens attachments for services. Its processes are started when the first attachment asks for them."""
    key = repr(config.sandbox)
    if key not in _SANDBOXES:
        pool = _SANDBOXES.setdefault(key, small_pool(config.sandbox))
        atexit.register(pool.close)
    return _SANDBOXES[key]


def _stamp(config: Config) -> tuple[object, ...]:
    """What the rules in force follow from: different when anything was changed.

    Names, sizes and times of policy and rule files; of packs that commands put there only where their links lead,
    since what these lead to is never written to again, and the records beside it.
    """
    out: list[object] = [config.rules.require_signature, *config.rules.trusted_keys]
    # lessons are looked for at each message
    own = (config.data / "policy.toml", config.data / SITE_FILE, config.data / FOLDER / OWN_FILE)
    for path in (*own, *_rule_files(config.data / "rules")):
        try:
            info = path.lstat()
            place = os.readlink(path) if path.is_symlink() else ""
        except FileNotFoundError:
            continue
        out.append((str(path), info.st_size, info.st_mtime_ns, place))
    return tuple(out)


def _rule_files(rules: Path) -> Iterator[Path]:
    if not rules.is_dir():
        return
    for path in sorted(rules.iterdir()):
        yield path
        if path.name == CONTENTS:
            yield from sorted(path.glob("*.json"))
        elif path.is_dir() and not path.is_symlink():
            yield from sorted(path.rglob("*"))


def scan_again(context: Context, row: MessageRow) -> Verdict:
    """Judge a stored message with today's rules and its original envelope. Raises NotFound when its body is gone."""
    raw = messages.body(context, row.queue_id)
    verdict = current(context.config).judge(raw, envelope_of(row)).verdict
    assert verdict is not None  # judge ends with a verdict
    return verdict


def envelope_of(row: MessageRow) -> Envelope:
    """The envelope as it came in, as far as the store keeps it."""
    return Envelope(
        sender=row.sender, recipients=tuple(Recipient(rcpt.address) for rcpt in row.recipients),
        direction=row.direction, queue_id=row.queue_id, received_at=datetime.fromtimestamp(row.received_at / 1e6, UTC),
        client_ip=row.client_ip, client_name=row.client_name, helo=row.helo, protocol=row.protocol, tls=row.tls,
        auth_user=row.auth_user,
    )  # fmt: skip


def self_test(config: Config) -> list[str]:
    """Scan known messages; returns what was judged wrongly, in words: an empty list is a pass."""
    pipeline = current(config)
    problems = []
    envelope = Envelope("self-test@mxward.invalid", (Recipient(f"self-test@{config.domains.local[0]}"),))
    for name, (raw, expected) in SELF_TEST.items():
        verdict = pipeline.judge(raw, envelope).verdict
        found = verdict.name if verdict else "nothing"
        if found not in expected:
            problems.append(f"{name} was judged {found} instead of {' or '.join(sorted(expected))}")
    return problems
