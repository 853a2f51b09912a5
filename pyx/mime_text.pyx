"""Text of header fields and bodies: charsets, RFC 2047 encoded words, RFC 2231 parameters, file names.

Not here: structure and transfer encodings of bodies (mime.pyx). Everything is lenient and linear in its input.
"""

import codecs
import re

from libc.stdint cimport uint8_t
from libc.stdlib cimport free, malloc

cdef extern from "mime_param.h" nogil:
    ctypedef struct Param:
        size_t name
        size_t name_end
        size_t value
        size_t value_end
        int section
        int extended
        int quoted
        int odd

    ctypedef struct Word:
        uint8_t bytes[1024]
        size_t n

    ctypedef struct Candidates:
        Word* list
        int n

    int MAX_CANDIDATES
    int MIME_MAX_PARAMETERS
    int param_next(const uint8_t* s, size_t* at, size_t end, Param* out)
    void word_param(Word* w, const uint8_t* s, const Param* a)
    size_t skip_charset(const uint8_t* s, size_t p, size_t end)
    void loose_candidates(Candidates* c, const uint8_t* s, size_t p, size_t end, const char* name)

cdef extern from "base64.h" nogil:
    size_t base64_bound(size_t n)
    size_t base64_decode(const uint8_t* s, size_t n, int mode, uint8_t* out)

# Labels seen in mail that Python does not know, or knows under a narrower table than clients use.
ALIASES = {
    "us-ascii": "cp1252", "ascii": "cp1252", "iso-8859-1": "cp1252", "latin1": "cp1252", "iso8859-1": "cp1252",
    "iso-8859-9": "cp1254", "iso-8859-11": "cp874", "tis-620": "cp874", "windows-874": "cp874",
    "gb2312": "gb18030", "gbk": "gb18030", "x-gbk": "gb18030", "chinese": "gb18030", "gb_2312-80": "gb18030",
    "cn-gb": "gb18030", "big5": "big5hkscs", "x-x-big5": "big5hkscs", "cn-big5": "big5hkscs",
    "ks_c_5601-1987": "cp949", "ks_c_5601-1989": "cp949", "ksc5601": "cp949", "euc-kr": "cp949",
    "windows-949": "cp949",
    "shift_jis": "cp932", "shift-jis": "cp932", "x-sjis": "cp932", "windows-31j": "cp932", "ms_kanji": "cp932",
    "x-euc-jp": "euc_jp", "iso-2022-jp": "iso2022_jp_ext", "iso-8859-8-i": "iso8859_8", "iso-8859-8-e": "iso8859_8",
    "unicode-1-1-utf-7": "utf_7", "x-unicode-2-0-utf-7": "utf_7", "utf-7": "utf_7", "unicode-1-1-utf-8": "utf_8",
    "utf8": "utf_8", "x-utf8": "utf_8", "utf-8-mac": "utf_8", "unicode": "utf_16",
    "utf-16": "utf_16", "ucs-2": "utf_16",
    "x-mac-roman": "mac_roman", "macintosh": "mac_roman", "x-mac-cyrillic": "mac_cyrillic", "x-cp1250": "cp1250",
    "x-cp1251": "cp1251", "x-cp1252": "cp1252", "ansi_x3.4-1968": "cp1252", "ansi_x3.110-1983": "cp1252",
    "x-ansi": "cp1252", "default": "cp1252", "dos-862": "cp862", "hz-gb-2312": "hz", "x-user-defined": "latin_1",
}  # fmt: skip
# Not charsets of text: transformations, or slower than linear.
UNFIT = frozenset({"idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined", "mbcs", "oem"})
_known: dict[str, str] = {}
_PLAIN_NAME = re.compile(r"[^(\\]*").fullmatch  # no comment, no escape


def codec_name(charset: str) -> str:
    """Python codec for a MIME charset label (aliases applied), "" when unknown or unfit for text."""
    label = charset.strip().strip("\"'").lower()
    found = _known.get(label)
    if found is not None:
        return found
    name = ALIASES.get(label, label)
    try:
        info = codecs.lookup(name)
        found = "" if not info._is_text_encoding or info.name.replace("-", "_") in UNFIT else info.name
    except (LookupError, ValueError, TypeError, UnicodeError):
        found = ""
    if len(_known) < 500 and len(label) < 64:  # hostile labels must not fill memory
        _known[label] = found
    return found


