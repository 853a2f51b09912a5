"""Real peers from Debian: Postfix before and behind, Dovecot by LMTP, PostgreSQL as store, swaks as client."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.peers import PostfixAlone, missing_tools, smtp_source
from mxtest.crash import CrashRun
from mxtest.dovecot import Dovecot, need_dovecot
from mxtest.postgres import Cluster, cluster
from mxtest.product import Product, Route, Settings, lost, route_to
from mxtest.sender import Client, Load, make_message
from mxtest.sink import Sink

pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]


def need_postfix() -> None:
    if absent := missing_tools():
        pytest.skip(f"missing from Debian's postfix: {', '.join(absent)}")


def wait_until(condition: object, timeout: float = 30.0, what: str = "") -> None:
    """Poll a callable until it is true."""
    assert callable(condition)
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail(f"not within {timeout} s: {what}")
        time.sleep(0.05)


# -- Postfix


def test_postfix_upstream_relays_into_the_product(tmp_path: Path) -> None:
    need_postfix()
    with Sink(keep=True) as sink, Product(tmp_path, Settings(routes=[route_to(sink.port)])) as product:
        with PostfixAlone(product.inbound) as upstream:
            with Client(upstream.port) as client:
                message = make_message("up-1") + b".leading dot\r\n..two\r\n" + "caf\u00e9\r\n".encode()
                result = client.transact("a@sender.example", ["u@trust.example"], message, parameters="BODY=8BITMIME")
                assert result.final is not None and result.final.code == 250
            smtp_source(upstream.port, n=200, sessions=5, size=4096, rcpt="bulk@trust.example", timeout=60)
            wait_until(lambda: sink.n_messages >= 201, 60, "201 messages at the sink")
            assert upstream.queue_is_empty()
        ledger = product.wait_settled(30)
        assert ledger["accepted"] == ledger["delivered"] == sink.n_messages == 201
        assert sink.messages["u@trust.example"][0].endswith(message.partition(b"\r\n\r\n")[2])


def test_product_relays_to_postfix(tmp_path: Path) -> None:
    need_postfix()
    with Sink(keep=True) as sink, PostfixAlone(sink.port) as downstream:
        with Product(tmp_path, Settings(routes=[route_to(downstream.port)])) as product:
            load = Load(product.inbound, threads=3, name="down").start()
            time.sleep(2)
            load.stop()
            ledger = product.wait_settled(60)
            wait_until(lambda: len(sink.counts) >= load.n_acked, 60, "all relayed on by Postfix")
        assert lost(load.acked, set(sink.counts)) == []
        assert all(n == 1 for n in sink.counts.values())
        assert ledger["delivered"] == load.n_acked


def test_postfix_downstream_refusal_becomes_a_bounce_to_the_sender(tmp_path: Path) -> None:
    with Sink(keep=True) as sink:
        sink.refuse_rcpt["nobody@trust.example"] = b"550 5.1.1 no such user here\r\n"
        with Product(tmp_path, Settings(routes=[route_to(sink.port)])) as product:
            with Client(product.inbound) as client:
                for sender in ("author@sender.example", ""):
                    result = client.transact(sender, ["nobody@trust.example"], make_message(f"refused-{sender}"))
                    assert result.final is not None and result.final.code == 250
            wait_until(lambda: "author@sender.example" in sink.messages, 30, "a delivery status notification")
            ledger = product.wait_settled(30)
        notice = sink.messages["author@sender.example"]
        assert len(notice) == 1
        assert sink.senders["author@sender.example"] == ""
        assert b"multipart/report" in notice[0] and b"5.1.1" in notice[0]
        assert ledger["bounced"] == 2 and ledger["consistent"]
        assert set(sink.messages) == {"author@sender.example"}, "a bounce of a bounce went out"


# -- Dovecot


def test_dovecot_downstream_by_lmtp(tmp_path: Path) -> None:
    need_dovecot()
    with Dovecot(["jane@trust.example"]) as dovecot, Sink() as sink:
        mailbox = Route("trust.example", (f"lmtp://127.0.0.1:{dovecot.port}",))
        with Product(tmp_path, Settings(routes=[mailbox, route_to(sink.port)])) as product:
            message = make_message("lmtp") + b".dot\r\n" + "caf\u00e9\r\n".encode()
            with Client(product.inbound) as client:
                rcpts = ["jane@trust.example", "ghost@trust.example"]
                result = client.transact("a@sender.example", rcpts, message, parameters="BODY=8BITMIME")
                assert result.accepted == rcpts
            stored = dovecot.messages("jane@trust.example")
            wait_until(
                lambda: "a@sender.example" in {rcpt for _, rcpt in sink.counts},
                what="the bounce for the unknown mailbox",
            )
            ledger = product.wait_settled(30)
    assert len(stored) == 1 and stored[0].endswith(message.replace(b"\r\n", b"\n"))
    assert (ledger["delivered"], ledger["bounced"], ledger["consistent"]) == (2, 1, True)


# -- PostgreSQL


@pytest.fixture(scope="module")
def postgres() -> Iterator[Cluster]:
    with cluster() as running:
        yield running


def test_postgresql_as_the_store_survives_kills(tmp_path: Path, postgres: Cluster) -> None:
    settings = Settings(workers=1, store_url=postgres.url("endtoend"))
    report = CrashRun(tmp_path, kills=6, pause=1.2, threads=2, settings=settings, send_pause=0.01, seed=7).run()
    assert report.n_acked > 50
    assert report.lost == []
    assert report.unexplained == []
    assert report.ledger["consistent"]
    assert report.ledger["accepted"] == report.n_acked + report.unknown_delivered


def test_postgresql_restart_is_a_deferral(tmp_path: Path, postgres: Cluster) -> None:
    settings = Settings(workers=1, store_url=postgres.url("restart"))
    with Sink() as sink:
        settings.routes = [route_to(sink.port)]
        with Product(tmp_path, settings) as product:
            load = Load(product.inbound, threads=2, pause=0.01, name="pg").start()
            time.sleep(1.5)
            postgres.stop()
            time.sleep(1.5)
            postgres.start()
            n_before = load.n_acked
            wait_until(lambda: load.n_acked > n_before + 20, 40, "messages accepted again")
            load.stop()
            ledger = product.wait_settled(60)
        assert {a.code for a in load.refused.values()} <= {421, 451, 452}
        assert lost(load.acked, set(sink.counts)) == []
        assert ledger["consistent"]


# -- swaks


def swaks(port: int, *options: str) -> subprocess.CompletedProcess[str]:
    if not shutil.which("swaks"):
        pytest.skip("swaks is not installed")
    if "--tls" in options:
        support = subprocess.run(["swaks", "--support"], capture_output=True, text=True)
        if "TLS supported" not in support.stdout:
            pytest.skip("swaks has no TLS: libnet-ssleay-perl is not installed")
    command = ["swaks", "--server", "127.0.0.1", "--port", str(port), "--helo", "client.sender.example", *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Product, Sink]]:
    with Sink(keep=True) as sink:
        settings = Settings(routes=[route_to(sink.port)], sections={"smtp": {"trusted_networks": ["192.0.2.0/24"]}})
        with Product(tmp_path_factory.mktemp("swaks"), settings) as product:
            yield product, sink


def test_swaks_plain(running: tuple[Product, Sink]) -> None:
    product, sink = running
    done = swaks(product.inbound, "--from", "a@sender.example", "--to", "plain@trust.example", "--body", "hello")
    assert done.returncode == 0, done.stdout + done.stderr
    wait_until(lambda: "plain@trust.example" in sink.messages, what="delivery")


def test_swaks_starttls(running: tuple[Product, Sink]) -> None:
    product, sink = running
    done = swaks(product.inbound, "--tls", "--from", "a@sender.example", "--to", "tls@trust.example")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "TLS started" in done.stdout
    wait_until(lambda: "tls@trust.example" in sink.messages, what="delivery")
    assert re.search(rb"with ESMTPS\b", sink.messages["tls@trust.example"][0])


def test_swaks_relay_is_refused(running: tuple[Product, Sink]) -> None:
    product, _ = running
    done = swaks(product.inbound, "--from", "a@sender.example", "--to", "someone@elsewhere.example")
    assert done.returncode == 24, done.stdout  # every RCPT refused
    assert re.search(r"<\*\* 55\d", done.stdout)


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
def test_swaks_auth(running: tuple[Product, Sink], mechanism: str) -> None:
    product, sink = running
    rcpt = f"{mechanism.lower()}@elsewhere.example"
    refused = swaks(product.outbound, "--tls", "--from", "a@trust.example", "--to", rcpt)
    assert refused.returncode != 0, "the outbound side relays for strangers"
    add_user(product, "mailer", "correct-horse-9")
    wrong = swaks(product.outbound, "--tls", "--auth", mechanism, "--auth-user", "mailer", "--auth-password", "no",
                  "--from", "a@trust.example", "--to", rcpt)  # fmt: skip
    assert wrong.returncode == 28, wrong.stdout
    done = swaks(product.outbound, "--tls", "--auth", mechanism, "--auth-user", "mailer", "--auth-password",
                 "correct-horse-9", "--from", "a@trust.example", "--to", rcpt)  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    wait_until(lambda: rcpt in sink.messages, what="delivery")


def add_user(product: Product, name: str, password: str) -> None:
    """`mxward user add`, the password on standard input; an account that exists already is kept."""
    from mxtest.product import MXWARD

    command = [
        *MXWARD,
        "user",
        "add",
        name,
        "--password-stdin",
        "--data",
        str(product.data),
        "--config",
        str(product.config),
    ]
    done = subprocess.run(command, input=f"{password}\n", capture_output=True, text=True, timeout=30)
    assert done.returncode == 0 or "already" in done.stderr, done.stderr + done.stdout
