"""The spool log: damage anywhere is noticed and stays where it is; failures leave the shard usable or unfit."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from mxtest.storekit import new_message, now_us, store_config
from mxward.core.errors import StoreCorrupt
from mxward.server.store.api import DELIVERED, NewMessage, Outcome
from mxward.server.store.bodies import SpoolBodies
from mxward.server.store.opening import open_store
from mxward.server.store.spool import Spool
from mxward.server.store.store import SqlStore


def segment(data: Path, shard: str = "smtp.0", number: int = 1) -> Path:
    return data / "spool" / shard / f"{number:08d}.log"


def spool_of(store: SqlStore) -> Spool:
    bodies = store.backend.bodies
    assert isinstance(bodies, SpoolBodies)
    return bodies.spool


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


def fill(data: Path, n: int = 3) -> list[NewMessage]:
    messages = [new_message(raw=b"message %d\r\n" % i * 5) for i in range(n)]
    store = open_store(store_config(data), "smtp.0")
    store.commit(messages)
    store.close()
    return messages


def verdicts(data: Path, messages: list[NewMessage]) -> list[bool]:
    """Which bodies come back as they were; the others must be reported as corrupt, never returned wrong."""
    store = open_store(store_config(data), "reader")
    out = []
    for message in messages:
        try:
            assert store.body(message.queue_id) == message.raw
            out.append(True)
        except StoreCorrupt:
            out.append(False)
    store.close()
    return out


def test_a_spool_cut_anywhere_loses_only_what_was_cut(data: Path) -> None:
    messages = fill(data)
    whole = segment(data).read_bytes()
    ends = [len(whole) // 3 * k for k in (1, 2, 3)]
    for size in {*range(0, len(whole), 13), *ends, *(e - 1 for e in ends), *(e + 1 for e in ends[:2])}:
        segment(data).write_bytes(whole[:size])
        assert verdicts(data, messages) == [size >= end for end in ends]
    store = open_store(store_config(data), "reader")
    segment(data).write_bytes(whole[:-1])
    assert any("records reach" in p for p in store.ledger().problems)
    segment(data).unlink()
    assert not store.ledger().consistent
    store.close()


def test_a_flipped_bit_hurts_one_message_only(data: Path) -> None:
    messages = fill(data)
    whole = segment(data).read_bytes()
    third = len(whole) // 3
    for at in range(0, len(whole), 7):
        damaged = bytearray(whole)
        damaged[at] ^= 0x40
        segment(data).write_bytes(damaged)
        assert verdicts(data, messages) == [at // third != i for i in range(3)]


def test_a_torn_tail_is_ignored_and_mail_goes_on(data: Path) -> None:
    messages = fill(data)
    with segment(data).open("ab") as file:
        file.write(b"MXWR\x01\x00torn by a crash")
    store = open_store(store_config(data), "smtp.0")
    more = new_message(raw=b"after the crash")
    store.commit([more])
    assert [store.body(m.queue_id) for m in (*messages, more)] == [m.raw for m in (*messages, more)]
    assert store.ledger().consistent
    store.close()


def test_segments_roll_and_processes_of_one_name_do_not_mix(data: Path) -> None:
    stores = [open_store(store_config(data, segment_bytes=1000), "smtp.0") for _ in range(2)]
    messages = []
    for i in range(20):
        messages.append(new_message(raw=b"%d" % i))
        stores[i % 2].commit([messages[-1]])
    assert sorted(p.name for p in (data / "spool").iterdir()) == ["smtp.0", "smtp.0~2"]
    assert len(list((data / "spool" / "smtp.0").glob("*.log"))) > 1
    for store in stores:
        assert [store.body(m.queue_id) for m in messages] == [m.raw for m in messages]
    for store in stores:
        store.close()


def test_compaction_moves_the_living_and_frees_the_rest(data: Path) -> None:
    store = open_store(store_config(data, segment_bytes=20_000), "smtp.0")
    messages = [new_message(raw=bytes([i]) * 50 + i.to_bytes(2, "big") * 500) for i in range(200)]
    for message in messages:
        store.commit([message])
    reader = open_store(store_config(data), "delivery.0")
    assert all(reader.body(m.queue_id) == m.raw for m in messages)
    dead, alive = [m for i, m in enumerate(messages) if i % 10], messages[::10]
    store.record_outcomes([Outcome(m.queue_id, 0, DELIVERED, now_us()) for m in dead])
    before = len(list((data / "spool" / "smtp.0").glob("*.log")))
    janitor = open_store(store_config(data), "jobs.0")
    done = janitor.purge(now_us() + 1, 0)
    assert done["bodies"] == len(dead)
    assert done["moved"] > 0 and done["segments"] > 0 and done["damaged"] == 0
    assert len(list((data / "spool" / "smtp.0").glob("*.log"))) < before
    for each in (store, reader, janitor):
        assert all(each.body(m.queue_id) == m.raw for m in alive)
    assert store.ledger().consistent
    store.commit([new_message()])
    for each in (store, reader, janitor):
        each.close()


def test_compaction_leaves_damaged_records_as_evidence(data: Path) -> None:
    messages = fill(data, 10)
    store = open_store(store_config(data), "smtp.0")
    store.record_outcomes([Outcome(m.queue_id, 0, DELIVERED, now_us()) for m in messages[1:9]])
    store.close()
    damaged = bytearray(segment(data).read_bytes())
    damaged[60] ^= 1
    segment(data).write_bytes(damaged)
    janitor = open_store(store_config(data), "jobs.0")
    done = janitor.purge(now_us() + 1, 0)
    assert (done["damaged"], done["moved"], done["segments"]) == (1, 1, 0)
    assert segment(data).exists()
    assert janitor.body(messages[9].queue_id) == messages[9].raw
    janitor.close()


def test_compaction_never_touches_what_is_not_committed_yet(data: Path) -> None:
    writer = open_store(store_config(data), "smtp.0")
    message = new_message()
    sealed = [writer.backend.sealer.seal(message.queue_id, message.raw)]
    janitor = open_store(store_config(data), "jobs.0")
    with writer.backend.bodies.batch(sealed):
        assert janitor.purge(now_us(), 0)["segments"] == 0
        assert segment(data).exists()
    writer.close()
    assert janitor.purge(now_us(), 0)["segments"] == 1  # its writer is gone and no row came: garbage
    assert not segment(data).exists()
    janitor.close()


def test_readers_survive_compaction(data: Path) -> None:
    writer = open_store(store_config(data, segment_bytes=5000), "smtp.0")
    reader = open_store(store_config(data), "delivery.0")
    janitor = open_store(store_config(data, segment_bytes=5000), "jobs.0")
    messages = [new_message(raw=b"%d " % i * 100) for i in range(150)]
    for message in messages:
        writer.commit([message])
    stop, wrong = threading.Event(), []

    def read() -> None:
        while not stop.is_set():
            for message in messages[::10]:
                if reader.body(message.queue_id) != message.raw:
                    wrong.append(message.queue_id)

    threads = [threading.Thread(target=read) for _ in range(2)]
    for thread in threads:
        thread.start()
    moved = 0
    for i in range(1, 10):
        done = [Outcome(m.queue_id, 0, DELIVERED, now_us()) for m in messages[i::10]]
        writer.record_outcomes(done)
        moved += janitor.purge(now_us() + 1, 0)["moved"]
        writer.rotate_key(now_us(), "test")  # so that even full segments are rewritten
    stop.set()
    for thread in threads:
        thread.join()
    assert moved > 15 and not wrong
    assert reader.ledger().consistent
    for store in (writer, reader, janitor):
        store.close()


def test_a_removed_segment_whose_number_is_used_again_is_opened_anew(data: Path) -> None:
    first, reader = open_store(store_config(data), "smtp.0"), open_store(store_config(data), "delivery.0")
    old, new = new_message(raw=b"old\r\n"), new_message(raw=b"new\r\n")
    first.commit([old])
    assert reader.body(old.queue_id) == b"old\r\n"  # keeps the descriptor
    first.record_outcomes([Outcome(old.queue_id, 0, DELIVERED, now_us())])
    first.close()
    janitor = open_store(store_config(data), "jobs.0")
    assert janitor.purge(now_us() + 1, 0)["segments"] == 1
    again = open_store(store_config(data), "smtp.0")
    again.commit([new])
    assert segment(data).exists(), "the number is used again"
    assert reader.body(new.queue_id) == b"new\r\n"
    for store in (janitor, again, reader):
        store.close()
