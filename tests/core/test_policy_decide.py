"""core/policy/decide against an independent interpreter of policy documents, and its promises."""

from __future__ import annotations

import fnmatch
import ipaddress
import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mxtest import mailkit
from mxward.core.message import Message
from mxward.core.policy.decide import decide
from mxward.core.policy.facts import Facts
from mxward.core.policy.load import load_policy, parse_policy
from mxward.core.verdict import ACTIONS, VERDICTS, Disposition, Hit, NotInspected, Verdict

RAW = mailkit.with_attachment("Invoice.PDF", b"%PDF-1.4 x", "application/pdf")


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def holds(key: str, value: Any, message: Message, rcpt: str) -> bool:
    """The reference: what each condition means, written as plainly as possible."""
    verdict = message.verdict
    assert verdict is not None
    if key == "verdict":
        return verdict.name in as_list(value)
    if key == "score_at_least":
        return verdict.score >= value
    if key == "score_below":
        return verdict.score < value
    if key == "hit":
        return any(fnmatch.fnmatchcase(h.name, p) for h in verdict.hits for p in as_list(value))
    if key == "category":
        return any(h.category in as_list(value) for h in verdict.hits)
    if key == "direction":
        return message.envelope.direction in as_list(value)
    if key in ("sender", "recipient"):
        address = (message.envelope.sender if key == "sender" else rcpt).lower() or "<>"
        return any(address_matches(address, p.lower()) for p in as_list(value))
    if key == "size_over":
        return len(message.raw) > value
    if key == "size_under":
        return len(message.raw) < value
    if key == "not_inspected":
        reasons = [n.reason for n in verdict.not_inspected]
        if isinstance(value, bool):
            return bool(reasons) == value
        return any(fnmatch.fnmatchcase(r, p) for r in reasons for p in as_list(value))
    if key == "client_network":
        ip = ipaddress.ip_address(message.envelope.client_ip)
        return any(ip in ipaddress.ip_network(network) for network in as_list(value))
    raise AssertionError(key)


def address_matches(address: str, pattern: str) -> bool:
    domain = address.rpartition("@")[2]
    if "*" in pattern or "?" in pattern:
        return fnmatch.fnmatchcase(address, pattern)
    if "@" in pattern or pattern == "<>":
        return address == pattern
    return domain.endswith(pattern) if pattern.startswith(".") else domain == pattern


def reference(document: str, message: Message, rcpt: str) -> tuple[str, str, list[tuple[str, str]]]:
    """(policy rule, action, additions) of the reference interpreter."""
    additions: list[tuple[str, str]] = []
    for row in tomllib.loads(document).get("policy_rule", []):
        when, unless = row.get("when", {}), row.get("unless", {})
        if not all(holds(k, v, message, rcpt) for k, v in when.items()):
            continue
        if unless and all(holds(k, v, message, rcpt) for k, v in unless.items()):
            continue
        additions += [(kind, argument) for entry in row.get("add", []) for kind, argument in entry.items()]
        if row.get("action"):
            return row["name"], row["action"], additions
    return "default", "deliver", additions


RECIPIENTS = ("staff@trust.example", "Boss@trust.example", "nurse@ward.trust.example", "gp@nhs.example")
CONDITIONS = st.fixed_dictionaries({}, optional={
    "verdict": st.lists(st.sampled_from(VERDICTS), min_size=1, max_size=3),
    "score_at_least": st.sampled_from([0, 4, 6, 15]),
    "score_below": st.sampled_from([4, 6.5, 100]),
    "hit": st.sampled_from([["A*"], "B", ["?"], ["NONE"]]),
    "category": st.sampled_from(["spam", ["phish", "malware"]]),
    "direction": st.sampled_from(["inbound", ["outbound", "internal"]]),
    "sender": st.sampled_from(["partner.example", ["<>"], "*@partner.*", ".example", "Person@Partner.example"]),
    "recipient": st.sampled_from(["trust.example", [".trust.example"], "boss@*", "BOSS@trust.example", "a@x.example"]),
    "size_over": st.sampled_from([0, 100_000]),
    "size_under": st.sampled_from([10, 100_000]),
    "not_inspected": st.sampled_from([True, False, ["enc*"], "timeout"]),
    "client_network": st.sampled_from(["192.0.2.0/24", ["10.0.0.0/8"]]),
})  # fmt: skip
ADDITIONS = st.lists(st.sampled_from([("tag", "X-A: 1"), ("copy", "audit@trust.example")]), max_size=2)


