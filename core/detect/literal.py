"""Literal lists of all packs over the folded text, the subject, file names and links.

Phrases of whole-word lists, nearly all, are searched by pyx/phrase; the rest (parts of words, phrases that begin with
a sign) by pyx/literals. Each is left out when it has nothing to look for. Texts with letters of other
scripts that look like Latin ones are searched a second time with these read as Latin.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from mxward.core.extract import views
from mxward.core.extract.fold import fold_bytes, skeleton
from mxward.core.limits import MAX_EVIDENCE
from mxward.core.message import Message
from mxward.core.rules.compile import RuleSet
from mxward.core.rules.literals import LiteralList
from mxward.core.verdict import Evidence, Hit
from mxward.pyx import literals
from mxward.pyx.phrase import PhraseMatcher

LOOKS: Final = "_skeleton"  # ending of a view's name when look-alike letters were read as Latin ones
MAX_PLACES: Final = 1000  # of one part of a word in one text that are looked at: it may have to stand whole
MAX_FOUND: Final = 1_000_000  # of all of them: bounds memory, and is more than lists of thousands find in a text
MAX_QUOTED: Final = 3  # phrases named in a hit's detail; they are the list's words, not the message's


class _Tally:
    """What one list found in one message: phrases once each, with the places of the first few."""

    __slots__ = ("evidence", "is_disguised", "phrases")

    def __init__(self) -> None:
        self.is_disguised = False  # is there a phrase that only stands there in look-alike letters?
        self.phrases: dict[str, float] = {}
        self.evidence: list[Evidence] = []


class LiteralDetector:
    """Finds listed words and phrases. Immutable."""

    name = "literal"

    def __init__(self, rules: RuleSet) -> None:
        self._lists = rules.literals
        self.packs = tuple(dict.fromkeys(label for label, _ in rules.literals))
        users: dict[str, list[tuple[int, float]]] = {}
        for number, (_, literal_list) in enumerate(rules.literals):
            for phrase, weight in literal_list.phrases:
                users.setdefault(phrase, []).append((number, weight))
        self._words = list(users)
        self._users = list(users.values())
        whole = [n for n, word in enumerate(self._words) if self._is_whole_word(n, word)]
        partial = sorted(set(range(len(self._words))) - set(whole))
        self._whole, self._partial = whole, partial
        self._phrases = PhraseMatcher([self._words[n] for n in whole])
        parts = [self._words[n].encode("utf-8", "replace") for n in partial]
        self._parts = literals.Literals(literals.compile(parts))
        self._views = {view for _, literal_list in rules.literals for view in literal_list.views}

    def _is_whole_word(self, number: int, word: str) -> bool:
        """Do all lists that have the word want it whole, and does it begin with a letter or digit?"""
        return word[0].isalnum() and all(self._lists[n][1].words for n, _ in self._users[number])

    def detect(self, message: Message) -> Iterable[Hit]:
        """One hit a list: the weights of the phrases found, each counted once, up to the list's cap."""
        tallies: dict[int, _Tally] = {}
        for view, part, text in self._texts(message):
            for start, end, found in self._phrases.find(text, MAX_EVIDENCE):
                word = self._whole[found]
                for number, weight in self._users[word]:
                    self._note(tallies, number, weight, word, Evidence(part, view, start, end - start))
            if self._partial:
                self._find_partial(tallies, view, part, text)
        hits = [self._hit(number, tally) for number, tally in tallies.items()]
        if message.views.get("text_cut"):
            detail = "holds more text than word lists are applied to"
            hits.append(Hit("TEXT_CUT", "info", 0.0, self.name, detail=detail))
        return hits

    def _texts(self, message: Message) -> Iterator[tuple[str, int, bytes]]:
        if "text" in self._views:
            for part, text in views.folded_bytes(message):
                yield "text", part, text
            for part, text in views.skeleton_bytes(message):
                yield f"text{LOOKS}", part, text
        if "subject" in self._views:
            yield from _both("subject", 0, views.subject(message))
        if "names" in self._views:
            for part, name in views.names(message):
                yield from _both("names", part, name)
        if "urls" in self._views:
            for link in views.links(message):
                yield "urls", link.part, link.url.lower().encode("utf-8", "replace")

    def _find_partial(self, tallies: dict[int, _Tally], view: str, part: int, text: bytes) -> None:
        for start, end, found in self._parts.find(text, MAX_PLACES, MAX_FOUND):
            word = self._partial[found]
            for number, weight in self._users[word]:
                if not self._lists[number][1].words or _is_whole(text, start, end):
                    self._note(tallies, number, weight, word, Evidence(part, view, start, end - start))

    def _note(self, tallies: dict[int, _Tally], number: int, weight: float, word: int, place: Evidence) -> None:
        if place.view.removesuffix(LOOKS) not in self._lists[number][1].views:
            return
        tally = tallies.setdefault(number, _Tally())
        phrase = self._words[word]
        if place.view.endswith(LOOKS):
            if phrase in tally.phrases:
                return  # it stands there in Latin letters too, nearly always at the same place
            tally.is_disguised = True
        tally.phrases[phrase] = weight
        if len(tally.evidence) < MAX_EVIDENCE:
            tally.evidence.append(place)

    def _hit(self, number: int, tally: _Tally) -> Hit:
        label, literal_list = self._lists[number]
        weight = min(literal_list.cap, sum(tally.phrases.values()))
        return Hit(
            literal_list.name, literal_list.category, round(weight, 3), self.name, label,
            _detail(literal_list, tally), tuple(tally.evidence),
        )  # fmt: skip


def _both(view: str, part: int, text: str) -> Iterator[tuple[str, int, bytes]]:
    """The folded text, then its look-alike form when that is another."""
    folded = fold_bytes(text.encode("utf-8", "replace"))
    yield view, part, folded
    looks, _ = skeleton(folded)
    if looks is not folded:
        yield f"{view}{LOOKS}", part, looks


def _is_whole(text: bytes, start: int, end: int) -> bool:
    """Does the match begin and end at word boundaries? Phrases that begin or end with a sign need none there."""
    if _is_word(text[start : start + 4], 0) and _is_word(text[max(0, start - 4) : start], -1):
        return False
    return not (_is_word(text[max(0, end - 4) : end], -1) and _is_word(text[end : end + 4], 0))


def _is_word(around: bytes, at: int) -> bool:
    """Is the first (0) or last (-1) whole character of a few bytes of UTF-8 a letter or digit?"""
    characters = around.decode("utf-8", "ignore")
    return bool(characters) and characters[at].isalnum()


def _detail(literal_list: LiteralList, tally: _Tally) -> str:
    quoted = ", ".join(f'"{phrase}"' for phrase in list(tally.phrases)[:MAX_QUOTED])
    more = len(tally.phrases) - MAX_QUOTED
    about = literal_list.description or f"contains words of the list {literal_list.name}"
    disguised = ", some of it in letters that only look so" if tally.is_disguised else ""
    return f"{about}: {quoted}{f' and {more} more' if more > 0 else ''}{disguised}"
