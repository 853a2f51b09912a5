"""Facts of a message that are not words, as short lines: how it is built, where links lead, who it says it is from.

The statistical classifier counts them beside the words (pyx/tokens). Why these and no others: core/classify/facts.py.
"""

import re
from functools import lru_cache

from cpython.unicode cimport PyUnicode_AsUTF8AndSize
from libc.stdint cimport uint8_t

cdef extern from "Python.h":
    bint PyUnicode_IS_COMPACT_ASCII(object text)

MAX_LINKS = 200   # looked at; the number of all is a fact too
cdef enum:
    MAX_KINDS = 8  # kinds of parts, or malformations, that are told

_HOST = re.compile(r"(?:[a-z][a-z0-9+.-]*:)?//(?:[^/?#@\\]*(@))?\[?([^/?#\\\]:]+)(?:\]?:(\d+))?", re.I)
_NUMERIC = re.compile(r"[\d.]+|0x[0-9a-f]+|.*:.*", re.I)
_SHOWN = re.compile(r"(?:https?://|www\.)([a-z0-9.-]+\.[a-z]{2,})", re.I)
_REPLY = re.compile(r"\s*(?:re|aw|sv|antw|res|rif|odp)\s*(?:\[\d+\])?:", re.I)
_FORWARD = re.compile(r"\s*(?:fwd?|wg|enc|tr|rv)\s*:", re.I)
_CONSONANTS = re.compile(r"[bcdfghjkmnpqrstvwxz]{5}")
# malformations that the transport or the age of a message explains
cdef frozenset UNTOLD = frozenset((
    "mbox_from_line", "bare_lf", "mixed_line_ends", "long_line", "missing_close", "no_final_newline", "bare_cr",
))
cdef frozenset TELLING = frozenset(("text/html", "application/zip", "application/x-dosexec", "application/pdf"))
cdef tuple MARKUP = ("forms", "passwords", "scripts")
cdef frozenset USUAL_PORTS = frozenset(("80", "443"))

cdef struct Counts:
    int letters
    int capitals
    int digits


cdef Counts _count(str text):
    """ASCII characters by kind."""
    cdef Counts n
    cdef Py_UCS4 c
    n.letters = n.capitals = n.digits = 0
    for c in text:
        if c"0" <= c <= c"9":
            n.digits += 1
        elif c"A" <= c <= c"Z":
            n.capitals += 1
            n.letters += 1
        elif c"a" <= c <= c"z":
            n.letters += 1
    return n


cdef inline int _bits(Py_ssize_t number):
    cdef int n = 0
    while number > 0:
        n += 1
        number >>= 1
    return n


def step(number) -> int:
    """A number by its size only. See mailfacts.pyi."""
    return number.bit_length()


def structure(parts, mime, Py_ssize_t n_text, markup) -> list:
    """How it is built. See mailfacts.pyi."""
    cdef dict kinds = {}
    cdef list found = []
    cdef bint has_attachment = False, has_html, has_plain
    cdef str kind
    cdef int left = MAX_KINDS
    for part in parts:
        if not part.reading:
            kinds[part.content_type] = None
        if part.disposition == "attachment":
            has_attachment = True
        if part.true_type in TELLING:
            kinds["true " + <str>part.true_type] = None
    has_html, has_plain = "text/html" in kinds, "text/plain" in kinds
    found.append("shape both" if has_html and has_plain else "shape html" if has_html else "shape plain")
    found.append(f"text {_bits(n_text)}")
    if has_attachment:
        found.append("an attachment")
    if len(kinds) > 1 or not has_plain:
        for kind in kinds:
            if left and not kind.startswith(("text/", "message/")):
                found.append("part " + kind)
                left -= 1
    if has_html:
        for kind, n in zip(MARKUP, markup):
            if n:
                found.append(kind)
    anomalies = mime.anomalies
    if anomalies:
        found += ["odd " + code for code in sorted({anomaly.code for anomaly in anomalies} - UNTOLD)[:MAX_KINDS]]
    return found


cdef struct Host:
    Py_ssize_t start       # of the host in the address
    Py_ssize_t end
    Py_ssize_t port        # digits of the port: [port, port_end); none when equal
    Py_ssize_t port_end
    bint has_user


cdef inline bint _in_host(uint8_t c) noexcept nogil:
    return c != c"/" and c != c"?" and c != c"#" and c != c"\\" and c != c"]" and c != c":"


