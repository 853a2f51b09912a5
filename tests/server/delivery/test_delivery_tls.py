"""STARTTLS towards next hops: each mode against good, bad, absent and treacherous TLS."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from pathlib import Path

import pytest

from mxtest.certificate import make_certificate
from mxtest.deliverykit import open_kit, to
from mxtest.scriptpeer import Act, ScriptPeer
from mxward.server.delivery.connection import make_context
from mxward.server.delivery.session import TlsMode
from mxward.server.store.api import DELIVERED, QUEUED


def server_side(path: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


def trusting(path: Path) -> Callable[[TlsMode], ssl.SSLContext | None]:
    """Client contexts as delivery makes them, with one more authority."""

    def make(mode: TlsMode) -> ssl.SSLContext | None:
        context = make_context(mode)
        if context:
            context.load_verify_locations(path)
        return context

    return make


@pytest.fixture
def pem(tmp_path: Path) -> Path:
    return make_certificate(tmp_path, "localhost")


def by_name(peer: ScriptPeer) -> str:
    return f"smtp://localhost:{peer.port}"


@pytest.mark.parametrize("mode", ["opportunistic", "required"])
async def test_self_signed_is_good_enough_without_verification(tmp_path: Path, pem: Path, mode: TlsMode) -> None:
    async with ScriptPeer(context=server_side(pem)) as peer, open_kit(tmp_path, to(peer.url, tls=mode)) as kit:
        first = kit.put("a@x.example")
        (row,) = await kit.settled(first)
        await kit.settled(kit.put("b@x.example"))
        assert row.state == DELIVERED
        assert peer.verbs()[:4] == ["EHLO", "STAR", "EHLO", "MAIL"]
        assert (peer.n_tls, peer.n_connections) == (1, 1)
        await kit.until(lambda: len(kit.events("delivery")) == 2)
        assert kit.events("delivery")[0]["tls"].startswith("TLSv1.")


async def test_mode_none_says_no_starttls(tmp_path: Path, pem: Path) -> None:
    async with ScriptPeer(context=server_side(pem)) as peer, open_kit(tmp_path, to(peer.url, tls="none")) as kit:
        await kit.settled(kit.put("a@x.example"))
        assert "STAR" not in peer.verbs()


async def test_verify_takes_the_right_name_from_a_known_authority(tmp_path: Path, pem: Path) -> None:
    async with (
        ScriptPeer(context=server_side(pem)) as peer,
        open_kit(tmp_path, to(by_name(peer), tls="verify"), context=trusting(pem)) as kit,
    ):
        (row,) = await kit.settled(kit.put("a@x.example"))
        assert row.state == DELIVERED


@pytest.mark.parametrize("case", ["self-signed", "wrong name"])
async def test_verify_refuses(tmp_path: Path, pem: Path, case: str) -> None:
    other = make_certificate(tmp_path, "other.example")
    served, trusted = (pem, other) if case == "self-signed" else (other, other)
    async with (
        ScriptPeer(context=server_side(served)) as peer,
        open_kit(tmp_path, to(by_name(peer), tls="verify"), context=trusting(trusted)) as kit,
    ):
        (row,) = await kit.tried(kit.put("a@x.example"))
        assert row.state == QUEUED
        assert "4.7.5 TLS with" in row.reply
        assert "MAIL" not in peer.verbs()


@pytest.mark.parametrize("mode", ["required", "verify"])
@pytest.mark.parametrize("case", ["absent", "refused"])
async def test_required_tls_never_falls_back(tmp_path: Path, mode: TlsMode, case: str) -> None:
    extensions = ("PIPELINING",) if case == "absent" else ("STARTTLS", "PIPELINING")
    async with (
        ScriptPeer({"STARTTLS": b"454 4.7.0 no TLS today\r\n"}, extensions=extensions) as peer,
        open_kit(tmp_path, to(peer.url, tls=mode)) as kit,
    ):
        (row,) = await kit.tried(kit.put("a@x.example"))
        assert row.state == QUEUED
        assert "4.7.4 TLS is required but not offered" in row.reply
        assert "MAIL" not in peer.verbs()


async def test_opportunistic_goes_on_in_plain_text_after_a_refusal(tmp_path: Path) -> None:
    async with (
        ScriptPeer({"STARTTLS": b"454 4.7.0 no TLS today\r\n"}, extensions=("STARTTLS",)) as peer,
        open_kit(tmp_path, to(peer.url, tls="opportunistic")) as kit,
    ):
        (row,) = await kit.settled(kit.put("a@x.example"))
        assert (row.state, peer.n_connections) == (DELIVERED, 1)


async def test_a_failed_handshake_falls_back_only_when_opportunistic(tmp_path: Path) -> None:
    """The peer says 220 and then talks SMTP where TLS should begin."""
    async with (
        ScriptPeer(extensions=("STARTTLS",)) as peer,  # without a context the handshake meets plain text
        open_kit(tmp_path, to(peer.url, "o.example", tls="opportunistic"), to(peer.url, tls="required")) as kit,
    ):
        peer.answers[""] = Act.CLOSE
        (row,) = await kit.settled(kit.put("a@o.example"))
        assert row.state == DELIVERED
        assert kit.events("tls_fallback")
        await kit.settled(kit.put("b@o.example"))
        assert peer.verbs().count("STAR") == 1  # remembered
        (row,) = await kit.tried(kit.put("c@x.example"))
        assert row.state == QUEUED


@pytest.mark.parametrize("mode", ["opportunistic", "required"])
@pytest.mark.parametrize(
    "more", [b"250-evil.example\r\n250 AUTH LOGIN\r\n", b"250 ", b"\r\n"], ids=["reply", "half", "line"]
)
async def test_injected_plain_text_after_220_ends_the_session(
    tmp_path: Path, pem: Path, mode: TlsMode, more: bytes
) -> None:
    async with (
        ScriptPeer({"STARTTLS": b"220 go\r\n" + more}, context=server_side(pem)) as peer,
        open_kit(tmp_path, to(peer.url, tls=mode)) as kit,
    ):
        (row,) = await kit.tried(kit.put("a@x.example"))
        assert row.state == QUEUED
        assert "MAIL" not in peer.verbs()
        assert peer.contents == []


async def test_extensions_learnt_in_plain_text_are_forgotten(tmp_path: Path, pem: Path) -> None:
    """A man in the middle adds SIZE 10 before TLS; after TLS the peer itself offers nothing."""
    async with (
        ScriptPeer(extensions=("SIZE 10", "DSN", "8BITMIME"), after_tls=(), context=server_side(pem)) as peer,
        open_kit(tmp_path, to(peer.url, tls="opportunistic")) as kit,
    ):
        (row,) = await kit.settled(kit.put("a@x.example", sender="s@x.example"))
        assert row.state == DELIVERED
        assert b"MAIL FROM:<s@x.example>" in peer.lines