def quote(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return "[" + ", ".join(quote(v) for v in value) + "]"
    return f'"{value}"' if isinstance(value, str) else repr(value)


@st.composite
def documents(draw: st.DrawFn) -> str:
    lines: list[str] = []
    for number in range(draw(st.integers(0, 5))):
        action = draw(st.sampled_from(["", "deliver", "quarantine", "hold", "reject", "defer", "discard"]))
        added = draw(ADDITIONS)
        if not action and not added:
            continue
        lines += ["[[policy_rule]]", f'name = "rule-{number}"']
        for key in ("when", "unless"):
            table = draw(CONDITIONS)
            if table:
                lines.append(f"{key} = {{ " + ", ".join(f"{k} = {quote(v)}" for k, v in table.items()) + " }")
        if action:
            lines.append(f'action = "{action}"')
        if added:
            lines.append("add = [" + ", ".join(f'{{ {k} = "{v}" }}' for k, v in added) + "]")
    return "\n".join(lines)


HITS = st.lists(
    st.builds(Hit, name=st.sampled_from(["A1", "A2", "B", "C"]), weight=st.sampled_from([0.0, 2.0, 6.0, 15.0]),
              category=st.sampled_from(["spam", "phish", "malware", "degraded", "offensive", "attachment"])),
    max_size=4,
)  # fmt: skip
UNSEEN = st.lists(st.sampled_from([NotInspected(0, "encrypted"), NotInspected(1, "timeout")]), max_size=2)


@given(documents(), HITS, UNSEEN, st.sampled_from(["inbound", "outbound", "internal"]),
       st.sampled_from(["", "person@partner.example"]))  # fmt: skip
def test_agrees_with_the_reference(
    document: str, hits: list[Hit], unseen: list[NotInspected], direction: str, sender: str
) -> None:
    to = mailkit.envelope(*RECIPIENTS, sender=sender, direction=direction)
    message = mailkit.judged(RAW, hits, to, unseen)
    dispositions = decide(message, parse_policy(document))
    assert [d.rcpt for d in dispositions] == list(RECIPIENTS)
    for disposition in dispositions:
        rule, action, additions = reference(document, message, disposition.rcpt)
        assert (disposition.explanation.policy_rule, disposition.action) == (rule, action)
        assert [(a.kind, a.argument) for a in disposition.additions] == additions


@given(HITS, UNSEEN, st.sampled_from(["inbound", "outbound", "internal"]), st.integers(0, 5))
def test_total_and_pure_with_the_shipped_policy(
    hits: list[Hit], unseen: list[NotInspected], direction: str, n_recipients: int
) -> None:
    to = mailkit.envelope(*(f"r{i}@trust.example" for i in range(n_recipients or 1)), direction=direction)
    message = mailkit.judged(RAW, hits, to, unseen)
    before = (list(message.hits), list(message.not_inspected), message.verdict)
    one, other = decide(message, load_policy(None)), decide(message, load_policy(None))
    assert one == other
    assert before == (message.hits, message.not_inspected, message.verdict)
    assert len(one) == len(to.recipients)
    for disposition in one:
        assert disposition.action in ACTIONS
        assert disposition.explanation.sentence.endswith(".")
        assert Disposition.from_dict(disposition.to_dict()) == disposition


@pytest.mark.parametrize(
    ("hits", "direction", "action", "argument"),
    [
        ([Hit("EICAR_TEST", "malware", 20.0)], "inbound", "reject", "550 5.7.1"),
        ([Hit("EICAR_TEST", "malware", 20.0)], "outbound", "reject", "550 5.7.1"),
        ([Hit("S", "spam", 15.0)], "inbound", "reject", "550 5.7.1"),
        ([Hit("S", "spam", 14.9)], "inbound", "quarantine", "spam"),
        ([Hit("S", "spam", 15.0)], "outbound", "hold", "outbound"),
        ([Hit("P", "phish", 6.0)], "inbound", "quarantine", "phish"),
        ([Hit("P", "attachment", 7.0)], "inbound", "quarantine", "policy"),
        ([Hit("O", "offensive", 6.0)], "inbound", "quarantine", "offensive"),
        ([Hit("S", "spam", 4.0)], "inbound", "deliver", ""),
        ([Hit("S", "spam", 4.0)], "outbound", "deliver", ""),
        ([Hit("D", "degraded", 0.0)], "inbound", "defer", "451 4.7.1"),
        ([], "inbound", "deliver", ""),
    ],
)
def test_shipped_policy(hits: list[Hit], direction: str, action: str, argument: str) -> None:
    (made,) = decide(mailkit.judged(RAW, hits, mailkit.envelope(direction=direction)), load_policy(None))
    assert made.action == action
    assert made.argument.startswith(argument)


def test_encrypted_content_is_kept_apart_inbound_only() -> None:
    unseen = [NotInspected(1, "encrypted", "zip")]
    (inbound,) = decide(mailkit.judged(RAW, [], None, unseen), load_policy(None))
    (outbound,) = decide(mailkit.judged(RAW, [], mailkit.envelope(direction="outbound"), unseen), load_policy(None))
    assert (inbound.action, inbound.argument, outbound.action) == ("quarantine", "unscanned", "deliver")
    assert inbound.explanation.counterfactual == (
        "It would have been delivered if everything in it could have been inspected."
    )


def test_suspect_mail_is_marked_with_its_score() -> None:
    hits = [Hit("ONE", "spam", 2.5), Hit("TWO", "anomaly", 2.0)]
    (made,) = decide(mailkit.judged(RAW, hits), load_policy(None))
    assert [a.argument for a in made.additions] == [
        "X-Spam-Flag: YES", "X-Spam-Level: ****", "X-Spam-Status: Yes, score=4.5 required=4.0 tests=ONE,TWO",
    ]  # fmt: skip


def test_what_is_filled_into_a_tag_is_not_filled_in_again() -> None:
    policy = parse_policy('[[policy_rule]]\nname = "t"\nadd = [{ tag = "X-A: {hits} {verdict}" }]\n')
    (made,) = decide(mailkit.judged(RAW, [Hit("{verdict}", "spam", 1.0)]), policy)
    assert made.additions[0].argument == "X-A: {verdict} clean"


def test_counterfactual_names_the_one_finding_that_decided() -> None:
    hits = [Hit("BIG", "spam", 5.0, detail="speaks of pills"), Hit("SMALL", "spam", 1.5, detail="has no date")]
    (made,) = decide(mailkit.judged(RAW, hits), load_policy(None))
    assert made.action == "quarantine"
    assert made.explanation.counterfactual == (
        "It would have been delivered if it had not been found that it speaks of pills."
    )


def test_counterfactual_names_all_findings_when_one_is_not_enough() -> None:
    hits = [Hit(f"H{i}", "spam", 6.0) for i in range(3)]
    (made,) = decide(mailkit.judged(RAW, hits), load_policy(None))
    assert made.explanation.counterfactual == ("It would have been delivered if H0, H1 and H2 had not been found.")


def test_counterfactual_of_a_rule_about_addresses_names_the_rule() -> None:
    policy = parse_policy(
        '[[policy_rule]]\nname = "no-mail"\nwhen = { recipient = "trust.example" }\naction = "reject"\n'
    )
    (made,) = decide(mailkit.judged(RAW, [Hit("A", "spam", 1.0)]), policy)
    assert "only if the policy rule no-mail had not applied" in made.explanation.counterfactual


@given(HITS, UNSEEN)
def test_counterfactual_is_true(hits: list[Hit], unseen: list[NotInspected]) -> None:
    policy = load_policy(None)
    message = mailkit.judged(RAW, hits, None, unseen)
    (made,) = decide(message, policy)
    text = made.explanation.counterfactual
    assert bool(text) == (made.action not in ("deliver", "redirect"))
    if " had not been found." in text:
        named = text.removeprefix("It would have been delivered if ").partition(" had not")[0]
        names = {name.strip() for name in named.replace(" and ", ",").split(",")}
        left = [hit for hit in hits if hit.name not in names]
        assert decide(mailkit.judged(RAW, left, None, unseen), policy)[0].action == "deliver"


@pytest.mark.parametrize(
    ("condition", "matches"),
    [
        ('attachment_name = "invoice.pdf"', True), ('attachment_name = "*.exe"', False),
        ('attachment_type = "application/pdf"', True), ('attachment_type = ["image/*"]', False),
        ('header = "MIME-Version"', True), ('header = "X-None"', False), ('header = "subject: with*"', True),
        ('header = "subject: without*"', False), ('author = "partner.example"', True), ('author = "x.example"', False),
        ("ambiguous = false", True), ("ambiguous = true", False),
    ],
)  # fmt: skip
def test_conditions_about_content(condition: str, matches: bool) -> None:
    policy = parse_policy(f'[[policy_rule]]\nname = "c"\nwhen = {{ {condition} }}\naction = "hold"\n')
    (made,) = decide(mailkit.judged(RAW, []), policy)
    assert (made.action == "hold") is matches


@pytest.mark.parametrize(
    ("ip", "network", "inside"),
    [("192.0.2.9", "192.0.2.0/24", True), ("::ffff:192.0.2.9", "192.0.2.0/24", True),
     ("2001:db8::1", "192.0.2.0/24", False),
     ("", "192.0.2.0/24", False), ("2001:db8::1", "2001:db8::/32", True)],
)  # fmt: skip
def test_client_network(ip: str, network: str, inside: bool) -> None:
    policy = parse_policy(f'[[policy_rule]]\nname = "c"\nwhen = {{ client_network = "{network}" }}\naction = "hold"\n')
    (made,) = decide(mailkit.judged(RAW, [], mailkit.envelope(client_ip=ip)), policy)
    assert (made.action == "hold") is inside


def test_policy_rules_sorted_by_verdict_decide_as_all_of_them_do() -> None:
    policy = load_policy(None)
    for name in VERDICTS:
        left = policy.by_verdict[name]
        assert left == tuple(rule for rule in policy.rules if rule in left)
        verdict = Verdict(name, 7.0)
        message = mailkit.extracted(mailkit.plain())
        facts = Facts(message, verdict)
        for rule in policy.rules:
            if rule not in left:
                assert not rule.matches(facts, "staff@trust.example")
    assert len(policy.by_verdict["clean"]) < len(policy.rules)
