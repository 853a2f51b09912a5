"""pyx/filetype: samples written here, the corpus, and libmagic's `file` as second opinion."""

from __future__ import annotations

import io
import lzma
import shutil
import struct
import subprocess
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mxtest import corpus
from mxward.pyx.filetype import TYPES, identify


def make_zip(*names: str, content: bytes = b"x") -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in names:
            archive.writestr(name, content)
    return buffer.getvalue()


SAMPLES = {
    "application/x-dosexec": b"MZ" + bytes(62),
    "application/x-executable": b"\x7fELF\x02\x01\x01",
    "application/x-ms-shortcut": b"L\0\0\0\x01\x14\x02\0\0\0\0\0\xc0\0\0\0\0\0\0F",
    "application/pdf": b"junk before %PDF-1.7\n",
    "application/rtf": b"{\\rt blah",
    "application/vnd.symbian.install": bytes(8) + b"\x19\x04\0\x10" + bytes(80),
    "application/x-macbinary": b"\0\4name" + bytes(116) + b"\x81\x81" + bytes(200),
    "application/mbox": b"From a@b.example Thu Jul 31 13:49:50 2008\nFrom: a@b.example\nMIME-Version: 1.0\n\nbody",
    "application/x-disk-image": bytes(446)
    + b"\x80\1\1\0\x0c\1\1\1\x3f\0\0\0\1\1\0\0"
    + bytes(48)
    + b"\x55\xaa"
    + bytes(512),
    "application/x-lzma": lzma.compress(b"x" * 99, lzma.FORMAT_ALONE, preset=0),
    "application/zip": make_zip("readme.txt"),
    "application/java-archive": make_zip("META-INF/MANIFEST.MF", "A.class"),
    "application/vnd.android.package-archive": make_zip("AndroidManifest.xml"),
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": make_zip(
        "[Content_Types].xml", "word/document.xml"
    ),
    "application/vnd.ms-word.document.macroenabled.12": make_zip("[Content_Types].xml", "word/vbaProject.bin"),
    "application/vnd.ms-excel.sheet.macroenabled.12": make_zip("xl/workbook.xml", "xl/vbaProject.bin"),
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": make_zip("ppt/presentation.xml"),
    "application/x-7z-compressed": b"7z\xbc\xaf\x27\x1c\0\x04",
    "application/vnd.rar": b"Rar!\x1a\x07\x01\0",
    "application/gzip": b"\x1f\x8b\x08\0",
    "application/x-iso9660-image": bytes(0x8001) + b"CD001\x01",
    "application/x-vhd": bytes(4096) + b"conectix" + bytes(504),
    "application/onenote": b"\xe4\x52\x5c\x7b\x8c\xd8\xa7\x4d\xae\xb1\x53\x78\xd0\x29\x96\xd3",
    "application/dicom": bytes(128) + b"DICM",
    "application/vnd.sqlite3": b"SQLite format 3\0",
    "application/vnd.ms-tnef": b"\x78\x9f\x3e\x22\x01\0",
    "application/java-vm": b"\xca\xfe\xba\xbe\0\0\0\x34",
    "application/x-mach-binary": b"\xca\xfe\xba\xbe\0\0\0\x02",
    "text/html": b"\xef\xbb\xbf  <!DOCTYPE HTML><title>x",
    "image/svg+xml": b"<?xml version='1.0'?><!-- c --><svg xmlns='x'>",
    "application/hta": b"<html><head><HTA:APPLICATION id=x>",
    "text/x-wsf": b"<job id='a'><script language='VBScript'>",
    "text/x-shellscript": b"#!/bin/sh\n",
    "text/x-script.python": b"#!/usr/bin/env python3\n",
    "text/x-msdos-batch": b"@ECHO OFF\r\n",
    "application/x-mswinurl": b"[InternetShortcut]\r\nURL=http://x/",
    "text/calendar": b"BEGIN:VCALENDAR\r\n",
    "text/vcard": b"BEGIN:VCARD\r\n",
    "message/rfc822": b"Received: from a by b\r\nFrom: a\r\nTo: b\r\n\r\nx",
    "image/png": b"\x89PNG\r\n\x1a\n",
    "image/jpeg": b"\xff\xd8\xff\xe0",
    "image/gif": b"GIF89a..",
    "image/webp": b"RIFF\0\0\0\0WEBPVP8 ",
    "audio/vnd.wave": b"RIFF\0\0\0\0WAVEfmt ",
    "video/mp4": b"\0\0\0\x18ftypisom\0\0\0\0",
    "audio/mpeg": b"ID3\x03\0",
    "application/hl7-v2": b"MSH|^~\\&|LAB|",
}


