"""Received fields to what they say, by templates: who handed the message over, under which names.

Templates are compiled by core/rules/spamassassin/template.py; fields of rare forms are left to received_line.py.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.stdint cimport uint8_t, uint16_t, uint32_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memcpy, strlen

cdef extern from "sa_hops.h" nogil:
    enum: SH_STAGES, SH_READ, SH_UNREAD, SH_SKIPPED, SH_FETCHED, SH_ASK, SH_MAX

    ctypedef uint8_t[256] sp_class

    ctypedef struct sh_form:
        const uint8_t* mark
        uint32_t mark_n
        uint32_t pc
        uint32_t flags

    ctypedef struct sh_table:
        const uint16_t* code
        const sp_class* classes
        const sh_form* forms
        uint32_t* first

    ctypedef struct sh_span:
        const uint8_t* s
        uint32_t n

    ctypedef struct sh_hop:
        sh_span ip
        sh_span rdns
        sh_span helo
        sh_span by
        sh_span ident
        sh_span id
        sh_span auth
        sh_span sender
        bint has_sender
        bint looked_up

    int sh_read(sh_hop* h, const sh_table* table, const uint8_t* value, uint32_t n)
    uint32_t sp_octets(const uint8_t* s, uint32_t n, uint32_t at)

UNREAD, SKIPPED, FETCHED, ASK = SH_UNREAD, SH_SKIPPED, SH_FETCHED, SH_ASK
STAGES = (
    "SMTPSVC", "XMAIL", "ECELERITY", "EXIM", "POSTFIX", "SCALIX", "LOTUS", "IS_EXCHANGE", "EXCHANGE", "HTTP",
    "SENDMAIL", "GENERAL", "QMAIL", "QMAIL_FORMS", "BEFORE_FETCH", "AFTER_FETCH", "NOTHING", "NOTHING_LATER",
)


cdef bytes _bytes(sh_span span):
    return PyBytes_FromStringAndSize(<const char*>span.s, span.n)


cdef uint8_t[256] _SAFE  # what stands for each byte in a name
for _code in range(256):
    _SAFE[_code] = 33 if _code in b"\0\t\n\v\f\r #[]()<>|" else _code


cdef bytes _safe(sh_span span):
    """With what could confuse a pattern replaced by "!"."""
    cdef uint8_t[SH_MAX + 8] made
    cdef uint32_t i
    for i in range(span.n):  # a span stands in the line, which is no longer
        made[i] = _SAFE[span.s[i]]
    return PyBytes_FromStringAndSize(<const char*>made, span.n)


cdef bint _is_unknown(sh_span span) noexcept nogil:
    cdef uint32_t i
    cdef const char* word = "unknown"
    if span.n != 7:
        return False
    for i in range(7):
        if (span.s[i] | 32) != <uint8_t>word[i]:
            return False
    return True


cdef int _is_private(sh_span ip) noexcept nogil:
    """Whether an address cannot be on the internet (RFC 1918 and the like); -1: that is not so quickly told."""
    cdef uint32_t[2] octets
    cdef uint32_t i, at = 0
    if ip.n == 0:
        return -1
    if sp_octets(ip.s, ip.n, 0) != ip.n:  # IPv6 has ::1 and fe80::/10
        for i in range(ip.n):
            if ip.s[i] == c".":
                return -1
        return -1 if ip.s[0] == c":" or ip.s[0] == c"0" or (ip.s[0] | 32) == c"f" else 0
    for i in range(2):
        octets[i] = 0
        while ip.s[at] != c".":
            octets[i] = 10 * octets[i] + ip.s[at] - 48
            at += 1
        at += 1
    if octets[0] == 10 or octets[0] == 127:
        return True
    if octets[0] == 172:
        return 16 <= octets[1] < 32
    if octets[0] == 100:
        return 64 <= octets[1] < 128
    return (octets[0] == 169 and octets[1] == 254) or (octets[0] == 192 and octets[1] == 168)


cdef sh_span _plain_ip(sh_span ip, uint8_t* room) noexcept nogil:
    """An address without "IPv6:"; IPv4 when it is one mapped to IPv6."""
    cdef uint32_t at, start, n_colons = 0
    if ip.n > 5 and ip.s[4] == c":" and (ip.s[0] | 32) == c"i":
        ip.s += 5
        ip.n -= 5
    at = ip.n
    while at and ip.s[at - 1] != c":":
        at -= 1
    if at < 5 or sp_octets(ip.s, ip.n, at) != ip.n or not _is_ffff(ip.s + at - 5):
        return ip
    start = at - 5
    while start and (ip.s[start - 1] == c":" or ip.s[start - 1] == c"0"):
        start -= 1
        n_colons += ip.s[start] == c":"
    if n_colons < 2:
        return ip
    memcpy(room, ip.s, start)
    memcpy(room + start, ip.s + at, ip.n - at)
    return sh_span(room, start + ip.n - at)


cdef bint _is_ffff(const uint8_t* s) noexcept nogil:
    cdef uint32_t i
    for i in range(4):
        if (s[i] | 32) != c"f":
            return False
    return s[4] == c":"


cdef class Relay:
    """One hand-over. See sahops.pyi."""

    cdef readonly bytes ip, rdns, helo, by, ident, id, auth
    cdef readonly bint has_no_rdns, is_private
    cdef public bytes envelope_from
    cdef public bint is_internal, is_msa

    def __init__(self, ip, rdns, helo, by, ident, envelope_from, id, auth, *, has_no_rdns, is_private):
        self.ip, self.rdns, self.helo, self.by, self.ident = ip, rdns, helo, by, ident
        self.envelope_from, self.id, self.auth = envelope_from, id, auth
        self.has_no_rdns, self.is_private = has_no_rdns, is_private

    @property
    def text(self):
        """The form that header rules match against."""
        cdef Py_ssize_t size = 80
        cdef bytes made, sender = b"" if self.envelope_from is None else self.envelope_from
        cdef char* out
        for made in (self.ip, self.rdns, self.helo, self.by, self.ident, sender, self.id, self.auth):
            size += PyBytes_GET_SIZE(made)
        cdef char* room = <char*>malloc(<size_t>size)
        if room == NULL:
            raise MemoryError
        try:
            out = _entry(room, "[ ip=", self.ip)
            out = _entry(out, " rdns=", self.rdns)
            out = _entry(out, " helo=", self.helo)
            out = _entry(out, " by=", self.by)
            out = _entry(out, " ident=", self.ident)
            out = _entry(out, " envfrom=", sender)
            out = _entry(out, " intl=", b"1" if self.is_internal else b"0")
            out = _entry(out, " id=", self.id)
            out = _entry(out, " auth=", self.auth)
            out = _entry(out, " msa=", b"1 ]" if self.is_msa else b"0 ]")
            return PyBytes_FromStringAndSize(room, out - room)
        finally:
            free(room)


cdef char* _entry(char* out, const char* name, bytes value):
    """Names and values are 80 bytes at most beside the values that `text` counts."""
    cdef size_t n = strlen(name)
    memcpy(out, name, n)
    memcpy(out + n, PyBytes_AS_STRING(value), <size_t>PyBytes_GET_SIZE(value))
    return out + n + PyBytes_GET_SIZE(value)


cdef class Hops:
    """The templates. See sahops.pyi."""

    cdef sh_table _table
    cdef uint16_t* _code
    cdef sp_class* _classes
    cdef sh_form* _forms
    cdef list _marks  # keeps the marks alive
    cdef object _private

    def __cinit__(self, code, classes, stages, is_private, /):
        cdef Py_ssize_t n_code = len(code), n_classes = len(classes), i, n_forms = 0, stage
        cdef bytes flags, mark
        if len(stages) != SH_STAGES or n_code > 0xffff or n_classes > 255:
            raise ValueError("templates must be those of received_formats.py")
        self._marks = []
        self._private = is_private
        for forms in stages:
            n_forms += len(forms)
        self._code = <uint16_t*>malloc((n_code + 1) * sizeof(uint16_t))
        self._classes = <sp_class*>calloc(n_classes + 1, sizeof(sp_class))
        self._forms = <sh_form*>calloc(n_forms + 1, sizeof(sh_form))
        if self._code == NULL or self._classes == NULL or self._forms == NULL:
            raise MemoryError
        for i in range(n_code):
            self._code[i] = code[i]
        for i in range(n_classes):
            flags = classes[i]
            if len(flags) != 256:
                raise ValueError("a class has 256 flags")
            memcpy(&self._classes[i], PyBytes_AS_STRING(flags), 256)
        n_forms = 0
        for stage in range(SH_STAGES):
            self._table.first[stage] = <uint32_t>n_forms
            for mark, pc, rules in stages[stage]:
                self._marks.append(mark)
                self._forms[n_forms].mark = <const uint8_t*>PyBytes_AS_STRING(mark)
                self._forms[n_forms].mark_n = <uint32_t>PyBytes_GET_SIZE(mark)
                self._forms[n_forms].pc = pc
                self._forms[n_forms].flags = rules
                n_forms += 1
        self._table.first[SH_STAGES] = <uint32_t>n_forms
        self._table.code, self._table.forms = self._code, self._forms
        self._table.classes = <const sp_class*>self._classes

    def __dealloc__(self):
        free(self._code)
        free(self._classes)
        free(self._forms)

    def read(self, bytes value not None, /):
        """What a field says. See sahops.pyi."""
        cdef sh_hop hop
        cdef sh_span ip
        cdef uint8_t[SH_MAX + 8] room
        cdef Relay relay
        cdef int came = sh_read(
            &hop, &self._table, <const uint8_t*>PyBytes_AS_STRING(value),
            <uint32_t>min(PyBytes_GET_SIZE(value), <Py_ssize_t>SH_MAX),
        )
        if came != SH_READ:
            return came
        while hop.rdns.n and hop.rdns.s[hop.rdns.n - 1] == c".":
            hop.rdns.n -= 1
        if hop.rdns.n and (hop.rdns.s[0] == c"[" or _is_unknown(hop.rdns)):
            hop.rdns.n = 0
        if hop.by.n and hop.by.s[hop.by.n - 1] == c";":
            hop.by.n -= 1
        ip = _plain_ip(hop.ip, room)
        relay = Relay.__new__(Relay)
        relay.ip, relay.id, relay.auth = _bytes(ip), _bytes(hop.id), _bytes(hop.auth)
        relay.rdns, relay.helo = _safe(hop.rdns), _safe(hop.helo)
        relay.by, relay.ident = _safe(hop.by), _safe(hop.ident)
        relay.envelope_from = _sender(hop.sender) if hop.has_sender else None
        relay.has_no_rdns = hop.looked_up and hop.rdns.n == 0
        came = _is_private(ip)
        relay.is_private = self._private(relay.ip) if came < 0 else came
        return relay


cdef bytes _sender(sh_span sender):
    """An envelope sender without its angle brackets."""
    while sender.n and sender.s[0] == c"<":
        sender.s += 1
        sender.n -= 1
    while sender.n and sender.s[sender.n - 1] == c">":
        sender.n -= 1
    return _safe(sender)
