"""Release is a decision of its own: original bytes, scanned again with today's rules, refused or forced, audited."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest

from mxward.server.services import ledger, messages, quarantine, scanning
from mxward.server.services.context import Context
from mxward.server.services.errors import BadRequest, NotFound, Refused
from mxward.server.store.api import DELIVERED, DISCARDED, HELD, QUARANTINED, QUEUED

EICAR, _ = scanning.SELF_TEST["EICAR"]
GTUBE, _ = scanning.SELF_TEST["GTUBE"]
HARMLESS, _ = scanning.SELF_TEST["harmless"]


def states(context: Context, queue_id: str) -> list[str]:
    row, _ = messages.show(context, queue_id)
    return [rcpt.state for rcpt in row.recipients]


def trail(context: Context) -> list[tuple[str, dict[str, Any]]]:
    entries = context.store.audit_entries()  # type: ignore[attr-defined]  # beyond the protocol, for readers of the trail
    return [(e.action, e.detail) for e in reversed(entries)]


def test_spam_is_released_with_its_original_bytes(context: Context, put: Any) -> None:
    queue_id = put(["a@trust.example", "b@trust.example"], state=QUARANTINED, area="spam", raw=GTUBE)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as delivery:
        delivery.bind(str(Path(context.config.data) / "run" / "delivery.0.sock"))
        delivery.settimeout(5)
        done = quarantine.release(context, queue_id, reason="the sender was rung up")
        assert delivery.recv(10)
    assert (done.released, done.verdict, done.forced) == (2, "spam", False)
    assert states(context, queue_id) == [QUEUED, QUEUED]
    (work,) = context.store.lease("delivery.0", 1, context.clock.now_us(), 10**6)
    assert [r.address for r in work.recipients] == ["a@trust.example", "b@trust.example"]
    assert work.sender == "b@example.org"
    assert context.store.body(queue_id) == GTUBE
    ((action, detail),) = trail(context)
    assert action == "quarantine.release"
    assert detail["reason"] == "the sender was rung up"
    assert detail["recipients"] == ["a@trust.example", "b@trust.example"]
    assert any("rung up" in event.detail for event in context.store.events(queue_id))


def test_malware_is_refused_and_can_be_forced_with_a_reason_only(context: Context, put: Any) -> None:
    queue_id = put(["a@trust.example"], state=QUARANTINED, area="malware", raw=EICAR)
    with pytest.raises(Refused, match=r"malware.*EICAR"):
        quarantine.release(context, queue_id)
    with pytest.raises(BadRequest, match="needs a reason"):
        quarantine.release(context, queue_id, force=True, reason="  ")
    assert states(context, queue_id) == [QUARANTINED]
    done = quarantine.release(context, queue_id, force=True, reason="scanner test by security")
    assert done.forced
    assert states(context, queue_id) == [QUEUED]
    assert [action for action, _ in trail(context)] == ["quarantine.release.refused", "quarantine.release"]
    assert trail(context)[1][1]["forced"] is True


def test_what_cannot_be_looked_into_is_refused(context: Context, put: Any) -> None:
    raw = (
        b"From: a@x.example\r\nSubject: s\r\nMIME-Version: 1.0\r\nContent-Type: application/zip; name=a.zip\r\n"
        b"Content-Transfer-Encoding: base64\r\n\r\n" + ENCRYPTED_ZIP + b"\r\n"
    )
    queue_id = put(["a@trust.example"], state=HELD, raw=raw)
    with pytest.raises(Refused, match="could not be inspected"):
        quarantine.release(context, queue_id)
    assert states(context, queue_id) == [HELD]


# A zip of one encrypted member, made by hand: local header and central directory with flag bit 0.
ENCRYPTED_ZIP = (
    b"UEsDBBQAAQAAAAAAAAAAAAAAAAANAAAAAQAAAAEAAABhYWJjZGVmZ2hpamtsbVBLAQIUABQAAQAAAAAAAAAAAAAAAAANAAAAAQAAAAEAAAAA"
    b"AAAAAAAAAAAAAAAAAGFQSwUGAAAAAAEAAQAvAAAALAAAAAAA"
)


def test_one_recipient_of_several(context: Context, put: Any) -> None:
    queue_id = put(["a@trust.example", "b@trust.example"], state=QUARANTINED, area="spam", raw=HARMLESS)
    assert quarantine.release(context, queue_id, n=1).released == 1
    assert states(context, queue_id) == [QUARANTINED, QUEUED]
    assert quarantine.delete(context, queue_id, n=0, reason="unwanted") == 1
    assert states(context, queue_id) == [DISCARDED, QUEUED]
    assert ledger.verify(context)["consistent"]


def test_nothing_else_can_be_released(context: Context, put: Any) -> None:
    queue_id = put(["a@trust.example"], raw=HARMLESS)
    for action in (quarantine.release, quarantine.delete):
        with pytest.raises(BadRequest, match="in quarantine or held"):
            action(context, queue_id)
        with pytest.raises(NotFound):
            action(context, "nothing")


def test_the_list_is_newest_first_and_can_be_narrowed(context: Context, put: Any, moving_time: Any) -> None:
    ids = []
    for n, (state, area) in enumerate([(QUARANTINED, "spam"), (HELD, ""), (QUARANTINED, "phish")]):
        ids.append(put([f"u{n}@trust.example"], state=state, area=area))
        moving_time.advance(1)
    put(["clean@trust.example"])
    found = quarantine.entries(context)
    assert [row.queue_id for row in found] == ids[::-1]
    assert [row.queue_id for row in quarantine.entries(context, held=False)] == [ids[2], ids[0]]
    assert [row.queue_id for row in quarantine.entries(context, area="spam")] == [ids[0]]
    assert [row.queue_id for row in quarantine.entries(context, recipient="u1@")] == [ids[1]]
    assert [row.queue_id for row in quarantine.entries(context, before_id=ids[2], limit=1)] == [ids[1]]
    assert set(quarantine.as_dict(found[0])) >= {"queue_id", "recipients", "reasons"}


def test_todays_rules_count_not_those_of_the_day(context: Context, put: Any) -> None:
    raw = HARMLESS.replace(b"Nothing to see here", b"zebra-crossing-42 within")
    queue_id = put(["a@trust.example"], state=QUARANTINED, area="spam", raw=raw)
    pack = context.config.data / "rules" / "fresh"
    pack.mkdir()
    (pack / "pack.toml").write_text('name = "fresh"\nversion = "1"\n')
    (pack / "r.yar").write_text(
        'rule FRESH { meta: category = "malware" weight = 20 description = "is fresh malware" '
        'strings: $a = "zebra-crossing-42" condition: $a }\n'
    )
    with pytest.raises(Refused, match="FRESH"):
        quarantine.release(context, queue_id)
    (pack / "r.yar").write_text('rule FRESH { strings: $a = "something else entirely" condition: $a }\n')
    assert quarantine.release(context, queue_id).verdict == "clean"
    assert DELIVERED not in states(context, queue_id)
