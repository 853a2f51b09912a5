"""The rule packs of a data directory: which there are, and adding, removing, enabling, disabling them.

    DATA/rules/NAME/            a pack that was added
    DATA/rules/NAME.disabled    an empty file: the pack of that name (also a shipped one) is not used

Every change validates first and then renames, so that a refused pack leaves the old one in force and a crash
leaves one or the other. A pack in DATA/rules wins over a shipped pack of the same name.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mxward.core.errors import RulePackError
from mxward.core.rules.compile import compile_packs
from mxward.core.rules.pack import Pack, load_pack

SHIPPED: Final = Path(__file__).parent / "packs"
_DISABLED: Final = ".disabled"


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
    fault: str = ""


def _directories(rules_dir: Path | None) -> dict[str, Path]:
    found = {path.name: path for path in sorted(SHIPPED.iterdir()) if (path / "pack.toml").is_file()}
    if rules_dir is not None and rules_dir.is_dir():
        found |= {p.name: p for p in sorted(rules_dir.iterdir()) if p.is_dir() and not p.name.startswith(".")}
    return found


def _is_enabled(rules_dir: Path | None, name: str) -> bool:
    return rules_dir is None or not (rules_dir / f"{name}{_DISABLED}").exists()


def enabled_packs(rules_dir: Path | None) -> list[Pack]:
    """All packs in force, by name. Raises: RulePackError when one of them cannot be read."""
    return [_checked(path) for name, path in sorted(_directories(rules_dir).items()) if _is_enabled(rules_dir, name)]


def _checked(path: Path) -> Pack:
    pack = load_pack(path)
    if pack.name != path.name:
        raise RulePackError(f"the pack calls itself {pack.name}", pack=f"{path.name}/pack.toml")
    return pack


def list_packs(rules_dir: Path | None) -> list[PackStatus]:
    """Every pack there is, also disabled and broken ones. Never raises RulePackError."""
    found = []
    for name, path in sorted(_directories(rules_dir).items()):
        enabled, shipped = _is_enabled(rules_dir, name), path.parent == SHIPPED
        try:
            pack = _checked(path)
        except RulePackError as error:
            found.append(PackStatus(name, "", "", "", enabled, shipped, fault=str(error)))
            continue
        found.append(PackStatus(
            name, pack.version, pack.description, pack.author, enabled, shipped,
            len(pack.yara), len(pack.literals), len(pack.attachments),
        ))  # fmt: skip
    return found


def add_pack(rules_dir: Path, source: Path) -> Pack:
    """Copy a pack directory in, replacing an older one of the same name.

    Raises: RulePackError when it does not read or compile, alone or beside the packs in force; nothing has
    changed then. OSError when it cannot be written.
    """
    pack = load_pack(source)
    others = [p for p in enabled_packs(rules_dir) if p.name != pack.name]
    compile_packs([*others, pack])
    rules_dir.mkdir(mode=0o750, parents=True, exist_ok=True)
    draft = rules_dir / f".new-{pack.name}-{os.getpid()}"
    shutil.rmtree(draft, ignore_errors=True)
    try:
        shutil.copytree(source, draft, symlinks=True)
        if load_pack(draft).digest != pack.digest:
            raise RulePackError("changed while it was being copied", pack=pack.name)
        _swap(draft, rules_dir / pack.name)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return pack


def _swap(draft: Path, target: Path) -> None:
    """Put `draft` where `target` is. Between the two renames readers see no pack of that name, never half of one."""
    old = target.with_name(f".old-{target.name}-{os.getpid()}")
    shutil.rmtree(old, ignore_errors=True)
    if target.exists():
        target.rename(old)
    try:
        draft.rename(target)
    except OSError:
        if old.exists():
            old.rename(target)
        raise
    shutil.rmtree(old, ignore_errors=True)


def remove_pack(rules_dir: Path, name: str) -> None:
    """Delete an added pack. Raises: RulePackError when there is none (shipped packs can be disabled only)."""
    path = rules_dir / name
    if name.startswith(".") or "/" in name or not path.is_dir():
        shipped = (SHIPPED / name).is_dir() and "/" not in name
        raise RulePackError("is shipped; disable it instead" if shipped else "no such pack", pack=name)
    gone = rules_dir / f".old-{name}-{os.getpid()}"
    path.rename(gone)
    shutil.rmtree(gone, ignore_errors=True)
    (rules_dir / f"{name}{_DISABLED}").unlink(missing_ok=True)


def set_enabled(rules_dir: Path, name: str, *, enabled: bool) -> None:
    """Use or do not use a pack. Raises: RulePackError when there is none or enabling would break the rule set."""
    if name not in _directories(rules_dir):
        raise RulePackError("no such pack", pack=name)
    mark = rules_dir / f"{name}{_DISABLED}"
    if not enabled:
        rules_dir.mkdir(mode=0o750, parents=True, exist_ok=True)
        mark.touch(mode=0o640)
        return
    if mark.exists():
        others = [p for p in enabled_packs(rules_dir) if p.name != name]
        compile_packs([*others, _checked(_directories(rules_dir)[name])])
        mark.unlink()
