"""One transaction (MAIL to end of data) as the session collects it, and the envelope it becomes.

Not here: what happens at end of data (finish.py).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from mxward.core.errors import Reply
from mxward.core.message import Envelope, Recipient
from mxward.pyx.smtpdata import DataReader
from mxward.server.smtp.parameters import MailParameters, RcptParameters
from mxward.server.smtp.settings import Settings


@dataclass(slots=True)
class Client:
    """What is known of the peer. `ip` is the client's, whoever relayed the connection (PROXY, XCLIENT)."""

    ip: str
    port: int = 0
    name: str = ""  # verified reverse name
    peer_ip: str = ""  # the host at the other end of the TCP connection
    helo: str = ""
    is_esmtp: bool = False
    tls: str = ""  # protocol and cipher
    auth_user: str = ""


@dataclass(slots=True)
class Transaction:
    """Everything of one transaction. `held` bytes are counted in Load.memory until it is settled."""

    settings: Settings
    client: Client
    mail: MailParameters
    direction: str = ""
    rcpts: list[RcptParameters] = field(default_factory=list)
    texts: set[str] = field(default_factory=set)
    reader: DataReader | None = None
    failure: Reply | None = None  # decided while data still came
    started: float = 0.0  # monotonic, first DATA or BDAT
    raw: bytes = b""
    held: int = 0

    def protocol(self) -> str:
        """Keyword of the `with` clause: RFC 3848, RFC 6531 section 4.3."""
        client = self.client
        if not client.is_esmtp:
            return "SMTP"
        base = "UTF8SMTP" if self.mail.smtputf8 else "ESMTP"
        return base + ("S" if client.tls else "") + ("A" if client.auth_user else "")

    def envelope(self, queue_id: str, received_at: datetime) -> Envelope:
        """The envelope that the pipeline and the store see."""
        client, mail = self.client, self.mail
        return Envelope(
            sender=mail.sender.text,
            recipients=tuple(Recipient(r.address.text, r.notify, r.orcpt) for r in self.rcpts),
            direction=self.direction,
            queue_id=queue_id,
            received_at=received_at,
            client_ip=client.ip,
            client_name=client.name,
            helo=client.helo,
            protocol=self.protocol(),
            tls=client.tls,
            auth_user=client.auth_user,
            body=mail.body,
            smtputf8=mail.smtputf8,
            ret=mail.ret,
            envid=mail.envid,
        )
