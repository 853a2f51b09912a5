"""The true type of content by its bytes (the table and its tests are filetype.h)."""

from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from libc.stdint cimport uint8_t


cdef extern from "filetype.h":
    int FT_COUNT
    const char* FT_NAMES[1]
    void ft_init() nogil
    int ft_identify(const uint8_t* data, size_t size) nogil


ft_init()
TYPES = tuple(FT_NAMES[i].decode("ascii") for i in range(FT_COUNT))
cdef tuple _TYPES = TYPES


def identify(data not None, /):
    """Media type of `data` by content, "" for plain text and what is not known. See filetype.pyi."""
    cdef Py_buffer view
    cdef int kind
    PyObject_GetBuffer(data, &view, PyBUF_SIMPLE)
    kind = ft_identify(<const uint8_t*>view.buf, <size_t>view.len)
    PyBuffer_Release(&view)
    return _TYPES[kind]
