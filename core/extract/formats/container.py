"""Formats of the family "container"."""

from __future__ import annotations

from typing import Final

from mxward.core.extract.formats.format import Format

FORMATS: Final[tuple[Format, ...]] = (
    Format(
        "zip and its dialects (zip64, jar, apk, xpi, appx, epub)",
        (
            "application/zip", "application/java-archive", "application/vnd.android.package-archive",
            "application/x-xpinstall", "application/vnd.ms-appx", "application/epub+zip",
        ),
        "container.zip:open_zip",
        "own code; inflate64, pyppmd, zstandard, cryptography, libarchive (classic cipher)",
        "methods 1 to 6 (before 1993) and media codecs; PKWARE's strong encryption; pieces of split files",
    ),
)  # fmt: skip
