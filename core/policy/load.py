"""Reading a policy document (TOML) with precise faults. The keys of `when` and `unless` are condition.py's.

    name = "default"
    [[policy_rule]]
    name = "quarantine-spam"                  unique
    description = "spam is kept apart"        a clause for the helpdesk
    when = { verdict = ["spam"], direction = "inbound" }
    unless = { sender = ["partner.example"] }
    action = "quarantine"                     deliver redirect quarantine hold reject defer discard, or left out
    area = "spam"                             quarantine, hold: where to
    to = "postmaster@trust.example"           redirect: the address
    reply = "550 5.7.1 Refused"               reject (5xx), defer (4xx)
    add = [{ tag = "X-Spam-Flag: YES" }, { tag = "subject: [SPAM] " }, { copy = "audit@trust.example" }]

In a tag, {verdict}, {score}, {stars}, {hits} and {policy} are filled in.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from importlib import resources
from pathlib import Path
from typing import Any, Final

from mxward.core.errors import PolicyError
from mxward.core.policy.condition import KEYS, ConditionFault
from mxward.core.policy.model import Condition, Policy, PolicyRule
from mxward.core.verdict import ACTIONS, Addition

_RULE_KEYS: Final = frozenset((
    "name", "description", "when", "unless", "action", "area", "to", "reply", "add",
))  # fmt: skip
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_AREA: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
_REPLY: Final = re.compile(r"([45])\d\d ([45])\.\d{1,3}\.\d{1,3} [\x20-\x7e]{1,400}")
_ADDRESS: Final = re.compile(r"[^\s<>\"@,;:()]{1,64}@[^\s<>\"@,;:()]{1,255}")
_TAG: Final = re.compile(r"[!-9;-~]{1,76}: ?[^\r\n\x00]{0,900}")
FIELDS: Final = ("verdict", "score", "stars", "hits", "policy")
_FIELD: Final = re.compile(r"\{([^{}]*)\}")
# which key carries an action's argument, and what it is when left out (None: must be given)
_ARGUMENT: Final[dict[str, tuple[str, str | None]]] = {
    "quarantine": ("area", "default"), "hold": ("area", "default"), "redirect": ("to", None),
    "reject": ("reply", "550 5.7.1 Message refused by policy"),
    "defer": ("reply", "451 4.7.1 Message not accepted now, try again later"),
}  # fmt: skip
EDITS: Final = frozenset(("disarm", "remove-attachments", "rename-attachments", "flatten-html"))  # core/modify


def default_text() -> str:
    """The policy that ships with the product."""
    return resources.files("mxward.core.policy").joinpath("default.toml").read_text("utf-8")


def load_policy(path: Path | None) -> Policy:
    """The policy in `path`, or the shipped one when it is None or absent. Raises: PolicyError."""
    if path is None or not path.exists():
        return parse_policy(default_text(), "default.toml")
    try:
        return parse_policy(path.read_text("utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise PolicyError(f"{path}: cannot be read: {error}") from None


def parse_policy(text: str, file: str = "policy.toml") -> Policy:
    """A policy from its text. Raises: PolicyError naming file, line, policy rule, key and what is allowed."""
    try:
        doc = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PolicyError(f"{file}: is not valid TOML: {error}") from None
    unknown = sorted(set(doc) - {"name", "policy_rule"})
    if unknown:
        raise PolicyError(f"{file}: unknown key {unknown[0]} (allowed: name, policy_rule)")
    rows = doc.get("policy_rule", [])
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise PolicyError(f"{file}: policy_rule must be [[policy_rule]] tables")
    rules: list[PolicyRule] = []
    for number, row in enumerate(rows, 1):
        rule = _Reader(file, text, row, number).rule()
        if any(rule.name == earlier.name for earlier in rules):
            raise PolicyError(f"{file}: policy rule {rule.name}: the name is used twice")
        rules.append(rule)
    digest = hashlib.sha256(repr(doc).encode("utf-8", "surrogatepass")).hexdigest()[:12]
    about = [c for rule in rules for c in (*rule.when, *rule.unless) if c.is_about_recipient]
    return Policy(str(doc.get("name", "policy")), digest, tuple(rules), tuple(about))


class _Reader:
    """Reads one [[policy_rule]] table."""

    def __init__(self, file: str, text: str, row: dict[str, Any], number: int) -> None:
        self._row, self._file = row, file
        name = row.get("name")
        self._name = name if isinstance(name, str) else f"number {number}"
        self._line = _line_of(text, number)

    def _fail(self, key: str, reason: str) -> PolicyError:
        where = f"{self._file}:{self._line}" if self._line else self._file
        return PolicyError(f"{where}: policy rule {self._name}: {key}: {reason}")

    def rule(self) -> PolicyRule:
        unknown = sorted(set(self._row) - _RULE_KEYS)
        if unknown:
            raise self._fail(unknown[0], f"unknown key (allowed: {', '.join(sorted(_RULE_KEYS))})")
        if not isinstance(self._row.get("name"), str) or not _NAME.fullmatch(self._name):
            raise self._fail("name", "must be lower-case letters, digits and -")
        description = self._row.get("description", "")
        if not isinstance(description, str):
            raise self._fail("description", "must be a string")
        action = self._row.get("action", "")
        if action and action not in ACTIONS:
            raise self._fail("action", f"{action!r} (allowed: {', '.join(ACTIONS)})")
        additions = self._additions()
        if not action and not additions:
            raise self._fail("action", "a policy rule needs an action or additions")
        return PolicyRule(
            self._name, description, self._conditions("when"), self._conditions("unless"), action,
            self._argument(action), additions,
        )  # fmt: skip

    def _conditions(self, key: str) -> tuple[Condition, ...]:
        table = self._row.get(key, {})
        if not isinstance(table, dict):
            raise self._fail(key, "must be a table of conditions")
        found = []
        for name, value in table.items():
            if name not in KEYS:
                raise self._fail(f"{key}.{name}", f"unknown condition (allowed: {', '.join(sorted(KEYS))})")
            try:
                found.append(Condition(name, value, KEYS[name](value)))
            except ConditionFault as fault:
                raise self._fail(f"{key}.{name}", str(fault)) from None
        return tuple(found)

    def _argument(self, action: str) -> str:
        key, default = _ARGUMENT.get(action, ("", ""))
        for other in ("area", "to", "reply"):
            if other in self._row and other != key:
                raise self._fail(other, f"does not go with the action {action or '(none)'}")
        value = self._row.get(key, default) if key else ""
        if not isinstance(value, str):
            raise self._fail(key, "must be a string" if key in self._row else f"must be given with {action}")
        fault = _argument_fault(action, value)
        if fault:
            raise self._fail(key, fault)
        return value

    def _additions(self) -> tuple[Addition, ...]:
        rows = self._row.get("add", [])
        if not isinstance(rows, list):
            raise self._fail("add", 'must be a list of tables such as { tag = "X-Spam-Flag: YES" }')
        found = []
        for row in rows:
            if not isinstance(row, dict) or len(row) != 1 or not all(isinstance(v, str) for v in row.values()):
                raise self._fail("add", "each entry is one of { tag = ... }, { copy = ... }, { modify = ... }")
            ((kind, argument),) = row.items()
            fault = _addition_fault(kind, argument)
            if fault:
                raise self._fail(f"add.{kind}", fault)
            found.append(Addition(kind, argument))
        return tuple(found)


def _argument_fault(action: str, value: str) -> str:
    if action in ("quarantine", "hold") and not _AREA.fullmatch(value):
        return "must be lower-case letters, digits and -"
    if action == "redirect" and not _ADDRESS.fullmatch(value):
        return "must be one address"
    if action in ("reject", "defer"):
        wanted = "5" if action == "reject" else "4"
        found = _REPLY.fullmatch(value)
        if found is None or found[1] != wanted or found[2] != wanted:
            return f'must be a reply such as "{wanted}50 {wanted}.7.1 text" in ASCII'
    return ""


def _addition_fault(kind: str, argument: str) -> str:
    if kind == "tag":
        wrong = [name for name in _FIELD.findall(argument) if name not in FIELDS]
        if wrong:
            return f"unknown field {{{wrong[0]}}} (allowed: {', '.join(FIELDS)})"
        return "" if _TAG.fullmatch(argument) else 'must be "Name: value" on one line'
    if kind == "copy":
        return "" if _ADDRESS.fullmatch(argument) else "must be one address"
    if kind == "modify":
        return "" if argument in EDITS else f"no such edit (allowed: {', '.join(sorted(EDITS)) or 'none'})"
    return "unknown addition (allowed: tag, copy, modify)"


def _line_of(text: str, number: int) -> int:
    """Line of the n-th [[policy_rule]] heading, 0 when it is written in another way."""
    seen = 0
    for line_number, line in enumerate(text.splitlines(), 1):
        if line.strip().startswith("[[policy_rule]]"):
            seen += 1
            if seen == number:
                return line_number
    return 0