cdef Py_ssize_t _authority(const uint8_t* s, Py_ssize_t n) noexcept nogil:
    """Where what follows `//` begins, behind a scheme or none; -1 when there is none."""
    cdef Py_ssize_t at = 0
    if n and (c"a" <= s[0] | 32 <= c"z"):
        at = 1
        while at < n and (c"a" <= s[at] | 32 <= c"z" or c"0" <= s[at] <= c"9" or s[at] in (c"+", c".", c"-")):
            at += 1
        if at == n or s[at] != c":":
            return -1
        at += 1
    return at + 2 if at + 2 <= n and s[at] == c"/" and s[at + 1] == c"/" else -1


cdef bint _find_host(const uint8_t* s, Py_ssize_t n, Host* h) noexcept nogil:
    """What _HOST matches in ASCII. Every index is checked against n before it is used."""
    cdef Py_ssize_t begin = _authority(s, n), at
    if begin < 0:
        return False
    at = begin
    while at < n and s[at] not in (c"/", c"?", c"#", c"@", c"\\"):
        at += 1
    # somebody's name stands before the first @, unless no host follows that
    h.has_user = at + 1 < n and s[at] == c"@" and _in_host(s[at + 1])
    h.start = at + 1 if h.has_user else begin
    if h.start + 1 < n and s[h.start] == c"[" and _in_host(s[h.start + 1]):
        h.start += 1
    h.end = h.start
    while h.end < n and _in_host(s[h.end]):
        h.end += 1
    if h.end == h.start:
        return False
    at = h.end + 1 if h.end < n and s[h.end] == c"]" else h.end
    h.port = h.port_end = 0
    if at < n and s[at] == c":":
        h.port = h.port_end = at + 1
        while h.port_end < n and c"0" <= s[h.port_end] <= c"9":
            h.port_end += 1
    return True


cdef tuple _host(str url):
    """(host in lower case, whether a user stands before it, port); None when the address has no host."""
    cdef Py_ssize_t n
    cdef Host h
    cdef const char* text
    if not PyUnicode_IS_COMPACT_ASCII(url):
        found = _HOST.match(url)
        return None if found is None else (found[2].lower(), bool(found[1]), found[3] or "")
    text = PyUnicode_AsUTF8AndSize(url, &n)
    if not _find_host(<const uint8_t*>text, n, &h):
        return None
    return text[h.start:h.end].decode("ascii").lower(), h.has_user, text[h.port:h.port_end].decode("ascii")


def links(list found not None, str author_domain not None) -> tuple:
    """Facts about links, and whose they are. See mailfacts.pyi."""
    cdef Py_ssize_t n_links = 0, n_pictures = 0, n_bare = 0, i
    cdef set hosts = set(), facts = set(), owners
    cdef str owner = organisation(author_domain) if author_domain else "", kind, url, words, host
    cdef tuple link, parts
    for i in range(min(len(found), MAX_LINKS)):
        given = found[i]
        if not isinstance(given, tuple) or len(given) < 4:
            raise TypeError("links are tuples of part, kind, address and words")
        link = <tuple>given  # of a class of its own, too
        kind, url, words = link[1], link[2], link[3]
        parts = _host(url)
        if kind == "img":
            n_pictures += 1
            if parts is not None and organisation(parts[0]) != owner:
                facts.add("picture from elsewhere")
            continue
        if kind == "a":
            n_links += 1
        elif kind == "text":
            n_bare += 1
        if parts is None:
            facts.add(f"scheme {url.partition(':')[0].lower()}" if ":" in url[:12] else "no scheme")
            continue
        host = (<str>parts[0]).rstrip(".")
        hosts.add(host)
        _of_link(facts, kind, url, words, host, parts)
    owners = {organisation(host) for host in hosts}
    for host in hosts:
        facts.update(_of_host(host))
    if hosts:
        facts.add(f"hosts {_bits(len(hosts))}")
        facts.add("hosts foreign" if owner not in owners else "hosts own" if len(owners) == 1 else "hosts mixed")
    else:
        facts.add("no hosts")
    facts.add(f"links a {_bits(n_links)}")
    facts.add(f"links img {_bits(n_pictures)}")
    facts.add(f"links text {_bits(n_bare)}")
    return sorted(facts), owners


