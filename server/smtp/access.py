"""Who may send what to whom: no open relay by construction.

The inbound side takes mail for our own domains only, from anyone. The outbound side takes mail to anywhere, only from
trusted networks or after AUTH. There is no third way, and no setting that makes one.
"""

from __future__ import annotations

from mxward.core.errors import Refusal
from mxward.core.message import INBOUND, INTERNAL
from mxward.core.message import OUTBOUND as TO_OUTSIDE
from mxward.server.smtp import reply
from mxward.server.smtp.address import Address
from mxward.server.smtp.settings import OUTBOUND, Settings

# Characters by which a second hop could read another address out of a local part (percent hack, bang path, quoted @).
ROUTING = frozenset("%!@")


def check_client(settings: Settings, side: str, client_ip: str, auth_user: str) -> None:
    """May this client begin a transaction? Raises Refusal."""
    if side == OUTBOUND and not auth_user and client_ip not in settings.trusted:
        raise Refusal(reply.AUTH_FIRST, "client is neither trusted nor authenticated")


def check_sender(address: Address) -> None:
    """Is the reverse-path one we can answer to? Raises Refusal."""
    if address.is_routed:
        raise Refusal(reply.ROUTED_SENDER, "source route")


def is_local(settings: Settings, address: Address) -> bool:
    return not address.domain or address.domain in settings.local_domains


def check_recipient(settings: Settings, side: str, address: Address) -> Address:
    """May mail go to this recipient by this side? The address to use. Raises Refusal.

    <postmaster> without a domain becomes the postmaster of the first local domain (RFC 5321 section 4.5.1).
    """
    if not address.domain:
        domain = settings.postmaster_domain
        return Address(f"{address.text}@{domain}", address.local, domain)
    if address.is_routed:
        raise Refusal(reply.ROUTED, "source route")
    if not is_local(settings, address):
        if side != OUTBOUND:
            raise Refusal(reply.RELAY, "not a local domain")
        return address
    if not ROUTING.isdisjoint(address.local):
        raise Refusal(reply.ROUTED, "routing characters in the local part")
    if settings.recipients is not None and not _is_known(settings.recipients, address):
        raise Refusal(reply.NO_MAILBOX, "not in the recipients file")
    return address


def _is_known(recipients: frozenset[str], address: Address) -> bool:
    key = address.key
    return key in recipients or f"@{address.domain}" in recipients or address.local.casefold() == "postmaster"


def direction(settings: Settings, side: str, recipients: list[Address]) -> str:
    """Direction of a message; on the outbound side internal only when every recipient is ours."""
    if side != OUTBOUND:
        return INBOUND
    return INTERNAL if all(is_local(settings, r) for r in recipients) else TO_OUTSIDE
