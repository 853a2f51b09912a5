"""What a new pack must pass on this gateway: its samples, its cost, its worst case, and this site's harmless mail."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, Final

from mxward.core.errors import RulePackError
from mxward.core.extract.recall import RecallingOpener
from mxward.core.pipeline import Pipeline, assemble
from mxward.core.rules.compile import compile_packs
from mxward.core.rules.gate import Assessment, Budget, assess
from mxward.core.rules.manage import Candidate
from mxward.core.rules.pack import Pack
from mxward.core.rules.profile import RuleCost
from mxward.core.rules.sample import check_samples
from mxward.core.rules.single import rules_named
from mxward.core.rules.yarasource import rule_spans, users_of
from mxward.server.config import Config
from mxward.server.services.context import Context
from mxward.server.services.scanning import opener_of
from mxward.server.store.api import DELIVERED, MessageQuery

MAX_HAM_BYTES: Final = 1_000_000  # larger messages say little more and take long
ISOLATIONS: Final = 3  # times that culprits are looked for, left out, and the rest is measured again
Watch = Callable[[str, int, int], None]  # what is being done, how much of it is done, of how much


def no_watch(_what: str, _done: int, _total: int) -> None:
    """For who does not want to watch."""


def budget_of(config: Config) -> Budget:
    """What the configuration asks of a pack."""
    return Budget(config.rules.messages_per_second, config.rules.worst_case, config.rules.canary_share)


class Trial:
    """A candidate being tried: the pipelines without and with it, and what was found. Changes nothing.

    Raises: RulePackError when it does not compile beside the packs in force.
    """

    def __init__(self, context: Context, candidate: Candidate, watch: Watch = no_watch) -> None:
        self.context, self.candidate, self._watch = context, candidate, watch
        self._opener = RecallingOpener(opener_of(context.config))  # each message is judged many times
        self._before = self._without(candidate)
        self._compile(candidate.packs)

    def _without(self, candidate: Candidate) -> Pipeline:
        """The other packs alone: an older version of the same pack must not make the new one look harmless."""
        config = self.context.config
        others = [pack for pack in candidate.packs if pack.name != candidate.pack.name]
        self._watch("compiling", 0, 2)
        return assemble(
            compile_packs(others, config.data / "cache"), config.data, config.domains.local, (), self._opener
        )

    def _compile(self, packs: tuple[Pack, ...]) -> None:
        config = self.context.config
        self._watch("compiling", 1, 2)
        self.rules = compile_packs(packs, config.data / "cache")  # the workers load it from there
        self.after = assemble(self.rules, config.data, config.domains.local, (), self._opener)

    def run_samples(self) -> None:
        """Raises: RulePackError naming the first of the pack's own samples that does not behave."""
        pack = self.candidate.pack
        for sample in check_samples(pack, self.candidate.files, self.rules, self._opener):
            if not sample.passed:
                found = ", ".join(sample.hits) or "no hit"
                raise RulePackError(f"its own sample {sample.file} failed: {found}", pack=pack.name)

    def assess(self) -> Assessment:
        """What the gate says of the candidate as it is now."""
        ham = list(delivered(self.context))
        budget = budget_of(self.context.config)

        def progress(done: int, total: int) -> None:
            self._watch("measuring", done, total)

        return assess(self.candidate.pack, self._before, self.after, budget, ham, progress)

    def isolate(self, found: Assessment) -> Assessment:
        """Leave culprits out until the gate has nothing to say, or has no culprit to name; the last assessment."""
        for _ in range(ISOLATIONS):
            gone = with_users(self.candidate.pack, {rule.name for rule in found.culprits})
            if not found.reason or not gone or gone >= set(self.candidate.pack.rule_names()):
                break
            pack = self.candidate.pack.without(gone)
            pack = replace(pack, left_out=pack.left_out | self.candidate.pack.left_out)
            packs = tuple(pack if p.name == pack.name else p for p in self.candidate.packs)
            self.candidate = replace(self.candidate, pack=pack, packs=packs)
            self._compile(packs)
            found = self.assess()
        return found


def with_users(pack: Pack, names: set[str]) -> set[str]:
    """The rules of these names (a .cf file's for all in it), and those that cannot be without them."""
    names = rules_named(pack, names)
    spans = [span for source in pack.yara for span in rule_spans(source.text)]
    return names | users_of(spans, names) if names else names


def delivered(context: Context) -> Iterator[bytes]:
    """The latest messages that were delivered and whose content is still there, newest first."""
    wanted = context.config.rules.canary_messages
    if not wanted:
        return
    for row in context.store.find(MessageQuery(state=DELIVERED, limit=wanted)):
        if row.size <= MAX_HAM_BYTES:
            try:
                yield context.store.body(row.queue_id)
            except KeyError:
                continue


def cost_of(found: Assessment) -> dict[str, Any]:
    """What is kept in the history of a pack, and shown."""
    return {
        "instructions": round(found.added_instructions),
        "microseconds": round(max(0.0, found.after_us - found.before_us), 1),
        "messages_per_second": round(found.messages_per_second), "worst_ms": round(found.worst_us / 1000, 1),
        "worst_input": found.worst_input, "n_canary": found.n_canary, "turned": found.turned,
    }  # fmt: skip


def culprit_dict(rule: RuleCost) -> dict[str, Any]:
    """A culprit as the audit trail and --json have it."""
    return {"rule": rule.name, "file": rule.file, "line": rule.line, "microseconds": round(rule.microseconds, 1)}
