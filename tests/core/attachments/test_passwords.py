"""Words of a message that may open its attachments: the announced first, each once, never more than the cap."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mxtest import mailkit
from mxward.core.errors import ConfigError
from mxward.core.extract.passwords import MAX_CANDIDATES, candidates, site_passwords


def of(text: str, subject: str = "Hello") -> list[str]:
    return list(candidates(mailkit.extracted(mailkit.plain(text, subject))))


@pytest.mark.parametrize(
    ("text", "password"),
    [
        ("The password is Tr0ub4dor&3.\r\n", "Tr0ub4dor&3"),
        ("Password: hunter2\r\n", "hunter2"),
        ('password = "Blue-Sky 9"\r\n', "Blue-Sky 9"),
        ("pw:x7Gk!\r\n", "x7Gk!"),
        ("The PIN for the file is 4711\r\n", "4711"),
        ("Das Passwort lautet Gr\u00fcn123\r\n", "Gr\u00fcn123"),
        ("Open with the code \u201cSommer-21\u201d, please\r\n", "Sommer-21"),
        ("passcode is (abc123)\r\n", "abc123"),
    ],
)
def test_an_announced_password_is_among_the_first(text: str, password: str) -> None:
    assert password in of(text)[:8]


def test_the_subject_tells_too() -> None:
    assert "letmein99" in of("See the file.\r\n", "Results, password letmein99")[:8]


def test_every_word_is_tried_in_the_end_with_and_without_its_quotes() -> None:
    found = of("open 'it' with \"rainbow\"\r\n")
    assert {"rainbow", '"rainbow"', "open"} <= set(found)


def test_the_words_of_html_count() -> None:
    message = mailkit.extracted(mailkit.html("<p>The password is <b>sesame42</b></p>"))
    assert "sesame42" in list(candidates(message))[:8]


def test_a_long_text_gives_no_more_than_the_cap() -> None:
    found = of(" ".join(f"word{i}" for i in range(20_000)) + "\r\n")
    assert len(found) == MAX_CANDIDATES


@given(st.text(max_size=200))
def test_each_is_given_once_and_none_is_too_short_or_long(text: str) -> None:
    found = list(candidates(mailkit.extracted(mailkit.plain(text))))
    assert len(found) == len(set(found)) <= MAX_CANDIDATES
    assert all(3 <= len(word) <= 64 for word in found)


def test_what_the_site_uses_comes_after_what_is_announced() -> None:
    message = mailkit.extracted(mailkit.plain("password: first1\r\nsecond2\r\n"))
    found = list(candidates(message, ("ours",)))
    assert found.index("first1") < found.index("ours") < found.index("second2")


def test_file_names_are_tried() -> None:
    message = mailkit.extracted(mailkit.with_attachment("ward7_Sesame9.zip", b"PK"))
    assert {"ward7_Sesame9", "Sesame9"} <= set(candidates(message))


def test_the_list_of_a_site_is_read(tmp_path: Path) -> None:
    assert site_passwords(None) == site_passwords(tmp_path / "none.list") == ()
    path = tmp_path / "passwords.list"
    path.write_text("# partners\nSt George 1\n\nSt George 1\nW\u00e4rd7\n", "utf-8")
    assert site_passwords(path) == ("St George 1", "W\u00e4rd7")


@pytest.mark.parametrize(
    ("content", "line"),
    [(b"ok-word\nno\n", 2), (b"x" * 65, 1), (b"\xff\xff\xff", 0), (b"\n".join(b"w%05d" % i for i in range(51)), 0)],
)
def test_a_list_that_is_wrong_says_where(content: bytes, line: int, tmp_path: Path) -> None:
    path = tmp_path / "passwords.list"
    path.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        site_passwords(path)
    assert caught.value.file == str(path)
    assert caught.value.line == line
