"""MIME parser: one forward pass over a message to a flat table of parts, fields and anomalies.

This module is the Python face: it starts the C pass without the GIL and builds Python objects when asked. The pass
itself is in mime_*.h, text decoding in mime_text.pyx, the codecs' own face in decode.pyx.
"""

import zlib
from collections import namedtuple

cimport cython
from cpython.bytes cimport PyBytes_AS_STRING
from libc.stdint cimport uint8_t, uint32_t

from mxward.pyx.mime_text import codec_name, decode_words, file_names, parameter

cdef extern from "mime_run.h" nogil:
    enum: KIND_LEAF, KIND_MULTIPART, KIND_MESSAGE
    enum: TOP_OTHER, TOP_TEXT, TOP_MULTIPART, TOP_MESSAGE
    enum: ENC_BINARY, ENC_BASE64, ENC_UU, ENC_GZIP64, ENC_UNKNOWN
    enum: ROW_BLOCK
    enum: AN_COUNT
    enum: MIME_MAX_PARTS, MIME_MAX_DEPTH, MIME_MAX_FIELDS, MIME_MAX_HEADER_BYTES, MIME_MAX_LINE_BYTES
    enum: MIME_MAX_PARAMETERS, MIME_MAX_READINGS

    ctypedef struct AnomalyText:
        const char* name
        int ambiguous
        const char* what
        const char* exploits

    const AnomalyText ANOMALY_TEXT[]
    size_t decode_bound(int enc, size_t n)
    size_t decode_into(int enc, int mode, const uint8_t* s, size_t n, uint8_t* out)
    int same_word(const uint8_t* s, const char* word, size_t n)
    size_t line_text_end(const uint8_t* s, size_t p, size_t next)

cdef extern from "Python.h":
    ctypedef struct PyObject:
        pass
    PyObject* PyBytes_FromStringAndSize(const char* text, Py_ssize_t n)  # new reference, NULL with MemoryError set
    int _PyBytes_Resize(PyObject** made, Py_ssize_t n) except -1
    void Py_DECREF(PyObject* object)

PartInfo = namedtuple("PartInfo", (
    "parent", "depth", "reading", "kind", "header_start", "body_start", "body_end", "content_type", "charset",
    "encoding", "disposition", "names"), module=__name__)
Anomaly = namedtuple("Anomaly", ("code", "part", "offset"), module=__name__)
AnomalyKind = namedtuple("AnomalyKind", ("code", "is_ambiguous", "what", "exploits"), module=__name__)

ANOMALIES = tuple([
    AnomalyKind(ANOMALY_TEXT[i].name.decode(), bool(ANOMALY_TEXT[i].ambiguous), ANOMALY_TEXT[i].what.decode(),
                ANOMALY_TEXT[i].exploits.decode())
    for i in range(AN_COUNT)
])
LIMITS = {
    "MAX_PARTS": MIME_MAX_PARTS, "MAX_DEPTH": MIME_MAX_DEPTH, "MAX_FIELDS": MIME_MAX_FIELDS,
    "MAX_HEADER_BYTES": MIME_MAX_HEADER_BYTES, "MAX_LINE_BYTES": MIME_MAX_LINE_BYTES,
    "MAX_PARAMETERS": MIME_MAX_PARAMETERS, "MAX_READINGS": MIME_MAX_READINGS,
}

cdef tuple KINDS = ("leaf", "multipart", "message")
cdef tuple ENCODINGS = ("7bit", "8bit", "binary", "base64", "quoted-printable", "uuencode", "yenc", "binhex", "gzip64")
cdef tuple CODES = tuple([a.code for a in ANOMALIES])
MAX_GZIP64 = 64 * 1024 * 1024  # bytes one gzip64 part may unpack to: the budget of all views of a message

cdef Py_ssize_t NOGIL_BYTES = 32768  # below, giving the GIL up costs more than it gives


