# The C face of smtpdata.pyx: the state that survives from one chunk of network input to the next.
from cpython.object cimport PyObject
from libc.stdint cimport uint8_t


cdef enum Where:
    # What the bytes so far ended with; the meaning of the next byte hangs on it.
    LINE_START   # after CRLF, or before the first byte
    LINE_DOT     # a dot at the start of a line (DATA only), not stored
    LINE_DOT_CR  # dot and CR at the start of a line, neither stored
    INSIDE       # within a line
    AFTER_CR     # a CR within a line, already stored


cdef class DataReader:
    cdef PyObject* _buffer       # owned bytes object, one reference, or NULL; its first _size bytes are content
    cdef Py_ssize_t _size        # bytes stored, <= _room
    cdef Py_ssize_t _room        # bytes the buffer has
    cdef Py_ssize_t _limit       # content beyond this is counted, not stored
    cdef Py_ssize_t _seen        # content bytes seen, stored or not
    cdef Py_ssize_t _line_start  # value of _seen where the line under way began
    cdef Py_ssize_t _longest     # longest finished line, without CRLF
    cdef Where _where
    cdef bint _is_done, _bare_cr, _bare_lf, _nul

    # Reads text[at:size] of a stream, dot-stuffed or not; where it stopped. -1 with MemoryError.
    cdef Py_ssize_t _scan(self, const uint8_t* text, Py_ssize_t at, Py_ssize_t size, bint stuffed) except -1
    # Counts `count` content bytes and stores those within the limit. -1 with MemoryError.
    cdef int _store(self, const uint8_t* text, Py_ssize_t count) except -1
    # Makes room for `count` more bytes, doubling. -1 with MemoryError.
    cdef int _grow(self, Py_ssize_t count) except -1
    # A line ended at content offset `end` (after its CRLF).
    cdef void _end_line(self, Py_ssize_t end) noexcept