@pytest.mark.parametrize("wanted", SAMPLES)
def test_sample_is_recognised(wanted: str) -> None:
    assert identify(SAMPLES[wanted]) == wanted
    assert wanted in TYPES


def test_a_file_encoded_further_down_in_a_text_is_seen() -> None:
    assert identify(b"some text\r\n\r\nbegin 644 a.exe\r\n#86)C\r\n`\r\nend\r\n") == "text/x-uuencode"
    assert identify(b"some text\n=ybegin line=128 size=3 name=a\nabc\n=yend size=3\n") == "text/x-yenc"
    assert identify(b"we\nbegin 6 or\nbegin at 9\n") == ""


def test_a_zip_behind_something_else_is_known_by_its_end() -> None:
    assert identify(b"\x99 something else first" + make_zip("readme.txt")) == "application/zip"


@pytest.mark.parametrize(
    "text", [b"", b"a", b"Dear all,\r\n\r\nthe meeting is at 3.\r\n", b"MZ is a book\r\n", b"BM", b"From me"]
)
def test_plain_text_is_nothing(text: bytes) -> None:
    assert identify(text) == ""


def test_utf16_markup_is_seen() -> None:
    assert identify("\ufeff<html><body>".encode("utf-16-le")) == "text/html"
    assert identify("\ufeff<html><body>".encode("utf-16-be")) == "text/html"


def test_any_buffer_is_taken() -> None:
    assert identify(memoryview(b"%PDF-1.4")) == identify(bytearray(b"%PDF-1.4")) == "application/pdf"


def compound_file(*streams: str) -> bytes:
    """A minimal compound file: header, one FAT sector, one directory sector."""
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<HHHHH", 62, 3, 0xFFFE, 9, 6)
    header += bytes(6) + struct.pack("<IIIIIIIII", 0, 1, 1, 0, 4096, 0xFFFFFFFE, 0, 0xFFFFFFFE, 0)
    header += struct.pack("<I", 0) + b"\xff" * 432
    fat = struct.pack("<II", 0xFFFFFFFD, 0xFFFFFFFE) + b"\xff" * 504
    directory = b"".join(
        name.encode("utf-16-le").ljust(64, b"\0") + struct.pack("<HB", 2 * (len(name) + 1), 2) + bytes(61)
        for name in streams
    )
    return header[:512] + fat + directory.ljust(512, b"\0")


@pytest.mark.parametrize(
    ("stream", "wanted"),
    [
        ("WordDocument", "application/msword"), ("Workbook", "application/vnd.ms-excel"),
        ("PowerPoint Document", "application/vnd.ms-powerpoint"), ("EncryptedPackage", "application/encrypted"),
        ("Something", "application/x-ole-storage"),
    ],
)  # fmt: skip
def test_compound_files_are_told_apart(stream: str, wanted: str) -> None:
    assert identify(compound_file("Root Entry", stream)) == wanted


def test_compound_file_with_a_cyclic_directory_ends() -> None:
    data = bytearray(compound_file("Root Entry"))
    data[516:520] = struct.pack("<I", 1)  # the directory sector follows itself
    assert identify(bytes(data)) == "application/x-ole-storage"


