"""A folder of .cf files made a rule pack: what `mxward rules import-spamassassin` takes in.

The pack holds the files as they are, so that a later version of this program may understand more of them. Taking the
pack in is manage.py's.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Final

from mxward.core.errors import RulePackError
from mxward.core.rules.files import Collector, PackFiles
from mxward.core.rules.spamassassin.source import SUFFIX, CfOptions

DEFAULT_NAME: Final = "spamassassin"
_UPDATE: Final = re.compile(rb"^# UPDATE version (\d{1,12})\s*$", re.M)


def pack_of_folder(path: Path, name: str = DEFAULT_NAME, options: CfOptions | None = None) -> PackFiles:
    """The pack that the .cf files of a folder make, folders within it included; other files are left out.

    Links to files are followed, since it is the administrator who names the folder. The version is that of the update
    which the files come from, or a digest of their content.
    Raises: RulePackError when there is no such file, or a file or its name cannot be in a pack.
    """
    collector = Collector(path.name or str(path))
    try:
        for file in sorted(path.rglob(f"*{SUFFIX}")):
            if file.is_file():
                relative = file.relative_to(path).as_posix()
                with file.open("rb") as opened:
                    collector.add(relative, opened.read(collector.room(relative) + 1))
    except OSError as error:
        raise collector.refuse("", f"cannot be read: {error.strerror}") from None
    found = dict(collector.done().contents)
    if not found:
        raise RulePackError(f"holds no {SUFFIX} file", pack=path.name)
    options = options or CfOptions()
    manifest = (
        f'name = "{name}"\nversion = "{_version(found)}"\n'
        f'description = "SpamAssassin rules from {len(found)} files"\n\n'
        f"[spamassassin]\nscore_set = {options.score_set}\nthreshold = {options.threshold}\n"
    )
    return PackFiles(name, dict(sorted({**found, "pack.toml": manifest.encode()}.items())))


def _version(files: dict[str, bytes]) -> str:
    update = max((int(found[1]) for data in files.values() for found in _UPDATE.finditer(data)), default=0)
    if update:
        return f"update-{update}"
    digest = hashlib.sha256()
    for file, data in files.items():
        digest.update(f"{file}\0{len(data)}\0".encode() + data)
    return digest.hexdigest()[:12]
