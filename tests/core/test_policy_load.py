"""core/policy/load: what is refused, and how precisely."""

from __future__ import annotations

from pathlib import Path

import pytest

from mxward.core.errors import PolicyError
from mxward.core.policy.condition import KEYS
from mxward.core.policy.load import default_text, load_policy, parse_policy

RULE = '[[policy_rule]]\nname = "a"\n'


def test_shipped_policy_loads_and_has_a_stable_version() -> None:
    one, other = load_policy(None), parse_policy(default_text())
    assert one.version == other.version
    assert len(one.version) == 12
    assert one.rules[0].name == "reject-malware"


def test_absent_file_is_the_shipped_policy(tmp_path: Path) -> None:
    assert load_policy(tmp_path / "policy.toml").version == load_policy(None).version


def test_any_change_changes_the_version() -> None:
    assert parse_policy(default_text().replace("= 15", "= 16", 1)).version != load_policy(None).version


def test_comments_do_not_change_the_version() -> None:
    assert parse_policy("# more\n" + default_text()).version == load_policy(None).version


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("name = \n", ["not valid TOML", "line 1"]),
        ('rules = 1\n', ["unknown key rules"]),
        ("policy_rule = 3\n", ["[[policy_rule]] tables"]),
        ('[[policy_rule]]\naction = "deliver"\n', ["p.toml:1", "number 1", "name"]),
        ('[[policy_rule]]\nname = "A B"\naction = "deliver"\n', ["p.toml:1", "policy rule A B", "name"]),
        (RULE + 'action = "drop"\n', ["p.toml:1", "policy rule a", "action", "'drop'", "quarantine"]),
        (RULE + 'actoin = "deliver"\n', ["actoin", "unknown key", "action"]),
        (RULE, ["needs an action or additions"]),
        ('\n\n[[policy_rule]]\nname = "b"\naction="deliver"\n' + RULE + 'action = "x"\n', ["p.toml:6", "rule a"]),
        (RULE + 'action = "deliver"\n' + RULE + 'action = "deliver"\n', ["name is used twice"]),
        (RULE + 'action = "deliver"\nwhen = 1\n', ["when", "table"]),
        (RULE + 'action = "deliver"\nwhen = { verdikt = "spam" }\n', ["when.verdikt", "unknown condition", "verdict"]),
        (RULE + 'action = "deliver"\nwhen = { verdict = "spm" }\n', ["when.verdict", "'spm'", "phish"]),
        (RULE + 'action = "deliver"\nwhen = { verdict = [] }\n', ["when.verdict", "list of strings"]),
        (RULE + 'action = "deliver"\nunless = { score_at_least = "6" }\n', ["unless.score_at_least", "number"]),
        (RULE + 'action = "deliver"\nwhen = { client_network = "10.0.0.1/8" }\n', ["client_network", "192.0.2.0/24"]),
        (RULE + 'action = "deliver"\nwhen = { header = "a b: c" }\n', ["when.header", "field name"]),
        (RULE + 'action = "deliver"\nwhen = { ambiguous = "yes" }\n', ["when.ambiguous", "true or false"]),
        (RULE + 'action = "deliver"\nwhen = { sender = "*a*b*c*d*e*" }\n', ["when.sender", "four *"]),
        (RULE + 'action = "redirect"\n', ["to", "must be given"]),
        (RULE + 'action = "redirect"\nto = "nobody"\n', ["to", "one address"]),
        (RULE + 'action = "quarantine"\narea = "../x"\n', ["area", "letters"]),
        (RULE + 'action = "reject"\nreply = "451 4.7.1 later"\n', ["reply", "550 5.7.1"]),
        (RULE + 'action = "defer"\nreply = "550 5.7.1 no"\n', ["reply", "450 4.7.1"]),
        (RULE + 'action = "reject"\nreply = "550 5.7.1 no\\r\\n250 yes"\n', ["reply"]),
        (RULE + 'action = "deliver"\nreply = "550 5.7.1 no"\n', ["reply", "does not go with", "deliver"]),
        (RULE + 'add = [{ tag = "no colon" }]\n', ["add.tag", "Name: value"]),
        (RULE + 'add = [{ tag = "X-A: {secret}" }]\n', ["add.tag", "{secret}", "score"]),
        (RULE + 'add = [{ tag = "X-A: a\\nB: c" }]\n', ["add.tag", "one line"]),
        (RULE + 'add = [{ copy = "nobody" }]\n', ["add.copy", "one address"]),
        (RULE + 'add = [{ modify = "x" }]\n', ["add.modify", "no such edit"]),
        (RULE + 'add = [{ burn = "x" }]\n', ["add.burn", "unknown addition"]),
        (RULE + 'add = "x"\n', ["add", "list of tables"]),
    ],
)  # fmt: skip
def test_fault_is_named(text: str, parts: list[str]) -> None:
    with pytest.raises(PolicyError) as caught:
        parse_policy(text, "p.toml")
    assert str(caught.value).startswith("p.toml")
    for part in parts:
        assert part in str(caught.value)


def test_file_that_is_not_utf8_is_a_policy_error(tmp_path: Path) -> None:
    (tmp_path / "policy.toml").write_bytes(b"name = '\xff'")
    with pytest.raises(PolicyError, match="cannot be read"):
        load_policy(tmp_path / "policy.toml")


def test_every_condition_is_described_where_it_is_defined() -> None:
    from mxward.core.policy import condition

    documented = {word.strip(",;") for word in (condition.__doc__ or "").split()}
    assert set(KEYS) <= documented