cdef int _of_link(set facts, str kind, str url, str words, str host, tuple parts) except -1:
    if parts[1]:
        facts.add("link with a user name")
    if parts[2] and parts[2] not in USUAL_PORTS:
        facts.add("link to a port")
    if "@" in url and "@" in url[8:]:
        facts.add("link with an address")
    if kind == "a" and "." in words:
        shown = _SHOWN.search(words)
        if shown is not None and organisation(shown[1].lower()) != organisation(host):
            facts.add("link shows another place")
    return 0


@lru_cache(maxsize=4096)
def _of_host(str host) -> tuple:
    """Facts about a host's name alone."""
    cdef list facts = [], labels = host.split(".")
    if _NUMERIC.fullmatch(host):
        facts.append("link to a number")
    if host.startswith("xn--") or ".xn--" in host or not host.isascii():
        facts.append("link to a foreign name")
    if max([len(label) for label in labels]) > 20:
        facts.append("host long")
    if len(labels) > 4:
        facts.append("host deep")
    if _count(host).digits > 3:
        facts.append("host digits")
    if host.count("-") > 2:
        facts.append("host dashes")
    return tuple(facts)


@lru_cache(maxsize=4096)
def organisation(str host) -> str:
    """Roughly who a host belongs to. See mailfacts.pyi."""
    cdef list labels = host.rstrip(".").split(".")
    cdef Py_ssize_t n = len(labels)
    cdef bint is_country = n > 2 and len(labels[n - 1]) == 2 and len(labels[n - 2]) <= 3
    return ".".join(labels[n - min(n, 3 if is_country else 2):])


def author(mailbox not None, list replies not None, free not None) -> list:
    """Facts about name and address of the author. See mailfacts.pyi."""
    cdef str display = mailbox.display, address = mailbox.address, domain = mailbox.domain
    cdef str local = address.rpartition("@")[0], other
    cdef list facts = ["author named" if display else "author unnamed"]
    if domain in free:
        facts.append("author free")
    if "@" in display:
        facts.append("author name an address")
    if len(display) > 3 and display.isupper():
        facts.append("author capitals")
    if not display.isascii():
        facts.append("author name foreign")
    if _count(local).digits > 3:
        facts.append("author digits")
    if len(local) > 24 or _CONSONANTS.search(local.lower()):
        facts.append("author random")
    address = address.lower()
    if display and not _is_alike(display.lower(), address):
        facts.append("author name unlike address")
    for reply in replies:
        if reply.address and reply.address.lower() != address:
            other = reply.domain
            if organisation(other) == organisation(domain):
                facts.append("answers near")
            else:
                facts.append("answers free" if other in free else "answers far")
            break
    return facts


cdef bint _is_alike(str display, str address):
    """Does a word of the name, of three letters or more, stand in the address?"""
    cdef Py_ssize_t start = 0, at, n = len(display)
    for at in range(n + 1):
        if at < n and (display[at].isalnum() or display[at] == c"_"):
            continue
        if at - start >= 3 and display[start:at] in address:
            return True
        start = at + 1
    return False


def subject(str text not None) -> list:
    """Facts about the subject's form. See mailfacts.pyi."""
    cdef Counts n = _count(text)
    cdef list facts = [f"subject {_bits(len(text) // 8)}"]
    if n.letters > 7 and n.capitals * 10 > n.letters * 6:
        facts.append("subject capitals")
    if text and not text.isascii():
        facts.append("subject foreign")
    if ":" in text:
        if _REPLY.match(text):
            facts.append("subject reply")
        elif _FORWARD.match(text):
            facts.append("subject forward")
    if n.digits > 5:
        facts.append("subject digits")
    return facts


def addressing(mime not None) -> list:
    """To whom it is addressed, and how. See mailfacts.pyi."""
    cdef list facts = []
    cdef bytes to = mime.field("to")
    if to is None:
        facts.append("to nobody")
    elif b"@" not in to:
        facts.append("to hidden")
    else:
        facts.append(f"to {min(_bits(to.count(b'@')), 4)}")
    if mime.field("in-reply-to") is not None or mime.field("references") is not None:
        facts.append("an answer")
    if b"auto-" in (mime.field("auto-submitted") or b"").lower():
        facts.append("automatic")
    if (mime.field("x-priority") or b"")[:1] in (b"1", b"2") or b"high" in (mime.field("importance") or b"").lower():
        facts.append("urgent")
    return facts