@given(st.binary(max_size=2000))
def test_never_fails_on_any_bytes(data: bytes) -> None:
    assert identify(data) in TYPES


@given(st.sampled_from(sorted(SAMPLES)), st.integers(0, 1200), st.binary(max_size=8))
def test_never_fails_on_damaged_samples(name: str, at: int, junk: bytes) -> None:
    sample = SAMPLES[name]
    assert identify(sample[:at] + junk + sample[at + len(junk) :]) in TYPES
    assert identify(sample[:at]) in TYPES


# what libmagic calls a type, where it has another name for the same thing or knows less
SAME = {
    "application/x-rar": "application/vnd.rar", "text/rtf": "application/rtf", "video/x-matroska": "video/matroska",
    "application/x-lzip": "application/lzip", "audio/x-hx-aac-adts": "audio/aac", "font/woff2": "font/woff",
    "application/x-shockwave-flash": "application/vnd.adobe.flash.movie", "video/x-msvideo": "video/vnd.avi",
    "audio/x-aiff": "audio/aiff", "font/ttf": "font/sfnt", "application/x-java-applet": "application/java-vm",
    "image/x-jp2-codestream": "image/jp2", "image/jpm": "image/jp2", "image/jpx": "image/jp2", "video/mj2": "image/jp2",
    "video/x-m4v": "video/mp4", "video/3gpp2": "video/mp4", "audio/mp4": "audio/x-m4a", "audio/ogg": "application/ogg",
    "video/ogg": "application/ogg",
}  # fmt: skip
FAMILIES = ("application/vnd.oasis.opendocument", "application/vnd.openxmlformats")
OURS_KNOWS_MORE = ("application/octet-stream", "application/zip", "application/zlib", "text/plain", "application/json")


@pytest.mark.corpus
def test_agrees_with_libmagic_on_the_corpus() -> None:
    tool = shutil.which("file")
    if tool is None:
        pytest.skip("libmagic's `file` is not installed")
    files = sorted((corpus.root() / "attachments" / "file-types").iterdir())
    answer = subprocess.run([tool, "-b", "--mime-type", *map(str, files)], capture_output=True, text=True, check=True)
    wrong = []
    for file, magic in zip(files, answer.stdout.splitlines(), strict=True):
        ours = identify(file.read_bytes())
        family = any(ours.startswith(f) and magic.startswith(f) for f in FAMILIES)
        if ours and ours != SAME.get(magic, magic) and magic not in OURS_KNOWS_MORE and not family:
            wrong.append((file.name, ours, magic))
    # a password-protected document is "encrypted" for us, whatever program made it
    assert wrong == [("fixture-password-protected.xls", "application/encrypted", "application/vnd.ms-excel")]


@pytest.mark.corpus
@pytest.mark.parametrize(
    ("folder", "endings"),
    [("clamav", {".exe": "application/x-dosexec", ".7z": "application/x-7z-compressed", ".arj": "application/x-arj",
                 ".cab": "application/vnd.ms-cab-compressed", ".chm": "application/vnd.ms-htmlhelp",
                 ".zip": "application/zip", ".tnef": "application/vnd.ms-tnef", ".rtf": "application/rtf"}),
     ("eicar", {".docm": "application/vnd.ms-word.document.macroenabled.12", ".pdf": "application/pdf",
                ".xlsm": "application/vnd.ms-excel.sheet.macroenabled.12", ".doc": "application/msword",
                ".xls": "application/vnd.ms-excel", ".ppt": "application/vnd.ms-powerpoint"})],
)  # fmt: skip
def test_corpus_samples_are_what_their_names_say(folder: str, endings: dict[str, str]) -> None:
    files = [f for f in (corpus.root() / "attachments" / folder).iterdir() if f.suffix in endings]
    assert len(files) > 5
    assert [f.name for f in files if identify(Path(f).read_bytes()) != endings[f.suffix]] == []
