"""core/rules: packs are read, refused precisely, compiled once, changed atomically, and tested by their samples."""

from __future__ import annotations

from pathlib import Path

import pytest

from mxward.core.errors import RulePackError
from mxward.core.rules import manage
from mxward.core.rules.compile import RuleSet, compile_packs
from mxward.core.rules.history import KEPT, read_history
from mxward.core.rules.lint import lint_pack
from mxward.core.rules.pack import load_pack
from mxward.core.rules.sample import run_samples
from mxward.core.verdict import CATEGORIES

MANIFEST = 'name = "mine"\nversion = "2.1"\ndescription = "ours"\nauthor = "trust"\n'
YARA = 'rule MINE {\n meta:\n  description = "d"\n strings:\n  $a = "unmistakable" nocase\n condition:\n  $a\n}\n'


def write(folder: Path, **files: str) -> Path:
    """A pack directory from `name__ext` arguments; pack.toml unless given."""
    files.setdefault("pack__toml", MANIFEST)
    for name, text in files.items():
        path = folder / name.replace("__", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write(
        tmp_path / "source" / "mine", a__yar=YARA, words__list="@weight 2\nbad phrase\n3 | worse phrase\n",
        attachments__toml='[[attachment]]\nname = "ATT"\nextensions = ["xyz"]\n',
    )  # fmt: skip


def test_pack_is_read(source: Path) -> None:
    pack = load_pack(source)
    assert (pack.label, pack.description, pack.author) == ("mine@2.1", "ours", "trust")
    assert [s.file for s in pack.yara] == ["a.yar"]
    assert pack.literals[0].name == "WORDS"
    assert pack.literals[0].phrases == (("bad phrase", 2.0), ("worse phrase", 3.0))
    assert pack.attachments[0].extensions == frozenset({"xyz"})


def test_any_change_of_rules_changes_the_digest(source: Path) -> None:
    before = load_pack(source).digest
    (source / "a.yar").write_text(YARA + "\n")
    assert load_pack(source).digest != before


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("pack.toml", "name = ", "mine/pack.toml: is not valid TOML"),
        ("pack.toml", 'name = "Mine"\nversion = "1"\n', "mine/pack.toml: name must be"),
        ("pack.toml", 'name = "mine"\n', "mine/pack.toml: version must be"),
        ("pack.toml", MANIFEST + 'sauce = 1\n', "mine/pack.toml: unknown key sauce (allowed: author,"),
        ("pack.toml", MANIFEST + '[defaults]\ncategory = "bad"\n', "mine/pack.toml: category 'bad' (allowed: malware,"),
        ("pack.toml", MANIFEST + '[defaults]\nweight = "x"\n', "mine/pack.toml: weight must be a number"),
        ("w.list", "ok phrase\n@color red\n", "mine/w.list:2: @color 'red' (allowed: @name"),
        ("w.list", "@category bad\nphrase\n", "mine/w.list:1: @category 'bad' (allowed: malware,"),
        ("w.list", "@weight heavy\nphrase\n", "mine/w.list:1: @weight 'heavy' (allowed: a number"),
        ("w.list", "@words maybe\nphrase\n", "mine/w.list:1: @words 'maybe' (allowed: yes, no)"),
        ("w.list", "@views body\nphrase\n", "mine/w.list:1: @views 'body' (allowed: text"),
        ("w.list", "# nothing\n", "mine/w.list: holds no phrase"),
        ("w.list", "good one\n ab\n", "mine/w.list:2: phrase 'ab' is shorter than 3"),
        ("attachments.toml", "[[attachment]]\n", "mine/attachments.toml: an [[attachment]] needs a name"),
        ("attachments.toml", '[[attachment]]\nname = "A"\n', "mine/attachments.toml: A: needs extensions or types"),
        ("attachments.toml", '[[attachment]]\nname = "A"\nextensions = [".exe"]\n', "A: extensions must be a list"),
        ("attachments.toml", '[[attachment]]\nname = "A"\ntypes = ["exe"]\n', "A: types must be a list"),
        ("attachments.toml", '[[attachment]]\nname = "A"\nextensions = ["x"]\nweight = "6"\n', "A: weight must be"),
        ("attachments.toml", '[[attachment]]\nname = "A"\nextensions = ["x"]\nsize = 6\n', "A: unknown key size"),
        ("attachments.toml", "attachment = 1\n", "holds [[attachment]] tables only"),
    ],
)  # fmt: skip
def test_fault_is_located(source: Path, file: str, text: str, message: str) -> None:
    (source / file).write_text(text)
    with pytest.raises(RulePackError) as caught:
        load_pack(source)
    assert message in str(caught.value)
    (problem,) = lint_pack(source)
    assert problem.severity == "error"


