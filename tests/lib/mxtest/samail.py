"""Messages as SpamAssassin's texts need them, and the rule set they are looked at with."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from mxtest import corpus
from mxward.core.extract.parts import extract
from mxward.core.message import Envelope, Message
from mxward.core.rules.spamassassin.site import Site
from mxward.core.rules.spamassassin.texts import TextSet
from mxward.pyx.mime import parse

SETTINGS: dict[str, list[str]] = {
    "util_rb_tld": ["com org net example uk fr pro"], "util_rb_2tld": ["co.uk"], "util_rb_3tld": ["demon.co.uk"],
    "redirector_pattern": [r"/^https?:\/\/go\.example\/out\?.*?(?<=[?&])to=(.*?)(?:$|[&\#])/i"],
    "freemail_domains": ["free.example mail.*.example"], "enlist_uri_host": ["(BAD) bad.example !good.bad.example"],
    "enlist_addrlist": ["(PAY) *@pay.example"], "blocklist_from": ["*@blocked.example"],
    "welcomelist_bounce_relays": ["relay.example"],
}  # fmt: skip
SITE = Site(SETTINGS)
_SETTING = re.compile(r"\s*(util_rb_\w+|redirector_pattern|originating_ip_headers|freemail_\w+|enlist_\w+)\s+(.*?)\s*")


def texts(raw: bytes, site: Site = SITE) -> TextSet:
    """The texts of a message with any line ends."""
    message = Message(corpus.fold(raw), Envelope("", ()))
    message.mime = parse(message.raw)
    extract(message)
    return TextSet(message, site)


def mail(body: bytes, kind: bytes = b"text/plain", **fields: bytes) -> bytes:
    """A small message. Fields: names with "_" for "-"."""
    lines = [b"From: A <a@x.example>", b"To: b@y.example", b"Subject: words"]
    lines += [name.encode().replace(b"_", b"-") + b": " + value for name, value in fields.items()]
    return b"\n".join([*lines, b"Content-Type: " + kind, b"", body])


@cache
def site_of(folder: Path) -> Site:
    """What the .cf files of a folder say, as far as texts need it; conditions are not looked at."""
    found: dict[str, list[str]] = {}
    for path in sorted(folder.glob("*.cf")):
        for line in path.read_text("latin-1").splitlines():
            setting = _SETTING.fullmatch(re.sub(r"(?<!\\)#.*", "", line))
            if setting:
                found.setdefault(setting[1], []).append(setting[2].replace("\\#", "#"))
    return Site(found)
