"""Facts of a message that are not words: how it is built, where its links lead, who it says it is from.

Left out on purpose, because they tell the time or the path of a message and not its intent: dates, message ids,
Received and other trace fields, names of mail programs, what mailing lists and scanners added, character sets,
transfer encodings, line ends. docs/classifier.md says why for each. The work is done by pyx/mailfacts.
"""

from __future__ import annotations

from mxward.core.extract import views
from mxward.core.message import Message
from mxward.pyx import mailfacts
from mxward.pyx.mailfacts import MAX_LINKS, addressing, author, links, organisation, step, subject
from mxward.pyx.mime import Mime

__all__ = ["MAX_LINKS", "addressing", "author", "links", "organisation", "step", "structure", "subject"]


def structure(message: Message, mime: Mime) -> list[str]:
    """Kinds of parts and how much of each there is."""
    n_text = sum([len(text) for _, text in views.text_bytes(message)])
    return mailfacts.structure(message.parts, mime, n_text, views.markup(message))
