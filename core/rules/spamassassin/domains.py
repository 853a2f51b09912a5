"""Host names and registered domains as SpamAssassin tells them: by the lists that its rule set brings along.

Not the public suffix list, and with the same special case for names under .us (RFC 1480).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from mxward.core.bounded import cache_short
from mxward.core.rules.spamassassin.addresses import is_host
from mxward.core.rules.spamassassin.ip import is_address

if TYPE_CHECKING:
    from mxward.core.rules.spamassassin.site import Site

_DOTS: Final = re.compile(rb"\.+")
_STATES: Final = frozenset(
    b"ak al ar az ca co ct dc de fl ga gu hi ia id il in ks ky la ma md me mi mn mo ms mt nc nd ne nh nj nm nv ny oh "
    b"ok or pa pr ri sc sd tn tx ut va vi vt wa wi wv wy".split()
)
_ENCODED: Final = re.compile(rb"%(?:2[1-9a-f]|[3-6][0-9a-f]|7[0-9a-e])")
# letters are looked at from the first of a row only: a long row without a colon would be gone through from each
_SCHEME: Final = re.compile(rb"(?<![a-z])[a-z]++:/{0,2}")
_AFTER_HOST: Final = re.compile(rb"[/?#].*", re.S)


def ascii_host(host: bytes) -> bytes:
    """The name in lower case. Names outside ASCII stay as they are: SpamAssassin needs an optional library for them."""
    return host.lower()


@cache_short(8192)
def registered_domain(host: bytes, site: Site) -> bytes:
    """The part of a host name that somebody registered: www.foo.co.uk -> foo.co.uk."""
    labels = _DOTS.sub(b".", host.lower()).strip(b".").split(b".")
    at = next((at for at in range(len(labels) - 1) if _is_delegated(labels[at:], site)), len(labels) - 1)
    return b".".join(labels[max(0, at - 1) :])


def _is_delegated(labels: list[bytes], site: Site) -> bool:
    """Whether names directly under this one are domains of their own."""
    count = len(labels)
    if count == 2:
        return b".".join(labels) in site.second_level
    if count == 3:
        return labels[1] in _STATES if labels[2] == b"us" else b".".join(labels) in site.third_level
    if count == 4 and labels[3] == b"us" and labels[2] in _STATES:
        return labels[:2] == [b"pvt", b"k12"] or labels[0] in (b"ci", b"co")
    return False


def is_known(domain: bytes, site: Site) -> bool:
    """Whether the name has a dot and ends in a known top-level domain."""
    name, dot, top = domain.lower().rpartition(b".")
    return bool(dot) and top in site.top_level and not re.search(rb"\s", name)


@cache_short(8192)
def domain_of(address: bytes, site: Site) -> tuple[bytes, bytes] | None:
    """(registered domain, host) of a web or mail address; None when it has no host that could exist."""
    text = address.lower()
    if text.startswith((b"javascript:", b"cid:", b"file:")):
        return None
    if text.startswith(b"mailto:"):
        text = text[7:].partition(b"?")[0]
        if text.count(b"@") != 1:
            return None
        text = text.rpartition(b"@")[2]
    else:
        text = _AFTER_HOST.sub(b"", _SCHEME.sub(b"", text, count=1))
        text = re.sub(rb":\d*\Z", b"", text.rpartition(b"@")[2])
    if _ENCODED.search(text):
        return None
    if is_address(text):
        return text, text
    if not is_host(text) or not is_known(text, site):
        return None
    return registered_domain(text, site), text
