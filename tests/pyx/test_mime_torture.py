"""How many evasive mails of the corpus show their payload, and how many ordinary ones are called ambiguous.

Run as a script it prints the figures: python tests/pyx/test_mime_torture.py
"""

from __future__ import annotations

import pytest

from mxtest import corpus
from mxward.pyx.mime import parse

pytestmark = pytest.mark.corpus


def shows_payload(raw: bytes) -> bool:
    """Some reading's decoded bytes hold the zip file."""
    return any(b"PK\x03\x04" in content and b"eicar" in content for content in parse(raw).decode_all())


def content_figures(*, crlf: bool) -> tuple[int, int, int, list[str]]:
    """(mails, payload found, found or ambiguous, names of the others)."""
    total = found = either = 0
    missed = []
    for mail in corpus.mails("torture"):
        if not mail.name.startswith("torture/noxxi-content/"):
            continue
        raw = mail.folded if crlf else mail.stored
        total += 1
        shown = shows_payload(raw)
        found += shown
        if shown or parse(raw).is_ambiguous:
            either += 1
        else:
            missed.append(mail.name)
    return total, found, either, missed


def name_figures() -> tuple[int, int]:
    """(mails whose true name ends .zip, those where some reading's names say so)."""
    mails = [mail for mail in corpus.mails("torture") if mail.name.startswith("torture/noxxi-filename/")]
    mails = [mail for mail in mails if not mail.name.endswith("fname-cdisp.png.eml")]  # the sender's own control
    seen = [any(".zip" in name for part in parse(mail.stored).parts for name in part.names) for mail in mails]
    return len(mails), sum(seen)


def ham_figures() -> tuple[int, list[str]]:
    """(ordinary mails, names of those called ambiguous)."""
    mails = list(corpus.mails("ham"))
    return len(mails), [mail.name for mail in mails if parse(mail.stored).is_ambiguous]


@pytest.mark.parametrize("crlf", [False, True])
def test_payload_is_found_or_the_mail_is_ambiguous(crlf: bool) -> None:
    corpus.need("mail/torture/noxxi-content")
    total, found, either, missed = content_figures(crlf=crlf)
    assert total >= 190
    assert found >= 0.98 * total and either == total, (found, either, missed)


def test_true_file_name_is_among_the_names() -> None:
    corpus.need("mail/torture/noxxi-filename")
    total, seen = name_figures()
    assert total >= 80 and seen == total


def test_ordinary_mail_is_not_ambiguous() -> None:
    corpus.need("mail/ham")
    total, ambiguous = ham_figures()
    assert len(ambiguous) < 0.001 * total, ambiguous


if __name__ == "__main__":
    for ends in (False, True):
        print("content, CRLF" if ends else "content, LF", content_figures(crlf=ends))
    print("names", name_figures())
    print("ham", ham_figures())
