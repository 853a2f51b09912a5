"""Compiled YARA rules of an index, ready to run: loaded when first wanted, the least used let go.

Three sizes: groups of a few rules as they were built, the whole set, and for large texts the very rules that are
wanted, compiled together on the spot, so that such a text is gone through once.
"""

from __future__ import annotations

import json
import struct
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from mxward.bindings import yara
from mxward.core.rules.yara.partition import Root, text_of

MAX_LIVE_BYTES: Final = 16 << 20  # of compiled rules kept ready
OVERHEAD: Final = 40_000  # bytes that loaded rules take beside their stored form
Key = int | str | tuple[int, ...]


class Live:
    """May be used from several threads at once."""

    def __init__(self, section: Callable[[str], memoryview], about: Mapping[str, Any]) -> None:
        self._section = section
        self._externals: list[list[str]] = about["externals"]
        self._texts: dict[str, tuple[int, int]] = about["texts"]
        self._defaults: dict[str, str | int | bool] = about["defaults"]
        self._roots: list[list[Any]] = about["roots"]
        self._kept: OrderedDict[Key, tuple[yara.YaraRules, int]] = OrderedDict()
        self._lock = threading.Lock()

    def whole(self) -> yara.YaraRules:
        """All rules. Raises YaraFailure."""
        return self._get("whole", lambda: (yara.load_rules(self._section("whole")), len(self._section("whole"))))

    def group(self, number: int) -> yara.YaraRules | None:
        """A group; None when its rules could not be compiled alone. Raises YaraFailure."""
        stored = self._section(f"group{number}")
        return self._get(number, lambda: (yara.load_rules(stored), len(stored))) if len(stored) else None

    def externals(self, number: int) -> list[str]:
        """Names of the variables that a group uses."""
        return self._externals[number]

    def merged(self, numbers: Sequence[int]) -> tuple[yara.YaraRules, list[str]] | None:
        """These roots together, and the variables that they use; None when they do not compile so."""
        roots = [self._root(number) for number in numbers]
        used = sorted({name for root in roots for name in root.externals})
        try:
            return self._get(tuple(numbers), lambda: self._compiled(roots, used)), used
        except (yara.YaraSyntaxError, yara.YaraFailure):
            return None

    def _compiled(self, roots: Sequence[Root], used: Sequence[str]) -> tuple[yara.YaraRules, int]:
        sources = {root.namespace: self._text(root.namespace) for root in roots}
        stored = yara.compile_rules(text_of(roots, sources), {name: self._defaults[name] for name in used}).dump()
        return yara.load_rules(stored), len(stored)  # what was loaded is far smaller than what was compiled

    def _root(self, number: int) -> Root:
        namespace, name, _ = self._roots[number]
        stored = self._section("spans")
        at, size = struct.unpack_from("<II", stored, 8 * number)
        spans, imports, externals = json.loads(bytes(stored[at : at + size]))
        return Root(namespace, name, tuple(map(tuple, spans)), tuple(imports), tuple(externals), True)

    def _text(self, namespace: str) -> str:
        at, size = self._texts[namespace]
        return bytes(self._section("texts")[at : at + size]).decode("utf-8", "surrogatepass")

    def _get(self, key: Key, make: Callable[[], tuple[yara.YaraRules, int]]) -> yara.YaraRules:
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
                return found[0]
        rules, size = make()  # two threads may make the same: then the later one is kept
        with self._lock:
            self._kept[key] = rules, size + OVERHEAD
            total = sum(size for _, size in self._kept.values())
            while total > MAX_LIVE_BYTES and len(self._kept) > 1:
                total -= self._kept.popitem(last=False)[1][1]
        return rules