cdef str _guess(bytes data):
    """UTF-8 when valid, else Windows-1252 with its holes as Latin-1: what clients show for undeclared bytes."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def decode_text(data, charset: str = "") -> str:
    """Bytes of a text part as text. Unknown charset or none: UTF-8 when valid, else Latin-1. Never raises."""
    cdef bytes raw = data if isinstance(data, bytes) else bytes(data)
    if raw.isascii() and (not charset or charset.lower() in ("us-ascii", "utf-8", "iso-8859-1", "windows-1252")):
        return raw.decode("ascii")
    codec = codec_name(charset) if charset else ""
    if not codec:
        return _guess(raw)
    if codec == "utf-16" and raw[:2] not in (b"\xff\xfe", b"\xfe\xff"):
        # RFC 2781 4.3: no mark means big-endian, but mail of Windows is little-endian; zeros tell
        codec = "utf-16-be" if raw[0:200:2].count(0) > raw[1:200:2].count(0) else "utf-16-le"
    if charset.lower() in ("us-ascii", "ascii"):
        return _guess(raw)
    try:
        return raw.decode(codec, "replace")
    except (UnicodeError, LookupError, ValueError):
        return _guess(raw)


cdef bytes _q_text(bytes text):
    """RFC 2047 4.2."""
    if b"_" in text:
        text = text.replace(b"_", b" ")
    if b"=" not in text:
        return text
    cdef list pieces = text.split(b"=")
    cdef list out = [pieces[0]]
    for piece in pieces[1:]:
        try:
            out.append(bytes.fromhex(piece[:2].decode("ascii")) if len(piece) >= 2 else b"=" + piece[:2])
        except ValueError:
            out.append(b"=" + piece[:2])
        out.append(piece[2:])
    return b"".join(out)


cdef bytes _b_text(bytes text):
    cdef size_t n = len(text)
    cdef uint8_t* out = <uint8_t*>malloc(base64_bound(n))
    if out == NULL:
        raise MemoryError
    try:
        n = base64_decode(<const uint8_t*><const char*>text, n, 0, out)
        return (<char*>out)[:n]
    finally:
        free(out)


cdef tuple _word_at(bytes value, Py_ssize_t at):
    """The encoded word at "=?": (charset, content bytes, position behind it), or None."""
    cdef Py_ssize_t mark = value.find(b"?", at + 2, at + 80), end
    if mark < 0 or value[mark + 2:mark + 3] != b"?":
        return None
    kind = value[mark + 1:mark + 2].lower()
    if kind not in (b"q", b"b"):
        return None
    end = value.find(b"?=", mark + 3)
    if end < 0:
        return None
    charset = value[at + 2:mark].decode("latin-1").partition("*")[0]  # RFC 2231 5: charset*language
    text = value[mark + 3:end]
    return charset, _q_text(text) if kind == b"q" else _b_text(text), end + 2


def decode_words(value) -> str:
    """RFC 2047 encoded words to text; raw 8-bit is read as UTF-8, else Latin-1. Never raises."""
    cdef bytes raw = value
    cdef Py_ssize_t at = 0, start, n = len(raw), last = raw.rfind(b"?=")
    if last < 0 or b"=?" not in raw:
        return _guess(raw)
    cdef list out = []
    cdef list run = []  # contents of adjacent words of one charset: characters may be cut between words
    charset = ""
    while at < n:
        start = raw.find(b"=?", at) if at < last else -1
        if start < 0:
            break
        word = _word_at(raw, start)
        between = raw[at:start]
        if word is None:
            if run:
                out.append(decode_text(b"".join(run), charset))
                run = []
            out.append(_guess(raw[at:start + 2]))
            at = start + 2
            continue
        if run and (between.strip() or word[0].lower() != charset.lower()):
            out.append(decode_text(b"".join(run), charset))
            if between.strip():  # white space between words is not part of the text (RFC 2047 6.2)
                out.append(_guess(between))
            run = []
        elif not run and not (between.isspace() and out):
            out.append(_guess(between))
        charset = word[0]
        run.append(word[1])
        at = word[2]
    if run:
        out.append(decode_text(b"".join(run), charset))
    out.append(_guess(raw[at:]))
    return "".join(out)


cdef list _params(bytes value):
    """(name, section, extended, odd, raw value cleaned) of a field value, in order."""
    cdef list out = []
    cdef const uint8_t* s = <const uint8_t*><const char*>value
    cdef size_t at = 0, end = len(value)
    cdef Param a
    cdef Word w
    while at < end and s[at] != 59:  # ';'
        at += 1
    while len(out) < MIME_MAX_PARAMETERS and param_next(s, &at, end, &a):
        w.n = 0
        word_param(&w, s, &a)
        charset = ""
        if a.extended and a.section <= 0 and skip_charset(s, a.value, a.value_end) != a.value:
            charset = value[a.value:a.value_end].split(b"'", 1)[0].decode("latin-1")
        name = value[a.name:a.name_end].decode("latin-1").lower()
        out.append((name, a.section, bool(a.extended), bool(a.odd), (<char*>w.bytes)[:w.n], charset))
    return out


cdef str _value_text(bytes raw, str charset, bint words):
    if charset:
        return decode_text(raw, charset)
    return decode_words(raw) if words and b"=?" in raw else _guess(raw)


cdef list _assembled(list params, str name):
    """Values of `name`: RFC 2231 ones first (extended, then sections in order of number), then plain ones."""
    cdef list out = [], sections = []
    for p in params:
        if p[0] != name:
            continue
        if p[1] >= 0:
            sections.append(p)
        elif p[2]:
            out.append(_value_text(p[4], p[5], False))
    if sections:
        sections.sort(key=lambda p: p[1])
        charset = next((p[5] for p in sections if p[5]), "")
        out.append(_value_text(b"".join([p[4] for p in sections]), charset, False))
    for p in params:
        if p[0] == name and p[1] < 0 and not p[2]:
            out.append(_value_text(p[4], "", True))
    return out


def parameter(value, str name) -> str:
    """The parameter `name` (lower case) of a structured field value by RFC 2045 and 2231, "" when absent."""
    found = _assembled(_params(value), name)
    return found[0] if found else ""


cdef list _loose(bytes value, bytes name):
    """What clients with other ideas of quoting, comments and sections would read."""
    cdef Candidates c
    cdef list out = []
    cdef int i
    c.n = 0
    c.list = <Word*>malloc(MAX_CANDIDATES * sizeof(Word))
    if c.list == NULL:
        raise MemoryError
    try:
        loose_candidates(&c, <const uint8_t*><const char*>value, 0, len(value), <const char*>name)
        for i in range(c.n):
            out.append(_value_text((<char*>c.list[i].bytes)[:c.list[i].n], "", True))
    finally:
        free(c.list)
    return out


cdef bint _needs_loose(list params, str name, list values):
    """Whether clients would disagree about the parameter: odd syntax, duplicates, gaps, or a name cut in two."""
    cdef list mine = [p for p in params if p[0] == name]
    if any([p[3] for p in params]) or len(values) > 1:
        return True
    numbers = [p[1] for p in mine if p[1] >= 0]
    if numbers != list(range(len(numbers))):
        return True
    for v in values:
        if v.startswith("'") or not _PLAIN_NAME(v):
            return True
    return False


def file_names(disposition, content_type) -> tuple:
    """Every file name that some client would show for a part with these field values, the RFC's first."""
    cdef list names = [], loose = []
    for values, name in ((disposition, "filename"), (content_type, "name")):
        for value in values:
            params = _params(value)
            found = _assembled(params, name)
            names += found
            if _needs_loose(params, name, found):
                loose += _loose(value, name.encode())
    values = [*disposition, *content_type]
    if len(values) > 1 and any([b"name*" in v for v in values]):  # sections spread over several fields
        both = _params(b";".join([b""] + [v.partition(b";")[2].strip() for v in values]))
        both = [(p[0].removeprefix("file"), *p[1:]) for p in both if p[0] in ("filename", "name") and p[1] >= 0]
        loose += _assembled(both, "name")
    return tuple(dict.fromkeys([n for n in names + loose if n]))
