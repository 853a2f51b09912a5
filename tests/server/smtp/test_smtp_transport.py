"""TLS, AUTH over it, PROXY headers: what happens around the session."""

from __future__ import annotations

import asyncio
import ssl
import stat
import struct
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from mxtest.smtpbox import Box, Peer, both_loops, client_context, open_box
from mxward.core.errors import ConfigError
from mxward.server.config import Config, Listener
from mxward.server.smtp import password, tls
from mxward.server.smtp.proxy import ProxyError, header_size, parse
from mxward.server.store.api import UserRow

IMPLICIT = {"inbound": Listener(address="127.0.0.1:0", side="inbound", tls="implicit")}
PROXIED = {"inbound": Listener(address="127.0.0.1:0", side="inbound", proxy_protocol=True)}


async def deliver(peer: Peer) -> str:
    for command in (b"EHLO c", b"MAIL FROM:<a@x.example>", b"RCPT TO:<b@trust.example>", b"DATA"):
        assert (await peer.ask(command))[0] in "23"
    await peer.send(b"x\r\n.\r\n")
    return await peer.reply()


@both_loops
async def test_starttls_and_its_trace(tmp_path: Path) -> None:
    async with open_box(tmp_path, tls=True) as box:
        peer = await box.connect()
        await peer.hello(b"STARTTLS")
        await peer.writer.start_tls(client_context())
        assert (await deliver(peer)).startswith("250 ")
        (message,) = box.messages
        assert message.protocol == "ESMTPS"
        assert message.tls.startswith("TLSv1.3 TLS_")
        assert b"\t(using TLSv1.3 TLS_" in message.trace


@both_loops
async def test_large_message_through_tls(tmp_path: Path) -> None:
    raw = b"0123456789" * 7 + b"\r\n"
    async with open_box(tmp_path, tls=True) as box:
        peer = await box.connect()
        await peer.hello(b"STARTTLS")
        await peer.writer.start_tls(client_context())
        for command in (b"EHLO c", b"MAIL FROM:<a@x.example>", b"RCPT TO:<b@trust.example>", b"DATA"):
            assert (await peer.ask(command))[0] in "23"
        await peer.send(raw * 50_000 + b".\r\n")
        assert (await peer.reply()).startswith("250 ")
        assert box.messages[0].raw == raw * 50_000


@both_loops
async def test_plain_text_behind_starttls_never_reaches_the_session(tmp_path: Path) -> None:
    """Injected commands in their own packets: they break the handshake, and none is executed."""
    async with open_box(tmp_path, tls=True) as box:
        for _ in range(5):
            peer = await box.connect()
            await peer.hello()
            await peer.send(b"STARTTLS\r\n")
            await asyncio.sleep(0)
            await peer.send(b"MAIL FROM:<evil@x.example>\r\n" * 20)
            answer = await peer.rest()
            assert answer.startswith((b"220 2.0.0 ", b"503 5.5.0 "))
            assert b"2.1.0" not in answer


@both_loops
async def test_old_tls_is_refused(tmp_path: Path) -> None:
    async with open_box(tmp_path, tls=True, tls__minimum="1.3") as box:
        peer = await box.connect()
        await peer.hello(b"STARTTLS")
        context = client_context()
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await peer.writer.start_tls(context)


@both_loops
async def test_implicit_tls(tmp_path: Path) -> None:
    async with open_box(tmp_path, tls=True, listeners=IMPLICIT) as box:
        peer = await box.connect(tls=client_context())
        assert (await peer.reply()).startswith("220 ")
        assert (await deliver(peer)).startswith("250 ")
        assert box.messages[0].protocol == "ESMTPS"
        assert "STARTTLS" not in await peer.ask(b"EHLO c")


@both_loops
async def test_broken_handshake_ends_the_connection(tmp_path: Path) -> None:
    async with open_box(tmp_path, tls=True, listeners=IMPLICIT) as box:
        peer = await box.connect()
        await peer.send(b"EHLO plain\r\n")
        assert b"220" not in await peer.rest()
        await box.until(lambda: not box.front.protocols)


def test_self_signed_certificate_is_made_once_and_kept_private(tmp_path: Path) -> None:
    certificate, key = tls.ensure_self_signed(tmp_path / "tls", "mx.trust.example")
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    first = key.read_bytes(), certificate.read_bytes()
    tls.ensure_self_signed(tmp_path / "tls", "mx.trust.example")
    assert (key.read_bytes(), certificate.read_bytes()) == first


def test_unusable_certificate_is_a_configuration_error(tmp_path: Path) -> None:
    config = Config()
    config.tls.certificate = str(tmp_path / "absent.pem")
    with pytest.raises(ConfigError):
        tls.server_context(config)


# -- AUTH


def user(name: str, secret: str, *, disabled: bool = False) -> UserRow:
    hasher = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
    return UserRow(name, hasher.hash(secret), "user", 0, disabled)


