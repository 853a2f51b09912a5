"""`python -m bench.model [--check]`: make the shipped model, or see that making it again gives the same bytes."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from pathlib import Path

from bench.model import figures, sources
from mxtest import corpus
from mxward.core.classify import read
from mxward.core.classify.features import features_of
from mxward.core.classify.model import Model
from mxward.core.classify.train import Example, train, unique
from mxward.core.detect.classifier import SHIPPED

NAME, VERSION = "classifier", "1.0"


def about(mails: list[sources.Mail]) -> str:
    """What the model was trained on, for its head."""
    invented = Counter(mail.label for mail in mails if mail.source.startswith("invented"))
    licences = sorted({licence for _, licence in sources.TRAIN.values()})
    received = len(mails) - sum(invented.values())
    return (
        f"{received} received messages under {', '.join(licences)} (SpamAssassin public corpus 2002, bounces, court "
        f"and network notices) and {sum(invented.values())} written by the makers of mxward. No real phishing."
    )


def build() -> bytes:
    """The model file."""
    examples, words, mails = [], {}, list(sources.training())
    for mail in mails:
        message = read.read(mail.raw)
        examples.append(Example(features_of(message), mail.label, mail.source))
        for number, word in read.words(message).items():
            words.setdefault(number, word)
    blob, judged = train(list(unique(examples)), name=NAME, version=VERSION, about=about(mails), words=words)
    figures.table("Trained on, each source judged by a model that had not seen it", judged)
    return blob


def main() -> int:
    """0: built, or the same; 1: another model came out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare with the shipped model instead of writing it")
    parser.add_argument("--out", type=Path, default=SHIPPED, help="where to write the model")
    options = parser.parse_args()
    if not corpus.is_present():
        sys.exit(f"the corpus is absent: {corpus.root()}")
    blob = build()
    model = Model(blob)
    figures.table("Never trained on", figures.judge(model, sources.of_corpus(sources.TEST)))
    print(f"{len(blob)} bytes; slope {model.head.slopes}, offset {model.head.offsets}; {model.head.about}")
    if options.check:
        same = SHIPPED.read_bytes() == blob
        print("the same as shipped" if same else "NOT what is shipped")
        return 0 if same else 1
    options.out.write_bytes(blob)
    return 0


if __name__ == "__main__":
    sys.exit(main())
