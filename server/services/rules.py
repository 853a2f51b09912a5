"""Rule packs of a gateway: list, lint, test, and changes that take effect at once when it runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from mxward.core.errors import RulePackError
from mxward.core.rules import manage
from mxward.core.rules.lint import lint_pack
from mxward.core.rules.sample import run_samples as run_pack_samples
from mxward.server.config import Config
from mxward.server.services.context import Context
from mxward.server.services.errors import NotFound, NotRunning, Refused
from mxward.server.services.reload import signal_supervisor


def entries(config: Config) -> list[dict[str, Any]]:
    """Every pack, also disabled and faulty ones (`fault` says why): name, version, enabled, shipped, counts."""
    return [asdict(pack) for pack in manage.list_packs(folder(config))]


def add(context: Context, path: Path) -> dict[str, Any]:
    """Copy a pack directory in after its own samples and a check beside the packs in force; replaces its namesake.

    Raises NotFound, RulePackError (with file and line, or the sample that failed; nothing has changed then).
    """
    if not path.is_dir():
        raise NotFound(f"{path} is not a directory; a pack is a directory with a pack.toml")
    for sample in run_pack_samples(path):
        if not sample.passed:
            found = ", ".join(sample.hits) or "no hit"
            raise RulePackError(f"its own sample {sample.file} failed: {found}", pack=path.name)
    pack = manage.add_pack(folder(context.config), path)
    return _done(context, "rules.add", pack.name, version=pack.version, digest=pack.digest)


def remove(context: Context, name: str) -> dict[str, Any]:
    """Delete an added pack; shipped ones can only be disabled: Refused."""
    _known(context, name, lambda: manage.remove_pack(folder(context.config), name))
    return _done(context, "rules.remove", name)


def enable(context: Context, name: str) -> dict[str, Any]:
    """Use a pack again. Raises NotFound, RulePackError when it does not compile beside the others."""
    _known(context, name, lambda: manage.set_enabled(folder(context.config), name, enabled=True))
    return _done(context, "rules.enable", name)


def disable(context: Context, name: str) -> dict[str, Any]:
    """Use a pack no longer."""
    _known(context, name, lambda: manage.set_enabled(folder(context.config), name, enabled=False))
    return _done(context, "rules.disable", name)


def lint(paths: Sequence[Path]) -> list[dict[str, Any]]:
    """What is wrong or doubtful in pack directories: file, line, severity, text. Raises NotFound."""
    found = []
    for path in paths:
        if not path.is_dir():
            raise NotFound(f"{path} is not a directory; a pack is a directory with a pack.toml")
        found += [asdict(problem) for problem in lint_pack(path)]
    return found


def run_samples(config: Config, name: str = "") -> list[dict[str, Any]]:
    """Run the samples of one pack, or of all: pack, file, must_match, hits, passed.

    `name` is a pack of the gateway or the path of a pack directory. Raises NotFound, RulePackError.
    """
    if name and Path(name).is_dir():
        targets = [(Path(name).name, Path(name))]
    else:
        targets = [(n, path) for n in _names(config) if (path := pack_path(config, n)) and name in ("", n)]
    if not targets:
        raise NotFound(f"there is no rule pack {name!r}")
    return [{"pack": pack, **asdict(result)} for pack, path in targets for result in run_pack_samples(path)]


def folder(config: Config) -> Path:
    """Where the added packs are."""
    return config.data / "rules"


def pack_path(config: Config, name: str) -> Path | None:
    """The directory of a pack: an added one wins over a shipped one of the same name."""
    for parent in (folder(config), manage.SHIPPED):
        if (parent / name / "pack.toml").is_file():
            return parent / name
    return None


def _names(config: Config) -> list[str]:
    return [pack.name for pack in manage.list_packs(folder(config))]


def _known(context: Context, name: str, action: Callable[[], None]) -> None:
    """Run a change of an existing pack, with our words for what a pack's own errors do not say."""
    if name not in _names(context.config):
        raise NotFound(f"there is no rule pack {name!r}")
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
