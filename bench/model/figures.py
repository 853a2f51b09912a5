"""How a model does on labelled mail: by source, how much of it is above each probability."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bench.model.sources import Mail
from mxward.core.classify import read
from mxward.core.classify.model import Model, probability
from mxward.core.classify.train import Judged

LEVELS = (0.5, 0.8, 0.9, 0.95, 0.99, 0.999)


def judge(model: Model, mails: Iterable[Mail]) -> list[Judged]:
    """What a model thinks of each message."""
    return [Judged(mail.label, mail.source, *model.judge(read.features(mail.raw))) for mail in mails]


def table(title: str, judged: Sequence[Judged]) -> None:
    """Print the share of each source that is above each probability of being unwanted."""
    print(f"\n{title}\n{'':34}{'n':>6}{'median':>8}" + "".join(f"{level:>8}" for level in LEVELS) + "   phish")
    rows: dict[str, list[Judged]] = {}
    for one in judged:
        source = f"invented {one.label}" if one.source.startswith("invented") else one.source
        rows.setdefault(source, []).append(one)
    for source, found in rows.items():
        logits = sorted(one.junk for one in found)
        shares = [sum(probability(logit) >= level for logit in logits) / len(logits) for level in LEVELS]
        phish = sum(one.phish > 0 for one in found) / len(found)
        print(
            f"{source:34}{len(found):>6}{logits[len(logits) // 2]:>8.2f}"
            + "".join(f"{share:>8.1%}" for share in shares) + f"{phish:>8.1%}"
        )  # fmt: skip
