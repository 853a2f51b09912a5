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


# conditions that forbid strings, over $a "evil word", $b "word", $x (any key) "secret", $y "secret", $f "<html"
FORBIDDING = (
    "$a and not $b", "($a or $f) and not 1 of ($f*)", "any of them and not $f", "1 of ($a, $f) and not any of ($f)",
    "$x and not $y", "$x and not ($y)", "#a > 0 and not $f", "for any of ($a, $f) : ($ at 0) and not $f",
    "not ($a and not $f)", "$f at 0 and not $f", "$a and not ($f and $b)", "$f and not $f at 3", "2 of them and not $y",
    "all of them and not 1 of ($f)", "not $f and not (not $a and not $b)", "$b and not 2 of ($a, $f)",
)  # fmt: skip


@pytest.mark.parametrize("condition", FORBIDDING)
def test_what_is_forbidden_is_not_what_is_found(condition: str) -> None:
    strings = '$a = "evil word" $b = "word" fullword $x = "secret" xor $y = "secret" $f = "<html" nocase'
    unused = "(#a + #b + #x + #y + #f) >= 0"
    whole, index = whole_and_index({"n": f"rule R {{ strings: {strings} condition: ({condition}) and {unused} }}"}, {})
    words = (b"evil word", b"word", b"words", b"secret", bytes(byte ^ 7 for byte in b"secret"), b"<HTML", b"<html")
    texts = [b"%s %s %s" % (one, two, three) for one in words for two in words for three in words]
    for text in (b"", *texts):
        found = whole.scan(text, {}, 10)
        assert index.scan(text, {}, 10) == found, text


def test_a_rule_that_forbids_what_it_lists_is_no_candidate_for_it() -> None:
    strings = '$f1 = "evil word" $fp = "<html" $x = "secret" xor $y = "secret"'
    one = f"rule ONE {{ strings: {strings} condition: (1 of ($f*) and not $fp) or ($x and not $y) }}"
    index = YaraIndex(build({"n": one}, {}))
    assert index.candidates(b"<html> secret", {}) == []
    assert index.candidates(b"<html> evil word", {}) == [("n", "ONE")]
    assert index.candidates(bytes(byte ^ 7 for byte in b"a secret"), {}) == [("n", "ONE")]


def test_metadata_tell_where_a_rule_is_run() -> None:
    """Elsewhere its matches do not count (core/detect/yara.py), so it is not run; a rule that refers to it is."""
    rule = 'rule {name} {{ meta: {meta} strings: $a = "evil word" condition: $a }}'
    text = "\n".join((
        rule.format(name="PART", meta='views = "part"'), rule.format(name="TWO", meta='views = "raw text"'),
        rule.format(name="LAST", meta='views = "raw" views = "text"'), rule.format(name="ODD", meta='views = "all"'),
        rule.format(name="NUMBER", meta="views = 1"), "rule USES { condition: PART }",
    ))  # fmt: skip
    index = YaraIndex(build({"n": text}, EXTERNALS))
    everywhere = {"ODD", "NUMBER", "USES"}
    for view, more in (("raw", {"TWO"}), ("part", {"PART"}), ("text", {"TWO", "LAST"})):
        found = index.candidates(b"an evil word", EXTERNALS | {"view": view})
        assert {name for _, name in found} == everywhere | more


def test_small_classes_and_optional_parts_are_searched_for() -> None:
    text = r"rule R { strings: $a = /\x13\s?DDE(AUTO)?\d\s{1,4}[A-Z]/ nocase condition: $a }"
    whole, index = whole_and_index({"n": text}, {})
    assert index.candidates(b"hidden dde", {}) == []
    for data in (b"\x13dde7 a", b"\x13\x0bDDEauto0\t\rB", b"\x13DDE\xb2 a", b"\x13\xa0DDE1 a", b"\x13\x0cdde1\x0cz"):
        assert index.scan(data, {}, 10) == whole.scan(data, {}, 10)


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
    monkeypatch.setattr(index._live, "group", lambda number: calls.append(number))
    index.scan(" ".join(words).encode(), {}, 10)
    assert not calls, "so many groups are not run one by one"


def test_the_least_used_groups_are_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mxward.core.rules.yara.live.MAX_LIVE_BYTES", 200_000)
    words = [f"needle{number:05}x" for number in range(320)]
    text = "\n".join(f'rule R{n} {{ strings: $a = "{word}" condition: $a }}' for n, word in enumerate(words))
    index = YaraIndex(build({"a": text}, {}))
    for word in words:
        assert len(index.scan(word.encode(), {}, 10)) == 1
    assert len(index._live._kept) <= 4


