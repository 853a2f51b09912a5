"""Passwords that a message tells: what its subject, text and file names hold that may open its attachments."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from mxward.core.errors import ConfigError
from mxward.core.extract import views
from mxward.core.message import Message

MAX_CANDIDATES: Final = 200
MAX_OF_SITE: Final = 50  # more would leave no try for what a message tells
MIN_LENGTH, MAX_LENGTH = 3, 64
SITE_FILE: Final = "passwords.list"  # in the data directory
_MAX_TEXT: Final = 65_536  # characters that are looked through
# "password: x", "Passwort ist x", "pw = x", "PIN x", "code: x"
_ANNOUNCED: Final = re.compile(
    r"(?i)\b(?:pass\s?(?:word|wd|code|phrase|wort)?|pw[d]?|pin|code|key)\b\W{0,3}(?:\w{0,12}\s+){0,3}?\W{0,3}(\S{3,64})"
)
_QUOTED: Final = re.compile(r"[\"'\u2018\u201c\u00ab]([^\r\n\"'\u2019\u201d\u00bb]{3,64})[\"'\u2019\u201d\u00bb]")
_USUAL: Final = ("infected", "password", "1234", "12345", "123456")  # between analysts, and of those who do not think
_TOKEN: Final = re.compile(r"\S{3,64}")
_QUOTES: Final = "\"'`\u2018\u2019\u201c\u201d\u00ab\u00bb()[]{}<>.,;:!?*"


def candidates(message: Message, of_site: Iterable[str] = ()) -> Iterator[str]:
    """Likely passwords, most likely first, each once; at most MAX_CANDIDATES.

    Args: of_site: what this trust and its partners use as a rule; tried after what the message announces.
    """
    yield from _forms(_all(message, of_site))


def in_text(text: str) -> Iterator[str]:
    """Likely passwords in a text that came with the message, such as what a picture shows; as `candidates`."""
    yield from _forms((*_announced(text), *_TOKEN.findall(text[:_MAX_TEXT])))


def _forms(words: Iterable[str]) -> Iterator[str]:
    """Each word, and without the marks around it; each once, at most MAX_CANDIDATES."""
    seen: set[str] = set()
    for word in words:
        for form in (word, word.strip(_QUOTES)):
            if MIN_LENGTH <= len(form) <= MAX_LENGTH and form not in seen:
                seen.add(form)
                yield form
                if len(seen) >= MAX_CANDIDATES:
                    return


def site_passwords(path: Path | None) -> tuple[str, ...]:
    """The passwords that a trust and its partners use: one a line, "#" begins a comment line; () without the file.

    Raises: ConfigError naming file and line.
    """
    if path is None or not path.exists():
        return ()
    found: dict[str, None] = {}
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot be read ({error})", file=str(path), allowed="text in UTF-8") from error
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        if not MIN_LENGTH <= len(line) <= MAX_LENGTH:
            allowed = f"passwords of {MIN_LENGTH} to {MAX_LENGTH} characters"
            raise ConfigError("is no password that can be tried", file=str(path), line=number, allowed=allowed)
        found[line] = None
    if len(found) > MAX_OF_SITE:
        raise ConfigError(f"holds {len(found)} passwords", file=str(path), allowed=f"at most {MAX_OF_SITE}")
    return tuple(found)


def _all(message: Message, of_site: Iterable[str]) -> Iterator[str]:
    texts = [views.subject(message), *(text[:_MAX_TEXT] for _, text in views.texts(message))]
    for text in texts:
        yield from _announced(text)
    yield from of_site
    yield from _USUAL
    for _, name in views.names(message):
        yield from _of_name(name)
    for text in texts:  # words that look made up first: letters and digits, or signs
        yield from (word for word in _TOKEN.findall(text) if _looks_made(word))
    for text in texts:
        yield from _TOKEN.findall(text)


def _announced(text: str) -> Iterator[str]:
    """What stands after "password" and the like."""
    for found in _ANNOUNCED.finditer(text):
        yield from _quoted_after(text, found.start(1) - 1)  # the sign before it may be the quote
        yield found[1]


def _quoted_after(text: str, at: int) -> Iterator[str]:
    """What stands in quotes there, blanks and all."""
    if found := _QUOTED.match(text, max(0, at)) or _QUOTED.match(text, at + 1):
        yield found[1]


def _of_name(name: str) -> Iterator[str]:
    """A file name without its extension, and the pieces of it."""
    stem = name.rpartition(".")[0] or name
    yield stem
    for between in (r"[\s_]+", r"[\s\-]+", r"[\s_.\-()]+"):
        yield from re.split(between, stem)


def _looks_made(word: str) -> bool:
    return any(c.isdigit() for c in word) and "://" not in word
