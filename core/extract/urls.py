"""Every address of a message with its host as a browser reads it: links, plain text, header fields, wrapped targets.

Nothing is looked up. Addresses that a mail service wrapped (Safe Links, URL Defense) are given twice, as they stand and
as what they lead to. Whose name a host has is told by rules of thumb (`organisation`), enough to compare two hosts.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode
from collections.abc import Iterator
from typing import Final, NamedTuple
from urllib.parse import parse_qs, unquote_to_bytes

from mxward.core.bounded import cache_short
from mxward.core.extract import views
from mxward.core.message import Message
from mxward.pyx import urls

MAX_URLS: Final = 4000  # of one message
MAX_WRAPPED: Final = 4  # wrappings inside each other
_FIELDS: Final = (
    "list-unsubscribe", "list-archive", "list-post", "list-help", "list-subscribe", "list-owner", "archived-at",
    "x-report-abuse", "reply-to", "organization",
)  # fmt: skip
# last labels of names that text speaks of as addresses; those that are endings of files too (zip, md, py, sh, pl, rs,
# app, js, so, cc, ps) are left out
_NAMES: Final = """
    com net org info biz edu gov mil int eu uk us ca au nz ie de fr it es pt nl be ch at dk se no fi cz sk hu ro bg
    gr ua ru by kz tr il in cn jp kr hk sg my th vn id ph br ar mx cl pe ve za ng ke gh eg ma ae sa pk bd lk tv co io
    me xyz top club online site shop store live pro work click link icu vip win bid loan men date racing review trade
    stream download party science cricket faith accountant gq tk ml cf ga buzz cyou rest monster sbs cfd lol world
    life today space website tech host press fun email digital network agency support services solutions center cloud
    page dev blog news media group global city london scot wales nhs cymru
"""
TLDS: Final = frozenset(_NAMES.split())
# two-label suffixes under which organisations register
_SECOND_LEVEL: Final = frozenset(("co", "com", "org", "net", "ac", "gov", "nhs", "ltd", "plc", "sch", "police", "edu"))
_SAFE_LINKS: Final = re.compile(r"^https?://[\w.-]*\bsafelinks\.protection\.outlook\.(?:com|us)/\S*?\?", re.I)
_DEFENSE: Final = re.compile(r"^https?://urldefense(?:\.proofpoint)?\.(?:com|us)/(v[123])/", re.I)
_V2: Final = str.maketrans("-_", "%/")
_V3: Final = re.compile(r"/v3/__(.+?)__;([A-Za-z0-9_=-]*)!", re.I)
_V3_MARK: Final = re.compile(r"\*(\*.)?")


class Url(NamedTuple):
    """One address.

    place: kind of link ("a", "img", "form", ...), "text", "bare" (a name without scheme), "defanged", "header", or
    "wrapped" (taken out of another). host: as in pyx/urls.pyi. domain: its organisation. traits: bits of pyx/urls.
    """

    part: int
    place: str
    url: str
    host: str
    domain: str
    traits: int


def all_urls(message: Message) -> list[Url]:
    """Addresses of http(s) kind, each once for a place, in order of links, text, header; at most MAX_URLS."""
    found: list[Url] | None = message.views.get("urls")
    if found is None:
        seen: dict[tuple[str, str], Url] = {}
        for part, place, address in _addresses(message):
            _add(seen, part, place, address)
            if len(seen) >= MAX_URLS:
                break
        found = message.views["urls"] = list(seen.values())
    return found


def _add(seen: dict[tuple[str, str], Url], part: int, place: str, address: str) -> None:
    for depth in range(MAX_WRAPPED):
        parts = urls.split(address.encode("utf-8", "replace"))
        if parts is None or (place, address) in seen:
            return
        seen[place, address] = Url(part, place, address, parts[0], organisation(parts[0]), parts[1])
        inner = unwrap(address) if depth < MAX_WRAPPED - 1 else ""
        if not inner:
            return
        place, address = "wrapped", inner


def _addresses(message: Message) -> Iterator[tuple[int, str, str]]:
    for link in views.links(message):
        yield link.part, link.kind, link.url
    for part, text in views.text_bytes(message):
        for start, end, kind in urls.find(text, MAX_URLS) if b"." in text else ():
            if kind == "bare" and text[start:end].rpartition(b".")[2].decode("ascii", "replace").lower() in TLDS:
                yield part, "bare", f"http://{text[start:end].decode('ascii', 'replace')}"
            elif kind == "defanged":
                yield part, "defanged", refang(text[start:end].decode("utf-8", "replace"))
    assert message.mime is not None, "parse comes before views"
    for name in _FIELDS:
        for value in message.mime.field_all(name):
            for start, end, kind in urls.find(value, MAX_URLS):
                if kind in ("plain", "www"):
                    yield 0, "header", value[start:end].decode("utf-8", "replace")


def refang(text: str) -> str:
    """An address that was written so that it is no link, as the link it stands for."""
    text = text.replace("[.]", ".")
    lowered = text[:5].lower()
    if lowered.startswith("hxxp"):
        return f"http{text[4:]}"
    return text if lowered.startswith("http") else f"http://{text}"


def unwrap(url: str) -> str:
    """What an address wrapped by a mail service leads to; "" when it is not wrapped, or not in a known form."""
    if "safelinks" not in url and "urldefense" not in url:
        return ""
    if _SAFE_LINKS.match(url):
        return _query(url, "url")
    found = _DEFENSE.match(url)
    if found is None:
        return ""
    version = found[1].lower()
    if version == "v1":
        return _query(url, "u")
    if version == "v2":
        return unquote_to_bytes(_query(url, "u").translate(_V2)).decode("utf-8", "replace")
    return _third(url)


def _query(url: str, name: str) -> str:
    try:
        return parse_qs(url.partition("?")[2], max_num_fields=50).get(name, [""])[0]
    except ValueError:
        return ""


def _third(url: str) -> str:
    """URL Defense v3: each * stands for the next of the characters behind the address; ** and a letter for a run."""
    found = _V3.search(url)
    if found is None:
        return ""
    coded = found[2].encode("ascii")
    try:
        kept = iter(urlsafe_b64decode(coded + b"=" * (-len(coded) % 4)).decode("utf-8", "replace"))
    except ValueError:
        return ""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

    def put(mark: re.Match[str]) -> str:
        n = letters.find(mark[1][1]) + 2 if mark[1] else 1
        return "".join(next(kept, "") for _ in range(n))

    return _V3_MARK.sub(put, found[1])


@cache_short(8192)
def organisation(host: str) -> str:
    """The registered name of a host, near enough to compare two hosts: its last two labels, or three."""
    labels = host.split(".")
    take = 3 if len(labels) > 2 and labels[-2] in _SECOND_LEVEL and len(labels[-1]) == 2 else 2
    return ".".join(labels[-take:])


@cache_short(4096)
def shown_host(host: str) -> str:
    """A host with its xn-- labels as the letters that clients show; labels that do not decode stay."""
    if "xn--" not in host or len(host) > 253:
        return host
    return ".".join(_label(label) for label in host.split("."))


def _label(label: str) -> str:
    if not label.startswith("xn--") or len(label) > 63:  # the codec is quadratic: a label is short
        return label
    try:
        return label[4:].encode("ascii").decode("punycode")
    except (UnicodeError, ValueError):
        return label
