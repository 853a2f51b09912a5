"""SpamAssassin rules as a pack holds them: its .cf files and the [spamassassin] section of its pack.toml.

[spamassassin]
score_set = 0        # 0 without network tests and Bayes, 1 network, 2 Bayes, 3 both: which of four scores counts
threshold = 5.0      # the score at which SpamAssassin calls a message spam; scaled to the product's own
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

SUFFIX: Final = ".cf"
_DEFINITION: Final = re.compile(
    r"^[ \t]*(?:header|body|rawbody|uri|full|mimeheader|uri_detail|meta)[ \t]+([A-Za-z]\w*)", re.M | re.A
)


@dataclass(frozen=True, slots=True)
class CfSource:
    """One .cf file: its path relative to the pack and its text, one character a byte (latin-1)."""

    file: str
    text: str


@dataclass(frozen=True, slots=True)
class CfOptions:
    """How the rules of a pack are scored."""

    score_set: int = 0
    threshold: float = 5.0


def parse_options(doc: Any) -> CfOptions:
    """The [spamassassin] section. Raises: ValueError that says what is wrong."""
    if not isinstance(doc, dict) or set(doc) - {"score_set", "threshold"}:
        raise ValueError("[spamassassin] takes score_set and threshold only")
    score_set, threshold = doc.get("score_set", 0), doc.get("threshold", 5.0)
    if isinstance(score_set, bool) or score_set not in (0, 1, 2, 3):
        raise ValueError("score_set must be 0, 1, 2 or 3")
    if isinstance(threshold, bool) or not isinstance(threshold, int | float) or not 0.1 <= threshold <= 1000:
        raise ValueError("threshold must be a number from 0.1 to 1000")
    return CfOptions(score_set, float(threshold))


def scored_names(sources: Iterable[CfSource]) -> list[str]:
    """Names of the tests that these files define, conditions not looked at, without sub-rules; each once."""
    return list(dict.fromkeys(name for source in sources for name in _DEFINITION.findall(source.text)))
