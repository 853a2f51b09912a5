"""Rule packs of a gateway: what there is, and changes that take effect at once when it runs.

What authors of packs do without a gateway (lint, test, profile, sign) is ruleauthor.py, what a new pack must pass
rulegate.py.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from mxward.core.errors import RulePackError
from mxward.core.rules import manage
from mxward.core.rules.container import read_source
from mxward.core.rules.files import PackFiles
from mxward.core.rules.gate import Assessment
from mxward.core.rules.history import read_history
from mxward.core.rules.manage import Candidate, Who
from mxward.server.config import Config
from mxward.server.services.context import Context
from mxward.server.services.errors import NotFound, NotRunning, Refused
from mxward.server.services.reload import signal_supervisor
from mxward.server.services.rulegate import Trial, Watch, cost_of, culprit_dict, no_watch
from mxward.server.trust import trust_of

LOCK = ".lock"


def entries(config: Config) -> list[dict[str, Any]]:
    """Every pack, also disabled and faulty ones (`fault` says why): name, version, enabled, shipped, counts, and for
    added ones signature, cost and last change."""
    return [_entry(config, asdict(pack)) for pack in manage.list_packs(folder(config), trust_of(config))]


def _entry(config: Config, pack: dict[str, Any]) -> dict[str, Any]:
    past = read_history(folder(config), pack["name"])
    known, current = manage.versions(folder(config), pack["name"])
    cost = next((version.cost for version in known if version.folder == current), {})
    return {
        **pack, "without": list(pack["without"]), "cost": cost, "n_versions": len(known),
        "can_roll_back": bool(known) and known[0].folder != current,
        "change": past.change, "changed_at": past.changed_at / 1e6, "changed_by": past.changed_by,
    }  # fmt: skip


def entry(config: Config, name: str) -> dict[str, Any]:
    """One pack, as `entries` has it. Raises NotFound."""
    found = next((pack for pack in entries(config) if pack["name"] == name), None)
    if found is None:
        raise NotFound(f"there is no rule pack {name!r}")
    return found


def history(config: Config, name: str) -> list[dict[str, Any]]:
    """Versions of a pack that can be had again, newest first: version, digest, at, by, signed, cost, in_force."""
    _known(config, name)
    known, current = manage.versions(folder(config), name)
    return [
        {
            "version": version.version, "digest": version.folder[len(name) + 1 :], "at": version.at / 1e6,
            "by": version.by, "signed": version.signed, "cost": version.cost, "in_force": version.folder == current,
        }
        for version in reversed(known)
    ]  # fmt: skip


def add(
    context: Context, path: Path, *, isolate: bool = False, force: bool = False, reason: str = "",
    watch: Watch = no_watch, allow_downgrade: bool = False, allow_unsigned: bool = False,
) -> dict[str, Any]:  # fmt: skip
    """Take a pack in, a directory or a container, after all that a pack must pass; replaces its namesake.

    Args: isolate: leave out rules that are too dear, hang or match everything, and take the rest; force: take it
    although it is too dear, hangs or matches everything (never although it is faulty or wrongly signed);
    allow_downgrade, allow_unsigned: let it replace a signed pack that is newer, or although no trusted key signed it.
    Raises NotFound, RulePackError (with file and line, or the sample that failed), Refused by the gate, with the
    culprits. Nothing has changed then.
    """
    if not path.exists():
        raise NotFound(f"{path} is not there; a pack is a directory with a pack.toml, or a .tar.gz or .zip of one")
    return add_files(
        context, read_source(path), isolate=isolate, force=force, reason=reason, watch=watch,
        allow_downgrade=allow_downgrade, allow_unsigned=allow_unsigned,
    )  # fmt: skip


def add_files(
    context: Context, files: PackFiles, *, isolate: bool = False, force: bool = False, reason: str = "",
    watch: Watch = no_watch, allow_downgrade: bool = False, allow_unsigned: bool = False,
) -> dict[str, Any]:  # fmt: skip
    """As `add`, for a pack that was read already, or made."""
    rules_dir = folder(context.config)
    with _locked(rules_dir):
        candidate = manage.prepare(rules_dir, files, trust_of(context.config))
        _may_replace(context, candidate, downgrade=allow_downgrade, unsigned=allow_unsigned)
        trial = Trial(context, candidate, watch)
        trial.run_samples()
        found = trial.assess()
        was_refused = found.reason
        if was_refused and isolate:
            found = trial.isolate(found)
        if found.reason and not force:
            _refuse(context, trial, found)
        pack, who = trial.candidate.pack, _who(context)
        if pack.left_out:
            manage.keep_left_out(rules_dir, pack, who)
        manage.install(rules_dir, trial.candidate, who, cost_of(found))
    detail: dict[str, Any] = {"version": pack.version, "digest": pack.digest, "signed": trial.candidate.signed.state}
    if pack.left_out:
        detail["without"] = sorted(pack.left_out)
    if found.reason:
        detail |= {"forced": found.reason, "reason": reason}
    return _done(context, "rules.add", pack.name, **detail) | {"cost": cost_of(found), "warning": was_refused}


def _may_replace(context: Context, candidate: Candidate, *, downgrade: bool, unsigned: bool) -> None:
    """Raises Refused for what would quietly undo a signed pack, unless that is asked for."""
    for why, is_allowed, option in (
        (candidate.unsigned, unsigned, "--allow-unsigned"), (candidate.downgrade, downgrade, "--allow-downgrade")
    ):  # fmt: skip
        if why and not is_allowed:
            context.audit("rules.refuse", candidate.pack.name, version=candidate.pack.version, reason=why)
            raise Refused(f"{candidate.pack.label} is not taken in: {why}; {option} takes it all the same")


def _refuse(context: Context, trial: Trial, found: Assessment) -> None:
    pack = trial.candidate.pack
    culprits = [culprit_dict(rule) for rule in found.culprits[:20]]
    context.audit("rules.refuse", pack.name, version=pack.version, reason=found.reason, culprits=culprits)
    raise Refused(f"{pack.label} is not taken in: {found.reason}")


def remove(context: Context, name: str) -> dict[str, Any]:
    """Delete an added pack and its versions; shipped ones can only be disabled: Refused."""
    _change(context, name, lambda: manage.remove_pack(folder(context.config), name))
    return _done(context, "rules.remove", name)


def enable(context: Context, name: str) -> dict[str, Any]:
    """Use a pack again. Raises NotFound, RulePackError when it does not compile beside the others."""
    trust = trust_of(context.config)
    _change(
        context, name,
        lambda: manage.set_enabled(folder(context.config), name, enabled=True, trust=trust, who=_who(context)),
    )  # fmt: skip
    return _done(context, "rules.enable", name)


def disable(context: Context, name: str) -> dict[str, Any]:
    """Use a pack no longer."""
    _change(
        context, name, lambda: manage.set_enabled(folder(context.config), name, enabled=False, who=_who(context))
    )  # fmt: skip
    return _done(context, "rules.disable", name)


def rollback(context: Context, name: str, to: str = "", reason: str = "") -> dict[str, Any]:
    """Put an earlier version in force again: the one before, or `to`, a version or digest of `history`.

    Raises NotFound, RulePackError when there is none or it does not compile beside the others.
    """
    made = []
    trust = trust_of(context.config)

    def act() -> None:
        rules_dir = folder(context.config)
        made.append(manage.rollback(rules_dir, name, to, trust=trust, who=_who(context), reason=reason))

    _change(context, name, act)
    detail = {"reason": reason} if reason else {}
    return _done(context, "rules.rollback", name, version=made[0].version, **detail)


def leave_out(context: Context, name: str, rule: str, *, out: bool) -> dict[str, Any]:
    """Use one rule of a pack no longer, or again. Raises NotFound, RulePackError when others need it."""
    trust = trust_of(context.config)

    def act() -> None:
        rules_dir = folder(context.config)
        gone = set(read_history(rules_dir, name).without)
        gone = gone | {rule} if out else gone - {rule}
        manage.set_without(rules_dir, name, gone, trust=trust, who=_who(context))

    _change(context, name, act)
    return _done(context, "rules.disable" if out else "rules.enable", name, rule=rule)


def folder(config: Config) -> Path:
    """Where the added packs are."""
    return config.data / "rules"


def pack_path(config: Config, name: str) -> Path | None:
    """The directory of a pack: an added one wins over a shipped one of the same name."""
    return manage.pack_path(folder(config), name)


@contextmanager
def _locked(rules_dir: Path) -> Iterator[None]:
    """One change at a time: what was checked beside the other packs goes in beside the same packs."""
    rules_dir.mkdir(mode=0o750, parents=True, exist_ok=True)
    fd = os.open(rules_dir / LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o640)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)


def _who(context: Context) -> Who:
    return Who(context.actor, context.clock.now_us())


def _known(config: Config, name: str) -> None:
    if manage.pack_path(folder(config), name) is None:
        raise NotFound(f"there is no rule pack {name!r}")


def _change(context: Context, name: str, action: Callable[[], None]) -> None:
    """Run a change of an existing pack, with our words for what a pack's own errors do not say."""
    with _locked(folder(context.config)):
        _known(context.config, name)
        try:
            action()
        except RulePackError as error:
            if "shipped" in error.reason:
                raise Refused(f"{name} is shipped with mxward; disable it instead") from None
            raise


def _done(context: Context, action: str, name: str, **detail: object) -> dict[str, Any]:
    """Audit, and have a running gateway take the change up."""
    context.audit(action, name, **detail)
    try:
        reloading = signal_supervisor(context.config)
    except NotRunning:
        reloading = 0
    return {"pack": name, **detail, "reloading": bool(reloading)}
