"""Connections and their use: reuse, repeats on stale ones, fail-over, concurrency, rate, stop, backlog."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from mxtest.deliverykit import open_kit, to
from mxtest.ports import free_port
from mxtest.scriptpeer import Act, Script, ScriptPeer
from mxtest.storekit import new_message, now_us, rcpts
from mxward.core.errors import StoreUnavailable, StoreUnfit
from mxward.server.config import Route
from mxward.server.delivery import connection as connection_module
from mxward.server.delivery import engine as engine_module
from mxward.server.delivery.lane import DEAD_FIRST, DEAD_MAX, DeadHosts
from mxward.server.delivery.reply import local
from mxward.server.delivery.resolve import Target
from mxward.server.store import open_store
from mxward.server.store.api import DELIVERED, HELD, QUEUED, NewMessage, Outcome


async def test_one_connection_serves_many_messages(tmp_path: Path) -> None:
    async with ScriptPeer() as peer, open_kit(tmp_path, to(peer.url, max_connections=1)) as kit:
        for queue_id in [kit.put(f"u{i}@x{i}.example") for i in range(50)]:
            (row,) = await kit.settled(queue_id)
            assert row.state == DELIVERED
        assert peer.n_connections == 1
        assert len(peer.contents) == 50
        assert "RSET" not in peer.verbs()


@pytest.mark.parametrize("how", [Act.CLOSE, Act.RESET, b"421 4.4.2 idle too long\r\n"], ids=["close", "reset", "421"])
async def test_a_stale_connection_is_replaced_without_counting(tmp_path: Path, how: Script) -> None:
    second = [False]

    def mail(line: bytes, number: int) -> bytes | Act:
        if number == 1 and second[0]:
            assert not isinstance(how, list | dict) and not callable(how)
            return how
        return b"250 2.1.0 Ok\r\n"

    async with ScriptPeer({"MAIL": mail}) as peer, open_kit(tmp_path, to(peer.url)) as kit:
        await kit.settled(kit.put("a@x.example"))
        second[0] = True
        (row,) = await kit.settled(kit.put("b@x.example"))
        assert (row.state, row.attempts) == (DELIVERED, 1)
        assert peer.n_connections == 2


async def test_hosts_are_tried_in_order_and_a_dead_one_is_remembered(tmp_path: Path) -> None:
    dead = free_port()
    async with ScriptPeer({"GREETING": b"554 5.3.2 closed\r\n"}) as refusing, ScriptPeer() as good:
        route = Route(domain="*", via=[f"smtp://127.0.0.1:{dead}", refusing.url, good.url], tls="none")
        async with open_kit(tmp_path, route) as kit:
            for _ in range(3):
                (row,) = await kit.settled(kit.put("a@x.example"))
                assert (row.state, row.route) == (DELIVERED, good.url)
            assert refusing.n_connections == 1


async def test_when_every_host_is_dead_waiting_mail_is_deferred_at_once(tmp_path: Path) -> None:
    async with open_kit(tmp_path, to(f"smtp://127.0.0.1:{free_port()}")) as kit:
        ids = [kit.put("a@x.example") for _ in range(20)]
        for queue_id in ids:
            (row,) = await kit.tried(queue_id)
            assert row.state == QUEUED
            assert "4.4.1 connection to smtp://127.0.0.1" in row.reply


async def test_breaks_before_content_move_on_to_the_next_host(tmp_path: Path) -> None:
    async with (
        ScriptPeer({"RCPT": Act.CLOSE}) as bad,
        ScriptPeer() as good,
        open_kit(tmp_path, Route(domain="*", via=[bad.url, good.url], tls="none")) as kit,
    ):
        (row,) = await kit.settled(kit.put("a@x.example"))
        assert (row.state, row.route, row.attempts) == (DELIVERED, good.url, 1)


def test_dead_hosts_are_left_alone_longer_each_time() -> None:
    clock = [0.0]
    dead, host = DeadHosts(lambda: clock[0]), Target("h", "192.0.2.1", 25)
    pauses = []
    for _ in range(6):
        for _ in range(5):
            dead.mark(host, local("4.4.1", "down"))  # parallel failures count once
        start = clock[0]
        while dead.reason(host):
            clock[0] += 1
        pauses.append(clock[0] - start)
    assert pauses == [DEAD_FIRST, 60, 120, 240, DEAD_MAX, DEAD_MAX]
    dead.clear(host)
    dead.mark(host, local("4.4.1", "down"))
    clock[0] += DEAD_FIRST
    assert dead.reason(host) is None


async def test_connections_to_a_destination_are_limited(tmp_path: Path) -> None:
    gate = asyncio.Event()
    peer = _SlowPeer(gate)
    server = await asyncio.start_server(peer.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with open_kit(tmp_path, to(f"smtp://127.0.0.1:{port}", max_connections=3)) as kit:
        ids = [kit.put("a@x.example") for _ in range(30)]
        await kit.until(lambda: peer.n_open == 3)
        await asyncio.sleep(0.2)
        assert peer.most_open == 3
        gate.set()
        for queue_id in ids:
            await kit.settled(queue_id)
        assert peer.most_open <= 3
    server.close()


class _SlowPeer:
    """Answers the final dot only when told to."""

    def __init__(self, gate: asyncio.Event) -> None:
        self.gate, self.n_open, self.most_open = gate, 0, 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.n_open += 1
        self.most_open = max(self.most_open, self.n_open)
        writer.write(b"220 slow\r\n")
        in_data = False
        while line := await reader.readline():
            if in_data:
                if line != b".\r\n":
                    continue
                await self.gate.wait()
            in_data = line.startswith(b"DATA")
            writer.write(b"354 go\r\n" if in_data else b"250 ok\r\n")
        self.n_open -= 1
        writer.close()


async def test_the_rate_is_limited(tmp_path: Path) -> None:
    async with ScriptPeer() as peer, open_kit(tmp_path, to(peer.url, max_rate=20.0)) as kit:
        start = time.monotonic()
        for queue_id in [kit.put("a@x.example") for _ in range(10)]:
            await kit.settled(queue_id)
        assert time.monotonic() - start >= 9 / 20
        assert len(peer.contents) == 10


async def test_an_idle_connection_is_left_politely(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection_module, "IDLE_SECONDS", 0.1)
    async with ScriptPeer() as peer, open_kit(tmp_path, to(peer.url)) as kit:
        await kit.settled(kit.put("a@x.example"))
        await kit.until(lambda: peer.verbs()[-1] == "QUIT")


async def test_a_message_to_many_places_is_split_and_joined(tmp_path: Path) -> None:
    """Same host and content: one transaction. A tag for one recipient: its own copy; the others stay as they were."""
    async with ScriptPeer() as one, ScriptPeer() as two:
        routes = [to(one.url, "one.example"), to(two.url, "two.example")]
        async with open_kit(tmp_path, *routes) as kit:
            raw = b"From: a@b.example\r\nSubject: hello\r\n\r\ntext\r\n"
            tagged = rcpts("t@one.example", disposition={"additions": [["tag", "X-Mark: yes"]]})
            given = [*rcpts("a@one.example", "b@one.example", "c@two.example"), *tagged]
            queue_id = kit.commit(new_message(given, raw=raw))
            rows = await kit.settled(queue_id)
            assert {r.state for r in rows} == {DELIVERED}
            assert Counter(one.contents) == Counter([raw + b".\r\n", b"X-Mark: yes\r\n" + raw + b".\r\n"])
            assert two.contents == [raw + b".\r\n"]
            assert one.verbs().count("RCPT") == 3


async def test_stop_lets_transactions_end_and_gives_the_rest_back(tmp_path: Path) -> None:
    gate = asyncio.Event()
    peer = _SlowPeer(gate)
    server = await asyncio.start_server(peer.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with open_kit(tmp_path, to(f"smtp://127.0.0.1:{port}", max_connections=1)) as kit:
        ids = [kit.put("a@x.example") for _ in range(5)]
        await kit.until(lambda: peer.n_open == 1 and kit.engine.n_active == 5)
        asyncio.get_running_loop().call_later(0.3, gate.set)
        config = kit.config
    store = open_store(config, "delivery.1")
    rows = [store.message(q).recipients[0] for q in ids]  # type: ignore[union-attr]  # all are there
    assert sorted((r.state, r.attempts) for r in rows) == [(DELIVERED, 1)] + [(QUEUED, 0)] * 4
    again = store.lease("other", 10, now_us(), 1_000_000)
    assert len(again) == 4
    store.close()
    server.close()


@pytest.mark.parametrize("n_stuck", [1, 6])
async def test_stuck_destinations_do_not_hold_up_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, n_stuck: int
) -> None:
    monkeypatch.setattr(engine_module, "STUCK_SECONDS", 0.1)
    monkeypatch.setattr(engine_module, "DRAIN_SECONDS", 0.1)
    async with ScriptPeer({"DOT": Act.HANG}) as stuck, ScriptPeer() as good:
        # a different Maildir behind each makes the routes, and so the lanes, differ
        routes = [
            Route(domain=f"stuck{i}.example", via=[stuck.url, f"maildir:{i}"], tls="none") for i in range(n_stuck)
        ]
        async with open_kit(tmp_path, *routes, to(good.url), max_active=8, data_timeout=60.0) as kit:
            for i in range(24):
                kit.put(f"a@stuck{i % n_stuck}.example")
            await kit.until(lambda: len(stuck.contents) >= min(8, 5 * n_stuck))
            for queue_id in [kit.put("a@good.example") for _ in range(10)]:
                await kit.settled(queue_id)
            assert kit.engine.n_active <= 8 * engine_module.HARD_CAP


async def test_a_recipient_due_while_another_is_under_way(tmp_path: Path) -> None:
    """One message, two destinations: the slow one must not keep the other's retry from being made."""
    gate = asyncio.Event()
    slow = _SlowPeer(gate)
    server = await asyncio.start_server(slow.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with ScriptPeer({"RCPT": [b"450 4.2.0 later\r\n"]}) as quick:
        routes = [to(quick.url, "quick.example"), to(f"smtp://127.0.0.1:{port}")]
        async with open_kit(tmp_path, *routes, retry_first=0.2, data_timeout=30.0) as kit:
            queue_id = kit.put("a@quick.example", "b@slow.example")
            await kit.until(lambda: kit.row(queue_id).recipients[0].state == DELIVERED)
            assert kit.row(queue_id).recipients[1].state == QUEUED
            assert kit.row(queue_id).recipients[0].attempts == 2
            gate.set()
            await kit.settled(queue_id)
            assert kit.row(queue_id).recipients[1].attempts == 1
    server.close()


async def test_a_result_the_store_cannot_take_does_not_stop_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with ScriptPeer() as peer, open_kit(tmp_path, to(peer.url)) as kit:
        real = kit.store.record_outcomes

        def choosy(outcomes: Sequence[Outcome], new: Sequence[NewMessage] = ()) -> None:
            if any(o.queue_id == poison for o in outcomes):
                raise ValueError("poison")
            real(outcomes, new)

        poison = ""
        monkeypatch.setattr(kit.store, "record_outcomes", choosy)
        messages = [new_message(rcpts("a@x.example")) for _ in range(20)]
        poison = messages[7].queue_id
        kit.store.commit(messages)
        kit.engine.wake()
        for message in messages:
            if message.queue_id != poison:
                await kit.settled(message.queue_id)
        await kit.until(lambda: bool(kit.events("outcome_refused")))


async def test_an_unfit_store_ends_the_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unfit(*args: object) -> None:
        raise StoreUnfit("fsync failed")

    with pytest.raises(StoreUnfit):
        async with ScriptPeer() as peer, open_kit(tmp_path, to(peer.url)) as kit:
            monkeypatch.setattr(kit.store, "record_outcomes", unfit)
            kit.put("a@x.example")
            await kit.until(lambda: kit.ended)


async def test_idle_connections_are_limited_over_all_lanes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mxward.server.delivery.lane.MAX_IDLE", 2)
    async with ScriptPeer() as peer:
        routes = [Route(domain=f"d{i}.example", via=[peer.url, f"maildir:{i}"], tls="none") for i in range(5)]
        async with open_kit(tmp_path, *routes) as kit:
            for i in range(5):
                await kit.settled(kit.put(f"a@d{i}.example"))
            await kit.until(lambda: peer.verbs().count("QUIT") == 3)


async def test_a_backlog_is_leased_in_a_bounded_window(tmp_path: Path) -> None:
    gate = asyncio.Event()
    peer = _SlowPeer(gate)
    server = await asyncio.start_server(peer.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with open_kit(tmp_path, to(f"smtp://127.0.0.1:{port}"), max_active=10) as kit:
        ids = [kit.put("a@x.example") for _ in range(60)]
        await kit.until(lambda: kit.engine.n_active == 10)
        await asyncio.sleep(0.2)
        assert kit.engine.n_active == 10
        gate.set()
        for queue_id in ids:
            await kit.settled(queue_id)
    server.close()


async def test_outcomes_wait_for_a_store_that_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mxward.server.delivery.recorder.RETRY_SECONDS", 0.05)
    async with ScriptPeer() as peer, open_kit(tmp_path, to(peer.url)) as kit:
        real, failures = kit.store.record_outcomes, [3]

        def failing(*args: object) -> None:
            if failures[0]:
                failures[0] -= 1
                raise StoreUnavailable("away")
            real(*args)  # type: ignore[arg-type]  # passed through

        monkeypatch.setattr(kit.store, "record_outcomes", failing)
        (row,) = await kit.settled(kit.put("a@x.example"))
        assert row.state == DELIVERED
        assert len(peer.contents) == 1
        assert len(kit.events("record_failed")) == 3


async def test_a_body_that_cannot_be_read_is_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with ScriptPeer() as peer, open_kit(tmp_path, to(peer.url)) as kit:
        monkeypatch.setattr(kit.store, "body", _missing)
        (row,) = await kit.settled(kit.put("a@x.example"))
        assert (row.state, row.reply) == (HELD, "451 4.3.0 the stored message cannot be read")
        assert peer.contents == []


def _missing(queue_id: str) -> bytes:
    raise KeyError(queue_id)


async def test_a_large_message_is_written_in_pieces(tmp_path: Path) -> None:
    raw = b"Subject: big\r\n\r\n" + (b"." + b"x" * 75 + b"\r\n") * 100_000
    async with (
        ScriptPeer(extensions=("PIPELINING",)) as peer,
        open_kit(tmp_path, to(peer.url), data_timeout=20.0) as kit,
    ):
        (row,) = await kit.settled(kit.put("a@x.example", raw=raw))
        assert row.state == DELIVERED
        assert peer.contents[0] == raw.replace(b"\r\n.", b"\r\n..") + b".\r\n"


async def test_new_routes_serve_later_mail(tmp_path: Path) -> None:
    async with ScriptPeer() as one, ScriptPeer() as two, open_kit(tmp_path, to(one.url)) as kit:
        await kit.settled(kit.put("a@x.example"))
        kit.config.route[:] = [to(two.url)]
        kit.engine.reconfigure(kit.config)
        await kit.settled(kit.put("b@x.example"))
        assert (len(one.contents), len(two.contents)) == (1, 1)
