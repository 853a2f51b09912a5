"""Addresses (URLs) in plain text, and their hosts as browsers read them (the passes are urls.h)."""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from libc.stdint cimport uint8_t, uint32_t

cdef extern from "urls.h" nogil:
    enum: URL_HOST, URL_NUMBER, URL_ODD_NUMBER, URL_USER, URL_PUNYCODE, URL_DEEP, URL_FRAGMENT, URL_FOREIGN
    enum: URL_ESCAPED, URL_BROKEN, URL_BACKSLASH

    ctypedef struct url_parts:
        uint8_t[URL_HOST] host
        size_t n
        uint32_t traits
        size_t rest

    ctypedef struct url_found:
        size_t start
        size_t end
        int kind

    int url_split(url_parts* p, const uint8_t* s, size_t n)
    int url_find(const uint8_t* s, size_t n, size_t* at, url_found* f)

NUMBER, ODD_NUMBER, USER, PUNYCODE, DEEP = URL_NUMBER, URL_ODD_NUMBER, URL_USER, URL_PUNYCODE, URL_DEEP
FRAGMENT, FOREIGN, ESCAPED = URL_FRAGMENT, URL_FOREIGN, URL_ESCAPED
BROKEN, BACKSLASH = URL_BROKEN, URL_BACKSLASH
KINDS = ("plain", "www", "bare", "defanged")
cdef tuple _KINDS = KINDS


def split(bytes url not None):
    """(host, traits, where the path begins) of an http address, or None. See urls.pyi."""
    cdef url_parts p
    if not url_split(&p, <const uint8_t*>PyBytes_AS_STRING(url), <size_t>PyBytes_GET_SIZE(url)):
        return None
    return (<const char*>p.host)[:p.n].decode("utf-8", "replace"), p.traits, p.rest


def find(bytes text not None, size_t limit=4000) -> list:
    """(start, end, kind) of the addresses in a text. See urls.pyi."""
    cdef const uint8_t* s = <const uint8_t*>PyBytes_AS_STRING(text)
    cdef size_t n = <size_t>PyBytes_GET_SIZE(text), at = 0
    cdef url_found f
    cdef list found = []
    while <size_t>len(found) < limit and url_find(s, n, &at, &f):
        found.append((f.start, f.end, _KINDS[f.kind]))
    return found