@cython.auto_pickle(False)
@cython.no_gc
@cython.final
cdef class Mime:
    """The parsed message. Immutable; safe to share between threads."""

    def __cinit__(self):
        self.table = NULL

    def __init__(self, *args):
        if self.table == NULL:
            raise TypeError("Mime objects come from parse()")

    def __dealloc__(self):
        table_free(self.table)

    cdef MimePart* row(self, Py_ssize_t part) except NULL:
        if part < 0 or part >= <Py_ssize_t>self.table.n_parts:
            raise IndexError(f"no part {part}: the message has {self.table.n_parts}")
        return &self.table.parts[part]

    @property
    def n_parts(self) -> int:
        """Rows of the part table, all readings counted."""
        return self.table.n_parts

    @property
    def parts(self) -> tuple:
        """The part table. Built on first use."""
        if self._parts is None:
            self._parts = tuple([_part_info(self, i) for i in range(self.table.n_parts)])
        return self._parts

    @property
    def anomalies(self) -> tuple:
        """Malformations in order of discovery. Built on first use."""
        if self._anomalies is None:
            self._anomalies = _all_anomalies(self)
        return self._anomalies

    @property
    def is_ambiguous(self) -> bool:
        """True when mail clients would disagree about structure or content."""
        return self.table.ambiguous != 0

    def decode(self, Py_ssize_t part) -> bytes:
        """Content of a leaf after transfer decoding (for a multipart or message: its raw body). Never raises on
        content.

        Raises: IndexError for a part that is not there (the caller's fault).
        Cost: linear; the GIL is released for more than 2 KiB.
        """
        return _decode(self, self.row(part))

    def decode_all(self) -> list:
        """`decode` of every part in table order; containers (multipart, message) give b""."""
        cdef uint32_t i
        cdef list out = []
        for i in range(self.table.n_parts):
            if self.table.parts[i].kind == KIND_LEAF:
                out.append(_decode(self, &self.table.parts[i]))
            else:
                out.append(b"")
        return out

    def fields(self, Py_ssize_t part=0) -> list:
        """(name as written, raw value without the final CRLF, still folded) in order."""
        cdef MimePart* p = self.row(part)
        cdef const uint8_t* s = self.table.buffers[p.buffer].data
        cdef MimeField* f
        cdef uint32_t i
        cdef list out = []
        for i in range(p.field, p.field + p.n_fields):
            f = &self.table.fields[i]
            out.append(((<const char*>s)[f.line:f.name_end], _raw_value(s, f)))
        return out

    def field_counts(self, tuple names not None, Py_ssize_t part=0) -> list:
        """How often each of these fields, named in lower case, occurs."""
        cdef MimePart* p = self.row(part)
        cdef const uint8_t* s = self.table.buffers[p.buffer].data
        cdef MimeField* f
        cdef uint32_t i, n
        cdef int count
        cdef bytes name
        cdef const char* word
        cdef list out = []
        for name in names:
            word, n, count = PyBytes_AS_STRING(name), <uint32_t>len(name), 0
            for i in range(p.field, p.field + p.n_fields):
                f = &self.table.fields[i]
                count += f.name_end - f.line == n and same_word(s + f.line, word, n)
            out.append(count)
        return out

    def field(self, str name, Py_ssize_t part=0):
        """Raw unfolded value of the first field of that name (case-insensitive), None when absent."""
        cdef MimePart* p = self.row(part)
        cdef bytes key = name.lower().encode("utf-8", "replace")
        cdef Py_ssize_t i = _find(self, p, key, p.field)
        if i < 0:
            return None
        return _unfold(_raw_value(self.table.buffers[p.buffer].data, &self.table.fields[i]))

    def field_all(self, str name, Py_ssize_t part=0) -> list:
        """Raw unfolded values of all fields of that name, in order."""
        cdef MimePart* p = self.row(part)
        cdef bytes key = name.lower().encode("utf-8", "replace")
        cdef Py_ssize_t i = _find(self, p, key, p.field)
        cdef list out = []
        while i >= 0:
            out.append(_unfold(_raw_value(self.table.buffers[p.buffer].data, &self.table.fields[i])))
            i = _find(self, p, key, <uint32_t>i + 1)
        return out

    def field_spans(self, str name, Py_ssize_t part=0) -> list:
        """(start of line, start of value, end after CRLF) of each such field, for byte edits.

        Empty for a part inside a decoded container: its bytes are not in the message.
        """
        cdef MimePart* p = self.row(part)
        cdef bytes key = name.lower().encode("utf-8", "replace")
        cdef Py_ssize_t i = -1 if p.buffer else _find(self, p, key, p.field)
        cdef MimeField* f
        cdef list out = []
        while i >= 0:
            f = &self.table.fields[i]
            out.append((f.line, f.value, f.end))
            i = _find(self, p, key, <uint32_t>i + 1)
        return out

    def text(self, str name, Py_ssize_t part=0) -> str:
        """First field of that name, unfolded, RFC 2047 decoded, lenient; "" when absent."""
        raw = self.field(name, part)
        return "" if raw is None else decode_words(raw)


