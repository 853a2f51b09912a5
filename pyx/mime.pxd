"""Parsed message for other kernels: cimport Mime and read the C table without Python objects."""

from libc.stdint cimport int32_t, uint8_t, uint16_t, uint32_t, uint64_t

cdef extern from "mime_run.h" nogil:
    ctypedef struct MimeField:
        uint32_t line      # first byte of the line
        uint32_t name_end  # behind the last byte of the name
        uint32_t value     # behind colon and white space
        uint32_t end       # behind the last line end

    ctypedef struct MimePart:
        uint32_t head, body, end  # [head, body) fields, [body, end) content
        uint32_t type, type_end
        uint32_t field, n_fields
        int32_t parent, f_type, f_enc, f_disp
        uint16_t depth, reading, buffer
        uint8_t kind, top, enc, mode, row

    ctypedef struct MimeAnomaly:
        uint32_t part, offset, code

    ctypedef struct MimeBuffer:
        uint8_t* data
        uint32_t size
        int32_t part

    ctypedef struct MimeTable:
        uint32_t size
        int failed
        MimePart* parts
        uint32_t n_parts
        MimeField* fields
        uint32_t n_fields
        MimeAnomaly* anomalies
        uint32_t n_anomalies
        MimeBuffer* buffers
        int ambiguous

    MimeTable* mime_parse(const uint8_t* data, size_t size)  # NULL: no memory; caller frees with table_free
    void table_free(MimeTable* t)


cdef class Mime:
    cdef MimeTable* table  # owned; its buffer 0 points into `data`
    cdef bytes data
    cdef tuple _parts
    cdef tuple _anomalies
    cdef MimePart* row(self, Py_ssize_t part) except NULL
