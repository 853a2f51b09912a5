"""Tags in patterns: `replace_rules NAME` lets <A> in a rule's pattern stand for what `replace_tag A` says.

`<pre X>`, `<inter X>`, `<post X>` put another expression before, between or after the tags of the same pattern.

Written out, a pattern of a hundred letters, each of which may stand for one of fifty look-alikes, grows beyond what
PCRE2 takes. `compact` says the same with every tag defined once and called by name.

Source: Mail::SpamAssassin::Plugin::ReplaceTags(3pm); order of substitution compared with 4.0.1.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from mxward.core.rules.spamassassin.pattern import MAX_PATTERN, PatternError

MAX_PASSES: Final = 6  # tags may hold tags
_PIECES: Final = re.compile(r"(<[^<>]+>)")
_LOCAL: Final = re.compile(r"\(\?[a-z^-]+[:)]|\\[1-9]|\\g|\(\?P?[<'][A-Za-z]|\(\?P?[&>R\d]", re.A)
_TOKEN: Final = re.compile(r"\\.|\[\^?\]?(?:\\.|\[:\w+:\]|[^\]\\])*\]|[()]|.", re.S)


@dataclass(slots=True)
class Tags:
    """The replacement settings of a rule set."""

    start: str = "<"
    end: str = ">"
    tag: dict[str, str] = field(default_factory=dict)
    pre: dict[str, str] = field(default_factory=dict)
    inter: dict[str, str] = field(default_factory=dict)
    post: dict[str, str] = field(default_factory=dict)

    def apply(self, source: str) -> str:
        """A pattern with its tags replaced; unknown tags stay. Raises: PatternError if too long."""
        return self._replace(source, lambda name: self.tag.get(name, ""))

    def compact(self, source: str) -> str:
        """The same pattern with the tags as subroutines of PCRE2, where that surely means the same, else as `apply`.

        Raises: PatternError as `apply`.
        """
        if _LOCAL.search(source) or any(_LOCAL.search(text.replace("(?i:", "(?:")) for text in self.tag.values()):
            return self.apply(source)
        calls = _Calls(self)
        body = self._replace(source, calls.stand_in)
        if not calls.definitions:
            return body
        definitions = "".join(f"(?<{name}>{text})" for name, text in calls.definitions.values())
        return f"(?(DEFINE){definitions}){body}"

    def _replace(self, source: str, meaning: Callable[[str], str]) -> str:
        for _ in range(MAX_PASSES):
            source, again = self._once(source, meaning)
            if len(source) > MAX_PATTERN:
                raise PatternError(f"longer than {MAX_PATTERN} characters after replacement of tags")
            if not again:
                break
        return source

    def _once(self, source: str, meaning: Callable[[str], str]) -> tuple[str, bool]:
        start, end = re.escape(self.start), re.escape(self.end)
        source, pre = _modifier(source, start, "pre", end, self.pre)
        source, post = _modifier(source, start, "post", end, self.post)
        source, inter = _modifier(source, start, "inter", end, self.inter)
        pieces = _PIECES.split(source)
        while len(pieces) > 1 and not pieces[-1]:
            pieces.pop()
        any_tag = re.compile(f"({start}.+?{end})")
        if pre:
            pieces = [any_tag.sub(lambda tag: pre + tag[1], piece, count=1) for piece in pieces]
        if post:
            pieces = [any_tag.sub(lambda tag: tag[1] + post, piece) for piece in pieces]
        if inter:
            pieces[1:] = [piece or inter for piece in pieces[1:]]  # an empty piece stands between adjacent tags
        again = False
        name = re.compile(f"{start}(.+?){end}")
        for i, piece in enumerate(pieces):
            tag = name.search(piece)
            replacement = meaning(tag[1]) if tag else ""
            if tag and replacement:
                pieces[i] = piece.replace(tag[0], replacement)
                again = again or bool(re.search("<[^>]+>", replacement))
        return "".join(pieces), again


class _Calls:
    """Tags as subroutines: name in the pattern and meaning, each made when it is first asked for."""

    def __init__(self, tags: Tags) -> None:
        self._tags = tags
        self.definitions: dict[str, tuple[str, str]] = {}
        self._open: set[str] = set()

    def stand_in(self, tag: str) -> str:
        """What stands for a tag: a call when it is one unit and uses no tag that is being defined, else its text."""
        text = self._tags.tag.get(tag, "")
        if tag in self._open:
            raise PatternError(f"the tag {tag} uses itself")
        if not _is_unit(text):
            return text
        if tag not in self.definitions:
            self._open.add(tag)
            written = self._tags._replace(text, self.stand_in)
            self._open.discard(tag)
            self.definitions[tag] = (f"t{len(self.definitions)}", written)
        return f"(?&{self.definitions[tag][0]})"


def _is_unit(text: str) -> bool:
    """Whether the text is one group or one class, so that a quantifier or an alternative beside it is no matter."""
    tokens = _TOKEN.findall(text)
    if len(tokens) == 1:
        return text.startswith("[") and len(text) > 1
    if not text.startswith("(?:"):
        return False
    depth = 0
    for i, piece in enumerate(tokens):
        depth += (piece == "(") - (piece == ")")
        if depth == 0:
            return i == len(tokens) - 1
    return False


def _modifier(source: str, start: str, kind: str, end: str, table: Mapping[str, str]) -> tuple[str, str]:
    """The pattern without its first `<kind NAME>`, and what NAME stands for ("" when there is none)."""
    found = re.search(f"{start}{kind} (.+?){end}", source)
    if not found:
        return source, ""
    return source[: found.start()] + source[found.end() :], table.get(found[1], "")
