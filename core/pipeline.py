"""The straight line: parse -> extract -> detect -> score -> decide. The only module that knows the order.

Everything here is synchronous and pure but for the time budget; a pipeline is immutable and may judge many
messages in many threads at once. What a server does around it (threads, reload, commit) is not here.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from importlib.metadata import entry_points
from pathlib import Path
from typing import Final

from mxward.core.detect import classifier
from mxward.core.detect.anomaly import AnomalyDetector
from mxward.core.detect.detector import Detector
from mxward.core.detect.filetype import AttachmentDetector
from mxward.core.detect.hashlist import HashListDetector
from mxward.core.detect.header import HeaderDetector
from mxward.core.detect.link import LinkDetector
from mxward.core.detect.literal import LiteralDetector
from mxward.core.detect.loading import LoadingDetector
from mxward.core.detect.regex import RegexDetector
from mxward.core.detect.spamassassin import SpamAssassinDetector
from mxward.core.detect.teststring import TestStringDetector
from mxward.core.detect.text import TextDetector
from mxward.core.detect.yara import YaraDetector
from mxward.core.errors import EngineError, RulePackError
from mxward.core.extract.children import look_inside
from mxward.core.extract.opener import Opener
from mxward.core.extract.parts import extract
from mxward.core.extract.passwords import SITE_FILE, site_passwords
from mxward.core.limits import MAX_HITS, OPENING_DEADLINE_S, SCAN_DEADLINE_S
from mxward.core.message import Envelope, Message, Recipient
from mxward.core.policy import score
from mxward.core.policy.decide import decide
from mxward.core.policy.load import load_policy
from mxward.core.policy.model import Policy
from mxward.core.rules.compile import RuleSet, compile_packs
from mxward.core.rules.manage import NO_TRUST, enabled_packs
from mxward.core.rules.staged import Loading, at_once
from mxward.core.rules.trust import Trust
from mxward.core.verdict import Hit, NotInspected
from mxward.pyx.mime import parse

PLUGIN_GROUP: Final = "mxward.detectors"
_SAMPLE: Final = (
    b"From: a <a@x.example>\r\nTo: b@y.example\r\nSubject: =?utf-8?q?w=C3=A4rm?=\r\nMIME-Version: 1.0\r\n"
    b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n"
    b"<p>w\xc3\xa4rm <a href='http://x.example/'>x.example</a></p>\r\n--b\r\n"
    b"Content-Type: application/zip; name=a.zip\r\n"
    b"Content-Transfer-Encoding: base64\r\n\r\nUEsFBgAAAAAAAAAAAAAAAAAAAAAAAA==\r\n--b--\r\n"
)


class Pipeline:
    """Detectors and a policy of one version. Immutable; `judge` may be called from several threads."""

    def __init__(
        self, detectors: Sequence[Detector], policy: Policy, rules_version: str = "", *,
        deadline_s: float = SCAN_DEADLINE_S, monotonic: Callable[[], float] = time.monotonic,
        loading: Sequence[Loading] = (), opener: Opener | None = None, passwords: Sequence[str] = (),
    ) -> None:  # fmt: skip
        self.detectors = tuple(detectors)
        self.policy = policy
        self.packs = tuple(dict.fromkeys(pack for detector in detectors for pack in detector.packs))
        self.version = f"{policy.version}+{rules_version}" if rules_version else policy.version
        self.loading = tuple(loading)  # what it does without
        self.opener = opener
        self._deadline_s, self._monotonic = deadline_s, monotonic
        self._passwords = tuple(passwords)

    def judge(self, raw: bytes, envelope: Envelope) -> Message:
        """Judge one message: verdict and one disposition a recipient.

        Never raises on content. A detector that fails gives a `degraded` hit, one that the time budget leaves
        out an entry in `not_inspected`; policy decides about both.
        """
        message = Message(raw, envelope)
        try:
            message.mime = parse(raw)
            extract(message)
            look_inside(message, self.opener, OPENING_DEADLINE_S, self._passwords)
        except Exception as error:
            message.hits.append(_failed("parser", error))
        else:
            self._detect(message)
        if message.not_inspected:
            message.hits += [_unseen(reason) for reason in dict.fromkeys(n.reason for n in message.not_inspected)]
        message.verdict = score.judge(message.hits, message.not_inspected, self.packs)
        message.dispositions = decide(message, self.policy)
        return message

    def _detect(self, message: Message) -> None:
        monotonic, end = self._monotonic, self._monotonic() + self._deadline_s
        message.is_late = lambda: monotonic() > end
        for detector in self.detectors:
            if message.is_late():
                message.not_inspected.append(NotInspected(0, "timeout", f"no time left for {detector.name}"))
                continue
            try:
                message.hits += detector.detect(message)
            except Exception as error:  # a detector's fault must not lose a message, nor let it pass unseen
                message.hits.append(_failed(detector.name, error))
        if len(message.hits) > MAX_HITS:
            message.hits.sort(key=lambda hit: (hit.category != "malware", -abs(hit.weight)))
            del message.hits[MAX_HITS:]

    def warm(self) -> None:
        """Make what is made lazily (codecs, compiled patterns), so that the first message is not the slow one."""
        self.judge(_SAMPLE, Envelope("a@x.example", (Recipient("b@y.example"),)))


def _failed(name: str, error: Exception) -> Hit:
    """EngineError texts are ours; any other exception is named by its type only, as its text may quote content."""
    text = str(error) if isinstance(error, EngineError) else type(error).__name__
    return Hit(f"{name.upper()}_FAILED", "degraded", 0.0, name, detail=f"could not be examined by {name} ({text})")


def _unseen(reason: str) -> Hit:
    name = "NOT_INSPECTED_" + "".join(c if c.isalnum() else "_" for c in reason.upper())
    return Hit(name, "not_inspected", 0.0, "extract", detail=f"holds something that could not be inspected ({reason})")


def builtin_detectors(rules: RuleSet, local_domains: Sequence[str] = ()) -> list[Detector]:
    """The product's own detectors over a rule set, cheapest first; of those that run rules, the ones that have some."""
    detectors: list[Detector] = [
        TestStringDetector(), AnomalyDetector(), HeaderDetector(local_domains), AttachmentDetector(rules),
        LinkDetector(), TextDetector(), LiteralDetector(rules),
    ]  # fmt: skip
    if rules.hashes is not None:
        detectors.insert(0, HashListDetector(rules.hashes))  # says which parts are trusted
    if rules.regexes:
        detectors.append(RegexDetector(rules))
    if rules.yara is not None:
        detectors.append(YaraDetector(rules))
    if rules.spamassassin:
        detectors.append(SpamAssassinDetector(rules))
    return detectors


