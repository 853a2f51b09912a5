"""core/rules/yara: an index finds what libyara finds with the whole set, in the same order, with the same spans."""

from __future__ import annotations

import tarfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mxtest import corpus, yararules
from mxward.bindings import yara
from mxward.core.rules.compile import EXTERNALS
from mxward.core.rules.yara.build import build
from mxward.core.rules.yara.index import IndexDamaged, YaraIndex
from mxward.core.rules.yara.store import open_index

Sources = Mapping[str, str]


def whole_and_index(sources: Sources, externals: Mapping[str, str | int | bool]) -> tuple[yara.YaraRules, YaraIndex]:
    return yara.compile_rules(sources, externals), YaraIndex(build(sources, externals), is_trusted=True)


def valid(sources: Sources) -> dict[str, str]:
    """The sources that libyara compiles."""
    kept = {}
    for namespace, text in sources.items():
        try:
            yara.compile_rules({namespace: text}, yararules.EXTERNALS)
        except (yara.YaraSyntaxError, yara.YaraFailure):
            continue
        kept[namespace] = text
    return kept


@settings(deadline=None)
@given(
    st.lists(yararules.sources(), min_size=1, max_size=3),
    st.lists(yararules.texts(), min_size=1, max_size=6),
    st.sampled_from(yararules.VALUES),
)
def test_finds_what_libyara_finds(texts: list[str], data: list[bytes], values: dict[str, str | int | bool]) -> None:
    sources = valid({f"n{number}": text for number, text in enumerate(texts)})
    if not sources:
        return
    whole, index = whole_and_index(sources, yararules.EXTERNALS)
    for one in data:
        assert index.scan(one, values, 10) == whole.scan(one, values, 10), (sources, one)


RULES = {
    "one": 'import "pe"\nprivate rule base { strings: $a = "hello world" condition: $a }\n'
    'rule NEEDS_BASE { condition: base and filesize < 1KB }\nrule PE { condition: pe.number_of_sections > 0 }',
    "two": 'rule ANY { strings: $a = "evil word" nocase $b = { 01 02 ?? 04 05 06 07 } condition: any of them }\n'
    'global rule SMALL { condition: filesize < 100 }',
}  # fmt: skip


def test_only_rules_whose_needs_hold_are_candidates() -> None:
    index = YaraIndex(build(RULES, {}))
    assert index.candidates(b"nothing of all that" * 9, {}) == []
    assert index.candidates(b"nothing of all that", {}) == [("two", "SMALL")]
    assert index.candidates(b"say hello world" + bytes(100), {}) == [("one", "NEEDS_BASE")]
    assert index.candidates(b"MZ EVIL word", {}) == [("one", "PE"), ("two", "ANY"), ("two", "SMALL")]
    assert index.candidates(b"EVIL word" + bytes(100), {}) == []
    assert index.names() == ["NEEDS_BASE", "PE", "ANY", "SMALL"]


def test_a_source_that_is_not_understood_is_run_as_one_piece() -> None:
    sources = RULES | {"odd": 'rule ODD { condition: filename == "a\\qb" or filesize > 3 }'}
    deep = "(" * 300 + "true" + ")" * 300
    sources["deep"] = f"rule DEEP {{ condition: {deep} }}"
    sources = {namespace: text for namespace, text in sources.items() if namespace in valid({namespace: text})}
    whole, index = whole_and_index(sources, yararules.EXTERNALS)
    for data in (b"", b"hello world", b"evil word hello world"):
        assert index.scan(data, {}, 10) == whole.scan(data, {}, 10)
    assert ("deep", "DEEP") in index.candidates(b"", {})


def test_a_flood_of_candidates_is_given_to_the_whole_set(monkeypatch: pytest.MonkeyPatch) -> None:
    words = [f"needle{number:05}x" for number in range(3000)]
    text = "\n".join(f'rule R{n} {{ strings: $a = "{word}" condition: $a }}' for n, word in enumerate(words))
    whole, index = whole_and_index({"a": text}, {})
    for data in (" ".join(words).encode(), " ".join(words[::40]).encode(), words[7].encode()):
        assert index.scan(data, {}, 10) == whole.scan(data, {}, 10)
    calls: list[int] = []
    monkeypatch.setattr(index, "_group", lambda number: calls.append(number))
    index.scan(" ".join(words).encode(), {}, 10)
    assert not calls, "so many groups are not run one by one"


def test_the_least_used_groups_are_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mxward.core.rules.yara.index.MAX_LIVE_BYTES", 200_000)
    words = [f"needle{number:05}x" for number in range(320)]
    text = "\n".join(f'rule R{n} {{ strings: $a = "{word}" condition: $a }}' for n, word in enumerate(words))
    index = YaraIndex(build({"a": text}, {}))
    for word in words:
        assert len(index.scan(word.encode(), {}, 10)) == 1
    assert len(index._live) <= 4


def test_a_block_that_is_damaged_is_refused() -> None:
    block = build(RULES, {})
    for at in (0, 20, 60, len(block) // 2, len(block) - 70):
        with pytest.raises(IndexDamaged):
            YaraIndex(block[:at] + bytes((block[at] ^ 1,)) + block[at + 1 :])
        with pytest.raises(IndexDamaged):
            YaraIndex(block[:at])


def test_what_was_built_is_kept_and_mapped(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    first = open_index(RULES, {}, tmp_path, lambda done, total: told.append((done, total)))
    assert told and told[-1][0] == told[-1][1]
    second = open_index(RULES, {}, tmp_path, lambda *_: pytest.fail("it was there"))
    assert first.scan(b"hello world", {}, 10) == second.scan(b"hello world", {}, 10) != []
    assert len(list(tmp_path.iterdir())) == 1


def test_a_fault_names_namespace_and_line() -> None:
    with pytest.raises(yara.YaraSyntaxError) as caught:
        build(RULES | {"bad": "rule A { condition: true }\nrule B { condition: nothing }"}, {})
    assert (caught.value.namespace, caught.value.line) == ("bad", 2)


def corpus_sources() -> dict[str, str]:
    """signature-base and ReversingLabs: 7,000 rules that nobody here wrote."""
    folder = corpus.need("rules/yara")
    found = {}
    with tarfile.open(folder / "signature-base.tar.gz") as packed:
        for member in packed.getmembers():
            opened = packed.extractfile(member) if member.name.endswith(".yar") else None
            if opened is not None:
                found[f"sb:{member.name}"] = opened.read().decode()
    for name in ("reversinglabs", "bartblaze", "inquest"):
        for file in sorted((folder / name).glob("*.yar")):
            found[f"{name}:{file.name}"] = file.read_text(encoding="utf-8")
    return found


@pytest.mark.corpus
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_real_rules_find_in_real_mail_what_libyara_finds(tmp_path: Path) -> None:
    sources = corpus_sources()
    whole = yara.compile_rules(sources, EXTERNALS)
    index = open_index(sources, EXTERNALS, tmp_path)
    hits = n_candidates = 0
    texts = [mail.stored for mail in corpus.mails(every=15)]
    texts += [file.read_bytes() for file in sorted(corpus.need("attachments").rglob("*")) if file.is_file()]
    for text in texts:
        if len(text) < 2 << 20:
            found = whole.scan(text, EXTERNALS, 60)
            assert index.scan(text, EXTERNALS, 60) == found
            hits += len(found)
            n_candidates += len(index.candidates(text, EXTERNALS))
    assert hits >= 10
    assert n_candidates < 8 * len(texts)
