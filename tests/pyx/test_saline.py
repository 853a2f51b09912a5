"""pyx/saline against the obvious regular expressions."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mxtest import saref
from mxward.core.rules.spamassassin.canonical import canonical
from mxward.core.rules.spamassassin.domains import domain_of, registered_domain
from mxward.core.rules.spamassassin.site import Site
from mxward.pyx.saline import TopLevel, find_uris, longest_line, plain_host, squeeze

TOPS = [b"com", b"uk", b"example", b"co"]
KNOWN = TopLevel(TOPS)
SPACES = ["a", "b", " ", "\n", "\t", "\0", "\u00a0", "\u2028", "\u3000", "\u0085", "é", "x" * 900]
PIECES = st.lists(st.lists(st.sampled_from(SPACES), max_size=30).map("".join).map(str.encode), max_size=4)
WORDS = [
    b"http://",
    b"www.",
    b"www12.",
    b"ftp.",
    b"a.com",
    b"b.co.uk",
    b"x@y.com",
    b"mailto:",
    b".",
    b"@",
    b" ",
    b",",
    b"(",
    b")",
    b"'",
    b":80",
    b"/",
    b"-",
    b"_",
    b"A",
    b"9",
    b"\xc3\xa9",
    b"\xa0",
    b"\x1b(B",
    b"<",
    b">",
    b"!",
    b"&",
    b"?",
    b"#",
    b".example",
    b"COM",
    b"z" * 260,
]


@given(PIECES, st.booleans())
@example([b"a", b"", b"b"], False)
def test_white_space_is_squeezed_as_by_the_patterns(pieces: list[bytes], is_wide: bool) -> None:
    assert squeeze(b"s\n", pieces, is_wide) == saref.squeeze(b"s\n", pieces, is_wide=is_wide)


@given(st.lists(st.sampled_from(WORDS), max_size=24).map(b"".join))
@example(b"a.com")
@example(b"see:a.com/x,b@c.com.")
@example(b"www.x mailto:a@b (a.co.uk)")
def test_addresses_are_those_of_the_pattern(line: bytes) -> None:
    assert find_uris(line, [0] if line else [], KNOWN, 1000) == saref.uris(line, TOPS)


def test_a_segment_ends_an_address_and_begins_one() -> None:
    data = b"www.a.comwww.b.com"
    assert [text for _, text, _ in find_uris(data, [0, 9], KNOWN, 9)] == [b"www.a.com", b"www.b.com"]


def test_no_more_segments_are_read_than_the_limit_allows() -> None:
    data = b"www.a.com " * 100
    assert len(find_uris(data, list(range(0, 1000, 10)), KNOWN, 5)) == 5


@pytest.mark.parametrize("starts", [[5], [0, 9, 3], [-1]])
def test_segments_outside_the_text_are_refused(starts: list[int]) -> None:
    with pytest.raises((ValueError, OverflowError)):
        find_uris(b"text", starts, KNOWN, 9)


@given(st.lists(st.binary(min_size=1, max_size=6), unique=True, max_size=40), st.binary(max_size=6))
def test_top_levels_are_a_set_without_case(names: list[bytes], name: bytes) -> None:
    known = TopLevel(names)
    assert all(one in known and one.upper() in known for one in names)
    assert (name in known) == (name.lower() in {one.lower() for one in names})


@given(st.lists(st.sampled_from([b"a", b"\r", b"\n", b"\r\n"]), max_size=30).map(b"".join), st.integers(0, 40))
def test_longest_line(data: bytes, start: int) -> None:
    start = min(start, len(data))
    lines = data[start:].replace(b"\r\n", b"\n").splitlines(keepends=True) if b"\r" not in data else None
    if lines is not None:
        assert longest_line(data, start, len(data)) == max(map(len, lines), default=0)
    assert longest_line(b"ab\r\nabcd\r\n", 0, 10) == 5
    with pytest.raises(ValueError, match="no such part"):
        longest_line(data, 0, len(data) + 1)


URI_PIECES = [
    b"http://", b"https://", b"HTTP://", b"mailto:", b"a", b"-", b".", b"B.example", b"b.com", b"x" * 64, b"@", b"/",
    b"?q=1",
    b"#", b"&", b"%41", b"%", b"\\", b" ", b"\n", b"\xe9", b"_", b":80", b"hTTp:", b"c.uk/", b"&#46;",
]  # fmt: skip


@pytest.fixture(scope="module")
def site() -> Site:
    return Site({"util_rb_tld": ["com uk example"], "util_rb_2tld": ["co.uk"]})


@given(st.lists(st.sampled_from(URI_PIECES), max_size=9).map(b"".join))
@example(b"http://www.b.com/a?b=%41")
@example(b"https://a.b.com/?http:x.com")
@example(b"mailto:a.b@c.com")
def test_plain_hosts_are_of_addresses_with_one_meaning(site: Site, address: bytes) -> None:
    host = plain_host(address, site.top_levels)
    if host is not None:
        assert canonical(address, site) == [address]
        assert domain_of(address, site) == (registered_domain(host, site), host)


@pytest.mark.parametrize(
    ("address", "host"),
    [
        (b"http://WWW.b.com", b"www.b.com"),
        (b"https://b.co.uk/a?b=c&d=e#f", b"b.co.uk"),
        (b"mailto:a+b_c@d-e.example", b"d-e.example"),
        (b"http://b.nowhere/", None),
        (b"http://b.com?x", None),
        (b"http://b.com:80/", None),
        (b"http://a@b.com/", None),
        (b"http://b.com/%41", None),
        (b"mailto:a@b.com?subject=c", None),
        (b"http://" + b"x" * 64 + b".com/", None),
        (b"http://b.com/" + b"x" * 8192, None),
    ],
)
def test_plain_hosts(site: Site, address: bytes, host: bytes | None) -> None:
    assert plain_host(address, site.top_levels) == host
