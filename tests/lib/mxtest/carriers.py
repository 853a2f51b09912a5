"""Files that carry another file: one builder a format, by libraries that are not ours or by hand from its text.

Each takes the content and its name and gives the carrier. `CARRIERS` can be put one inside the other; `DOCUMENTS` carry
a file as an embedded one; `LOCKED` take a password.
"""

from __future__ import annotations

import base64
import binascii
import bz2
import gzip
import hashlib
import hmac
import io
import lzma
import os
import random
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable

import libarchive
import pikepdf
import py7zr
import zstandard
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from mxtest import officekit

Build = Callable[[bytes, str], bytes]
Lock = Callable[[bytes, str, str], bytes]


# -- zip and its dialects


def _zip(method: int) -> Build:
    def build(content: bytes, name: str) -> bytes:
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", method) as package:
            package.writestr(name, content)
        return out.getvalue()

    return build


def zip_streamed(content: bytes, name: str) -> bytes:
    """Sizes in a data descriptor after the content."""

    class Pipe(io.RawIOBase):
        def __init__(self) -> None:
            self.data = bytearray()

        def writable(self) -> bool:
            return True

        def write(self, data: bytes) -> int:  # type: ignore[override] # bytes are all that zipfile writes
            self.data += data
            return len(data)

    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as package, package.open(name, "w") as member:
        member.write(content)
    return bytes(pipe.data)


