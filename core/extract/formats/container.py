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
    Format("tar: old, ustar, GNU, pax, sparse", ("application/x-tar",), "container.tar:open_tar", "tarfile"),
    Format("gzip", ("application/gzip",), "container.streams:open_gzip", "zlib"),
    Format("bzip2", ("application/x-bzip2",), "container.streams:open_bzip2", "bz2"),
    Format("xz", ("application/x-xz",), "container.streams:open_xz", "lzma", "at most 128 MB of memory"),
    Format("lzma", ("application/x-lzma",), "container.streams:open_lzma", "lzma", "at most 128 MB of memory"),
    Format("lzip", ("application/lzip",), "container.streams:open_lzip", "lzma"),
    Format("zstd", ("application/zstd",), "container.streams:open_zstd", "zstandard", "windows of at most 64 MB"),
    Format("lz4", ("application/x-lz4",), "container.streams:open_lz4", "libarchive"),
    Format("compress (.Z)", ("application/x-compress",), "container.streams:open_compress", "libarchive"),
    Format("szdd (compress.exe)", ("application/x-ms-compress-szdd",), "container.streams:open_szdd",
           limits="KWAJ is recognised only"),
)  # fmt: skip
