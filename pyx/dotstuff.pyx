# cython: language_level=3
"""Dot-stuffing for SMTP egress (RFC 5321 section 4.5.2): canonical bytes out, whatever comes in.

The scan and the two copiers are plain C in dotstuff.h; this file only converts. Receiving refuses what is not
canonical (server/smtp); the repair here is the second fence, so that no store fault or edit makes us a smuggler.
"""

from libc.stdint cimport uint8_t
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE

cdef extern from "dotstuff.h" nogil:
    # What one scan counts; `stuffed_size` of the repaired copy is found by mx_dot_repair with out = NULL.
    ctypedef struct mx_dot_count:
        size_t cr  # CR octets
        size_t lf  # LF octets
        size_t crlf  # CR directly followed by LF
        size_t nul  # NUL octets
        size_t lf_dot  # LF directly followed by a dot
    void mx_dot_scan(const uint8_t* data, size_t size, mx_dot_count* out)
    void mx_dot_copy(const uint8_t* data, size_t size, uint8_t* out)
    size_t mx_dot_repair(const uint8_t* data, size_t size, uint8_t* out)

BARE_CR = 1
BARE_LF = 2
NUL = 4
NO_FINAL_CRLF = 8

# Below this size taking and giving back the GIL costs more than the scan.
cdef enum:
    GIL_SIZE = 4096


cdef inline int fault_mask(const uint8_t* data, size_t size, const mx_dot_count* count) noexcept nogil:
    """The faults that the counts show; size may be 0."""
    cdef int mask = 0
    if count.cr != count.crlf:
        mask |= 1
    if count.lf != count.crlf:
        mask |= 2
    if count.nul:
        mask |= 4
    # size >= 2 guards both indexes
    if size == 1 or (size >= 2 and not (data[size - 2] == 13 and data[size - 1] == 10)):
        mask |= 8
    return mask


cdef inline void scan(const uint8_t* data, size_t size, mx_dot_count* count) noexcept:
    """mx_dot_scan, without the GIL when that pays."""
    if size < GIL_SIZE:
        mx_dot_scan(data, size, count)
    else:
        with nogil:
            mx_dot_scan(data, size, count)


def stuff(bytes data not None):
    """The form of `data` that goes out between 354 and the final dot, without that dot (see dotstuff.pyi)."""
    cdef const uint8_t* source = <const uint8_t*> PyBytes_AS_STRING(data)
    cdef size_t size = <size_t> PyBytes_GET_SIZE(data)
    cdef mx_dot_count count
    cdef size_t needed
    cdef uint8_t* target
    scan(source, size, &count)
    if size == 0:
        return data
    cdef bint first_dot = source[0] == 46
    cdef bint broken = fault_mask(source, size, &count) != 0
    if not broken:
        if count.lf_dot == 0 and not first_dot:
            return data
        needed = size + count.lf_dot + (1 if first_dot else 0)
    else:
        with nogil:
            needed = mx_dot_repair(source, size, NULL)
    cdef bytes out = PyBytes_FromStringAndSize(NULL, <Py_ssize_t> needed)
    target = <uint8_t*> PyBytes_AS_STRING(out)
    with nogil:
        if broken:
            mx_dot_repair(source, size, target)
        else:
            mx_dot_copy(source, size, target)
    return out


def faults(bytes data not None):
    """What is not canonical in `data`: a sum of BARE_CR, BARE_LF, NUL and NO_FINAL_CRLF; 0 when clean."""
    cdef const uint8_t* source = <const uint8_t*> PyBytes_AS_STRING(data)
    cdef size_t size = <size_t> PyBytes_GET_SIZE(data)
    cdef mx_dot_count count
    scan(source, size, &count)
    return fault_mask(source, size, &count)
