"""pyx/urls: where addresses stand, and their hosts by the rules of browsers; urllib and ipaddress as oracles."""

from __future__ import annotations

import ipaddress
import re
import time
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mxward.pyx import urls

_PLAIN = re.compile(r"(?:https?://|www\.)[^\s<>\"'\\)\]}\x00]{3,4096}", re.I)


@pytest.mark.parametrize(
    ("url", "host", "traits"),
    [
        (b"http://user@0x7f.1/a", "127.0.0.1", urls.NUMBER | urls.ODD_NUMBER | urls.USER),
        (b"https://WWW.Ex%61mple.COM.:80\\x", "www.example.com", urls.ESCAPED),
        (b"http://2130706433/", "127.0.0.1", urls.NUMBER | urls.ODD_NUMBER),
        (b"http://017700000001/", "127.0.0.1", urls.NUMBER | urls.ODD_NUMBER),
        (b"http://1.2.3.4:8080/", "1.2.3.4", urls.NUMBER),
        (b"http://256.1.1.1/", "256.1.1.1", 0),
        (b"http://[::1]:80/", "[::1]", urls.NUMBER | urls.ODD_NUMBER),
        (b"http://[a", "[a", urls.BROKEN),
        (b"//a.b/c#x@y.example", "a.b", urls.FRAGMENT),
        (b"http:\\\\evil.example/", "evil.example", urls.BACKSLASH),
        (b"http:evil.example", "evil.example", 0),
        (b"https:///evil.example", "evil.example", 0),
        (b"https://bank.example\\@evil.example/", "bank.example", 0),
        (b"https://a@b@evil.example/", "evil.example", urls.USER),
        (b"https://xn--bcher-kva.example", "xn--bcher-kva.example", urls.PUNYCODE),
        (b"https://axn--b.example", "axn--b.example", 0),
        ("https://bücher.example/".encode(), "bücher.example", urls.FOREIGN),
        (b"www.a.b", "www.a.b", 0),
        (b"https://" + b"a." * 40 + b"example/", "a." * 40 + "example", urls.DEEP),
        (b"https://" + b"a" * 300 + b"/", "a" * 256, urls.BROKEN),
        (b"http://", "", 0),
    ],
)
def test_split(url: bytes, host: str, traits: int) -> None:
    found = urls.split(url)
    assert found is not None
    assert found[:2] == (host, traits)


@pytest.mark.parametrize("url", [b"mailto:x", b"", b"/path", b"httpx://a/", b"ftp://a/", b"#x", b"h", b"http"])
def test_what_is_no_web_address(url: bytes) -> None:
    assert urls.split(url) is None


@given(st.ip_addresses(v=4), st.sampled_from(["{}", "0x{:x}", "{:#o}"]))
def test_numeric_hosts_are_the_address_in_any_form(address: ipaddress.IPv4Address, form: str) -> None:
    written = form.format(int(address)).replace("0o", "0")
    found = urls.split(f"http://{written}/".encode())
    assert found is not None and found[0] == str(address)


LABEL = st.text("abcdefghijklmnopqrstuvwxyz0123456789-", min_size=1, max_size=12)


@given(st.lists(LABEL, min_size=1, max_size=4), st.sampled_from(["", ":80"]), st.text("/?#ab=&", max_size=10))
def test_host_is_what_urlsplit_says(labels: list[str], port: str, path: str) -> None:
    url = f"https://{'.'.join(labels)}x{port}/{path}"
    found = urls.split(url.encode())
    assert found is not None and found[0] == urlsplit(url).hostname


def texts(text: bytes) -> list[tuple[bytes, str]]:
    return [(text[start:end], kind) for start, end, kind in urls.find(text)]


def test_find() -> None:
    text = (
        b"See https://a.example/x?y=1. and (www.b.example), hxxp://evil[.]example/x or evil[.]example or "
        b"bank.example/x x@mail.example 3.14 e.g. a...b <http://q.example/> HTTP://Q.EXAMPLE"
    )
    assert texts(text) == [
        (b"https://a.example/x?y=1", "plain"), (b"www.b.example", "www"), (b"hxxp://evil[.]example/x", "defanged"),
        (b"evil[.]example", "defanged"), (b"bank.example", "bare"), (b"3.14", "bare"), (b"http://q.example/", "plain"),
        (b"HTTP://Q.EXAMPLE", "plain"),
    ]  # fmt: skip


PIECES = st.lists(
    st.sampled_from(["http://", "https://", "HTTP://", "www.", "a", "b.c", ".", " ", "/", "?x=1", ")", "<", '"', "-",
                     ",", "example.com", ":", "\u00a0", "é", "@", "]", "[.]", "hxxp://", "xhttp://"]),
    max_size=20,
).map("".join)  # fmt: skip


@given(PIECES)
def test_find_is_sound(text: str) -> None:
    data = text.encode()
    at = 0
    for start, end, kind in urls.find(data):
        assert at <= start < end <= len(data)
        assert kind in urls.KINDS
        assert b" " not in data[start:end]
        at = end


@given(st.lists(st.sampled_from(["http://a.example/x", "www.b.example", "https://c.example"]), max_size=5),
       st.sampled_from([" ", "\n", " (", '"', "> ", ", "]))  # fmt: skip
def test_find_agrees_with_the_plain_definition(addresses: list[str], between: str) -> None:
    text = between.join(addresses) + between
    plain = [m[0].rstrip(".,;:!?") for m in _PLAIN.finditer(text)]
    assert [found.decode() for found, kind in texts(text.encode()) if kind in ("plain", "www")] == plain


@given(st.binary(max_size=200))
def test_any_bytes(data: bytes) -> None:
    assert urls.find(data, 1000) is not None
    urls.split(b"http://" + data)


@pytest.mark.parametrize(
    "piece",
    [b"a.", b"a.b ", b".", b":", b"http://", b"hxxp://[.]", b"www.", b"[.]", b"a[.]", b"a-", b"x@", b"h:", b"]."],
)
def test_cost_is_linear(piece: bytes) -> None:
    data = piece * (2_000_000 // len(piece))
    started = time.process_time()
    urls.find(data, 1 << 30)
    urls.split(b"http://" + data)
    urls.split(b"http://a/#" + data)
    assert time.process_time() - started < 2
