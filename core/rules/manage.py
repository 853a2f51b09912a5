"""The rule packs of a data directory: which there are, and adding, removing, enabling, disabling them.

    DATA/rules/NAME             a pack: a directory, or a link to one in .packs that `add_pack` made
    DATA/rules/.packs/          contents of added packs, NAME-DIGEST; the replaced one stays until the next change
    DATA/rules/NAME.disabled    an empty file: the pack of that name (also a shipped one) is not used

Every change validates first and then replaces one link by a rename: a refused pack leaves the old one in force, a
crash leaves one or the other, and who reads meanwhile sees one or the other. A pack in DATA/rules wins over a
shipped pack of the same name.
"""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mxward.core.errors import RulePackError
from mxward.core.rules.compile import compile_packs
from mxward.core.rules.pack import PACK_NAME, Pack, load_pack

SHIPPED: Final = Path(__file__).parent / "packs"
_DISABLED: Final = ".disabled"
_CONTENTS: Final = ".packs"


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
    contents = rules_dir / _CONTENTS
    contents.mkdir(mode=0o750, parents=True, exist_ok=True)
    target = contents / f"{pack.name}-{pack.digest[:16]}"
    draft = contents / f".new-{pack.name}-{os.getpid()}"
    shutil.rmtree(draft, ignore_errors=True)
    try:
        shutil.copytree(source, draft, symlinks=True)
        if load_pack(draft).digest != pack.digest:
            raise RulePackError("changed while it was being copied", pack=pack.name)
        if not target.exists():
            draft.rename(target)
        _point(rules_dir / pack.name, target)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return pack


def _point(link: Path, target: Path) -> None:
    """Let `link` name `target`, in one rename; then drop contents that neither this nor the last link named."""
    last = link.resolve() if link.is_symlink() else None
    if link.is_dir() and not link.is_symlink():
        # put there by hand: a link cannot replace a directory in one step, so this once there are two
        link.rename(target.with_name(f"{link.name}-by-hand-{os.getpid()}"))
    draft = target.with_name(f".link-{link.name}-{os.getpid()}")
    draft.unlink(missing_ok=True)
    draft.symlink_to(Path(_CONTENTS) / target.name, target_is_directory=True)
    draft.replace(link)
    for old in target.parent.glob(f"{link.name}-*"):
        is_own = re.fullmatch(r"(?:[0-9a-f]{16}|by-hand-\d+)", old.name[len(link.name) + 1 :])
        if is_own and old != target and old.resolve() != last:
            shutil.rmtree(old, ignore_errors=True)


def remove_pack(rules_dir: Path, name: str) -> None:
    """Delete an added pack. Raises: RulePackError when there is none (shipped packs can be disabled only)."""
    path = rules_dir / name
    if not PACK_NAME.fullmatch(name) or not path.is_dir():
        is_shipped = bool(PACK_NAME.fullmatch(name)) and (SHIPPED / name / "pack.toml").is_file()
        raise RulePackError("is shipped; disable it instead" if is_shipped else "no such pack", pack=name)
    if path.is_symlink():
        content = path.resolve()
        path.unlink()
    else:
        content = path.with_name(f".old-{name}-{os.getpid()}")
        path.rename(content)
    shutil.rmtree(content, ignore_errors=True)
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
