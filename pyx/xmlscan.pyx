"""Text and telling tags of XML in one pass, without a tree: for the parts of office documents."""

from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.stdint cimport int16_t, uint8_t
from libc.stdlib cimport free, malloc
from libc.string cimport memset

cdef extern from "xmlscan.h":
    const int XS_TEXT, XS_CODE, XS_LINE, XS_GAP, XS_TAG, XS_CODE_LINE, XS_UNSHARED

    ctypedef struct xs_table:
        int16_t first[256]
        int n

    ctypedef struct xs_tag:
        int name
        size_t start
        size_t end

    ctypedef struct xs_out:
        char* text
        char* code
        size_t n_text
        size_t n_code
        xs_tag* tags
        size_t n_tags
        size_t max_tags
        bint declares
        bint overflow

    int xs_add(xs_table* table, const char* name, size_t n, int actions)
    void xs_scan(const uint8_t* s, size_t n, const xs_table* table, xs_out* out) nogil

TEXT, CODE, LINE, GAP, TAG, CODE_LINE, UNSHARED = XS_TEXT, XS_CODE, XS_LINE, XS_GAP, XS_TAG, XS_CODE_LINE, XS_UNSHARED


cdef class Scanner:
    """What to take from XML, by local names of elements. See xmlscan.pyi."""

    cdef xs_table table
    cdef tuple names

    def __init__(self, dict actions not None, /):
        memset(&self.table, 0, sizeof(xs_table))
        memset(self.table.first, 0xff, 256 * sizeof(int16_t))
        cdef bytes name
        for key, value in actions.items():
            name = key.encode()
            if not 0 < <int>value < 128:
                raise ValueError("no such action")
            if xs_add(&self.table, PyBytes_AS_STRING(name), <size_t>PyBytes_GET_SIZE(name), value) < 0:
                raise ValueError("too many names, or one of an odd length")
        self.names = tuple(actions)

    def scan(self, data, /, *, size_t max_tags=20_000):
        """Read a document. See xmlscan.pyi."""
        cdef Py_buffer view
        cdef xs_out out
        memset(&out, 0, sizeof(xs_out))
        max_tags = min(max_tags, <size_t>1_000_000)
        PyObject_GetBuffer(data, &view, PyBUF_SIMPLE)
        cdef size_t n = <size_t>view.len
        try:
            out.text = <char*>malloc(n + 1)
            out.code = <char*>malloc(n + 1)
            out.tags = <xs_tag*>malloc((max_tags + 1) * sizeof(xs_tag))
            out.max_tags = max_tags
            if out.text == NULL or out.code == NULL or out.tags == NULL:
                raise MemoryError
            with nogil:
                xs_scan(<const uint8_t*>view.buf, n, &self.table, &out)
            return (
                PyBytes_FromStringAndSize(out.text, <Py_ssize_t>out.n_text),
                PyBytes_FromStringAndSize(out.code, <Py_ssize_t>out.n_code),
                [(self.names[out.tags[i].name], out.tags[i].start, out.tags[i].end) for i in range(out.n_tags)],
                bool(out.declares), bool(out.overflow))
        finally:
            free(out.text)
            free(out.code)
            free(out.tags)
            PyBuffer_Release(&view)