def zip_64(content: bytes, name: str) -> bytes:
    """Zip64 fields though nothing is that large."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as package,
        package.open(name, "w", force_zip64=True) as member,
    ):
        member.write(content)
    return out.getvalue()


def zip_behind(content: bytes, name: str) -> bytes:
    """Something else stands before the archive, whose offsets are not adjusted."""
    return b"GIF89a" + bytes(200) + _zip(zipfile.ZIP_DEFLATED)(content, name)


def zip_local_only(content: bytes, name: str) -> bytes:
    """No central directory: a reader of streams sees the file, others see nothing."""
    data = _zip(zipfile.ZIP_DEFLATED)(content, name)
    return data[: data.index(b"PK\x01\x02")]


def zip_two_readings(content: bytes, name: str) -> bytes:
    """The central directory speaks of another file than the local headers before it."""
    honest = _zip(zipfile.ZIP_STORED)(b"honest", "honest.txt")
    hidden = zip_local_only(content, name)
    at = honest.index(b"PK\x01\x02")
    directory, end = honest[at : honest.index(b"PK\x05\x06")], bytearray(honest[honest.index(b"PK\x05\x06") :])
    directory = directory[:42] + struct.pack("<I", len(hidden)) + directory[46:]
    struct.pack_into("<I", end, 16, len(hidden) + at)
    return hidden + honest[:at] + directory + bytes(end)


# -- tar, streams, what libarchive writes


def _tar(kind: int) -> Build:
    def build(content: bytes, name: str) -> bytes:
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w", format=kind) as archive:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
        return out.getvalue()

    return build


def _libarchive(form: str, filter_name: str | None = None) -> Build:
    def build(content: bytes, name: str) -> bytes:
        out = bytearray()
        with libarchive.custom_writer(lambda data: out.extend(data) or len(data), form, filter_name) as archive:
            archive.add_file_from_memory(name, len(content), content)
        return bytes(out)

    return build


def gz(content: bytes, name: str) -> bytes:
    out = io.BytesIO()
    with gzip.GzipFile(name, "wb", fileobj=out) as stream:
        stream.write(content)
    return out.getvalue()


def gz_two_members(content: bytes, name: str) -> bytes:
    return gz(content[: len(content) // 2], name) + gz(content[len(content) // 2 :], name)


def seven_zip(content: bytes, name: str) -> bytes:
    out = io.BytesIO()
    with py7zr.SevenZipFile(out, "w") as archive:
        archive.writestr(content, name)
    return out.getvalue()


def deb_like(content: bytes, name: str) -> bytes:
    """An ar archive, as of a Debian package."""
    head = f"{name[:15] + '/':<16}{0:<12}{0:<6}{0:<6}{'100644':<8}{len(content):<10}`\n".encode()
    return b"!<arch>\n" + head + content + b"\n" * (len(content) % 2)


# -- mail in files


def eml(content: bytes, name: str) -> bytes:
    body = base64.encodebytes(content).replace(b"\n", b"\r\n")
    return (
        b"From: a@partner.example\r\nTo: b@trust.example\r\nSubject: inner\r\nMIME-Version: 1.0\r\n"
        b"Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n"
        b'Content-Disposition: attachment; filename="' + name.encode() + b'"\r\n\r\n' + body
    )


def mbox(content: bytes, name: str) -> bytes:
    mail = eml(content, name).replace(b"\r\n", b"\n")
    return b"From a@partner.example Mon Nov 23 10:00:00 2026\n" + mail + b"\n"


def tnef(content: bytes, name: str) -> bytes:
    """MS-OXTNEF: signature, key, one attachment with title and data."""

    def attribute(level: int, number: int, data: bytes) -> bytes:
        return struct.pack("<BII", level, number, len(data)) + data + struct.pack("<H", sum(data) & 0xFFFF)

    return (
        struct.pack("<IH", 0x223E9F78, 1)
        + attribute(1, 0x00089006, struct.pack("<I", 0x00010000))
        + attribute(2, 0x00069002, struct.pack("<HIHHHH", 1, 0xFFFFFFFF, 32, 32, 0, 0))
        + attribute(2, 0x00018010, name.encode() + b"\0")
        + attribute(2, 0x0006800F, content)
    )


def uu(content: bytes, name: str) -> bytes:
    lines = [binascii.b2a_uu(content[i : i + 45]) for i in range(0, len(content), 45)]
    return b"some text before\n\nbegin 644 " + name.encode() + b"\n" + b"".join(lines) + b"`\nend\n"


# -- documents


def docx(content: bytes, name: str) -> bytes:
    return officekit.docx(embedded=content)


def odt(content: bytes, name: str) -> bytes:
    parts = zipfile.ZipFile(io.BytesIO(officekit.odt()))
    whole: dict[str, str | bytes] = {entry: parts.read(entry) for entry in parts.namelist()}
    return officekit.zipped({**whole, "Object 1": content}, stored="mimetype")


def pdf(content: bytes, name: str) -> bytes:
    document = pikepdf.new()
    document.add_blank_page(page_size=(100, 100))
    document.attachments[name] = pikepdf.AttachedFileSpec(document, content, filename=name)
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def rtf(content: bytes, name: str) -> bytes:
    """An OLE 1.0 package in \\objdata ([MS-OLEDS] 2.2.5)."""
    label = name.encode() + b"\0"
    native = struct.pack("<H", 2) + label + label + struct.pack("<HHI", 0, 3, len(label)) + label
    native += struct.pack("<I", len(content)) + content
    words = b"Package\0"
    data = struct.pack("<II", 0x501, 2) + struct.pack("<I", len(words)) + words + struct.pack("<II", 0, 0)
    data += struct.pack("<I", len(native)) + native
    return b"{\\rtf1\\ansi text {\\object\\objemb{\\*\\objdata " + data.hex().encode() + b"}}}"


def html_data(content: bytes, name: str) -> bytes:
    encoded = base64.b64encode(content).decode()
    return (
        f'<html><body><a download="{name}" href="data:application/octet-stream;base64,{encoded}">open</a></body></html>'
    ).encode()


def html_script(content: bytes, name: str) -> bytes:
    """HTML smuggling: a script puts the file together in the browser."""
    encoded = base64.b64encode(content).decode()
    return (
        f"<html><body><script>var d = atob('{encoded}'); var b = new Blob([d]); var a = document.createElement('a');"
        f"a.href = URL.createObjectURL(b); a.download = '{name}'; a.click();</script></body></html>"
    ).encode()


def svg_data(content: bytes, name: str) -> bytes:
    encoded = base64.b64encode(content).decode()
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"><a '
        f'xlink:href="data:application/octet-stream;base64,{encoded}"><text>open</text></a></svg>'
    ).encode()


def ics(content: bytes, name: str) -> bytes:
    encoded = base64.b64encode(content).decode()
    line = f"ATTACH;FMTTYPE=application/octet-stream;ENCODING=BASE64;VALUE=BINARY;X-FILENAME={name}:{encoded}"
    folded = "\r\n ".join(line[i : i + 70] for i in range(0, len(line), 70))
    return (
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//y\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTAMP:20261123T100000Z\r\n"
        f"DTSTART:20261124T100000Z\r\n{folded}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    ).encode()


def one(content: bytes, name: str) -> bytes:
    """A OneNote section with one FileDataStoreObject ([MS-ONESTORE] 2.6.13)."""
    head = bytes.fromhex("e4525c7b8cd8a74daeb15378d02996d3") + bytes(1008)
    guid, foot = (
        bytes.fromhex("e716e3bd65261145a4c48d4d0b7a9eac"),
        bytes.fromhex("22a7fb7179 0f 0b 4a bb13899256426b24".replace(" ", "")),
    )
    return head + guid + struct.pack("<QIQ", len(content), 0, 0) + content + bytes(-len(content) % 8) + foot


# -- locked


def zip_crypto(content: bytes, name: str, password: str) -> bytes:
    """The traditional encryption (APPNOTE 6.1), stored."""
    crc = zlib.crc32(content)
    keys = [0x12345678, 0x23456789, 0x34567890]

    def step(byte: int) -> None:
        keys[0] = (zlib.crc32(bytes([byte]), keys[0] ^ 0xFFFFFFFF) ^ 0xFFFFFFFF) & 0xFFFFFFFF
        keys[1] = ((keys[1] + (keys[0] & 0xFF)) * 134775813 + 1) & 0xFFFFFFFF
        keys[2] = (zlib.crc32(bytes([keys[1] >> 24]), keys[2] ^ 0xFFFFFFFF) ^ 0xFFFFFFFF) & 0xFFFFFFFF

    for byte in password.encode():
        step(byte)
    out = bytearray()
    for byte in bytes(random.Random(1).randbytes(11)) + bytes([crc >> 24]) + content:
        word = keys[2] | 2
        out.append(byte ^ ((word * (word ^ 1) >> 8) & 0xFF))
        step(byte)
    return _one_entry(name, bytes(out), len(content), crc, 0, b"")


def zip_aes(content: bytes, name: str, password: str) -> bytes:
    """WinZip AE-2, AES-256."""
    salt = bytes(range(16))
    keys = hashlib.pbkdf2_hmac("sha1", password.encode(), salt, 1000, 66)
    packed = b""
    for number, start in enumerate(range(0, len(content), 16), 1):  # its counter is little-endian
        stream = Cipher(algorithms.AES(keys[:32]), modes.ECB()).encryptor().update(number.to_bytes(16, "little"))
        packed += bytes(a ^ b for a, b in zip(content[start : start + 16], stream, strict=False))
    seal = hmac.new(keys[32:64], packed, "sha1").digest()[:10]
    extra = struct.pack("<HHH2sBH", 0x9901, 7, 2, b"AE", 3, 0)
    return _one_entry(name, salt + keys[64:] + packed + seal, len(content), 0, 99, extra)


def _one_entry(name: str, packed: bytes, size: int, crc: int, method: int, extra: bytes) -> bytes:
    rest = struct.pack("<HHHHHIIIHH", 20, 1, method, 0, 33, crc, len(packed), size, len(name), len(extra))
    local = b"PK\x03\x04" + rest + name.encode() + extra + packed
    central = (
        b"PK\x01\x02" + struct.pack("<H", 20) + rest + struct.pack("<HHHII", 0, 0, 0, 0, 0) + name.encode() + extra
    )
    return local + central + b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, 1, 1, len(central), len(local), 0)


def seven_zip_locked(content: bytes, name: str, password: str) -> bytes:
    return _seven_zip(content, name, password, is_header_locked=False)


def seven_zip_header_locked(content: bytes, name: str, password: str) -> bytes:
    return _seven_zip(content, name, password, is_header_locked=True)


def _seven_zip(content: bytes, name: str, password: str, *, is_header_locked: bool) -> bytes:
    out = io.BytesIO()
    with py7zr.SevenZipFile(out, "w", password=password, header_encryption=is_header_locked) as archive:
        archive.writestr(content, name)
    return out.getvalue()


def pdf_locked(content: bytes, name: str, password: str) -> bytes:
    with pikepdf.open(io.BytesIO(pdf(content, name))) as document:
        out = io.BytesIO()
        document.save(out, encryption=pikepdf.Encryption(owner="owner-" + password, user=password))
    return out.getvalue()


CARRIERS: dict[str, Build] = {
    "zip.stored": _zip(zipfile.ZIP_STORED), "zip.deflated": _zip(zipfile.ZIP_DEFLATED),
    "zip.bzip2": _zip(zipfile.ZIP_BZIP2), "zip.lzma": _zip(zipfile.ZIP_LZMA), "zip.streamed": zip_streamed,
    "zip.64": zip_64, "zip.behind": zip_behind, "zip.local-only": zip_local_only,
    "zip.two-readings": zip_two_readings, "tar.ustar": _tar(tarfile.USTAR_FORMAT), "tar.gnu": _tar(tarfile.GNU_FORMAT),
    "tar.pax": _tar(tarfile.PAX_FORMAT), "gz": gz, "gz.two-members": gz_two_members,
    "bz2": lambda content, name: bz2.compress(content), "xz": lambda content, name: lzma.compress(content),
    "lzma": lambda content, name: lzma.compress(content, lzma.FORMAT_ALONE),
    "zst": lambda content, name: zstandard.compress(content), "7z": seven_zip, "ar": deb_like,
    "cpio.newc": _libarchive("cpio_newc"), "cpio.odc": _libarchive("cpio"), "iso": _libarchive("iso9660"),
    "xar": _libarchive("xar"), "tar.lz4": _libarchive("ustar", "lz4"), "tar.lzip": _libarchive("ustar", "lzip"),
    "tar.Z": _libarchive("ustar", "compress"), "eml": eml, "mbox": mbox, "tnef": tnef, "uu": uu,
}  # fmt: skip
DOCUMENTS: dict[str, Build] = {
    "docx": docx, "odt": odt, "pdf": pdf, "rtf": rtf, "html.data": html_data, "html.script": html_script,
    "svg": svg_data, "ics": ics, "one": one,
}  # fmt: skip
LOCKED: dict[str, Lock] = {
    "zip.crypto": zip_crypto, "zip.aes": zip_aes, "7z.locked": seven_zip_locked,
    "7z.header-locked": seven_zip_header_locked, "pdf.locked": pdf_locked,
}  # fmt: skip
ENDINGS: dict[str, str] = {
    "zip": "zip", "tar": "tar", "gz": "gz", "cpio": "cpio", "html": "html", "one": "one", "uu": "txt", "tnef": "dat",
}  # fmt: skip


def file_name(kind: str) -> str:
    """What a file of that kind is called."""
    stem = kind.partition(".")[0]
    return f"file.{ENDINGS.get(stem, stem)}"


def noise(size: int, seed: int = 7) -> bytes:
    """Bytes that no compressor makes smaller."""
    return random.Random(seed).randbytes(size) if size else os.urandom(0)
