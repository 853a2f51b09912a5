"""Tags in patterns: `replace_rules NAME` lets <A> in a rule's pattern stand for what `replace_tag A` says.

`<pre X>`, `<inter X>`, `<post X>` put another expression before, between or after the tags of the same pattern.

Source: Mail::SpamAssassin::Plugin::ReplaceTags(3pm); order of substitution compared with 4.0.1.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from mxward.core.rules.spamassassin.pattern import MAX_PATTERN, PatternError

MAX_PASSES: Final = 6  # tags may hold tags
_PIECES: Final = re.compile(r"(<[^<>]+>)")


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
        for _ in range(MAX_PASSES):
            source, again = self._once(source)
            if len(source) > MAX_PATTERN:
                raise PatternError(f"longer than {MAX_PATTERN} characters after replacement of tags")
            if not again:
                break
        return source

    def _once(self, source: str) -> tuple[str, bool]:
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
            replacement = self.tag.get(tag[1], "") if tag else ""
            if tag and replacement:
                pieces[i] = piece.replace(tag[0], replacement)
                again = again or bool(re.search("<[^>]+>", replacement))
        return "".join(pieces), again


def _modifier(source: str, start: str, kind: str, end: str, table: Mapping[str, str]) -> tuple[str, str]:
    """The pattern without its first `<kind NAME>`, and what NAME stands for ("" when there is none)."""
    found = re.search(f"{start}{kind} (.+?){end}", source)
    if not found:
        return source, ""
    return source[: found.start()] + source[found.end() :], table.get(found[1], "")