def _plugins() -> list[Detector]:
    found: list[Detector] = []
    for entry in entry_points(group=PLUGIN_GROUP):
        try:
            detector = entry.load()()
        except Exception as error:
            raise RulePackError(f"the plug-in does not load: {error}", pack=entry.name) from error
        if not isinstance(detector, Detector):
            raise RulePackError("the plug-in is no Detector (name, packs, detect)", pack=entry.name)
        found.append(detector)
    return found


def load_pipeline(
    data_dir: Path | None, local_domains: Sequence[str] = (), trust: Trust = NO_TRUST, *, waits: bool = True,
    opener: Opener | None = None, engines: Sequence[Detector] = (),
) -> Pipeline:  # fmt: skip
    """The pipeline of a data directory: starter pack, enabled packs, policy, plug-ins.

    Args: data_dir: holds rules/, policy.toml and cache/, each optional; None: what the product ships; trust: whose
    signatures count, and whether packs must have one; waits: False: rules that take long and are not in the cache are
    left out, and `Pipeline.loading` says which; opener: what opens attachments; None: they are listed at most;
    engines: other scanners, asked last.
    Raises: RulePackError, PolicyError, ConfigError (passwords.list), each naming file and line.
    """
    packs = enabled_packs(data_dir / "rules" if data_dir else None, trust)
    cache = data_dir / "cache" if data_dir else None
    usable, loading = (packs, ()) if waits else at_once(packs, cache)
    return assemble(compile_packs(usable, cache), data_dir, local_domains, loading, opener, engines)


def assemble(
    rules: RuleSet, data_dir: Path | None, local_domains: Sequence[str] = (), loading: Sequence[Loading] = (),
    opener: Opener | None = None, engines: Sequence[Detector] = (),
) -> Pipeline:  # fmt: skip
    """As `load_pipeline`, with rules that were compiled already. Raises as it does."""
    policy = load_policy(data_dir / "policy.toml" if data_dir else None)
    detectors = [*builtin_detectors(rules, local_domains), classifier.make(data_dir), *_plugins(), *engines]
    if loading:
        detectors.insert(0, LoadingDetector(loading))
    passwords = site_passwords(data_dir / SITE_FILE if data_dir else None)
    return Pipeline(detectors, policy, rules.version, loading=loading, opener=opener, passwords=passwords)
