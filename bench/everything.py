"""A data directory with everything on: the shipped packs, two public YARA sets and the SpamAssassin rules.

The rule sets are read from the shared corpus and never copied into the project; without it only what is shipped is on.
"""

from __future__ import annotations

import shutil
import tarfile
from pathlib import Path
from typing import Final

from mxtest import corpus
from mxward.core.pipeline import Pipeline, load_pipeline

SPAMASSASSIN: Final = "rules/spamassassin/debian-4.0.1"
_PACK: Final = 'name = "{name}"\nversion = "1"\ndescription = "{what}"\nauthor = "public rule set, for measuring"\n'


def make(data: Path) -> Path:
    """Fill `data`/rules with every rule set there is; returns `data`. Existing packs stay as they are."""
    rules = data / "rules"
    rules.mkdir(parents=True, exist_ok=True)
    if corpus.is_present():
        _yara_pack(rules / "reversinglabs", corpus.root() / "rules" / "yara" / "reversinglabs")
        _signature_base(rules / "signature-base")
        _spamassassin(rules / "spamassassin")
    return data


def pipeline(data: Path) -> Pipeline:
    """Everything on, compiled (from the cache when there is one) and warmed."""
    loaded = load_pipeline(make(data), ("trust.example",))
    loaded.warm()
    return loaded


def _manifest(pack: Path, what: str) -> bool:
    """Begin a pack; False when it is there already."""
    if pack.exists():
        return False
    pack.mkdir()
    (pack / "pack.toml").write_text(_PACK.format(name=pack.name, what=what))
    return True


def _yara_pack(pack: Path, source: Path) -> None:
    if source.is_dir() and _manifest(pack, "YARA rules"):
        for file in sorted((*source.rglob("*.yar"), *source.rglob("*.yara"))):
            shutil.copyfile(file, pack / f"{file.stem}.yar")


def _signature_base(pack: Path) -> None:
    archive = corpus.root() / "rules" / "yara" / "signature-base.tar.gz"
    if archive.is_file() and _manifest(pack, "YARA rules"):
        with tarfile.open(archive) as tar:
            for member in tar.getmembers():
                content = (
                    tar.extractfile(member) if member.isfile() and member.name.endswith((".yar", ".yara")) else None
                )
                if content is not None:
                    (pack / f"{Path(member.name).stem}.yar").write_bytes(content.read())


def _spamassassin(pack: Path) -> None:
    source = corpus.root() / SPAMASSASSIN
    if source.is_dir() and _manifest(pack, "SpamAssassin rules"):
        for file in sorted(source.glob("*.cf")):
            shutil.copyfile(file, pack / file.name)
