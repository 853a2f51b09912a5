"""`mxward scan`: what it takes, what it prints, and that it finds every message of a file or folder once."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from mxtest import carriers, mailkit
from mxward.server.cli import exitcodes, inputs, scanning
from mxward.server.cli.scan import parse_envelope
from mxward.server.sandbox.report import Report
from mxward.server.services.errors import BadRequest
from mxward.server.services.scanning import SELF_TEST

EICAR, _ = SELF_TEST["EICAR"]
HARMLESS, _ = SELF_TEST["harmless"]
KEYS = ["path", "verdict", "score", "hits", "parts", "not_inspected", "elapsed_us", "packs"]
LIMIT = 10**7


def mbox(*bodies: bytes) -> bytes:
    head = b"From b@example.org Tue Nov 24 05:40:40 2026\nFrom: b@example.org\nSubject: s\n\n"
    return b"".join(head + body + b"\n\n" for body in bodies)


def test_json_lines_have_the_documented_keys_and_exit_1_means_kept_back(site: Any, tmp_path: Path) -> None:
    (tmp_path / "a.eml").write_bytes(EICAR)
    (tmp_path / "b.eml").write_bytes(HARMLESS.replace(b"\r\n", b"\n"))
    done = site.mx("scan", "--json", str(tmp_path / "a.eml"), str(tmp_path / "b.eml"))
    assert done.code == exitcodes.NEGATIVE
    assert [list(line) for line in done.lines] == [KEYS, KEYS]
    assert [line["verdict"] for line in done.lines] == ["malware", "clean"]
    clean = site.mx("scan", str(tmp_path / "b.eml"))
    assert (clean.code, clean.out) == (exitcodes.OK, f"{tmp_path}/b.eml: clean (0)\n")


def test_standard_input_with_an_envelope(site: Any) -> None:
    envelope = json.dumps({"sender": "b@example.org", "recipients": ["a@trust.example"], "client_ip": "192.0.2.1"})
    done = site.mx("scan", "-", "--json", "--envelope", envelope, given=EICAR)
    assert done.code == exitcodes.NEGATIVE
    assert done.json["path"] == "-"
    assert [d["rcpt"] for d in done.json["dispositions"]] == ["a@trust.example"]


def test_what_cannot_be_read_is_said_and_the_rest_goes_on(site: Any, tmp_path: Path) -> None:
    (tmp_path / "b.eml").write_bytes(HARMLESS)
    (tmp_path / "big.eml").write_bytes(HARMLESS + b"x" * 3000)
    os.mkfifo(tmp_path / "pipe")
    done = site.mx("scan", "--json", str(tmp_path / "gone"), str(tmp_path / "pipe"), str(tmp_path / "big.eml"),
                   str(tmp_path / "b.eml"), MXWARD_SMTP_LIMITS_MAX_MESSAGE_BYTES="2000")  # fmt: skip
    assert done.code == exitcodes.NO_INPUT
    errors = [line.get("error", "") for line in done.lines]
    assert errors[:2] == ["No such file or directory", "is not a regular file"]
    assert "max_message_bytes" in errors[2]
    assert errors[3] == ""


def test_a_machine_without_a_gateway_scans_and_stays_clean(site: Any, tmp_path: Path) -> None:
    absent = tmp_path / "absent"
    done = site.mx("scan", "-", "--json", "--data", str(absent), given=EICAR)
    assert done.json["verdict"] == "malware"
    assert not absent.exists()


def test_names_cannot_take_over_the_terminal(site: Any, tmp_path: Path) -> None:
    folder = tmp_path / "odd"
    folder.mkdir()
    (folder / "\x1b[2J\u202e\udcff.eml").write_bytes(HARMLESS)
    done = site.mx("scan", str(folder))
    assert done.code == 0, done.err
    assert r"\x1b[2J\u202e" in done.out
    assert not {"\x1b", "\u202e"} & set(done.out)
    assert site.mx("scan", "--json", str(folder)).json["verdict"] == "clean"


def test_several_processes_give_the_same_in_the_same_order(tmp_path: Path) -> None:
    for n in range(scanning.ALONE + 40):
        (tmp_path / f"{n:03}.eml").write_bytes(EICAR if n % 7 == 0 else HARMLESS)
    options = scanning.Options(str(tmp_path / "none"), ("trust.example",), {}, LIMIT)

    def run(jobs: int) -> list[tuple[str, str]]:
        return [(Path(r["path"]).name, r["verdict"]) for r in scanning.results([str(tmp_path)], options, jobs)]

    one, three = run(1), run(3)
    assert one == three == sorted(one)
    assert [v for _, v in one].count("malware") == len([n for n in range(scanning.ALONE + 40) if n % 7 == 0])


@pytest.mark.parametrize("n", [3, 24])
def test_attachments_are_opened_by_one_process_and_by_several(
    n: int, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    raw = mailkit.with_attachment("a.gz", carriers.gz(EICAR, "a.eml"))
    for i in range(n):
        (tmp_path / f"{i}.eml").write_bytes(raw)
    options = scanning.Options(str(tmp_path / "none"), ("trust.example",), {}, LIMIT)
    found = list(scanning.results([str(tmp_path)], options, 2))
    assert [(result["verdict"], result["not_inspected"]) for result in found] == [("malware", [])] * n
    assert capfd.readouterr().err == ""
    scanning._tell_missing(Report([], {"network": "EPERM"}))
    assert "has no network" in capfd.readouterr().err


def test_an_mbox_gives_each_message_once(tmp_path: Path) -> None:
    bodies = [b"one", b"From here on, prose\nFrom the start", b"x" * 1500, b"last"]
    data = mbox(*bodies)
    (tmp_path / "box").write_bytes(data)
    found = list(inputs.items([str(tmp_path / "box")], LIMIT))
    assert [item.label for item in found] == [f"{tmp_path}/box#{n}" for n in range(1, 5)]
    contents = [item.read(LIMIT) for item in found]
    assert b"".join(contents) == data
    assert all(body in content for body, content in zip(bodies, contents, strict=True))


@pytest.mark.parametrize("size", [97, 512, 1024, 4096])
def test_an_mbox_is_split_the_same_wherever_pieces_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    data = mbox(*(b"y" * n for n in range(1, 400, 13)))
    (tmp_path / "box").write_bytes(data)
    monkeypatch.setattr(inputs, "CHUNK", size)
    found = list(inputs.items([str(tmp_path / "box")], LIMIT))
    assert len(found) == len(range(1, 400, 13))
    assert b"".join(item.read(LIMIT) for item in found) == data
    assert inputs.count([str(tmp_path)], LIMIT) == len(found)


def test_a_maildir_without_what_is_not_delivered_yet_and_no_links(tmp_path: Path) -> None:
    for folder in ("cur", "new", "tmp"):
        (tmp_path / "m" / folder).mkdir(parents=True)
        (tmp_path / "m" / folder / "1").write_bytes(HARMLESS)
    (tmp_path / "m" / "new" / "link").symlink_to("/etc/passwd")
    found = [item.label for item in inputs.items([str(tmp_path / "m")], LIMIT)]
    assert found == [f"{tmp_path}/m/cur/1", f"{tmp_path}/m/new/1"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "is not JSON"),
        ("[]", "is not a JSON object"),
        ('{"from": "x"}', "unknown key 'from'"),
        ('{"sender": 1}', "sender is not a string"),
        ('{"recipients": ["a", 1]}', "recipients is not a list of strings"),
        ('{"direction": "up"}', "direction is inbound"),
    ],
)
def test_wrong_envelopes_are_told(text: str, words: str) -> None:
    with pytest.raises(BadRequest, match=words):
        parse_envelope(text)
