"""What eval tests of header fields need at the least, told by one look at the fields.

The tests themselves are core/rules/spamassassin/evals_*.py; counts over texts are sacount.pyx.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from libc.stdint cimport uint8_t

cdef extern from "sa_hint.h":
    ctypedef struct sn_text:
        const uint8_t* s
        size_t n

    bint sn_holds(sn_text text, sn_text word, bint is_folded) nogil
    bint sn_template(sn_text text) nogil
    bint sn_capitals(sn_text text) nogil
    sn_text sn_user(sn_text address) nogil
    bint sn_user_in_sender(sn_text recipient, sn_text sender) nogil
    sn_text sn_of(const char* word) nogil

cdef extern from "sa_count.h":
    size_t sc_illegal(const uint8_t* s, size_t n) nogil

TEMPLATE, CAPITALS, CALLED, RELAY, HOTMAIL, IN_SENDER, GROUPS, ILLEGAL = 1, 2, 4, 8, 16, 32, 64, 128


cdef inline sn_text _text(bytes data):
    cdef sn_text text
    text.s = <const uint8_t*>PyBytes_AS_STRING(data)
    text.n = <size_t>PyBytes_GET_SIZE(data)
    return text


def hints(bytes sender not None, bytes recipient not None, bytes subject not None, bytes received not None,
          bytes fields not None, bytes section not None, /):
    """What the fields of a message have of what tests need. See sahint.pyi."""
    cdef sn_text from_, to = _text(recipient), title = _text(subject), trace = _text(received)
    cdef int found = 0
    from_ = _text(sender)
    if sn_template(_text(fields)):
        found |= 1
    if sn_capitals(title):
        found |= 2
    if to.n and sn_holds(title, sn_user(to), True):
        found |= 4
    if sn_holds(trace, sn_of(b"rly-"), True):
        found |= 8
    if sn_holds(trace, sn_of(b"hotmail.com"), False):
        found |= 16
    if sn_user_in_sender(to, from_):
        found |= 32
    if not trace.n or sn_holds(trace, sn_of(b"groups.msn.com"), False):
        found |= 64
    if sc_illegal(<const uint8_t*>PyBytes_AS_STRING(section), <size_t>PyBytes_GET_SIZE(section)):
        found |= 128
    return found