def test_a_directory_without_manifest_is_no_pack(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(RulePackError, match=r"empty/pack.toml: is missing"):
        load_pack(tmp_path / "empty")


def test_links_and_binary_rule_files_are_refused(source: Path) -> None:
    (source / "b.yar").symlink_to("/etc/passwd")
    with pytest.raises(RulePackError, match="symbolic link"):
        load_pack(source)
    (source / "b.yar").unlink()
    (source / "b.yar").write_bytes(b"rule \xff")
    with pytest.raises(RulePackError, match="not UTF-8 at byte 5"):
        load_pack(source)


def test_yara_fault_names_pack_file_and_line(source: Path) -> None:
    (source / "b.yar").write_text("rule B {\n condition:\n  $missing\n}\n")
    with pytest.raises(RulePackError, match=r"mine/b.yar:\d: .*missing"):
        compile_packs([load_pack(source)])


def test_compiled_rules_are_cached_and_a_damaged_cache_is_ignored(source: Path, tmp_path: Path) -> None:
    cache, pack = tmp_path / "cache", load_pack(source)
    first = compile_packs([pack], cache)
    (file,) = cache.iterdir()
    written = file.read_bytes()
    assert first.yara is not None
    cached = compile_packs([pack], cache)
    assert cached.yara is not None
    assert cached.yara.names() == ["MINE"]
    assert cached.version == first.version
    for damaged in (written[:-1], written[:60] + b"\0" + written[61:], b"", b"MXYARA1\n"):
        file.write_bytes(damaged)
        rules = compile_packs([pack], cache)
        assert rules.yara is not None
        assert rules.yara.names() == ["MINE"]
        assert file.read_bytes() == written


def test_an_unwritable_cache_is_no_fault(source: Path, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where a directory should be")
    rules = compile_packs([load_pack(source)], tmp_path / "cache")
    assert rules.yara is not None


def test_lint_tells_all_at_once(source: Path) -> None:
    (source / "b.yar").write_text(
        'rule MINE {\n meta:\n  category = "bad"\n  weight = "lots"\n strings:\n  $a = /.*evil/\n condition:\n  $a\n}\n'
    )
    found = {(p.file, p.line, p.severity): p.text for p in lint_pack(source)}
    assert "'bad'" in found["mine/b.yar", 3, "error"]
    assert "'lots'" in found["mine/b.yar", 4, "error"]
    assert "repetition" in found["mine/b.yar", 6, "warning"]
    assert found["mine/tests", 0, "warning"].startswith("no samples")
    texts = [p.text for p in lint_pack(source)]
    assert "MINE has no description" in texts
    assert "the name MINE is used in mine/a.yar too" in texts
    assert [p.severity for p in lint_pack(source)] == ["error"] * 2 + ["warning"] * 4 + ["note"] * 4


def test_lint_tells_what_is_missing(source: Path) -> None:
    (source / "pack.toml").write_text('name = "mine"\nversion = "1"\n')
    (source / "tests" / "must-match").mkdir(parents=True)
    (source / "tests" / "must-match" / "MINE--one.txt").write_text("unmistakable")
    assert [(p.file, p.line, p.severity, p.text) for p in lint_pack(source)] == [
        ("mine/pack.toml", 0, "warning", "has no description"), ("mine/pack.toml", 0, "warning", "has no author"),
        ("mine/a.yar", 1, "note", "MINE has no category"), ("mine/a.yar", 1, "note", "MINE has no weight"),
        ("mine/a.yar", 1, "note", "MINE has no author"),
        ("mine/attachments.toml", 0, "note", "ATT has no description"),
        ("mine/tests", 0, "note", "no must-not-match sample: say what is harmless too"),
        ("mine/tests", 0, "note", "no must-match sample is named after ATT, WORDS"),
        ("mine/words.list", 0, "note", "WORDS has no @description"),
    ]  # fmt: skip


def test_lint_knows_the_packs_it_would_live_beside(source: Path, tmp_path: Path) -> None:
    other = load_pack(write(tmp_path / "b" / "other", pack__toml=MANIFEST.replace('"mine"', '"other"'), b__yar=YARA))
    assert [p.text for p in lint_pack(source, [other]) if "the name" in p.text] == [
        "the name MINE is used in the pack other@2.1 too"
    ]
    assert not [p for p in lint_pack(source, [load_pack(source)]) if "the name" in p.text], "its own older version"


@pytest.mark.parametrize(
    ("definition", "reason"),
    [
        ("$a = /.*evil/", "begins with a repetition"),
        ("$a = /[^x]{2,}evil/", "begins with a repetition"),
        ("$a = /(a+b)+evil/", "repeats what repeats itself"),
        (r"$a = /evil\s*/", "ends with a repetition"),
        ('$a = "MZ"', "is shorter than 3 bytes"),
        (r'$a = "\x4d\x5a"', "is shorter than 3 bytes"),
        ("$a = /evil.{1,9}x/", ""),
        ('$a = "MZ" fullword', ""),
        (r"$a = /evil\.*x/", ""),
    ],
)
def test_lint_knows_slow_patterns(source: Path, definition: str, reason: str) -> None:
    (source / "a.yar").write_text(
        f'rule A {{\n meta:\n  description = "d"\n strings:\n  {definition}\n condition: $a }}'
    )
    found = [p for p in lint_pack(source) if p.file == "mine/a.yar" and p.severity == "warning"]
    assert [(p.line, reason in p.text) for p in found] == ([(5, True)] if reason else [])


def test_lint_names_what_is_unfilterable(source: Path) -> None:
    (source / "a.yar").write_text(
        'rule SHORT {\n meta: description = "d"\n strings: $a = { 41 ?? 42 }\n condition: $a }\n'
        'rule ANY_SIZE {\n meta: description = "d"\n condition: filesize > 10 }\n' + YARA
    )
    (source / "x.regex").write_text("/unmistakable\\d+x/\n/x*/\n")
    problems = lint_pack(source)
    assert [p.line for p in problems if p.file == "mine/x.regex" and p.severity == "warning"] == [2]
    found = {(p.file, p.line): p.text for p in problems if "tried on every message" in p.text}
    assert found["mine/a.yar", 5].startswith("ANY_SIZE is tried on every message") or ("mine/a.yar", 5) in found
    assert ("mine/a.yar", 8) not in found


def test_lint_knows_spamassassin_rules(source: Path) -> None:
    (source / "r.cf").write_text("body MINE /unmistakable/\nscore MINE 2\nbody OTHER /(unclosed/\nnonsense\n")
    texts = [(p.severity, p.text) for p in lint_pack(source) if p.file.startswith("mine/r.cf") or "MINE" in p.text]
    assert ("warning", "the name MINE is used in mine/a.yar too") in texts


def test_lint_knows_slow_conditions(source: Path) -> None:
    (source / "a.yar").write_text("rule A {\n condition:\n  for any i in (0..filesize): (uint8(i) == 256) }")
    assert any(p.line == 3 and "every byte" in p.text for p in lint_pack(source))


def test_lint_of_broken_yara_gives_the_line(source: Path) -> None:
    (source / "a.yar").write_text("rule A {\n condition: nothing\n}\n")
    problem = lint_pack(source)[0]
    assert (problem.file, problem.line, problem.severity) == ("mine/a.yar", 2, "error")


def test_an_empty_pack_is_an_error(tmp_path: Path) -> None:
    assert lint_pack(write(tmp_path / "mine"))[0].text == "holds no rules"


def test_add_replace_disable_enable_remove(source: Path, tmp_path: Path) -> None:
    rules = tmp_path / "data" / "rules"
    manage.add_pack(rules, source)
    assert [p.label for p in manage.enabled_packs(rules)] == ["mine@2.1", "starter@1.0"]
    (source / "pack.toml").write_text(MANIFEST.replace("2.1", "2.2"))
    manage.add_pack(rules, source)
    assert [p.label for p in manage.enabled_packs(rules)] == ["mine@2.2", "starter@1.0"]
    manage.set_enabled(rules, "starter", enabled=False)
    manage.set_enabled(rules, "mine", enabled=False)
    assert manage.enabled_packs(rules) == []
    assert [(s.name, s.enabled, s.shipped) for s in manage.list_packs(rules)] == [
        ("mine", False, False), ("starter", False, True),
    ]  # fmt: skip
    manage.set_enabled(rules, "mine", enabled=True)
    assert [p.label for p in manage.enabled_packs(rules)] == ["mine@2.2"]
    manage.remove_pack(rules, "mine")
    manage.set_enabled(rules, "starter", enabled=True)
    assert [p.name for p in manage.enabled_packs(rules)] == ["starter"]


def put_version(rules: Path, source: Path, version: str) -> None:
    (source / "pack.toml").write_text(MANIFEST.replace("2.1", version))
    manage.add_pack(rules, source)


def contents(rules: Path) -> list[str]:
    return [path.name for path in (rules / ".packs").iterdir() if path.is_dir()]


def test_contents_do_not_pile_up(source: Path, tmp_path: Path) -> None:
    rules = tmp_path / "rules"
    for version in range(KEPT + 3):
        put_version(rules, source, f"3.{version}")
    assert len(contents(rules)) == KEPT
    assert manage.enabled_packs(rules)[0].version == f"3.{KEPT + 2}"
    known, current = manage.versions(rules, "mine")
    assert [v.version for v in known] == [f"3.{n}" for n in range(3, KEPT + 3)]
    assert known[-1].folder == current


def test_rolling_back_and_forth(source: Path, tmp_path: Path) -> None:
    rules = tmp_path / "rules"
    for version in ("1", "2", "3"):
        put_version(rules, source, version)

    def in_force() -> str:
        return manage.enabled_packs(rules)[0].label

    assert manage.rollback(rules, "mine").version == "2"
    assert in_force() == "mine@2"
    manage.rollback(rules, "mine", who=manage.Who("ann", 7), reason="false alarms")
    assert in_force() == "mine@1"
    history = read_history(rules, "mine")
    assert (history.change, history.changed_by) == ("rolled back from 2 to 1: false alarms", "ann")
    with pytest.raises(RulePackError, match="mine: there is no earlier version"):
        manage.rollback(rules, "mine")
    manage.rollback(rules, "mine", to="3")
    assert in_force() == "mine@3"
    with pytest.raises(RulePackError, match="version 3 is in force"):
        manage.rollback(rules, "mine", to="3")
    with pytest.raises(RulePackError, match=r"there is no version 9 \(there are: 1 \("):
        manage.rollback(rules, "mine", to="9")
    manage.rollback(rules, "mine", to="1")
    put_version(rules, source, "4")
    manage.rollback(rules, "mine")
    assert in_force() == "mine@1", "what was in force before, not what was added before"


def test_rolling_back_to_what_no_longer_compiles_is_refused(source: Path, tmp_path: Path) -> None:
    rules = tmp_path / "rules"
    put_version(rules, source, "1")
    put_version(rules, source, "2")
    known, _ = manage.versions(rules, "mine")
    (rules / ".packs" / known[0].folder / "a.yar").write_text("rule X { condition: nothing }")
    with pytest.raises(RulePackError, match="nothing"):
        manage.rollback(rules, "mine")
    assert manage.enabled_packs(rules)[0].version == "2"


def test_what_was_put_there_by_hand_can_be_rolled_back_to(source: Path, tmp_path: Path) -> None:
    rules = tmp_path / "rules"
    write(rules / "mine", a__yar=YARA)
    put_version(rules, source, "2.2")
    assert manage.rollback(rules, "mine").version == "2.1"
    assert manage.enabled_packs(rules)[0].version == "2.1"


@pytest.mark.parametrize("record", [b"", b"[]", b"{", b'{"versions": [{"x": 1}]}', b"\xff"])
def test_a_damaged_history_loses_the_past_only(source: Path, tmp_path: Path, record: bytes) -> None:
    rules = tmp_path / "rules"
    put_version(rules, source, "1")
    (rules / ".packs" / "mine.json").write_bytes(record)
    assert manage.enabled_packs(rules)[0].version == "1"
    put_version(rules, source, "2")
    assert manage.rollback(rules, "mine").version == "1"


def test_single_rules_are_left_out(source: Path, tmp_path: Path) -> None:
    rules = tmp_path / "rules"
    manage.add_pack(rules, source)
    before = manage.enabled_packs(rules)[0].digest
    manage.set_without(rules, "mine", {"MINE", "WORDS"})
    pack = manage.enabled_packs(rules)[0]
    assert pack.rule_names() == ["ATT"]
    assert pack.digest != before
    assert sorted(pack.left_out) == ["MINE", "WORDS"]
    compiled = compile_packs([pack])
    assert compiled.yara is None or compiled.yara.names() == []
    put_version(rules, source, "3")
    assert manage.enabled_packs(rules)[0].rule_names() == ["ATT"], "the next version leaves them out too"
    manage.set_without(rules, "mine", set())
    assert "MINE" in manage.enabled_packs(rules)[0].rule_names()


def test_a_rule_that_others_need_cannot_be_left_out(source: Path, tmp_path: Path) -> None:
    rules = tmp_path / "rules"
    (source / "a.yar").write_text(YARA + "rule NEEDS { condition: MINE }\n")
    manage.add_pack(rules, source)
    with pytest.raises(RulePackError, match=r"mine/a.yar:9: .*MINE"):
        manage.set_without(rules, "mine", {"MINE"})
    with pytest.raises(RulePackError, match="NOT_THERE: no such rule"):
        manage.set_without(rules, "mine", {"NOT_THERE"})
    with pytest.raises(RulePackError, match="no such pack"):
        manage.set_without(rules, "none", set())
    manage.set_without(rules, "mine", {"MINE", "NEEDS"})


def test_what_changes_while_it_is_added_does_not_count(source: Path, tmp_path: Path) -> None:
    """The pack is read once: what is checked is what is written."""
    rules = tmp_path / "rules"

    def exchange(_: RuleSet) -> None:
        (source / "a.yar").write_text("rule EVIL { condition: true }")

    manage.add_pack(rules, source, check=exchange)
    assert manage.enabled_packs(rules)[0].yara[0].text == YARA


def test_a_change_of_samples_alone_is_taken_in(source: Path, tmp_path: Path) -> None:
    rules = tmp_path / "rules"
    manage.add_pack(rules, source)
    (source / "tests" / "must-match").mkdir(parents=True)
    (source / "tests" / "must-match" / "MINE.txt").write_text("unmistakable")
    manage.add_pack(rules, source)
    assert [r.file for r in run_samples(rules / "mine")] == ["tests/must-match/MINE.txt"]


def test_a_pack_whose_name_begins_like_another_keeps_its_versions(source: Path, tmp_path: Path) -> None:
    rules = tmp_path / "rules"
    write(tmp_path / "b" / "mine-too", pack__toml=MANIFEST.replace('"mine"', '"mine-too"'), w__list="some phrase\n")
    manage.add_pack(rules, tmp_path / "b" / "mine-too")
    for version in range(KEPT + 2):
        put_version(rules, source, f"3.{version}")
    manage.remove_pack(rules, "mine")
    assert [p.name for p in manage.enabled_packs(rules)] == ["mine-too", "starter"]


def test_a_pack_put_there_by_hand_is_used_and_replaced(source: Path, tmp_path: Path) -> None:
    rules = tmp_path / "rules"
    write(rules / "mine", a__yar=YARA)
    assert manage.enabled_packs(rules)[0].label == "mine@2.1"
    (source / "pack.toml").write_text(MANIFEST.replace("2.1", "2.2"))
    manage.add_pack(rules, source)
    assert manage.enabled_packs(rules)[0].label == "mine@2.2"


def test_a_refused_pack_leaves_the_old_one(source: Path, tmp_path: Path) -> None:
    rules = tmp_path / "rules"
    manage.add_pack(rules, source)
    (source / "a.yar").write_text("rule BROKEN { condition: nothing }")
    with pytest.raises(RulePackError, match="nothing"):
        manage.add_pack(rules, source)
    (mine, _) = manage.enabled_packs(rules)
    assert mine.yara[0].text == YARA
    assert [p.name for p in (rules / ".packs").iterdir() if p.name.startswith(".")] == []


def test_a_broken_pack_is_listed_with_its_fault(tmp_path: Path) -> None:
    rules = tmp_path / "rules"
    write(rules / "other", a__yar=YARA)
    (status,) = [s for s in manage.list_packs(rules) if not s.shipped]
    assert "calls itself mine" in status.fault
    with pytest.raises(RulePackError, match="calls itself mine"):
        manage.enabled_packs(rules)


@pytest.mark.parametrize("name", ["none", "starter", "../x", ".packs", ""])
def test_only_added_packs_can_be_removed(tmp_path: Path, name: str) -> None:
    with pytest.raises(RulePackError, match="disable it" if name == "starter" else "no such pack"):
        manage.remove_pack(tmp_path, name)


def test_unknown_packs_cannot_be_enabled(tmp_path: Path) -> None:
    with pytest.raises(RulePackError, match="no such pack"):
        manage.set_enabled(tmp_path, "none", enabled=True)


def test_samples_that_do_not_behave_fail(source: Path) -> None:
    for kind, name, content in [
        ("must-match", "MINE.txt", "this is unmistakable"), ("must-match", "MINE--2.txt", "nothing here"),
        ("must-match", "WORDS.eml", "From: a@b.example\nTo: c@d.example\n\na worse  PHRASE\n"),
        ("must-not-match", "good.txt", "all fine"), ("must-not-match", "bad.txt", "this is unmistakable"),
    ]:  # fmt: skip
        (source / "tests" / kind).mkdir(parents=True, exist_ok=True)
        (source / "tests" / kind / name).write_text(content)
    assert {r.file: r.passed for r in run_samples(source)} == {
        "tests/must-match/MINE.txt": True, "tests/must-match/MINE--2.txt": False, "tests/must-match/WORDS.eml": True,
        "tests/must-not-match/good.txt": True, "tests/must-not-match/bad.txt": False,
    }  # fmt: skip
    assert [p for p in lint_pack(source) if p.severity != "note"] == []


def test_starter_pack_is_clean_and_its_samples_pass() -> None:
    starter = manage.SHIPPED / "starter"
    assert lint_pack(starter) == []
    results = run_samples(starter)
    assert [r for r in results if not r.passed] == []
    assert len(results) >= 60


def test_starter_pack_holds_enough_and_every_rule_has_a_sample() -> None:
    pack = load_pack(manage.SHIPPED / "starter")
    rules = compile_packs([pack])
    assert rules.yara is not None
    names = rules.yara.names()
    assert 40 <= len(names) <= 80
    samples = {file.name.partition(".")[0].partition("--")[0] for file in (pack.path / "tests/must-match").iterdir()}
    wanted = {*names, *(a.name for a in pack.attachments), *(ll.name for ll in pack.literals)}
    assert wanted - samples == set()
    assert {ll.category for ll in pack.literals} <= set(CATEGORIES)
