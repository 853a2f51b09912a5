"""The rules in front of every page, one by one: host names, origins, loopback, client keys, where to go next."""

from __future__ import annotations

from pathlib import Path

import pytest

from mxtest.console import config_of
from mxward.server.addresses import client_key
from mxward.server.web import access

CONFIG = config_of(Path("/nowhere"), hosts=["console.trust.example"])


@pytest.mark.parametrize(
    "host",
    ["localhost", "localhost:8025", "LOCALHOST:1", "127.0.0.1:8025", "[::1]:8025", "10.1.2.3", "mx.trust.example",
     "console.trust.example:443", "console.trust.example."],
)  # fmt: skip
def test_hosts_that_are_ours(host: str) -> None:
    assert access.is_host_allowed(host, CONFIG)


@pytest.mark.parametrize(
    "host",
    ["", "evil.example", "evil.example:8025", "localhost.evil.example", "127.0.0.1.evil.example", "user@localhost",
     "localhost/x", "localhost?x", "localhost:99999", "[::1", "trust.example", ".", "localhost evil.example"],
)  # fmt: skip
def test_hosts_that_are_not(host: str) -> None:
    assert not access.is_host_allowed(host, CONFIG)


HOST = {"host": "127.0.0.1:8025"}


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ({"origin": "http://127.0.0.1:8025"}, True),
        ({"sec-fetch-site": "same-origin"}, True),
        ({"origin": "http://127.0.0.1:8025", "sec-fetch-site": "same-origin"}, True),
        ({}, False),
        ({"origin": "null"}, False),
        ({"origin": "http://127.0.0.1"}, False),
        ({"origin": "http://127.0.0.1:8026"}, False),
        ({"origin": "http://evil.example"}, False),
        ({"origin": "ftp://127.0.0.1:8025"}, False),
        ({"sec-fetch-site": "same-site"}, False),
        ({"sec-fetch-site": "cross-site"}, False),
        ({"sec-fetch-site": "none"}, False),
        ({"origin": "http://127.0.0.1:8025", "sec-fetch-site": "cross-site"}, False),
        ({"origin": "http://evil.example", "sec-fetch-site": "same-origin"}, False),
    ],
)
def test_same_origin(headers: dict[str, str], allowed: bool) -> None:
    assert access.is_same_origin(HOST | headers, secure=False) is allowed


def test_behind_tls_a_plain_origin_is_foreign() -> None:
    assert not access.is_same_origin(HOST | {"origin": "http://127.0.0.1:8025"}, secure=True)
    assert access.is_same_origin(HOST | {"origin": "https://127.0.0.1:8025"}, secure=True)


@pytest.mark.parametrize(
    ("client", "headers", "local"),
    [
        ("127.0.0.1", {}, True),
        ("::1", {}, True),
        ("127.0.0.1", {"x-forwarded-for": "203.0.113.9"}, False),
        ("127.0.0.1", {"forwarded": "for=203.0.113.9"}, False),
        ("203.0.113.9", {}, False),
        (None, {}, False),
        ("unix:", {}, False),
    ],
)
def test_local(client: str | None, headers: dict[str, str], local: bool) -> None:
    assert access.is_local(client, headers) is local


@pytest.mark.parametrize(
    ("client", "key"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8::1", "2001:db8::/64"),
        ("2001:db8::ffff:1", "2001:db8::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        (None, "unknown"),
    ],
)
def test_client_network(client: str | None, key: str) -> None:
    assert client_key(client or "") == key


@pytest.mark.parametrize("target", ["/", "/messages?text=a%20b", "/quarantine"])
def test_next_of_ours(target: str) -> None:
    assert access.safe_next(target) == target


@pytest.mark.parametrize(
    "target",
    ["", "//evil.example", "https://evil.example", "/\\evil.example", "\\\\evil", "javascript:alert(1)", "/a\nb",
     "/é", "/" + "x" * 3000],
)  # fmt: skip
def test_next_elsewhere_goes_home(target: str) -> None:
    assert access.safe_next(target) == "/"
