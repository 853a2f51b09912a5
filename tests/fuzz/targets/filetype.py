"""File types: one of the known names for any bytes."""

from __future__ import annotations

from mxward.pyx import filetype

KNOWN = frozenset(filetype.TYPES)
SEEDS = [
    b"PK\x03\x04" + bytes(22) + b"\x13\0\0\0[Content_Types].xmlPK\x01\x02" + bytes(60) + b"PK\x05\x06" + bytes(18),
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504) + b"W\0o\0r\0d\0D\0o\0c\0u\0m\0e\0n\0t\0" + bytes(600),
    b"MZ" + bytes(58) + b"\x40\0\0\0PE\0\0", b"%PDF-1.7\n%%EOF", b"GIF89a", b"\x89PNG\r\n\x1a\n",
    b"<!DOCTYPE html><script>",
    b"{\\rtf1", b"Rar!\x1a\x07\x01\0", b"7z\xbc\xaf\x27\x1c", b"\x1f\x8b\x08", b"#!/bin/sh\n", b"x\x9f\x3e\x22",
]  # fmt: skip
WORDS = [
    b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06", b"\xff\xff\xff\xff", b"\0\0\0\0", b"word/", b"xl/", b"vbaProject.bin",
    b"MZ",
    b"PE\0\0", b"\x7fELF", b"Root Entry", b"\xfe\xff\xff\xff", b"%PDF-", b"<html", b"ustar", b"\0" * 512,
]  # fmt: skip


def run(data: bytes) -> None:
    assert filetype.identify(data) in KNOWN
