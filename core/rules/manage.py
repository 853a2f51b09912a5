"""The rule packs of a data directory: which there are, and adding, removing, enabling, disabling, rolling them back.

    DATA/rules/NAME             a pack: a directory, or a link to one in .packs that `install` made
    DATA/rules/.packs/          contents and history of added packs (history.py)
    DATA/rules/NAME.disabled    an empty file: the pack of that name (also a shipped one) is not used

Every change validates first and then replaces one link by a rename: a refused pack leaves the old one in force, a
crash leaves one or the other, and who reads meanwhile sees one or the other. A pack in DATA/rules wins over a
shipped pack of the same name. What else a new pack must pass (samples, cost, canary) is the caller's to ask between
`prepare` and `install`.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from mxward.core.errors import RulePackError
from mxward.core.rules.compile import RuleSet, compile_packs
from mxward.core.rules.files import PackFiles, read_folder
from mxward.core.rules.history import (
    CONTENTS,
    History,
    Version,
    drop_contents,
    read_history,
    sync_folder,
    write_file,
    write_history,
)
from mxward.core.rules.pack import PACK_NAME, Pack, parse_pack
from mxward.core.rules.trust import TRUSTED, Signed, Trust, check_trust

SHIPPED: Final = Path(__file__).parent / "packs"
_DISABLED: Final = ".disabled"
NO_TRUST: Final = Trust()


@dataclass(frozen=True, slots=True)
class PackStatus:
    """A pack as `mxward rules list` shows it. `fault` is "" for a pack that reads well."""

    name: str
    version: str
    description: str
    author: str
    enabled: bool
    shipped: bool
    n_yara_files: int = 0
    n_lists: int = 0
    n_attachment_rules: int = 0
    n_regex_lists: int = 0
    n_hash_lists: int = 0
    n_spamassassin_files: int = 0
    fault: str = ""
    signed: dict[str, str] = field(default_factory=dict)  # Signed; empty for a shipped pack
    without: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Candidate:
    """A pack that reads well and whose signature is right, not yet in force. `packs`: all that would be, with it."""

    pack: Pack
    files: PackFiles
    signed: Signed
    packs: tuple[Pack, ...]
    downgrade: str = ""  # why it should not replace the signed pack in force: it is older
    unsigned: str = ""  # the same, because no trusted key signed it


@dataclass(frozen=True, slots=True)
class Who:
    """By whom and when (microseconds since the epoch) a change is made, for the history."""

    name: str = ""
    at: int = 0


NOBODY: Final = Who()


def _directories(rules_dir: Path | None) -> dict[str, Path]:
    found = {path.name: path for path in sorted(SHIPPED.iterdir()) if (path / "pack.toml").is_file()}
    if rules_dir is not None and rules_dir.is_dir():
        found |= {p.name: p for p in sorted(rules_dir.iterdir()) if p.is_dir() and not p.name.startswith(".")}
    return found


def pack_path(rules_dir: Path, name: str) -> Path | None:
    """The directory of a pack: an added one wins over a shipped one of the same name."""
    return _directories(rules_dir).get(name)


def _is_enabled(rules_dir: Path | None, name: str) -> bool:
    return rules_dir is None or not (rules_dir / f"{name}{_DISABLED}").exists()


def enabled_packs(rules_dir: Path | None, trust: Trust = NO_TRUST) -> list[Pack]:
    """All packs in force, by name. Raises: RulePackError when one of them cannot be read or may not be used."""
    return [
        _in_force(rules_dir, path, trust)[0]
        for name, path in sorted(_directories(rules_dir).items()) if _is_enabled(rules_dir, name)
    ]  # fmt: skip


def _in_force(rules_dir: Path | None, path: Path, trust: Trust) -> tuple[Pack, Signed | None]:
    """A pack as it counts: its name that of its directory, its signature right, the rules left out left out."""
    files = read_folder(path, samples=False)
    signed = None if path.parent == SHIPPED else check_trust(files, trust, samples=False)
    pack = parse_pack(files, path)
    if pack.name != path.name:
        raise RulePackError(f"the pack calls itself {pack.name}", pack=f"{path.name}/pack.toml")
    without = read_history(rules_dir, pack.name).without if rules_dir else ()
    return pack.without(without), signed


def list_packs(rules_dir: Path | None, trust: Trust = NO_TRUST) -> list[PackStatus]:
    """Every pack there is, also disabled and broken ones. Never raises RulePackError."""
    found = []
    for name, path in sorted(_directories(rules_dir).items()):
        enabled, shipped = _is_enabled(rules_dir, name), path.parent == SHIPPED
        without = read_history(rules_dir, name).without if rules_dir else ()
        try:
            pack, signed = _in_force(rules_dir, path, trust)
        except RulePackError as error:
            found.append(PackStatus(name, "", "", "", enabled, shipped, fault=str(error), without=without))
            continue
        found.append(PackStatus(
            name, pack.version, pack.description, pack.author, enabled, shipped, n_yara_files=len(pack.yara),
            n_lists=len(pack.literals), n_attachment_rules=len(pack.attachments), n_regex_lists=len(pack.regexes),
            n_hash_lists=len(pack.hashes),
            n_spamassassin_files=len(pack.spamassassin), signed=asdict(signed) if signed else {}, without=without,
        ))  # fmt: skip
    return found


def readable_packs(rules_dir: Path) -> list[Pack]:
    """The packs in force that can be read, for who compares with them. Never raises RulePackError."""
    found = []
    for status in list_packs(rules_dir):
        if status.enabled and not status.fault:
            found.append(_in_force(rules_dir, _directories(rules_dir)[status.name], NO_TRUST)[0])
    return found


def prepare(rules_dir: Path, files: PackFiles, trust: Trust = NO_TRUST) -> Candidate:
    """A new pack beside the packs in force. Raises: RulePackError when it does not read or may not be used."""
    signed = check_trust(files, trust)
    pack = parse_pack(files, Path(files.name))
    counted = pack.without(read_history(rules_dir, pack.name).without)
    others = [p for p in enabled_packs(rules_dir, trust) if p.name != pack.name]
    packs = tuple(sorted((*others, counted), key=lambda p: p.name))
    downgrade = unsigned = ""
    if (last := _signed_version(rules_dir, pack.name, trust)) is not None:
        if signed.state != TRUSTED:
            unsigned = f"version {last} in force is signed by a trusted key, this one is not"
        if order_of(pack.version) < order_of(last):
            downgrade = f"version {pack.version} is older than the signed version {last} in force"
    return Candidate(counted, files, signed, packs, downgrade, unsigned)


def _signed_version(rules_dir: Path, name: str, trust: Trust) -> str | None:
    """The version in force of an added pack that a trusted key signed; None for other packs."""
    path = rules_dir / name
    if not path.is_dir():
        return None
    try:
        pack, signed = _in_force(rules_dir, path, trust)
    except RulePackError:  # it was damaged: what it was when it came
        version = next((v for v in read_history(rules_dir, name).versions if v.folder == path.resolve().name), None)
        return version.version if version is not None and version.signed.get("state") == TRUSTED else None
    return pack.version if signed is not None and signed.state == TRUSTED else None


def order_of(version: str) -> tuple[tuple[int, int, str], ...]:
    """What versions are compared by: numbers by value, words by letter; 1.10 is above 1.9, 1.0 above 1.0-rc1."""
    pieces = re.findall(r"\d+|[a-z]+", version.lower())
    return (*((1, int(piece), "") if piece.isdigit() else (-1, 0, piece) for piece in pieces), (0, 0, ""))


def install(rules_dir: Path, candidate: Candidate, who: Who = NOBODY, cost: dict[str, Any] | None = None) -> Version:
    """Put a pack in force, replacing an older one of the same name: what was read is what is written.

    Raises: OSError when it cannot be written; nothing has changed then.
    """
    contents, name = rules_dir / CONTENTS, candidate.pack.name
    contents.mkdir(mode=0o750, parents=True, exist_ok=True)
    target = contents / f"{name}-{candidate.files.digest[:16]}"
    if not target.exists():
        _write(candidate.files, contents / f".new-{name}-{os.getpid()}", target)
    version = Version(target.name, candidate.pack.version, who.at, who.name, asdict(candidate.signed), cost or {})
    history = _remember_last(rules_dir, name).with_version(version)
    change = f"version {version.version} was added{_but(candidate.pack)}"
    write_history(rules_dir, name, replace(history, change=change, changed_at=who.at, changed_by=who.name))
    _point(rules_dir / name, target)
    drop_contents(rules_dir, name, {v.folder for v in history.versions})
    return version


def _but(pack: Pack) -> str:
    return f" without {', '.join(sorted(pack.left_out))}" if pack.left_out else ""


def add_pack(
    rules_dir: Path, source: Path, trust: Trust = NO_TRUST, check: Callable[[RuleSet], None] | None = None
) -> Pack:
    """Copy a pack directory in, replacing an older one of the same name.

    Args: check: asked with all rules compiled, before anything changes; may raise.
    Raises: RulePackError when it does not read or compile beside the packs in force; nothing has changed then.
    OSError when it cannot be written.
    """
    candidate = prepare(rules_dir, read_folder(source), trust)
    rules = compile_packs(candidate.packs)
    if check is not None:
        check(rules)
    install(rules_dir, candidate)
    return candidate.pack


def _write(files: PackFiles, draft: Path, target: Path) -> None:
    shutil.rmtree(draft, ignore_errors=True)
    try:
        draft.mkdir(mode=0o750)
        for path, content in files.contents.items():
            (draft / path).parent.mkdir(mode=0o750, parents=True, exist_ok=True)
            write_file(draft / path, content)
        for folder, _, _ in os.walk(draft):
            sync_folder(Path(folder))
        draft.rename(target)
        sync_folder(target.parent)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _remember_last(rules_dir: Path, name: str) -> History:
    """The history, last in it the version in force, even if it came before there was one, or was put there by hand."""
    history, link = read_history(rules_dir, name), rules_dir / name
    if link.is_symlink():
        if link.is_dir():
            at = history.find(link.resolve().name)
            last = history.versions[at] if at >= 0 else Version(link.resolve().name, _version_of(link))
            history = history.with_version(last)
    elif link.is_dir():
        # a link cannot replace a directory in one step, so this once the directory moves first
        moved = rules_dir / CONTENTS / f"{name}-by-hand-{os.getpid()}"
        version = Version(moved.name, _version_of(link))
        link.rename(moved)
        history = history.with_version(version)
    return history


def _version_of(path: Path) -> str:
    try:
        return parse_pack(read_folder(path, samples=False), path).version
    except RulePackError:
        return "unreadable"


def _point(link: Path, target: Path) -> None:
    """Let `link` name `target`, in one rename."""
    draft = target.with_name(f".link-{link.name}-{os.getpid()}")
    draft.unlink(missing_ok=True)
    draft.symlink_to(Path(CONTENTS) / target.name, target_is_directory=True)
    draft.replace(link)
    sync_folder(link.parent)


def remove_pack(rules_dir: Path, name: str) -> None:
    """Delete an added pack. Raises: RulePackError when there is none (shipped packs can be disabled only)."""
    path = rules_dir / name
    if not PACK_NAME.fullmatch(name) or not path.is_dir():
        is_shipped = bool(PACK_NAME.fullmatch(name)) and (SHIPPED / name / "pack.toml").is_file()
        raise RulePackError("is shipped; disable it instead" if is_shipped else "no such pack", pack=name)
    if path.is_symlink():
        path.unlink()
    else:
        content = path.with_name(f".old-{name}-{os.getpid()}")
        path.rename(content)
        shutil.rmtree(content, ignore_errors=True)
    drop_contents(rules_dir, name, set())
    (rules_dir / CONTENTS / f"{name}.json").unlink(missing_ok=True)
    (rules_dir / f"{name}{_DISABLED}").unlink(missing_ok=True)


def set_enabled(rules_dir: Path, name: str, *, enabled: bool, trust: Trust = NO_TRUST, who: Who = NOBODY) -> None:
    """Use or do not use a pack. Raises: RulePackError when there is none or enabling would break the rule set."""
    if name not in _directories(rules_dir):
        raise RulePackError("no such pack", pack=name)
    mark = rules_dir / f"{name}{_DISABLED}"
    if enabled == (not mark.exists()):
        return
    if enabled:
        _compile_with(rules_dir, _in_force(rules_dir, _directories(rules_dir)[name], trust)[0], trust)
        mark.unlink()
    else:
        rules_dir.mkdir(mode=0o750, parents=True, exist_ok=True)
        mark.touch(mode=0o640)
    _note(rules_dir, name, "it was enabled" if enabled else "it was disabled", who)


def _compile_with(rules_dir: Path, pack: Pack, trust: Trust) -> None:
    """Raises: RulePackError when `pack` does not compile beside the other packs in force."""
    compile_packs([*(p for p in enabled_packs(rules_dir, trust) if p.name != pack.name), pack])


def _note(rules_dir: Path, name: str, change: str, who: Who) -> None:
    history = read_history(rules_dir, name)
    write_history(rules_dir, name, replace(history, change=change, changed_at=who.at, changed_by=who.name))


def set_without(rules_dir: Path, name: str, rules: set[str], *, trust: Trust = NO_TRUST, who: Who = NOBODY) -> None:
    """Leave these rules of a pack out, and no others.

    Raises: RulePackError when there is no such pack or rule, or others of its rules need one that is left out.
    """
    path = _directories(rules_dir).get(name)
    if path is None:
        raise RulePackError("no such pack", pack=name)
    pack = parse_pack(read_folder(path, samples=False), path)
    unknown = sorted(rules - set(pack.rule_names()))
    if unknown:
        raise RulePackError("no such rule", pack=name, rule=unknown[0])
    _compile_with(rules_dir, pack.without(rules), trust)
    history = replace(read_history(rules_dir, name), without=tuple(sorted(rules)))
    change = f"left out: {', '.join(sorted(rules))}" if rules else "no rule is left out any more"
    write_history(rules_dir, name, replace(history, change=change, changed_at=who.at, changed_by=who.name))


def keep_left_out(rules_dir: Path, pack: Pack, who: Who = NOBODY) -> None:
    """Remember what a candidate is without, before it is put in force."""
    history = read_history(rules_dir, pack.name)
    gone = tuple(sorted(pack.left_out.union(history.without)))
    if gone != history.without:
        change = f"left out: {', '.join(gone)}"
        history = replace(history, without=gone, change=change, changed_at=who.at, changed_by=who.name)
        write_history(rules_dir, pack.name, history)


def versions(rules_dir: Path, name: str) -> tuple[list[Version], str]:
    """Versions of a pack that can be had, oldest first, and the folder of the one in force ("" when none is)."""
    link = rules_dir / name
    current = link.resolve().name if link.is_symlink() else ""
    known = read_history(rules_dir, name).versions
    return [v for v in known if (rules_dir / CONTENTS / v.folder).is_dir()], current


def rollback(
    rules_dir: Path, name: str, to: str = "", *, trust: Trust = NO_TRUST, who: Who = NOBODY, reason: str = ""
) -> Version:
    """Put an earlier version of a pack in force again.

    Args: to: a version, or the digest of one; "": the one that came before the one in force.
    Raises: RulePackError when there is none, or it does not compile beside the packs in force; nothing has changed
    then.
    """
    known, current = versions(rules_dir, name)
    chosen = _chosen(known, current, to, name)
    path = rules_dir / CONTENTS / chosen.folder
    files = read_folder(path, samples=False)
    check_trust(files, trust, samples=False)
    pack = parse_pack(files, path)
    if pack.name != name:
        raise RulePackError(f"the pack calls itself {pack.name}", pack=f"{chosen.folder}/pack.toml")
    _compile_with(rules_dir, pack.without(read_history(rules_dir, name).without), trust)
    last = next((v.version for v in known if v.folder == current), "another version")
    _point(rules_dir / name, path)
    _note(rules_dir, name, f"rolled back from {last} to {chosen.version}{f': {reason}' if reason else ''}", who)
    return chosen


def _chosen(known: list[Version], current: str, to: str, name: str) -> Version:
    at = next((n for n, version in enumerate(known) if version.folder == current), len(known))
    if not to:
        if at == 0 or not known:
            raise RulePackError("there is no earlier version", pack=name)
        return known[at - 1]
    wanted = [v for v in known if to in (v.version, v.folder, v.folder[len(name) + 1 :])]
    if not wanted:
        have = ", ".join(f"{v.version} ({v.folder[len(name) + 1 :]})" for v in known) or "none"
        raise RulePackError(f"there is no version {to} (there are: {have})", pack=name)
    if wanted[-1].folder == current:
        raise RulePackError(f"version {to} is in force", pack=name)
    return wanted[-1]
