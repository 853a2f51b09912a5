"""The strings that prove a filter works: EICAR (malware), GTUBE (spam), and our own harmless phishing test.

The strings are put together here so that this file does not set off scanners.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from mxward.core.extract.parts import IDENTITY
from mxward.core.message import Message
from mxward.core.verdict import Evidence, Hit
from mxward.pyx.literals import Literals
from mxward.pyx.literals import compile as compile_literals

EICAR: Final = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-" + b"ANTIVIRUS-TEST-FILE!$H+H*"
GTUBE: Final = b"XJS*C4JDBQADN1." + b"NSBN3*2IDNEN*" + b"GTUBE-STANDARD-ANTI-UBE-" + b"TEST-EMAIL*C.34X"
PHISH_TEST: Final = b"MXWARD-PHISHING-" + b"TEST-MESSAGE-" + b"7f3a91c4"
_TESTS: Final = (
    (EICAR, Hit("EICAR_TEST", "malware", 20.0, "teststring", detail="is the EICAR anti-virus test file")),
    (GTUBE, Hit("GTUBE_TEST", "spam", 1000.0, "teststring", detail="contains the GTUBE spam test string")),
    (PHISH_TEST, Hit("PHISH_TEST", "phish", 10.0, "teststring", detail="contains the phishing test string")),
)

_ANY: Final = Literals(compile_literals([needle for needle, _ in _TESTS]))


class TestStringDetector:
    """Looks for the test strings in the raw message and in every decoded part. Immutable."""

    __test__ = False  # not a test case, whatever pytest makes of the name
    name = "teststring"
    packs: tuple[str, ...] = ()

    def detect(self, message: Message) -> Iterable[Hit]:
        """At most one hit a test string."""
        raw, parts = message.raw, message.parts
        # an unencoded body is a stretch of the raw message
        first = 1 if parts and parts[0].encoding in IDENTITY else 0
        in_raw = _ANY.seen(raw)
        in_parts = [part for part in parts[first:] if part.data and _ANY.seen(part.data)]
        if not in_raw and not in_parts:
            return
        for number, (needle, hit) in enumerate(_TESTS):
            if number in in_raw:
                yield _placed(hit, 0, "raw", raw.find(needle), len(needle))
                continue
            for part in in_parts:
                at = bytes(part.data).find(needle)
                if at >= 0:
                    yield _placed(hit, part.index, "decoded", at, len(needle))
                    break


def _placed(hit: Hit, part: int, view: str, at: int, size: int) -> Hit:
    return Hit(
        hit.name, hit.category, hit.weight, hit.detector, hit.pack, hit.detail, (Evidence(part, view, at, size),)
    )
