"""SpamAssassin's .cf files taken in as a rule pack, with a report of what of them runs here."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mxward.core.errors import RulePackError
from mxward.core.rules.files import PackFiles
from mxward.core.rules.pack import PACK_NAME, parse_pack
from mxward.core.rules.spamassassin.importer import DEFAULT_NAME, pack_of_folder
from mxward.core.rules.spamassassin.load import load_engine
from mxward.core.rules.spamassassin.source import CfOptions
from mxward.server.services import rules
from mxward.server.services.context import Context
from mxward.server.services.errors import NotFound
from mxward.server.services.rulegate import Watch, no_watch


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """How a folder of .cf files becomes a pack; `isolate`, `force`, `reason` as for any pack."""

    name: str = DEFAULT_NAME
    score_set: int = 0
    threshold: float = 5.0
    isolate: bool = False
    force: bool = False
    reason: str = ""


def inspect(folder: Path, options: ImportOptions) -> tuple[PackFiles, dict[str, Any]]:
    """The pack that a folder makes, and the report on it. Raises NotFound, RulePackError."""
    if not folder.is_dir():
        raise NotFound(f"{folder} is not a directory; give the one that holds the .cf files")
    if not PACK_NAME.fullmatch(options.name):
        raise RulePackError(f"must be a name that matches {PACK_NAME.pattern}", pack=options.name)
    files = pack_of_folder(folder, options.name, CfOptions(options.score_set, options.threshold))
    pack = parse_pack(files, folder)
    _, report = load_engine(pack.spamassassin, pack.spamassassin_options)
    if not report.n_used:
        raise RulePackError("defines no test that can run here", pack=options.name)
    return files, {"pack": options.name, "version": pack.version, **report.to_dict()}


def import_folder(
    context: Context, folder: Path, options: ImportOptions, watch: Watch = no_watch
) -> dict[str, Any]:  # fmt: skip
    """Take the .cf files of a folder in as a pack, after all that any pack must pass; replaces its namesake.

    Returns: what `rules.add` returns, and "report". Raises as `inspect` and `rules.add`; nothing has changed then.
    """
    files, report = inspect(folder, options)
    with tempfile.TemporaryDirectory(prefix="mxward-import-") as name:
        source = Path(name) / options.name
        for file, content in files.contents.items():
            target = source / file
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        result = rules.add(
            context, source, isolate=options.isolate, force=options.force, reason=options.reason, watch=watch
        )
    return {**result, "report": report}
