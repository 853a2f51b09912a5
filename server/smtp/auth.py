"""AUTH PLAIN and LOGIN: the exchange as a machine without input or output (RFC 4954, RFC 4616).

Checking the password is password.py's.
"""

from __future__ import annotations

import base64
import binascii

from mxward.core.errors import Reply
from mxward.server.smtp import reply
from mxward.server.smtp.action import Authenticate

MAX_NAME = 256
MAX_PASSWORD = 1024  # argon2 reads all of it


def _decode(text: bytes) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        return None


def _credentials(name: bytes, password: bytes) -> Reply | Authenticate:
    try:
        user, secret = name.decode("utf-8"), password.decode("utf-8")
    except UnicodeDecodeError:
        return reply.AUTH_BAD
    if not user or not secret or len(user) > MAX_NAME or len(secret) > MAX_PASSWORD:
        return reply.AUTH_BAD
    return Authenticate(user, secret)


class Sasl:
    """One exchange. `begin` and `step` give a challenge (bytes, base64), a final Reply, or the credentials."""

    __slots__ = ("_is_login", "_name")

    def __init__(self, mechanism: bytes) -> None:
        """Args: mechanism: b"PLAIN" or b"LOGIN"."""
        self._is_login = mechanism == b"LOGIN"
        self._name: bytes | None = None

    def begin(self, initial: bytes) -> bytes | Reply | Authenticate:
        """Start, with the initial response when the client sent one ("=" is an empty one)."""
        if not initial:
            return b"VXNlcm5hbWU6" if self._is_login else b""
        return self.step(b"" if initial == b"=" else initial)

    def step(self, line: bytes) -> bytes | Reply | Authenticate:
        """One response line of the client, without CRLF."""
        if line == b"*":
            return reply.AUTH_CANCELLED
        response = _decode(line)
        if response is None:
            return reply.AUTH_CODING
        return self._login(response) if self._is_login else self._plain(response)

    def _plain(self, response: bytes) -> Reply | Authenticate:
        fields = response.split(b"\0")
        if len(fields) != 3:
            return reply.AUTH_CODING
        identity, name, password = fields
        if identity not in (b"", name):  # nobody acts for another user here
            return reply.AUTH_BAD
        return _credentials(name, password)

    def _login(self, response: bytes) -> bytes | Reply | Authenticate:
        if self._name is None:
            self._name = response
            return b"UGFzc3dvcmQ6"
        return _credentials(self._name, response)