cdef bytes _raw_value(const uint8_t* s, MimeField* f):
    # value <= text end: the value starts within the first line, whose text the line end follows
    cdef size_t end = line_text_end(s, f.value, f.end)
    return (<const char*>s)[f.value:end]


cdef bytes _unfold(bytes raw):
    """RFC 5322 2.2.3: line ends before white space go."""
    if b"\n" not in raw:
        return raw
    return raw.replace(b"\r\n", b"").replace(b"\n", b"")


cdef Py_ssize_t _find(Mime m, MimePart* p, bytes key, uint32_t start):
    """Index of the next field of that name from `start` on, -1 when there is none."""
    cdef const uint8_t* s = m.table.buffers[p.buffer].data
    cdef const char* word = PyBytes_AS_STRING(key)
    cdef uint32_t n = <uint32_t>len(key), i
    cdef MimeField* f
    for i in range(start, p.field + p.n_fields):
        f = &m.table.fields[i]
        if f.name_end - f.line == n and same_word(s + f.line, word, n):
            return i
    return -1


cdef bytes _decode(Mime m, MimePart* p):
    """Content of a row. Containers: raw body."""
    cdef const uint8_t* s = m.table.buffers[p.buffer].data + p.body
    cdef size_t n = p.end - p.body, done
    cdef uint8_t* out
    cdef PyObject* made
    cdef int enc = p.enc, mode = p.mode
    if p.kind != KIND_LEAF or enc <= ENC_BINARY or enc == ENC_UNKNOWN or n == 0:
        return (<const char*>s)[:n]
    made = <PyObject*>PyBytes_FromStringAndSize(NULL, <Py_ssize_t>decode_bound(enc, n))
    if made == NULL:
        raise MemoryError
    out = <uint8_t*>PyBytes_AS_STRING(<object>made)
    if n > <size_t>NOGIL_BYTES:
        with nogil:
            done = decode_into(enc, mode, s, n, out)
    else:
        done = decode_into(enc, mode, s, n, out)
    _PyBytes_Resize(&made, <Py_ssize_t>done)  # on failure it frees the object and raises MemoryError
    result = <bytes>made
    Py_DECREF(made)
    return _gunzip(result) if enc == ENC_GZIP64 else result


cdef bytes _gunzip(bytes packed):
    try:
        return zlib.decompressobj(zlib.MAX_WBITS | 32).decompress(packed, MAX_GZIP64)
    except zlib.error:
        return packed


cdef list _values(Mime m, MimePart* p, bytes key):
    cdef list out = []
    cdef Py_ssize_t i = _find(m, p, key, p.field)
    while i >= 0 and len(out) < 8:
        out.append(_raw_value(m.table.buffers[p.buffer].data, &m.table.fields[i]))
        i = _find(m, p, key, <uint32_t>i + 1)
    return out


