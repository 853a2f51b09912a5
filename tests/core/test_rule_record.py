"""Which packs and versions judged a message is on its record, whatever kind of rules they hold."""

from __future__ import annotations

from pathlib import Path

import pytest

from mxward.core.message import Envelope
from mxward.core.pipeline import Pipeline, load_pipeline
from mxward.core.scan import scan_bytes

KINDS = {
    "yara-only": {"a.yar": 'rule BY_YARA { meta: category = "spam" weight = 2 strings: $a = "llama" condition: $a }\n'},
    "list-only": {"w.list": "@name BY_LIST\nllamas\n"},
    "regex-only": {"x.regex": "@name BY_REGEX\n/llamas? for/\n"},
    "cf-only": {"r.cf": "body BY_CF /llamas for sale/\nscore BY_CF 2\n"},
    "attachment-only": {"attachments.toml": '[[attachment]]\nname = "BY_NAME"\nextensions = ["llama"]\n'},
}
RAW = (
    b"From: a@b.example\r\nTo: c@trust.example\r\nSubject: s\r\nMIME-Version: 1.0\r\n"
    b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\n'
    b"llamas for sale here\r\n"
    b'--b\r\nContent-Type: application/octet-stream; name="x.llama"\r\n\r\nxx\r\n--b--\r\n'
)


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    data = tmp_path_factory.mktemp("data")
    for name, contents in KINDS.items():
        folder = data / "rules" / name
        folder.mkdir(parents=True)
        (folder / "pack.toml").write_text(f'name = "{name}"\nversion = "3"\n')
        for file, text in contents.items():
            (folder / file).write_text(text)
    return load_pipeline(data, ["trust.example"])


def test_every_pack_in_force_is_on_the_record(pipeline: Pipeline) -> None:
    message = pipeline.judge(b"Subject: nothing to find\r\n\r\nx\r\n", Envelope("", ()))
    assert message.verdict is not None
    assert {f"{name}@3" for name in KINDS} | {"starter@1.0"} <= set(message.verdict.packs)


def test_every_hit_names_the_pack_and_version_that_found_it(pipeline: Pipeline) -> None:
    record = scan_bytes(pipeline, RAW)
    found = {hit["name"]: hit["pack"] for hit in record["hits"]}
    assert {name: pack for name, pack in found.items() if name.startswith("BY_")} == {
        "BY_YARA": "yara-only@3", "BY_LIST": "list-only@3", "BY_REGEX": "regex-only@3", "BY_CF": "cf-only@3",
        "BY_NAME": "attachment-only@3",
    }  # fmt: skip
    assert set(found.values()) - {"builtin"} <= set(record["packs"])


def test_the_model_that_judged_is_on_the_record_too(pipeline: Pipeline) -> None:
    labels = [detector.packs for detector in pipeline.detectors if detector.name == "classifier"]
    assert labels
    assert set(labels[0]) <= set(scan_bytes(pipeline, RAW)["packs"])


def test_any_change_of_packs_changes_the_version(pipeline: Pipeline, tmp_path: Path) -> None:
    assert pipeline.version != load_pipeline(tmp_path, ["trust.example"]).version


def test_rules_of_every_kind_can_be_left_out(tmp_path: Path) -> None:
    from mxward.core.rules import manage
    from mxward.core.rules.history import History, write_history

    for name, contents in KINDS.items():
        folder = tmp_path / "rules" / name
        folder.mkdir(parents=True)
        (folder / "pack.toml").write_text(f'name = "{name}"\nversion = "3"\n')
        for file, text in contents.items():
            (folder / file).write_text(text)
        write_history(tmp_path / "rules", name, History(without=("BY_YARA", "BY_LIST", "BY_REGEX", "BY_CF", "BY_NAME")))
    assert all(status.without for status in manage.list_packs(tmp_path / "rules") if not status.shipped)
    hits = scan_bytes(load_pipeline(tmp_path, ["trust.example"]), RAW)["hits"]
    assert not [hit["name"] for hit in hits if hit["name"].startswith("BY_")]
