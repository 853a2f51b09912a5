"""Bytes of a text part to str by its declared charset, or by what the bytes say when that is wrong.

Only names of a fixed table reach a codec: Python's registry also holds codecs that are slow on hostile input
(punycode, idna) or are no charsets at all (zlib, base64).
"""

from __future__ import annotations

import re
from typing import Final

_DIRECT: Final = frozenset((
    "utf-8", "us-ascii", "ascii", "iso-8859-1", "iso-8859-2", "iso-8859-3", "iso-8859-4", "iso-8859-5", "iso-8859-6",
    "iso-8859-7", "iso-8859-8", "iso-8859-9", "iso-8859-10", "iso-8859-11", "iso-8859-13", "iso-8859-14",
    "iso-8859-15", "iso-8859-16", "windows-1250", "windows-1251", "windows-1252", "windows-1253", "windows-1254",
    "windows-1255", "windows-1256", "windows-1257", "windows-1258", "koi8-r", "koi8-u", "shift_jis", "cp932",
    "euc-jp", "iso-2022-jp", "iso-2022-kr", "euc-kr", "cp949", "gb2312", "gbk", "gb18030", "big5", "hz", "utf-7",
    "utf-16", "utf-16le", "utf-16be", "utf-32", "utf-32le", "utf-32be", "macintosh", "cp437", "cp850",
    "cp037", "ibm037", "tis-620",
))  # fmt: skip
# what clients read under these names is a larger set than the name's own standard (WHATWG Encoding)
_WIDER: Final = {
    "us-ascii": "utf-8", "ascii": "utf-8", "iso-8859-1": "windows-1252", "latin1": "windows-1252",
    "iso8859-1": "windows-1252", "latin-1": "windows-1252", "utf8": "utf-8", "unicode-1-1-utf-7": "utf-7",
    "gb2312": "gb18030", "gbk": "gb18030", "x-gbk": "gb18030", "ks_c_5601-1987": "cp949", "euc-kr": "cp949",
    "shift_jis": "cp932", "x-sjis": "cp932", "iso-8859-9": "windows-1254", "iso-8859-11": "tis-620",
    "iso-8859-8-i": "iso-8859-8", "cp1252": "windows-1252", "cp1251": "windows-1251", "viscii": "windows-1258",
    "ibm037": "cp037", "macintosh": "mac-roman", "utf-8-sig": "utf-8", "unicode": "utf-16",
}  # fmt: skip
# charsets in which bytes of ASCII need not be ASCII
_SHIFTED: Final = ("utf-7", "unicode-1-1", "iso-2022", "hz", "utf-16", "utf-32", "cp", "ibm")
_MARKS: Final = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16le"), (b"\xfe\xff", "utf-16be"))
_FIRST_MARKS: Final = tuple(mark for mark, _ in _MARKS)
_META: Final = re.compile(rb"<meta[^>]{0,200}charset\s*=\s*[\"']?([A-Za-z0-9_.:-]{2,40})", re.I)


def codec_for(charset: str) -> str:
    """Python codec of a charset label, "" when the label is not one that mail uses."""
    name = charset.strip().lower()
    name = _WIDER.get(name, name)
    return name if name in _DIRECT or name == "mac-roman" else ""


def decode_utf8(data: bytes, charset: str, *, is_html: bool = False) -> bytes:
    """`decode_text` as UTF-8. What is valid UTF-8 already, which most mail is, stays the same object."""
    if _is_plain(data, charset) or (codec_for(charset) == "utf-8" and _is_utf8(data)):
        return data
    return decode_text(data, charset, is_html=is_html).encode("utf-8", "replace")


def _is_utf8(data: bytes) -> bool:
    """Valid, and without a mark that says otherwise?"""
    if data.startswith(_FIRST_MARKS):
        return False
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _is_plain(data: bytes, charset: str) -> bool:
    """Nothing but ASCII that means ASCII?"""
    return data.isascii() and not charset.startswith(_SHIFTED)


def decode_text(data: bytes, charset: str, *, is_html: bool = False) -> str:
    """Text of `data`. A byte order mark wins over the label, the label over an HTML meta element.

    Never raises: what does not decode becomes U+FFFD; without a usable label it is UTF-8, else windows-1252.
    """
    if _is_plain(data, charset):
        return data.decode("ascii")
    for mark, name in _MARKS:
        if data.startswith(mark):
            return data[len(mark) :].decode(name, "replace")
    codec = codec_for(charset)
    if not codec and is_html and (found := _META.search(data, 0, 4096)):
        codec = codec_for(found[1].decode("ascii"))
    if codec and codec != "utf-8":
        return data.decode(codec, "replace")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("utf-8" if codec else "windows-1252", "replace")
