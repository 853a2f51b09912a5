"""core/rules/staged and the pipeline without waiting: what is left out is said of every message, and later is there."""

from __future__ import annotations

from pathlib import Path

import pytest

from mxtest import mailkit
from mxward.core.errors import RulePackError
from mxward.core.message import Envelope, Recipient
from mxward.core.pipeline import Pipeline, load_pipeline
from mxward.core.rules.compile import compile_packs
from mxward.core.rules.manage import enabled_packs
from mxward.core.rules.pack import load_pack
from mxward.core.rules.staged import HEAVY_BYTES, at_once, is_built

RAW = mailkit.plain("A needle in the hay, and a listed word.\r\n")
ENVELOPE = Envelope("a@x.example", (Recipient("b@trust.example"),))


def write_pack(folder: Path, padding: int) -> Path:
    folder.mkdir(parents=True)
    (folder / "pack.toml").write_text(f'name = "{folder.name}"\nversion = "1"\n')
    rule = 'rule NEEDLE { meta: category = "info" weight = 0 strings: $a = "needle" condition: $a }'
    (folder / "a.yar").write_text(f"{rule}\n// {'x' * padding}\n")
    (folder / "b.cf").write_text("body HAY /hay/\nscore HAY 0.1\n")
    (folder / "c.regex").write_text("@name REGEX\n@weight 0.1\n/ne+dle/\n")
    (folder / "d.list").write_text("@name LISTED\n@weight 0.1\nlisted word\n")
    return folder


def names(pipeline: Pipeline) -> set[str]:
    verdict = pipeline.judge(RAW, ENVELOPE).verdict
    assert verdict is not None
    return {hit.name for hit in verdict.hits}


def test_a_small_pack_is_waited_for(tmp_path: Path) -> None:
    write_pack(tmp_path / "rules" / "small", 0)
    pipeline = load_pipeline(tmp_path, waits=False)
    assert pipeline.loading == ()
    assert {"NEEDLE", "HAY", "REGEX", "LISTED"} <= names(pipeline)


def test_a_large_one_is_left_out_until_it_is_in_the_cache(tmp_path: Path) -> None:
    write_pack(tmp_path / "rules" / "large", HEAVY_BYTES)
    write_pack(tmp_path / "rules" / "small", 0)
    early = load_pipeline(tmp_path, waits=False)
    assert early.loading == tuple((engine, ("large@1",)) for engine in ("yara", "regex", "spamassassin"))
    message = early.judge(RAW, ENVELOPE)
    assert [missing.reason for missing in message.not_inspected] == [
        "engine:yara-loading", "engine:regex-loading", "engine:spamassassin-loading",
    ]  # fmt: skip
    assert "large@1" in message.not_inspected[0].detail
    assert {"ENGINES_LOADING", "NOT_INSPECTED_ENGINE_YARA_LOADING", "NEEDLE", "LISTED"} <= names(early)
    assert {hit.pack for hit in message.hits if hit.name == "NEEDLE"} == {"small@1"}
    assert [disposition.action for disposition in message.dispositions] == ["defer"]
    full = load_pipeline(tmp_path)
    later = load_pipeline(tmp_path, waits=False)
    assert later.loading == ()
    assert later.version == full.version != early.version
    assert names(later) == names(full)
    assert "ENGINES_LOADING" not in names(later)


def test_any_other_set_of_packs_is_not_built(tmp_path: Path) -> None:
    large, cache = load_pack(write_pack(tmp_path / "large", HEAVY_BYTES)), tmp_path / "cache"
    small = load_pack(write_pack(tmp_path / "small", 0))
    assert is_built([small], None)
    assert not is_built([large], cache)
    compile_packs([large, small], cache)
    assert is_built([large, small], cache)
    assert not is_built([large], cache)
    assert not is_built([large, small.without({"NEEDLE"})], cache)
    assert at_once([large, small], None)[1], "without a cache nothing is there"


def test_a_large_pack_that_is_wrong_is_not_found_out_before_it_is_built(tmp_path: Path) -> None:
    folder = write_pack(tmp_path / "rules" / "large", HEAVY_BYTES)
    (folder / "z.yar").write_text("rule WRONG { condition: $a }")
    assert load_pipeline(tmp_path, waits=False).loading
    with pytest.raises(RulePackError, match=r"large/z\.yar"):
        load_pipeline(tmp_path)
    assert not is_built(enabled_packs(tmp_path / "rules"), tmp_path / "cache")