def test_a_block_that_is_damaged_is_refused() -> None:
    block = build(RULES, {})
    for at in (0, 20, 45, 60, 300):
        with pytest.raises(IndexDamaged):
            YaraIndex(block[:at] + bytes((block[at] ^ 1,)) + block[at + 1 :])
    for at in (0, 20, 60, len(block) // 2, len(block) - 70):
        with pytest.raises(IndexDamaged):
            YaraIndex(block[:at])


def test_damage_behind_the_beginning_is_found_before_it_is_used() -> None:
    block, data, harmed = bytearray(build(RULES, {})), b"hello world EVIL word", 0
    found = YaraIndex(bytes(block)).scan(data, {}, 10)
    for at in range(1500, len(block), len(block) // 60):
        block[at] ^= 1
        try:
            assert YaraIndex(bytes(block)).scan(data, {}, 10) == found
        except (IndexDamaged, yara.YaraFailure):
            harmed += 1
        block[at] ^= 1
    assert harmed > 5


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


@pytest.mark.parametrize("size", [0, 300 << 10], ids=["small", "large"])
def test_large_texts_are_gone_through_once(size: int) -> None:
    """Rules that refer to others, globals and externals, in several namespaces, compiled together on the spot."""
    sources = RULES | {
        "three": 'private rule p { strings: $a = "evil" condition: $a }\nrule q { condition: p }\n'
        'rule r { condition: q and filename == "x" }\nrule s { strings: $a = "EVIL word" condition: #a == 1 }',
        "four": 'global rule g { strings: $a = "word" condition: $a }\nrule h { strings: $a = "evil" condition: $a }',
    }
    whole, index = whole_and_index(sources, yararules.EXTERNALS)
    for data in (b"evil", b"evil word", b"EVIL word evil hello world", b"nothing"):
        for values in ({}, {"filename": "x"}):
            padded = data + b"." * size
            assert index.scan(padded, values, 10) == whole.scan(padded, values, 10)


def members(module: str) -> list[str]:
    """Members of a module that rules may name, as written in the tests of its documentation."""
    return {
        "pe": [
            "machine", "checksum", "calculate_checksum()", "subsystem", "timestamp", "pointer_to_symbol_table",
            "number_of_symbols", "size_of_optional_header", "opthdr_magic", "size_of_code", "entry_point",
            "entry_point_raw", "base_of_code", "image_base", "section_alignment", "linker_version.major",
            "os_version.major",
            "image_version.minor", "win32_version_value", "size_of_image", "dll_characteristics", "characteristics",
            "size_of_stack_reserve", "loader_flags", "number_of_rva_and_sizes", "data_directories[0].size",
            "number_of_sections", "sections[0].name", "overlay.offset", "overlay.size", "number_of_resources",
            "resource_timestamp", "resources[0].offset", 'version_info["a"]', "number_of_version_infos",
            "rich_signature.offset", "rich_signature.key", 'exports("a")', "exports(1)", "exports(/a/)",
            'exports_index("a")', "number_of_exports", "dll_name", "export_timestamp", "number_of_imports",
            "number_of_imported_functions", "number_of_delayed_imports", 'imports("a")', 'imports("a", "b")',
            "imports(/a/, /b/)", "import_details[0].library_name", "locale(1)", "language(1)", "imphash()",
            "section_index(\"a\")", "section_index(1)", "is_dll()", "is_32bit()", "is_64bit()", "rva_to_offset(1)",
            "number_of_signatures", "signatures[0].issuer", "is_signed", "pdb_path", "import_rva(\"a\", \"b\")",
            "delayed_import_rva(\"a\", \"b\")",
        ],
        "elf": [
            "type", "machine", "entry_point", "number_of_sections", "sections[0].name", "number_of_segments",
            "segments[0].type", "dynamic_section_entries", "dynamic[0].type", "symtab_entries", "symtab[0].name",
            "dynsym_entries", "telfhash()", "import_md5()", "sh_entry_size", "ph_offset",
        ],
        "dotnet": [
            "version", "module_name", "number_of_streams", "streams[0].name", "number_of_guids", "guids[0]",
            "number_of_resources", "resources[0].offset", "assembly.name", "number_of_modulerefs", "modulerefs[0]",
            "typelib", "assembly_refs[0].name", "number_of_user_strings", "user_strings[0]", "number_of_classes",
            "number_of_field_offsets", "number_of_constants", "constants[0]",
        ],
    }[module]  # fmt: skip


@pytest.mark.parametrize("module", ["pe", "elf", "dotnet"])
def test_members_of_modules_are_undefined_in_other_files(module: str) -> None:
    """That is why a rule that needs one is not run on a text that does not begin as such a file does."""
    rules = "".join(
        f"rule r{number} {{ condition: defined {module}.{member} }}\n"
        for number, member in enumerate(members(module))
        if valid({"a": f'import "{module}"\nrule a {{ condition: defined {module}.{member} }}'})
    )
    assert rules.count("rule") > len(members(module)) // 2
    whole, index = whole_and_index({"a": f'import "{module}"\n{rules}'}, {})
    for data in (b"", b"text", b"M", b"MZ" + bytes(100), bytes(5000), b"\x7fEL" + bytes(100), b"\x7fELF" + bytes(200)):
        assert index.scan(data, {}, 10) == whole.scan(data, {}, 10)
    assert whole.scan(b"text", {}, 10) == []
