"""Transfer decodings as plain functions. The code is in base64.h and textcodes.h; mime.pyx calls it directly."""

from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.bytes cimport PyBytes_FromStringAndSize
from libc.stdint cimport uint8_t
from libc.stdlib cimport free, malloc

cdef extern from "mime_run.h" nogil:
    enum: B64_MODES
    enum: ENC_BASE64, ENC_QP, ENC_UU, ENC_YENC, ENC_BINHEX
    size_t decode_bound(int enc, size_t n)
    size_t decode_into(int enc, int mode, const uint8_t* s, size_t n, uint8_t* out)

BASE64_MODES = ("stop", "continue", "restart", "quad", "line", "clean")
QP_MODES = ("rfc", "skip", "loose", "wide", "drop", "upper")


cdef bytes _run(object data, int enc, int mode):
    """Takes the buffer, decodes without the GIL into memory of its own, copies the result once."""
    cdef Py_buffer view
    cdef uint8_t* out
    cdef size_t n
    PyObject_GetBuffer(data, &view, PyBUF_SIMPLE)
    try:
        out = <uint8_t*>malloc(decode_bound(enc, <size_t>view.len))
        if out == NULL:
            raise MemoryError
        with nogil:
            n = decode_into(enc, mode, <const uint8_t*>view.buf, <size_t>view.len, out)
        try:
            return PyBytes_FromStringAndSize(<char*>out, <Py_ssize_t>n)
        finally:
            free(out)
    finally:
        PyBuffer_Release(&view)


def decode_base64(data, int mode=0) -> bytes:
    """RFC 2045 6.8. Strange characters are skipped, padding that completes a group ends the data.

    Args: mode: index into BASE64_MODES, the way clients read damaged data.
    Raises: ValueError for a mode that is not there (the caller's fault).
    """
    if not 0 <= mode < len(BASE64_MODES):
        raise ValueError(f"mode {mode} is not in 0..{len(BASE64_MODES) - 1}")
    return _run(data, ENC_BASE64, mode)


def decode_qp(data, int mode=0) -> bytes:
    """RFC 2045 6.7. Damaged escapes are kept, white space at line ends is dropped.

    Args: mode: index into QP_MODES.
    Raises: ValueError for a mode that is not there (the caller's fault).
    """
    if not 0 <= mode < len(QP_MODES):
        raise ValueError(f"mode {mode} is not in 0..{len(QP_MODES) - 1}")
    return _run(data, ENC_QP, mode)


def decode_uu(data) -> bytes:
    """The first "begin" ... "end" block, or all lines when there is no "begin"."""
    return _run(data, ENC_UU, 0)


def decode_yenc(data) -> bytes:
    """The first "=ybegin" ... "=yend" block."""
    return _run(data, ENC_YENC, 0)


def decode_binhex(data) -> bytes:
    """RFC 1741: the data fork (checksums are not verified)."""
    return _run(data, ENC_BINHEX, 0)
