"""One Received field to what it says: addresses, names, authentication. The templates are received_formats.py."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from mxward.core.rules.spamassassin import received_formats as formats
from mxward.core.rules.spamassassin.ip import ADDRESS
from mxward.core.rules.spamassassin.received_formats import Format

MAX_FIELD: Final = 1000  # bytes of a field looked at; longer ones are no hand-over by any server known
_IP: Final = ADDRESS.pattern
_SPACE: Final = re.compile(rb"\s+")
_LAST: Final = re.compile(rb"(?: ?;)+\Z")
_FROM: Final = re.compile(rb"\(?from ", re.I)
_PLAIN: Final = re.compile(rb"from (\S+) by [^\s;]+ ?;", re.I)
_BARE_IP: Final = re.compile(rb"\[[\d.]+\]")
_DATE: Final = re.compile(
    rb"[\s;]+(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), )?\d+ (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
    rb" \d+ \d+:\d+(?::\d+)? \S+\Z"
)
_ID: Final = re.compile(rb" id <?([^\s<>;]{3,})")
_HELO: Final = re.compile(
    rb"\b(?:helo=|(?-i:HELO|EHLO) )([-A-Za-z0-9.^+_&:=?!@%*$\\/]+)(?:[^-A-Za-z0-9.^+_&:=?!@%*$\\/]|\Z)"
)
_BY: Final = re.compile(rb" by (\S+)(?:[^-A-Za-z0-9;.]|\Z)")
_SENDER: Final = re.compile(rb"(?:return-path:? |envelope-(?:sender|from)[ =])(\S+)\b", re.I)
_LOCAL: Final = re.compile(rb"\bwith local(?:-\S+)? ")
_IN_BRACKETS: Final = re.compile(rb"\[(" + _IP + rb")\]")
_IN_BRACKETS_AMONG: Final = re.compile(rb" \[(" + _IP + rb")(?:\.\d+)?\] ")
_HELO_IN: Final = re.compile(rb"helo=(\S+)")
_IDENT_IN: Final = re.compile(rb"ident=(\S*)")
_GUESS: Final = re.compile(rb"(\S+)[^-A-Za-z0-9.]")


@dataclass(slots=True)
class Found:
    """What a field says. Empty where it says nothing."""

    ip: bytes = b""
    rdns: bytes = b""
    helo: bytes = b""
    by: bytes = b""
    ident: bytes = b""
    id: bytes = b""
    auth: bytes = b""
    envelope_from: bytes | None = None
    looked_up: bool = False
    is_skipped: bool = False  # no hand-over by network, or one that tells nothing
    is_fetched: bool = False  # fetched from a mailbox: what came before is this site's own
    is_scanner: bool = False  # qmail-scanner, whose field holds the envelope sender of the one below


SKIPPED: Final = Found(is_skipped=True)


def read(value: bytes) -> Found | None:
    """What a decoded, unfolded Received field says; None when it cannot be read. Never raises."""
    line = _LAST.sub(b"", _SPACE.sub(b" ", value[:MAX_FIELD]).strip(b" "))
    if not _FROM.match(line) or b" with local for " in line:
        return SKIPPED
    plain = _PLAIN.match(line)
    if plain and not _BARE_IP.fullmatch(plain[1]):
        return SKIPPED
    line = _DATE.sub(b"", line).replace(b")by ", b") by ", 1)
    found = _common(line)
    if line.startswith(b"from "):
        decided = _from(line[5:], found)
    elif line.startswith(b"FROM "):
        decided = _taken(formats.UPPER.match(line[5:]), found, "dv")
    elif line.startswith(b"(from "):
        decided = _taken(formats.NAVGW.match(line[6:]), found, "")
        if decided is None and formats.SUBMITTED.match(line[6:]):
            return SKIPPED
    else:
        decided = None
    if decided is not None:
        return decided
    if not found.ip:
        bracketed = _IN_BRACKETS.search(line)
        found.ip = bracketed[1] if bracketed else b""
    return found if found.ip and found.by else None


def _common(line: bytes) -> Found:
    """What stands in fields of any server."""
    found = Found()
    if match := _ID.search(line):
        found.id = match[1]
    if b"helo=" in line or b"HELO " in line or b"EHLO " in line:
        match = _HELO.search(line)
        found.helo = match[1] if match else b""
    if match := _BY.search(line):
        found.by = match[1]
    found.auth = authentication(line)
    return found


def _from(text: bytes, found: Found) -> Found | None:
    """The text behind "from "."""
    if b"nvelope-" in text or b"eturn-" in text.lower():
        sender = _SENDER.search(text)
        found.envelope_from = sender[1] if sender else None
    decided = _by_server(text, found)
    if decided is None and b"with HTTP" in text:
        decided = _taken(formats.HTTP.match(text), found, "")
    if decided is None and not formats.QMAIL_LDAP.search(text):
        decided = _try((formats.SENDMAIL,), text, found)
    if decided is None:
        decided = _try(formats.GENERAL, text, found) or _qmail(text, found) or _try(formats.BEFORE_FETCH, text, found)
    if decided is None and formats.FETCHED.search(text):
        return Found(is_skipped=True, is_fetched=True)
    return decided or _try(formats.AFTER_FETCH, text, found) or _nothing(text, found)


def _nothing(text: bytes, found: Found) -> Found | None:
    if any(form.pattern.match(text) for form in formats.NOTHING if form.mark in text):
        return SKIPPED
    if formats.SCANNER.mark in text and formats.SCANNER.pattern.match(text):
        return Found(is_skipped=True, is_scanner=True, envelope_from=found.envelope_from)
    if any(form.pattern.match(text) for form in formats.NOTHING_LATER if form.mark in text):
        return SKIPPED
    if not found.helo and (guess := _GUESS.match(text)):
        found.helo = guess[1]
    return None


def _by_server(text: bytes, found: Found) -> Found | None:
    if b" authenticated user " in text and (b" (SquirrelMail" in text or b" (NaSMail" in text):
        decided = _taken(formats.SQUIRREL.search(text), found, "")
        if decided:
            return decided
    if b"(WebMailUI)" in text and b"aol.com" in text:
        decided = _taken(formats.AOL.search(text), found, "")
        if decided:
            return decided
    for mark, known in formats.BY_SERVER:
        if mark in text:
            return _exim(text, found, known) if mark == b"Exim" else _try(known, text, found)
        if mark == b" SMTPSVC" and formats.EXCHANGE.search(text):
            return _taken(formats.EXCHANGE_FORMAT.match(text), found, "n")
    return None


def _exim(text: bytes, found: Found, known: tuple[Format, ...]) -> Found | None:
    if _LOCAL.search(text):
        return SKIPPED
    decided = _try(known, text, found)
    if decided is None:  # odd ones are taken apart: the first word, a bracketed name, a bracketed address
        words = text.split(b" ", 1)
        found.rdns = words[0] if len(words) > 1 and words[0] else found.rdns
        if match := re.search(rb" \((\S+)\) ", text):
            found.helo = match[1]
        if match := _IN_BRACKETS_AMONG.search(text):
            found.ip = match[1]
        if match := re.search(rb"by (\S+) ", text):
            found.by = match[1]
            decided = found if found.ip else None
    return decided


def _qmail(text: bytes, found: Found) -> Found | None:
    if not formats.QMAIL.pattern.match(text):
        return None
    _try(formats.QMAIL_FORMS, text, found)
    found.looked_up = found.rdns != b"unknown"
    if not found.looked_up:
        found.rdns = b""
    return found


def _try(known: tuple[Format, ...], text: bytes, found: Found) -> Found | None:
    for form in known:
        if form.mark in text and (match := form.pattern.match(text)):
            return _taken(match, found, form.flags)
    return None


def _taken(match: re.Match[bytes] | None, found: Found, flags: str) -> Found | None:
    """`found` filled from a match of a template with these flags; None when there is none."""
    if match is None:
        return None
    if "s" in flags:
        return SKIPPED
    values = match.groupdict()
    for name in ("ip", "by", "helo", "rdns", "ident", "id"):
        if values.get(name) is not None:
            setattr(found, name, values[name])
    found.looked_up = "d" in flags
    if flags:
        _flagged(match, found, flags)
    return found


def _flagged(match: re.Match[bytes], found: Found, flags: str) -> None:
    if "h" in flags:
        found.helo = found.rdns
    if "q" in flags:
        inside = match["more"]
        if helo := _HELO_IN.search(inside):
            found.helo, inside = helo[1], inside.replace(helo[0], b"", 1)
        if ident := _IDENT_IN.search(inside):
            found.ident = ident[1]
    if "u" in flags and found.rdns == b"unknown":
        found.rdns = b""
    if "v" in flags and found.rdns == b"unverified":
        found.rdns = b""
    if "n" in flags:
        found.id = b""
    if "i" in flags and b"@" in found.rdns:
        found.ident, _, found.rdns = found.rdns.removeprefix(b"IDENT:").partition(b"@")
    if "S" in flags and found.rdns == b"softdnserr":
        found.rdns, found.looked_up = b"", False
    if "U" in flags:
        found.looked_up = found.rdns != b"UNKNOWN"
    if "x" in flags:
        text = match.string
        if more := re.search(rb" id <(\S+)>", text):
            found.id = more[1]
        if more := re.search(rb" from <(\S+)>", text):
            found.envelope_from = more[1]
    if "m" in flags:
        sender = re.match(rb"(" + _IP + rb") ", match.string)
        found.ip = sender[1] if sender else found.ip


_WITH: Final = re.compile(rb" with ((?:ES|L|UTF8S|UTF8L)MTPS?A|ASMTP|HTTP[SU]?)(?: |;|\Z)", re.I)
_GOOGLE: Final = re.compile(
    rb" by mx\.google\.com with ESMTPS id [a-z0-9]{1,4}sm[0-9]{2,9}[a-z]{3}\.[0-9]{1,3}\.[0-9]{4}\."
    rb"(?:[0-6][0-9]\.){4}[0-6][0-9]"
)
_CIPHER: Final = re.compile(rb"\(version=([^ ]+) cipher=([^)]+)\)")
_COURIER: Final = re.compile(rb"from .*?(?:\]\)|\)\]) \(AUTH: (LOGIN|PLAIN|DIGEST-MD5|CRAM-MD5) \S+(?:, .*?)?\) by ")
_CLOSED: Final = re.compile(rb"(?:\](?: \([^)]*\))?\)|\)\]) ")
_GMX: Final = re.compile(
    rb"from \S* \((?:HELO|EHLO) (\S*)\) \[(?:" + _IP + rb")\] by (mail\.gmx\.(?:net|com)) \([^)]+\) with (ESMTP|SMTP)"
)
_CRITICAL: Final = re.compile(rb"\) by .+ \(\d{1,2}\.\d\.\d{3}(?:\.\d{1,3})?\) \(authenticated as .+\) id ")
_POSTFIX: Final = re.compile(rb"\) \(Authenticated sender: \S+\) by \S+ \(([^)]+)\) with ")
_COMMUNIGATE: Final = re.compile(rb"CommuniGate Pro (?:HTTP|SMTP|XIMSS|IMAP)")
_VIA_HTTP: Final = re.compile(rb" \(via (HTTP.?)\)(?: |;|\Z)", re.I)


def authentication(line: bytes) -> bytes:
    """How the client authenticated, b"" when it did not (RFC 3848, RFC 6531; else by habit of each server)."""
    if b" by " in line and (match := _WITH.search(line)):
        return match[1]
    if b"mx.google.com" in line and _GOOGLE.search(line) and (match := _CIPHER.search(line)):
        return b"GMail - transport=" + match[1] + b" cipher=" + match[2]
    if b"(AUTH: " in line and (match := _COURIER.match(line)):
        return match[1]
    if b"uthenticated" in line:
        if line.startswith(b"from ") and _is_sendmail(line):
            return b"Sendmail"
        if b" (authenticated as " in line and _CRITICAL.search(line):
            return b"CriticalPath"
        if match := _POSTFIX.search(line):
            return b"Postfix" if match[1] == b"Postfix" else b"Postfix (" + match[1] + b")"
    if b"mail.gmx." in line and (match := _GMX.search(line)):
        return b"GMX (" + match[3] + b" / " + match[2] + b")"
    if b" (account " in line and _COMMUNIGATE.search(line):
        return b"Communigate"
    if b" with Microsoft Exchange Server HTTP-DAV" in line:
        return b"HTTP-DAV"
    if b" (via " in line and b" by " in line and (match := _VIA_HTTP.search(line)):
        return match[1]
    return b""


def _is_sendmail(line: bytes) -> bool:
    """A bracketed address, behind it a comment with "authenticated", behind that " by"."""
    closed = _CLOSED.search(line, 5)
    at = closed.end() if closed else -1
    for mark in (b"(", b"authenticated", b")", b" by"):
        at = line.find(mark, at) if at >= 0 else -1
    return at >= 0
