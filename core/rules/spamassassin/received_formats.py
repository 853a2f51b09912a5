"""How mail servers write Received fields, as a table of templates; which relay a field tells of.

A template is the text between "from " and the date. {helo} {rdns} {by} {id} {ident} {ip} stand for themselves, {_} for
a word, {*} and {~} for anything, long or short; the rest stands for itself. Templates are tried in order, each only
when its mark stands somewhere in the field. How they are used is received_line.py.

Source: RFC 5321 4.4; formats of servers as seen in mail, and which of them SpamAssassin 4.0.1 reads in what way.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from mxward.core.rules.spamassassin.ip import ADDRESS, LOCALHOST
from mxward.core.rules.spamassassin.template import ADDRESS as ADDRESS_MARK

_IP: Final = ADDRESS.pattern
_HOLES: Final = {
    "helo": rb"(?P<helo>\S+)", "rdns": rb"(?P<rdns>\S+)", "by": rb"(?P<by>\S+)", "id": rb"(?P<id>\S+?)",
    "ident": rb"(?P<ident>\S*)", "ip": rb"(?P<ip>" + _IP + rb")", "_": rb"\S+", "0": rb"\S*", "*": rb".*", "~": rb".*?",
    "any_ip": _IP, "helo?": rb"(?P<helo>\S*)", "HELO": rb"(?:HELO|EHLO)", "dotted": rb"(?P<rdns>\S+\.\S+)",
    "port": rb"\d+", "more": rb"(?P<more>.*?)", "inside": rb"(?P<more>[^)]+)", "name": rb"(?P<helo>\D\S+)",
    "ident@": rb"(?:(?P<ident>\S*)@)?", "[": rb"\[?", "]": rb"\]?", "localhost": LOCALHOST, "$": rb"\Z",
    "to40": rb"[^)]{0,40}", "words": rb"[^)]+", "zone": rb"(?:%[A-Z0-9._~-]*)?", "or_port": rb"(?:[.:]\d+)?",
    "or_digits": rb"(?:\.\d+)?", "spaced": rb"[^ ()]*", "spaced_helo": rb"(?P<helo>[^ ()]*)",
    "spoken": rb"(?P<helo>[^)]*)", "sender?": rb"(?: \(envelope-sender <\S+>\))?",
    "SMTP": rb"(?:ESMTP|SMTP)", "bits?": rb"(?: \(authenticated bits=\d+\))?", "comments": rb"(?: \(.+\))?",
    "claim?": rb'(?:, claiming to be "(?P<helo>\S+)")?', "account?": rb"(?:account \S+ )?", "user@?": rb"(?:\S+@)?",
    "b": rb"\b", "relay": rb"(?:SMTPL|InterScan)\b", "letters": rb"[A-Za-z]", "port?": rb"(?::\d+)?",
    "notid": rb"(?! id )", "qmail": rb"(?:.* )?(?:SMTP|QMQP)", "hello?": rb"(?: \((?:HELO|EHLO) \S*\))?",
    "bracket?": rb"(?: \(\S+\))?", "or_bracket": rb"[\[\]]*", "nodot": rb"[^.]+", "to100": rb".{0,100}",
    "plain": rb"[^\s@]+", "local@?": rb"(?:\S+@)?", "edge": rb"[)\[]", "digits": rb"[0-9]*?",
    "how": rb"(?:with|via|for|\()", "how_": rb"(?:(?:with|via|for) \S+|\(unverified\))", "angle": rb"<?",
    "unknown": rb"<unknown\S*>", "rock?": rb"(?:\(\S[^)]*\) WITH SMTP )?", "for?": rb">?(?: FOR <[^>]+>)?",
    "host": rb"(?P<by>\S+\.hotmail\.msn\.com)", "yahoo": rb"(?P<by>\S+\.yahoo\.com)", "mapi": rb"\(?",
}  # fmt: skip
_HOLE: Final = re.compile(r"\{([^{}]+)\}")


class Format(NamedTuple):
    """A compiled template. `flags` out of: d the server looks names up, h the rdns is the helo too, s the field is no
    hand-over by network, q a comment inside holds helo= and ident=, u "unknown" stands for no name, n no id."""

    mark: bytes
    pattern: re.Pattern[bytes]
    flags: str

    @property
    def source(self) -> bytes:
        """The pattern as template.py reads it."""
        return self.pattern.pattern.replace(_IP, ADDRESS_MARK)


def _format(mark: str, template: str, flags: str = "") -> Format:
    pieces = _HOLE.split(template)
    source = b"".join(
        _HOLES[piece] if number % 2 else re.escape(piece.encode()).replace(rb"\ ", b" ")
        for number, piece in enumerate(pieces)
    )
    return Format(mark.encode(), re.compile(source), flags)


# Servers that are known by a mark of their own; the first whose mark is there decides which templates are tried.
BY_SERVER: Final[tuple[tuple[bytes, tuple[Format, ...]], ...]] = (
    (b" SMTPSVC", (
        _format("", "{helo?} ([{ip}]{to40}) by {by} with Microsoft SMTPSVC"),
        _format("", "mail pickup service by {by} with Microsoft SMTPSVC{$}", "s"),
    )),
    (b"[XMail ", (
        _format("", "{helo} ({[}{ip}{]}:{port}) by {by}{bracket?} with [XMail", "x"),
    )),
    (b"(ecelerity", (
        _format("", "([{ip}:{port}] helo={helo}) by {by} "),
        _format("", "{_} ([{ip}:{port}]) by {by} "),
    )),
    (b"Exim", (
        _format("", "[{ip}] ({more}) by {by} ", "q"),
        _format("", "{rdns} ([{ip}]{more}) by {by} ", "hq"),
        _format("", "{rdns} [{ip}]{port?} by {by} ", "h"),
    )),
    (b" (Postfix) with", (
        _format("", "{helo} ({rdns} [{ip}]) by {by} ", "du"),
        _format("", "{helo} ({rdns}[{ip}]) by {by} ", "du"),
    )),
    (b"(Scalix SMTP Relay", (
        _format("", "{helo} ({ip}) by {by}"), _format("", "{helo} ( {ip}) by {by}"),
    )),
    (b" (Lotus Domino ", (_format("", "{helo} ([{ip}]) by {by} (Lotus"),)),
)  # fmt: skip
EXCHANGE: Final = re.compile(rb" with (?:Microsoft SMTP Server|mapi id) (?:\([^)]+\) )?\d+\.\d+\.\d+\.\d+(?:\Z| )")
EXCHANGE_FORMAT: Final = re.compile(
    rb"(?P<helo>\S+) \(\[?(?P<ip>" + _IP + rb")(?:%[A-Z0-9._~-]*)?\]?\) by (?P<by>\S+) "
)
SENDMAIL: Final = _format("", "{helo} ({rdns} [{ip}]{*}) by {by} (", "di")
QMAIL_LDAP: Final = re.compile(rb" by \S+ \(qmail-\S+\) with ")

GENERAL: Final = (
    _format("", "{helo} ({rdns} [{ip}]) by {by} with {_} (", "d"),
    _format("helo=", "{rdns} ([{ip}] helo={helo}) by {by} with "),
    _format("<unknown", "{helo} ({unknown}[{ip}]) by {by} "),
    _format("", "{helo} ({dotted}[{ip}]) by {by} ", "d"),
    _format("@[", "{helo} ({ident}@[{ip}]{*}) by {by} (", "d"),
    _format(".hotmail.msn.com ", "{~}by {host} ", "m"),
    _format("qpsmtpd", "{rdns} ({HELO} {helo?}) ({ip}) by {by} (qpsmtpd/{_}) with {SMTP}"),
    _format("LHLO", "{rdns} (LHLO {helo?}) ({ip}) by {by} with LMTP"),
    _format("", "{rdns} ({HELO} {helo?}) [{ip}] by {by} ({words}) with {SMTP}"),
    _format("via smtpd", "{helo} ([{ip}]) by {by} via smtpd (for {_}) with SMTP("),
)
QMAIL: Final = _format("", "{_}{hello?} ({user@?}{[}{any_ip}{]}){sender?} by {_}{comments} with {qmail}{notid}")
QMAIL_FORMS: Final = (
    _format("", "{rdns} ({HELO} {spaced_helo}) ({ident}@{[}{ip}{]}){sender?} by {by}"),
    _format("", "{rdns} ({HELO} {spaced_helo}) ({[}{ip}{]}){sender?} by {by}"),
    _format("", "{rdns} ({ident}@{[}{ip}{]}){sender?} by {by}", "h"),
    _format("", "{rdns} ({[}{ip}{]}){sender?} by {by}", "h"),
)
FETCHED: Final = re.compile(rb"with (?:POP3|IMAP)")
BEFORE_FETCH: Final = (
    _format(" via HTTP", "[{ip}] by {by} via HTTP{$}"),
    _format("( [", "{_} ( [{ip}]){~} by {by} "),
    _format("", "({helo} [{ip}]) by {by} "),
    _format("", "[{ip}] by {by} "),
    _format("", "({[}{ip}{]}) by {by} "),
    _format("", "{helo} [{ip}] by {by} [{any_ip}] with ", "d"),
    _format("[(", "{helo} [({ip})] by {by} ({any_ip}) "),
    _format("", "{helo} ([{ip}]) by {by} (", "d"),
    _format("", "{helo} ({rdns} [{ip}]){~} by {by}{b}", "dS"),
    _format("", "{helo} ([{ip}{or_port}]){~} by {by} ", "d"),
)
AFTER_FETCH: Final = (
    _format("", "{rdns} ({HELO} {spoken}) ({ident@}{[}{ip}{]}){*} by {by} ", "d"),
    _format("", "{rdns} ({ident@}{[}{ip}{]}){*} by {by} ", "dh"),
    _format(" with http for ", "[{ip}] by {by} with http for "),
    _format(" via smap ", "{rdns}({ip}) by {by} via smap ", "d"),
    _format(" via smap ", "{rdns}({ip}, {HELO} {helo?}) by {by} via smap ", "d"),
    _format("", "{ip} by {by} ({relay}"),
    _format(" with BSMTP", "{_} by {_} with BSMTP", "s"),
    _format("", "{rdns} ({HELO} {helo?}) ({ident@}{ip}{~}) by {by} with ", "d"),
    _format("", "[{ip}] ({account?}{HELO} {helo?}) by {by} ("),
    _format(" (CommuniGate Pro", "{rdns} ([{ip}] verified) by {by} (", "dh"),
    _format("", "{name} ({ip}) by {by} "),
    _format("(Content Technologies", "{_} ({_}) by {_} (Content Technologies ", "s"),
    _format("] [", "{helo} ([{ip}] [{_}]) by {by} with "),
    _format("", "{ip} by {by} with "),
    _format("", "{helo} ({rdns}[{ip}]) by {by} ", "d"),
    _format("", "[{ip}]{_} ({HELO} {helo?}) by {by} "),
    _format("", "{ip} ({HELO} {helo?}) by {by} "),
    _format("", "{helo} [{ip}] by {by} "),
    _format("", "{rdns}({ip}) by {by} "),
    _format("(unverified", "{helo} (unverified [{ip}]) by {by} "),
    _format("", "{ip} ({letters}{words}) by {by} with "),
    _format("", "[{ip}] ({inside}) by {by} ", "q"),
    _format("", "{rdns} ({user@?}{ip}) by {by} with "),
    _format("", "{rdns}({ip}){claim?} via {_} by {by},", "U"),
    _format("with login", "{helo} ({_}@{ip} with login) by {yahoo} with SMTP"),
    _format("X-Originating-IP", "X-Originating-IP: {ip}{$}"),
)
# No hand-over by network, or one whose field tells nothing of use.
NOTHING: Final = tuple(
    _format(mark, template)
    for mark, template in (
        ("", "{plain} ({plain}@{localhost}) by {_} ("), ("local-", "{_} {_} by {_} with local-smtp "),
        ("local-", "{_} {_} by {_} with local-esmtp "), ("AVG", "127.0.0.1 (AVG SMTP {_} [{_}])"),
        ("by uid", "{_}@{_} by {_} by uid {_} "), ("", "{_}@{_} by {_} "), ("", "Unknown/Local ("),
        ("", "{localhost} ({local@?}{localhost}{edge}"), ("", "{_} ({local@?}{localhost}) "),
        ("", "{_} ({_}@{_} [{localhost}]) "), ("(AUTH:", "(AUTH: {_}) by {_} with "),
        ("UNIX", "localhost (localhost [[UNIX: localhost]]) by "),
        ("crosscheck", "{_}.amazon.com by {_}.amazon.com with ESMTP (peer crosscheck: "),
        ("Novell", "{nodot} by {_} with Novell_GroupWise"), ("via smtpd", "no.name.available by {_} via smtpd (for "),
    )
)  # fmt: skip
SCANNER: Final = _format("qmail-scanner", "{_} by {_} ({to100}) with qmail-scanner")
NOTHING_LATER: Final = tuple(
    _format(mark, template)
    for mark, template in (
        ("", "{_} by {_} with local"),
        ("unix socket", "{_} ([unix socket]) by {_} (Cyrus v{digits}.{digits}.{digits}) with LMTPA"),
        ("", "{_} by {_} {how}"), ("", "{_} {how_} by{b}"), ("(SG)", "{_} (unknown) by {_} (SG) with {b}"),
        ("[local]", "{_} ({_} [local]) by {_} (OpenSMTPD) with {b}"), ("(LSMTP for", "{~}(LSMTP for"),
        ("MailEnable", "([{localhost}]) with MailEnable "),
        ("Thrift", "facebook.com ({words}) by facebook.com with Thrift id {_}{$}"),
        ("HTTPREST", "{_} named {_} by gmailapi.google.com with HTTPREST{$}"), ("", "{_} id {_}{$}"),
        ("Jetsend", "[<{~} (Jetsend"),
    )
)  # fmt: skip
UPPER: Final = re.compile(
    rb"(?P<helo>\S+) \((?P<rdns>\S+) \[(?P<ip>" + _IP + rb")\]\) BY (?P<by>\S+) (?:\([^)]+\) WITH SMTP )?"
    rb"ID <?(?P<id>\S+?)>?(?: FOR <[^>]+>)?\Z"
)
NAVGW: Final = re.compile(rb"(?P<helo>\S*) \[(?P<ip>" + _IP + rb")\]\) by (?P<by>\S+) \(NAVGW .*?\) with ")
SUBMITTED: Final = re.compile(rb"\S+@localhost\) by \S+ |[^\s@]+@[^)]+\) by \S+\(jqueuemail\) id [^\s;]+")
SQUIRREL: Final = re.compile(rb"(?P<ip>" + _IP + rb")\b(?![.-]).{10,80}by (?P<by>\S+) with HTTP")
AOL: Final = re.compile(rb"(?P<ip>" + _IP + rb") by (?P<by>\S+) \(" + _IP + rb"\) with HTTP \(WebMailUI\)")
HTTP: Final = re.compile(rb"(?P<ip>" + _IP + rb") \(\[" + _IP + rb"\]\) by (?P<by>\S+)")
