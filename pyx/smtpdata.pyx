"""Reader of the SMTP message stream: DATA (dot-stuffed) and BDAT chunks, in one pass and one copy.

Here: the end of data, dot unstuffing, bare CR, bare LF and NUL, line lengths. Not here: commands (server/smtp),
the meaning of the message (mime.pyx). The GIL is kept: a network read of 64 KB takes some 15 microseconds,
less than getting a contended GIL back.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from cpython.object cimport PyObject
from cpython.ref cimport Py_XDECREF
from libc.stdint cimport uint8_t
from libc.string cimport memcpy

cdef extern from "smtpdata.h":
    size_t smtpdata_next_special(const uint8_t* data, size_t start, size_t size) noexcept nogil

cdef extern from "Python.h":
    # On failure the object is released, *pv becomes NULL and MemoryError is set.
    int _PyBytes_Resize(PyObject** pv, Py_ssize_t newsize) except -1
    PyObject* new_bytes "PyBytes_FromStringAndSize"(const char* v, Py_ssize_t size) except NULL

cdef enum:
    FIRST_ROOM = 8192  # most mail fits with one growth; a silent DATA costs nothing, room comes with content
    CR = 13
    LF = 10
    DOT = 46


cdef class DataReader:
    """Collects one message from chunks of any size, split anywhere (contract: smtpdata.pyi)."""

    def __init__(self, Py_ssize_t limit):
        if limit <= 0:
            raise ValueError("limit must be above 0")
        self._limit = limit
        self._where = LINE_START

    def __dealloc__(self):
        Py_XDECREF(self._buffer)

    def feed(self, bytes data not None, Py_ssize_t start=0):
        """Take data[start:] of a DATA stream; the index of the first byte not taken."""
        cdef Py_ssize_t size = PyBytes_GET_SIZE(data)
        if start < 0 or start > size:
            raise IndexError("start lies outside the data")
        return self._scan(<const uint8_t*>PyBytes_AS_STRING(data), start, size, True)

    def feed_chunk(self, bytes data not None, Py_ssize_t start, Py_ssize_t count):
        """Take data[start:start+count] of a BDAT chunk, verbatim."""
        cdef Py_ssize_t size = PyBytes_GET_SIZE(data)
        if start < 0 or count < 0 or start > size or count > size - start:
            raise IndexError("the chunk lies outside the data")
        self._scan(<const uint8_t*>PyBytes_AS_STRING(data), start, start + count, False)

    def finish(self):
        """The last BDAT chunk is complete."""
        if self._where == AFTER_CR:
            self._bare_cr = True
        if self._where != LINE_START:
            self._store(<const uint8_t*>b"\r\n", 2)
            self._end_line(self._seen)
            self._where = LINE_START
        self._is_done = True

    def take(self):
        """The message; the reader is empty afterwards."""
        cdef PyObject* buffer = self._buffer
        if buffer == NULL:
            return b""
        cdef Py_ssize_t size = self._size
        self._buffer, self._size, self._room = NULL, 0, 0
        _PyBytes_Resize(&buffer, size)
        message = <object>buffer  # takes a reference of its own
        Py_XDECREF(buffer)
        return message

    def drop(self):
        """Forget the content and keep none from now on."""
        Py_XDECREF(self._buffer)
        self._buffer, self._size, self._room, self._limit = NULL, 0, 0, 0

    @property
    def done(self):
        """The end of data was seen."""
        return self._is_done

    @property
    def size(self):
        """Content bytes so far, those beyond the limit included."""
        return self._seen

    @property
    def room(self):
        """Bytes of memory held."""
        return self._room

    @property
    def is_over(self):
        """More content came than the limit allows."""
        return self._seen > self._limit

    @property
    def bare_cr(self):
        """A CR without LF was seen."""
        return self._bare_cr

    @property
    def bare_lf(self):
        """An LF without CR was seen."""
        return self._bare_lf

    @property
    def nul(self):
        """A NUL was seen."""
        return self._nul

    @property
    def longest_line(self):
        """Content bytes of the longest line, without its CRLF."""
        return self._longest

    cdef Py_ssize_t _scan(self, const uint8_t* text, Py_ssize_t at, Py_ssize_t size, bint stuffed) except -1:
        # Invariant: run <= at <= size, and text[run:at] is content not yet stored. Each turn reads text[at],
        # in bounds by the loop condition; next_special returns at most size.
        cdef Py_ssize_t run = at
        cdef Where where = self._where
        cdef uint8_t byte
        while at < size and not self._is_done:
            if where == INSIDE:
                at = <Py_ssize_t>smtpdata_next_special(text, <size_t>at, <size_t>size)
                if at == size:
                    break
                byte = text[at]
                at += 1
                if byte == CR:
                    where = AFTER_CR
                elif byte == LF:
                    self._bare_lf = True
                else:
                    self._nul = True
            elif where == AFTER_CR:
                if text[at] == LF:
                    at += 1
                    self._end_line(self._seen + (at - run))
                    where = LINE_START
                else:
                    self._bare_cr = True
                    where = INSIDE
            elif where == LINE_START:
                where = INSIDE
                if stuffed and text[at] == DOT:
                    self._store(text + run, at - run)
                    at += 1
                    run = at
                    where = LINE_DOT
            elif where == LINE_DOT:
                where = INSIDE
                if text[at] == CR:
                    at += 1
                    run = at
                    where = LINE_DOT_CR
            else:  # LINE_DOT_CR
                if text[at] == LF:
                    at += 1
                    run = at
                    self._is_done = True
                else:  # the CR was content after all, and bare
                    self._store(<const uint8_t*>b"\r", 1)
                    self._bare_cr = True
                    where = INSIDE
        self._where = where
        self._store(text + run, at - run)
        return at

    cdef int _store(self, const uint8_t* text, Py_ssize_t count) except -1:
        cdef Py_ssize_t keep = min(count, self._limit - self._seen)  # negative once over the limit
        self._seen += count
        if keep > 0:
            if keep > self._room - self._size:
                self._grow(keep)
            memcpy(PyBytes_AS_STRING(<object>self._buffer) + self._size, text, <size_t>keep)
            self._size += keep
        return 0

    cdef int _grow(self, Py_ssize_t count) except -1:
        # size + count <= limit, so doubling stays below twice the limit; no overflow below 2^62.
        cdef Py_ssize_t room = max(self._room * 2, <Py_ssize_t>FIRST_ROOM, self._size + count), size, limit
        if self._buffer == NULL:
            self._buffer = new_bytes(NULL, room)
        else:
            # Should the resize fail, nothing is held and nothing more is taken.
            size, limit = self._size, self._limit
            self._room = self._size = self._limit = 0
            _PyBytes_Resize(&self._buffer, room)
            self._size, self._limit = size, limit
        self._room = room
        return 0

    cdef void _end_line(self, Py_ssize_t end) noexcept:
        self._longest = max(self._longest, end - 2 - self._line_start)
        self._line_start = end