cdef str _content_type(Mime m, MimePart* p):
    if p.type_end > p.type:
        return (<const char*>m.table.buffers[p.buffer].data)[p.type:p.type_end].decode("latin-1").lower()
    if p.row == ROW_BLOCK:
        return "application/octet-stream"
    return "message/rfc822" if p.top == TOP_MESSAGE else "text/plain"


cdef str _encoding(Mime m, MimePart* p):
    if p.enc < ENC_UNKNOWN:
        return ENCODINGS[p.enc]
    return decode_words(_unfold(_raw_value(m.table.buffers[p.buffer].data, &m.table.fields[p.f_enc]))).strip().lower()


cdef str _block_name(Mime m, MimePart* p):
    """File name of a uuencode or yEnc block, from its first line."""
    cdef const uint8_t* s = m.table.buffers[p.buffer].data
    line = (<const char*>s)[p.body:min(p.end, p.body + 1024)].partition(b"\n")[0].rstrip()
    if p.enc == ENC_UU:
        name = line[6:].partition(b" ")[2]
    else:
        name = line.partition(b" name=")[2]
    return decode_words(name.strip())


cdef object _part_info(Mime m, uint32_t index):
    cdef MimePart* p = &m.table.parts[index]
    cdef MimePart* at = p
    cdef int hops = 0
    cdef tuple names = ()
    cdef str charset = "", disposition = ""
    while at.buffer and hops < 64 and not (at.parent < 0):
        # rows inside a decoded container have the span of that container in the message
        at = &m.table.parts[m.table.buffers[at.buffer].part]
        hops += 1
    if p.row == ROW_BLOCK:
        name = _block_name(m, p)
        names = (name,) if name else ()
    else:
        disp, types = _values(m, p, b"content-disposition"), _values(m, p, b"content-type")
        if disp:
            disposition = decode_words(_unfold(disp[0]).partition(b";")[0]).strip().lower()
        if types and b"charset" in types[0].lower():
            charset = parameter(types[0], "charset").strip().strip("'\"").lower()
        if any([b"na" in v.lower() for v in disp + types]):
            names = file_names(disp, types)
    return PartInfo(
        p.parent, p.depth, p.reading, KINDS[p.kind], at.head, at.body, at.end, _content_type(m, p), charset,
        _encoding(m, p), disposition, names)


cdef tuple _all_anomalies(Mime m):
    cdef uint32_t i
    cdef list out = []
    for i in range(m.table.n_anomalies):
        out.append(Anomaly(CODES[m.table.anomalies[i].code], m.table.anomalies[i].part, m.table.anomalies[i].offset))
    for index, part in enumerate(m.parts):
        if part.reading:
            continue
        if part.charset and not codec_name(part.charset):
            out.append(Anomaly("charset_unknown", index, part.header_start))
        if len(part.names) > 1:
            out.append(Anomaly("name_conflict", index, part.header_start))
    return tuple(out)


def parse(data) -> Mime:
    """Parse a message (CRLF, bare LF or mixed line ends).

    Args: data: the message; other buffers than bytes are copied, because the result points into it.
    Raises: MemoryError only. Any bytes are a message.
    Cost: linear, the GIL is released while scanning.
    Source: RFC 5322, 6532, 2045-2047, 2231.
    """
    cdef bytes raw = data if type(data) is bytes else bytes(data)
    cdef const uint8_t* s = <const uint8_t*>PyBytes_AS_STRING(raw)
    cdef size_t n = len(raw)
    cdef MimeTable* table
    if n > <size_t>NOGIL_BYTES:
        with nogil:
            table = mime_parse(s, n)
    else:
        table = mime_parse(s, n)
    if table == NULL:
        raise MemoryError
    if table.failed or table.n_parts == 0:
        table_free(table)
        raise MemoryError
    cdef Mime m = Mime.__new__(Mime)
    m.table = table
    m.data = raw
    return m
