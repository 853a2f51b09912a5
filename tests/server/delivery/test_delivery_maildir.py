"""Maildirs: hostile names stay inside, a repeated delivery changes nothing, a full disk is a deferral."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mxtest.deliverykit import open_kit, to
from mxtest.storekit import new_message, rcpts
from mxward.server.delivery import maildir
from mxward.server.store.api import DELIVERED


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("jane", "jane"),
        ("Jane.Doe", "jane.doe"),
        ("a+tag", "a+tag"),
        ("x_y-z=1", "x_y-z=1"),
        ("trust.example", "trust.example"),
    ],
)
def test_harmless_names_are_themselves(text: str, name: str) -> None:
    assert maildir.safe_name(text) == name


@given(st.text(max_size=300))
@example("..")
@example("../../etc/passwd")
@example("/etc/passwd")
@example(".")
@example("")
@example("a\0b")
@example("a/../b")
@example("x" * 5000)
@example("trailing.")
@example(".hidden")
@example("\ud800")
def test_any_name_is_one_safe_component(text: str) -> None:
    name = maildir.safe_name(text)
    assert 0 < len(name.encode()) <= maildir.MAX_NAME
    assert "/" not in name
    assert "\0" not in name
    assert not name.startswith(".")
    assert ".." not in name
    assert Path("/root", name).parent == Path("/root")


@given(st.text(max_size=20), st.text(max_size=20))
@example("a/b", "a_b")
@example("a..b", "a__b")
def test_different_names_have_different_directories(one: str, other: str) -> None:
    same = one.lower() == other.lower()
    assert (maildir.safe_name(one) == maildir.safe_name(other)) == same


def test_a_quoted_local_part_is_the_same_mailbox() -> None:
    root = Path("/r")
    assert maildir.directory_of(root, '"jane"@x.example') == maildir.directory_of(root, "jane@x.example")
    assert maildir.directory_of(root, '"a\\"b"@x.example') != maildir.directory_of(root, '"ab"@x.example')
    assert maildir.directory_of(root, '"../../up"@../x').is_relative_to(root)
    assert ".." not in str(maildir.directory_of(root, '"../../up"@../x'))


def item(root: Path, name: str = "1.Qx.host", content: bytes = b"one\r\n") -> maildir.Item:
    return maildir.Item(root / "x.example" / "jane", name, (b"Return-Path: <>\r\n", content))


def files(root: Path) -> list[str]:
    return sorted(str(p.relative_to(root)) for p in root.rglob("*") if p.is_file())


def test_delivered_once_however_often_tried(tmp_path: Path) -> None:
    for _ in range(3):
        assert [r.code for r in maildir.deliver([item(tmp_path)])] == [250]
    assert files(tmp_path) == ["x.example/jane/new/1.Qx.host"]
    assert (tmp_path / "x.example/jane/new/1.Qx.host").read_bytes() == b"Return-Path: <>\r\none\r\n"


def test_not_again_when_a_mail_client_has_taken_it(tmp_path: Path) -> None:
    maildir.deliver([item(tmp_path)])
    box = tmp_path / "x.example/jane"
    (box / "new/1.Qx.host").rename(box / "cur/1.Qx.host:2,S")
    assert maildir.deliver([item(tmp_path)])[0].code == 250
    assert files(tmp_path) == ["x.example/jane/cur/1.Qx.host:2,S"]


def test_what_a_crash_left_in_tmp_is_overwritten(tmp_path: Path) -> None:
    maildir.deliver([item(tmp_path, "0.other")])
    (tmp_path / "x.example/jane/tmp/1.Qx.host").write_bytes(b"torn and longer than the message itself .......")
    assert maildir.deliver([item(tmp_path)])[0].code == 250
    assert (tmp_path / "x.example/jane/new/1.Qx.host").read_bytes().endswith(b"one\r\n")
    assert not list((tmp_path / "x.example/jane/tmp").iterdir())


def test_a_link_in_tmp_is_not_followed(tmp_path: Path) -> None:
    maildir.deliver([item(tmp_path, "0.other")])
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    (tmp_path / "x.example/jane/tmp/1.Qx.host").symlink_to(victim)
    assert maildir.deliver([item(tmp_path)])[0].code == 451
    assert victim.read_bytes() == b"precious"


def test_one_bad_mailbox_does_not_fail_the_batch(tmp_path: Path) -> None:
    (tmp_path / "blocked").write_text("a file where a directory should be")
    bad = maildir.Item(tmp_path / "blocked" / "jane", "1", (b"x",))
    replies = maildir.deliver([item(tmp_path), bad, item(tmp_path, "2")])
    assert [r.code for r in replies] == [250, 451, 250]
    assert replies[1].enhanced == "4.3.0"


@pytest.mark.parametrize("call", ["write", "fsync", "link"])
def test_faults_of_the_disk_defer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    def full(*args: object, **kwargs: object) -> int:
        raise OSError(28, "No space left on device")

    maildir.deliver([item(tmp_path, "0")])
    if call == "write":
        monkeypatch.setattr(maildir, "_write_file", full)
    else:
        monkeypatch.setattr(os, call, full)
    (reply,) = maildir.deliver([item(tmp_path)])
    assert (reply.code, reply.enhanced) == (451, "4.2.2")


async def test_the_default_route_end_to_end(tmp_path: Path) -> None:
    raw = b"Subject: x\r\n\r\n.dot\r\nfin\r\n"
    async with open_kit(tmp_path, to("maildir:maildir")) as kit:
        tagged = rcpts("T@trust.example", disposition={"additions": [["tag", "X-Mark: yes"]]})
        given = [*rcpts("Jane@trust.example", '"../x"@trust.example'), *tagged]
        message = new_message(given, raw=raw, trace=b"Received: by mx\r\n", sender="s@y.example")
        rows = await kit.settled(kit.commit(message))
        assert {r.state for r in rows} == {DELIVERED}
        root = tmp_path / "data" / "maildir" / "trust.example"
        (jane,) = (root / "jane" / "new").iterdir()
        assert jane.read_bytes() == b"Return-Path: <s@y.example>\r\nReceived: by mx\r\n" + raw
        (marked,) = (root / "t" / "new").iterdir()
        assert marked.read_bytes() == b"Return-Path: <s@y.example>\r\nReceived: by mx\r\nX-Mark: yes\r\n" + raw
        assert len([p for p in root.iterdir() if "~" in p.name]) == 1
        assert oct((root / "jane").stat().st_mode & 0o777) == "0o700"
        assert rows[0].route == f"maildir:{tmp_path / 'data' / 'maildir'}"


async def test_a_batch_to_one_mailbox(tmp_path: Path) -> None:
    async with open_kit(tmp_path, to("maildir:m")) as kit:
        for queue_id in [kit.put("a@x.example") for _ in range(100)]:
            await kit.settled(queue_id)
        assert len(list((tmp_path / "data/m/x.example/a/new").iterdir())) == 100
