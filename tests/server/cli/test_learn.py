"""`mxward learn`, `quarantine learn` and `train` as a user types them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bench.model import invent
from mxward.server.cli import exitcodes


def write(folder: Path, label: str, n: int = 3) -> Path:
    """Messages of a class as files, half of them with bare line feeds."""
    folder.mkdir(parents=True)
    for k, invented in enumerate(i for i in invent.messages(n) if i.label == label):
        (folder / f"{k}.eml").write_bytes(invented.raw.replace(b"\r\n", b"\n") if k % 2 else invented.raw)
    return folder


def test_learn_from_a_folder_an_mbox_and_standard_input(site: Any, tmp_path: Path) -> None:
    mbox = tmp_path / "mbox"
    start = b"From someone@x.example Mon Aug 26 10:00:00 2024\n"
    mbox.write_bytes(b"".join(start + i.raw.replace(b"\r\n", b"\n") + b"\n" for i in list(invent.messages(1))[:3]))
    assert site.mx("learn", "--spam", str(mbox), "--json").json == {
        "lesson": "spam", "changed": 3, "known": 0, "wanted": 0, "unwanted": 3,
    }  # fmt: skip
    one = next(iter(invent.messages(1))).raw
    again = site.mx("learn", "--ham", "-", given=b"Subject: x\n\nhello\n")
    assert (again.code, again.out) == (
        0, "1 learned as wanted, 0 known already; learned in all: 1 wanted, 3 unwanted\n",
    )  # fmt: skip
    assert site.mx("learn", "--ham", "-", given=b"Subject: x\n\nhello\n").code == exitcodes.NEGATIVE
    assert site.mx("learn", "--forget", "-", given=b"Subject: x\r\n\r\nhello\r\n").out.startswith("1 forgotten")
    assert one
    folder = write(tmp_path / "junk", "spam", 1)
    assert site.mx("learn", "--spam", str(folder), "--json").json["changed"] > 0


def test_learn_says_what_is_wrong(site: Any, tmp_path: Path) -> None:
    assert site.mx("learn", "--spam", "--ham", str(tmp_path)).code == exitcodes.USAGE
    assert "one of --spam" in site.mx("learn", str(tmp_path)).err
    gone = site.mx("learn", "--spam", str(tmp_path / "nothing"))
    assert (gone.code, "nothing" in gone.err) == (exitcodes.NO_INPUT, True)


def test_quarantine_learn(site: Any) -> None:
    (queue_id,) = [q for name, q in site.ids.items() if name == "held"]
    first = site.mx("quarantine", "learn", queue_id, "--spam", "--json")
    assert first.json["changed"] == 1
    assert site.mx("quarantine", "learn", queue_id, "--spam").code == exitcodes.NEGATIVE
    assert site.mx("quarantine", "learn", queue_id, "--forget").code == 0
    assert site.mx("quarantine", "learn", "0" * 16, "--ham").code == exitcodes.NO_INPUT


def test_train(site: Any, tmp_path: Path) -> None:
    options: list[str] = []
    for label in ("ham", "spam", "phish"):
        options += [f"--{label}", str(write(tmp_path / label, label))]
    shown = site.mx("train", *options)
    assert shown.code == 0, shown.err
    assert "every source judged by a model that had not seen it" in shown.out
    assert "Calibration (mean error" in shown.out
    out = tmp_path / "m"
    used = site.mx("train", *options, "--use", "--out", str(out), "--json").json
    assert used["model"].startswith("own@")
    assert used["bytes"] == out.stat().st_size < 1_000_000
    assert {row["name"] for row in used["classes"]} == {"ham", "phish", "spam"}
    scanned = site.mx("scan", "--json", str(tmp_path / "phish" / "0.eml")).lines[0]
    assert any(hit["pack"] == used["model"] for hit in scanned["hits"])
    assert site.mx("train", "--shipped").out == "classifier@1.0 is in use\n"
    few = site.mx("train", "--ham", str(tmp_path / "ham"))
    assert (few.code, "unwanted" in few.err) == (exitcodes.USAGE, True)
