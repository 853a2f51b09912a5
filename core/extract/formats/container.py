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
    Format("rar 4 and 5", ("application/vnd.rar",), "container.rar:open_rar", "own code (headers), libarchive",
           "encrypted ones; pieces of several"),
    Format("7z", ("application/x-7z-compressed",), "container.sevenzip:open_7z", "libarchive; py7zr (encrypted)",
           "2 s of processor time for passwords"),
    Format("cab", ("application/vnd.ms-cab-compressed",), "container.packed:open_cab", "libarchive",
           "Quantum; pieces of several"),
    Format("lha, lzh", ("application/x-lzh-compressed",), "container.packed:open_lha", "libarchive"),
    Format("cpio", ("application/x-cpio",), "container.packed:open_cpio", "libarchive"),
    Format("ar, deb", ("application/x-archive", "application/vnd.debian.binary-package"),
           "container.packed:open_ar", "libarchive"),
    Format("rpm", ("application/x-rpm",), "container.packed:open_rpm", "libarchive"),
    Format("xar", ("application/x-xar",), "container.packed:open_xar", "libarchive"),
    Format("ISO 9660, Joliet, Rock Ridge, UDF beside", ("application/x-iso9660-image",), "container.iso:open_iso",
           "libarchive; own code (UDF)"),
    Format("messages kept as files", ("message/rfc822",), "container.mail:open_message"),
    Format("mailboxes", ("application/mbox",), "container.mail:open_mailbox"),
    Format("uuencode, yEnc", ("text/x-uuencode", "text/x-yenc"),
           "container.mail:open_encoded"),
    Format("TNEF (winmail.dat)", ("application/vnd.ms-tnef",), "container.tnef:open_tnef"),
    Format("Outlook messages", ("application/vnd.ms-outlook",), "container.ole:open_msg", "own code, olefile"),
    Format("Windows installers", ("application/x-msi",), "container.ole:open_msi", "own code, olefile"),
    Format("AppleDouble, AppleSingle", ("multipart/appledouble",), "container.mac:open_apple"),
    Format("MacBinary", ("application/x-macbinary",), "container.mac:open_macbinary"),
    Format("BinHex", ("application/mac-binhex40",), "container.mac:open_binhex"),
    Format("UDF", ("application/x-udf-image",), "container.disk:open_udf"),
    Format("raw disk images: MBR, GPT; FAT12 to FAT32, exFAT, NTFS", ("application/x-disk-image",),
           "container.disk:open_disk", limits="other file systems; what NTFS compressed or encrypted"),
    Format("VHD, fixed and dynamic", ("application/x-vhd",), "container.disk:open_vhd", limits="differencing ones"),
    Format("containers that no free library reads",
           ("application/vnd.symbian.install", "application/x-arj", "application/x-ace-compressed",
            "application/x-zoo", "application/x-installshield", "application/x-qemu-disk",
            "application/vnd.ms-outlook-pst"), "", ""),
)  # fmt: skip