@both_loops
async def test_authenticated_message_says_so(tmp_path: Path) -> None:
    async with open_box(tmp_path, tls=True, users={"staff": user("staff", "secret")}) as box:
        peer = await box.connect("outbound")
        await peer.hello(b"STARTTLS")
        await peer.writer.start_tls(client_context())
        assert "AUTH PLAIN LOGIN" in await peer.ask(b"EHLO c")
        assert (await peer.ask(b"AUTH PLAIN AHN0YWZmAHNlY3JldA==")).startswith("235 ")
        assert "AUTH" not in await peer.ask(b"EHLO c")
        assert (await deliver(peer)).startswith("250 ")
        (message,) = box.messages
        assert (message.protocol, message.auth_user) == ("ESMTPSA", "staff")
        assert b"staff" not in message.trace  # the name of an account is nobody's business


def test_failures_cannot_be_told_apart() -> None:
    known, gone = user("a", "secret"), user("b", "secret", disabled=True)
    assert password.verify(known, "secret")
    assert not password.verify(known, "wrong")
    assert not password.verify(gone, "secret")
    assert not password.verify(None, "secret")
    assert not password.verify(UserRow("c", "not a hash", "user", 0, False), "secret")


def test_unknown_user_costs_a_real_verification(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    real = PasswordHasher.verify

    def spy(self: PasswordHasher, digest: str, secret: str) -> bool:
        seen.append(digest)
        return real(self, digest, secret)

    monkeypatch.setattr(PasswordHasher, "verify", spy)
    password.verify(None, "secret")
    assert seen[0].startswith("$argon2id$")


# -- PROXY


def v2(command: int, family: int, addresses: bytes) -> bytes:
    return b"\r\n\r\n\0\r\nQUIT\n" + bytes((0x20 | command, family)) + struct.pack(">H", len(addresses)) + addresses


V4 = bytes((192, 0, 2, 7, 192, 0, 2, 1)) + struct.pack(">HH", 1234, 25)
HEADERS = {
    b"PROXY TCP4 192.0.2.7 192.0.2.1 1234 25\r\n": ("192.0.2.7", 1234),
    b"PROXY TCP6 2001:db8::7 2001:db8::1 1234 25\r\n": ("2001:db8::7", 1234),
    b"PROXY UNKNOWN\r\n": None,
    v2(1, 0x11, V4): ("192.0.2.7", 1234),
    v2(0, 0x00, b""): None,
    v2(1, 0x11, V4 + b"\x04\0\x03abc"): ("192.0.2.7", 1234),
}


@pytest.mark.parametrize(("header", "found"), HEADERS.items())
def test_proxy_headers(header: bytes, found: tuple[str, int] | None) -> None:
    for size in range(1, len(header)):
        assert header_size(header[:size]) == 0
    assert header_size(header + b"EHLO") == len(header)
    assert parse(header) == found


@pytest.mark.parametrize(
    "data",
    [
        b"EHLO client\r\n", b"PROXY " + b"x" * 200, b"\r\n\r\n\0\r\nQUIT\r", v2(1, 0x11, b"")[:14] + b"\xff\xff",
        b"PROXY TCP4 999.0.0.1 1.2.3.4 1 2\r\n", b"PROXY TCP4 1.2.3.4\r\n", b"PROXY \r\n", v2(1, 0x11, b"\0\0"),
        v2(9, 0x11, V4), b"PROXY TCP4 192.0.2.7 192.0.2.1 99999 25\r\n",
    ],
)  # fmt: skip
def test_bad_proxy_headers(data: bytes) -> None:
    with pytest.raises(ProxyError):
        size = header_size(data)
        assert size
        parse(data[:size])


@pytest.mark.parametrize("header", [b"PROXY TCP4 192.0.2.7 192.0.2.1 1234 25\r\n", v2(1, 0x11, V4)])
@both_loops
async def test_proxied_client(tmp_path: Path, header: bytes) -> None:
    async with open_box(tmp_path, listeners=PROXIED) as box:
        peer = await box.connect()
        for byte in header:
            await peer.send(bytes((byte,)))
        assert (await peer.reply()).startswith("220 ")
        assert (await deliver(peer)).startswith("250 ")
        assert box.messages[0].client_ip == "192.0.2.7"
        assert box.front.load.per_client == {"192.0.2.7": 1}


async def _refused(box: Box, data: bytes) -> None:
    peer = await box.connect()
    await peer.send(data)
    assert await peer.rest() == b""
    await box.until(lambda: not box.front.protocols)


@both_loops
async def test_proxy_header_is_required_and_only_from_proxies(tmp_path: Path) -> None:
    async with open_box(tmp_path, listeners=PROXIED) as box:
        await _refused(box, b"EHLO client\r\n")
    async with open_box(tmp_path, listeners=PROXIED, smtp__trusted_proxies=["192.0.2.0/24"]) as box:
        await _refused(box, b"PROXY TCP4 192.0.2.7 192.0.2.1 1234 25\r\n")
