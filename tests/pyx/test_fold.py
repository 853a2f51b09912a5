"""pyx/fold against unicodedata: the folded form by its definition, look-alikes by the facts they were made from."""

from __future__ import annotations

import random
import re
import time
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mxtest import lookalike
from mxward.pyx.fold import COMPOSING, INVISIBLE, fold, fold_bytes, skeleton

_RUN = re.compile("[\x00-\x7f]?[^\x00-\x7f]+")
_QUOTES = str.maketrans({"\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"', "\u2013": "-"})


def plainly(text: str) -> str:
    """The definition: run by run, without any table."""

    def resolve(match: re.Match[str]) -> str:
        return unicodedata.normalize("NFKC", INVISIBLE.sub("", match[0])).translate(_QUOTES)

    return " ".join(_RUN.sub(resolve, text).casefold().split())


def is_known(c: str) -> bool:
    return unicodedata.category(c) not in ("Cn", "Cs")


KNOWN = [chr(c) for c in range(0x110000) if is_known(chr(c))]
MARKS = [c for c in KNOWN if unicodedata.combining(c)]
GROUPS = (KNOWN, MARKS, list(" aB\r\n\t\x1c"), list("\xa0\x85é\u200b\u3000\u2028"), list("가ᄀ\u1161\u11a8ﾡ\u0344"))
TEXTS = st.lists(st.sampled_from(GROUPS).flatmap(st.sampled_from), max_size=80).map("".join)


@given(TEXTS)
def test_fold_is_its_definition(text: str) -> None:
    assert fold(text) == plainly(text)
    assert fold_bytes(text.encode()) == plainly(text).encode()
    assert fold_bytes(text.encode(), wide=False) == plainly(text).encode()


def test_every_character_alone_and_between_letters() -> None:
    for c in KNOWN:
        assert fold_bytes(f"a{c}b".encode()).decode() == plainly(f"a{c}b"), ascii(c)


@given(st.integers(0, 1 << 32), st.integers(60, 400))
def test_blocks_of_ascii_with_other_characters_at_any_place(seed: int, size: int) -> None:
    dice = random.Random(seed)
    text = "".join(dice.choice("aZ \t\r\n09.\x1f") for _ in range(size))
    at = dice.randrange(size)
    for piece in ("", "é", "\u0301", " \u00a0 "):
        whole = (text[:at] + piece + text[at:]).encode()
        assert fold_bytes(whole) == fold_bytes(whole, wide=False) == plainly(whole.decode()).encode()


@given(st.binary(max_size=200))
def test_any_bytes(data: bytes) -> None:
    folded = fold_bytes(data)
    folded.decode("utf-8", "surrogatepass")
    assert skeleton(folded)[1] >= 0


def test_lone_surrogates_stay() -> None:
    assert fold("A\ud800B") == "a\ud800b"


def test_composing_marks_are_all_that_unicodedata_knows() -> None:
    seconds = set()
    for c in map(chr, range(0x110000)):
        pieces = unicodedata.decomposition(c).split()
        if len(pieces) == 2 and not pieces[0].startswith("<"):
            seconds.add(chr(int(pieces[1], 16)))
    jamo = {chr(c) for c in (*range(0x1161, 0x1176), *range(0x11A8, 0x11C3))}
    listed = {c for c in map(chr, range(0x110000)) if COMPOSING.match(c)}
    assert seconds | jamo <= listed
    assert all(c in seconds | jamo or unicodedata.category(c)[0] in "MC" for c in listed)


@pytest.mark.parametrize(
    ("text", "looks", "mixed"),
    [
        ("Vеrify yоur ассount", "verify your account", 3),
        ("раураl", "paypal", 0),
        ("ІNVОІСЕ", "invoice", 1),
        ("vìágrâ", "viagra", 0),
        ("ѕurgery of the ｗａｒｄ", "surgery of the ward", 1),
        ("v\u0336i\u0336agra", "viagra", 0),
        ("ВАNК", "bank", 0),
        ("Ωmega", "wmega", 1),
        ("plain", "plain", 0),
        ("日本語", "日本語", 0),
        ("", "", 0),
    ],
)
def test_look_alikes_are_read_as_latin_letters(text: str, looks: str, mixed: int) -> None:
    assert skeleton(fold_bytes(text.encode())) == (looks.encode(), mixed)


@given(TEXTS)
def test_skeleton_changes_nothing_else(text: str) -> None:
    folded = fold_bytes(text.encode())
    looks, mixed = skeleton(folded)
    assert skeleton(looks)[0] == looks
    if folded.isascii():
        assert looks is folded and mixed == 0
    plain = set(lookalike.table()) if lookalike.is_possible() else set()
    if plain and not any(c in plain or unicodedata.normalize("NFD", c) != c or "\u0300" <= c <= "\u036f"
                         for c in folded.decode("utf-8", "surrogatepass")):  # fmt: skip
        assert looks == folded


def test_words_of_one_script_are_not_mixed() -> None:
    for text in ("уважаемый клиент", "größenmaßstäbe naïve", "αβγ", "usb-кабель", "5µg", "β-blocker"):
        assert skeleton(fold_bytes(text.encode()))[1] == 0, text


def test_the_table_is_what_its_generator_makes() -> None:
    if not lookalike.is_possible():
        pytest.skip(f"ICU {lookalike.ICU_VERSION} is not installed")
    committed = Path(__file__).resolve().parents[2] / "pyx" / "lookalike.h"
    assert lookalike.header() == committed.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "piece", ["a\u0301", "\u0301", "\u200b", "é", "a ", "한", "\U0001d400", "\u0344", "ﷺ", "\u0e34"]
)
def test_cost_is_linear(piece: str) -> None:
    data = ("a" + piece * 300_000).encode()
    started = time.process_time()
    skeleton(fold_bytes(data))
    assert time.process_time() - started < 3
