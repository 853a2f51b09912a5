"""Mail hosts by DNS, against a real DNS server: what is permanent, what is doubt, what is refused."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from mxtest.dnsbox import NXDOMAIN, REFUSED, SERVFAIL, DnsBox
from mxward.server.delivery.reply import PeerReply
from mxward.server.delivery.resolve import ResolveError, Resolver, Target
from mxward.server.delivery.route import Hop

MX = Hop("mx")
A1, A2, A3 = "192.0.2.1", "192.0.2.2", "192.0.2.3"


def resolver(box: DnsBox, **options: Any) -> Resolver:
    given = {"own_names": ["mx.trust.example"], "own_addresses": ["192.0.2.99"], "timeout": 0.2, "lifetime": 0.5}
    return Resolver([box.server], **{**given, **options})


async def refusal(found: Resolver, domain: str, hop: Hop = MX) -> PeerReply:
    with pytest.raises(ResolveError) as error:
        await found.targets(hop, domain)
    return error.value.reply


async def test_hosts_come_in_order_of_preference_with_all_addresses() -> None:
    zone: Any = {
        ("x.example", "MX"): ["20 b.x.example.", "10 a.x.example.", "30 c.x.example."],
        ("a.x.example", "A"): [A1, A2], ("a.x.example", "AAAA"): ["2001:db8::1"],
        ("b.x.example", "A"): [A3], ("c.x.example", "TXT"): ['"no address"'],
    }  # fmt: skip
    async with DnsBox(zone) as box:
        targets = await resolver(box).targets(MX, "x.example")
        assert targets[-1] == Target("b.x.example", A3, 25)
        assert {t.address for t in targets[:3]} == {A1, A2, "2001:db8::1"}
        assert [t.host for t in targets] == ["a.x.example"] * 3 + ["b.x.example"]
        assert str(targets[-1]) == "smtp://b.x.example:25 [192.0.2.3]"


async def test_equal_preferences_share_the_load() -> None:
    zone: Any = {("x.example", "MX"): [f"10 h{i}.x.example." for i in range(4)]}
    zone |= {(f"h{i}.x.example", "A"): [f"192.0.2.{i + 1}"] for i in range(4)}
    async with DnsBox(zone) as box:
        found = resolver(box)
        firsts = {(await found.targets(MX, "x.example"))[0].host for _ in range(100)}
        assert len(firsts) == 4


@pytest.mark.parametrize(
    ("zone", "code"),
    [
        ({}, "5.1.2"),
        ({("x.example", "MX"): ["0 ."]}, "5.1.10"),
        ({("x.example", "TXT"): ['"t"']}, "5.4.4"),
        ({("x.example", "MX"): ["1 gone.example."]}, "5.4.4"),
        ({("x.example", "MX"): ["1 mx.trust.example."], ("mx.trust.example", "A"): [A1]}, "5.4.6"),
        ({("x.example", "MX"): ["1 us.example."], ("us.example", "A"): ["192.0.2.99"]}, "5.4.6"),
        ({("x.example", "MX"): ["1 lo.example."], ("lo.example", "A"): ["127.0.0.1"]}, "5.4.4"),
        ({("x.example", "MX"): ["1 zero.example."], ("zero.example", "A"): ["0.0.0.0"]}, "5.4.4"),
        ({("x.example", "MX"): ["1 six.example."], ("six.example", "AAAA"): ["::1"]}, "5.4.4"),
        ({("x.example", "A"): ["127.0.0.1"]}, "5.4.4"),
        ({("x.example", "MX"): SERVFAIL}, "4.4.3"),
        ({("x.example", "MX"): REFUSED}, "4.4.3"),
        ({("x.example", "MX"): None}, "4.4.3"),
        ({("x.example", "MX"): b"\x81\x80\xff\xff garbage"}, "4.4.3"),
        ({("x.example", "MX"): ["1 a.example."], ("a.example", "A"): SERVFAIL}, "4.4.3"),
        ({("x.example", "MX"): ["1 a.example.", "2 b.example."], ("a.example", "A"): None}, "4.4.3"),
        ({("x.example", "MX"): ["1 a.example."], ("a.example", "A"): NXDOMAIN, ("a.example", "AAAA"): None}, "4.4.3"),
        ({("x.example", "A"): SERVFAIL, ("x.example", "MX"): []}, "4.4.3"),
        ({("x.example", "CNAME"): ["x.example."]}, "4.4.3"),
    ],
)
async def test_refused_and_doubtful_zones(zone: Any, code: str) -> None:
    async with DnsBox(zone) as box:
        reply = await refusal(resolver(box), "x.example")
        assert reply.enhanced == code
        assert reply.code == (550 if code[0] == "5" else 451)


async def test_one_failing_host_does_not_hide_the_others() -> None:
    zone: Any = {
        ("x.example", "MX"): ["1 a.example.", "2 b.example."], ("a.example", "A"): SERVFAIL, ("b.example", "A"): [A2],
    }  # fmt: skip
    async with DnsBox(zone) as box:
        assert [t.address for t in await resolver(box).targets(MX, "x.example")] == [A2]


async def test_hosts_as_good_as_ourselves_or_worse_are_dropped() -> None:
    zone: Any = {
        ("x.example", "MX"): ["10 a.example.", "20 mx.trust.example.", "20 b.example.", "30 c.example."],
        ("a.example", "A"): [A1], ("b.example", "A"): [A2], ("c.example", "A"): [A3],
    }  # fmt: skip
    async with DnsBox(zone) as box:
        assert [t.address for t in await resolver(box).targets(MX, "x.example")] == [A1]


async def test_aliases_are_followed() -> None:
    zone: Any = {
        ("x.example", "CNAME"): ["y.example."], ("y.example", "MX"): ["5 mail.example."],
        ("mail.example", "CNAME"): ["real.example."], ("real.example", "A"): [A1],
    }  # fmt: skip
    async with DnsBox(zone) as box:
        assert [t.address for t in await resolver(box).targets(MX, "x.example")] == [A1]


async def test_without_mx_the_domain_itself_is_the_host() -> None:
    async with DnsBox({("x.example", "A"): [A1]}) as box:
        assert await resolver(box).targets(MX, "x.example") == [Target("x.example", A1, 25)]


async def test_answers_live_as_long_as_their_ttl_and_questions_are_merged() -> None:
    clock = [1000.0]
    async with DnsBox({("x.example", "A"): [A1]}, ttl=30) as box:
        found = resolver(box, now=lambda: clock[0])
        await asyncio.gather(*(found.targets(MX, "x.example") for _ in range(20)))
        assert box.asked == {("x.example", "MX"): 1, ("x.example", "A"): 1, ("x.example", "AAAA"): 1}
        clock[0] += 29
        await found.targets(MX, "x.example")
        assert box.asked["x.example", "A"] == 1
        clock[0] += 2
        await found.targets(MX, "x.example")
        assert box.asked["x.example", "A"] == 2


async def test_a_failure_is_remembered_for_seconds_only() -> None:
    clock = [0.0]
    async with DnsBox({("x.example", "MX"): SERVFAIL}) as box:
        found = resolver(box, now=lambda: clock[0])
        await refusal(found, "x.example")
        asked = box.asked["x.example", "MX"]
        await refusal(found, "x.example")
        assert box.asked["x.example", "MX"] == asked
        box.zone = {("x.example", "A"): [A1]}
        clock[0] += 11
        assert len(await found.targets(MX, "x.example")) == 1


@pytest.mark.parametrize(
    "domain", ["a..example", "x" * 64 + ".example", ("y" * 60 + ".") * 5 + "example", "[nonsense]"]
)
async def test_what_is_no_domain_is_permanent(domain: str) -> None:
    async with DnsBox({}) as box:
        assert (await refusal(resolver(box), domain)).enhanced == "5.1.2"
        assert not box.asked


async def test_address_literals() -> None:
    async with DnsBox({}) as box:
        found = resolver(box)
        assert await found.targets(MX, "[192.0.2.7]") == [Target("192.0.2.7", "192.0.2.7", 25)]
        assert await found.targets(MX, "[IPv6:2001:db8::7]") == [Target("2001:db8::7", "2001:db8::7", 25)]
        for own in ("[127.0.0.1]", "[192.0.2.99]", "[IPv6:::1]", "[0.0.0.0]"):
            assert (await refusal(found, own)).enhanced == "5.4.6"


async def test_configured_hosts() -> None:
    """They may be on loopback; one that has no address is our own fault and never bounces mail."""
    async with DnsBox({("smart.example", "A"): [A1, A2]}) as box:
        found = resolver(box)
        assert {t.address for t in await found.targets(Hop("smtp", "smart.example", 587), "z")} == {A1, A2}
        assert await found.targets(Hop("smtp", "127.0.0.1", 25), "z") == [Target("127.0.0.1", "127.0.0.1", 25)]
        assert (await found.targets(Hop("lmtp", "::1", 24), "z"))[0].lmtp
        assert (await refusal(found, "z", Hop("smtp", "gone.example", 25))).enhanced == "4.4.4"
        assert await found.targets(Hop("lmtp", path="/run/l"), "z") == [Target("/run/l", "", 0, True, "/run/l")]
    assert (await Resolver().targets(Hop("smtp", "localhost", 25), "z"))[0].address in ("127.0.0.1", "::1")


async def test_the_cache_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mxward.server.delivery.resolve.MAX_CACHE", 30)
    async with DnsBox({}) as box:
        found = resolver(box)
        for i in range(60):
            await refusal(found, f"d{i}.example")
        assert len(found._cache) <= 30
