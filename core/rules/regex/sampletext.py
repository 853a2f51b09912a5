"""Text such as mail has, made up from words, numbers and addresses: the automata of the sieve are fitted to it.

What it lacks costs speed only. It is the same at each call, so that what is compiled depends on the rules alone.
"""

from __future__ import annotations

from functools import cache
from typing import Final

SIZE: Final = 320_000
LINES: Final = (20, 180)  # bytes of a line
_WORDS: Final = (  # the most common ones first
    "the to of and a in for is you your that on this with be it we i as are have our at or will not from by if can an "
    "please has all was but they my so more do one which there what about would any no he their been time out up when "
    "us her new who its his get also other some may were me how just than then only now like these into over should "
    "people them after work could first here because use make email message send sent information contact account "
    "click below link mail address name number order date team service security password bank payment credit card "
    "money free offer price buy sale save today week month year day meeting report project group company business "
    "office hospital patient clinic appointment letter attached document file copy request change update confirm "
    "verify review reply regards thanks thank dear hello best sincerely kind yours director manager doctor nurse ward "
    "trust health care medical staff support help questions problem issue available online website internet web page "
    "list user users code software version system server data network linux windows program language data error line "
    "test release download install open source build fix patch function value type class object default option "
    "house home family friend life world country government state city university school student research program "
    "development market stock fund investment million thousand percent dollars pounds euro total amount value rate "
    "interest loan debt insurance transaction transfer deposit claim prize winner lottery congratulations urgent "
    "confidential private important notice limited special exclusive guarantee risk opportunity success results "
    "really think know see want need look find give take come back good great right still last long little own "
    "through before between under again both each few most such same where why during without within since while "
    "unsubscribe subscribe newsletter privacy policy terms conditions copyright rights reserved received delivery "
    "package shipping track invoice receipt refund subscription cancel access login sign account's don't it's I'm "
    "we're you'll that's can't monday tuesday wednesday friday january march april june september december "
    "weight loss pills medication pharmacy prescription viagra watches replica degree diploma adult girls dating "
    "der die und das ist nicht mit sie ich von auf den ein eine wir für haben bitte mehr oder "
    "le la les des est une pour vous dans avec votre nous sur pas merci plus être que el los para por una con su"
)
_SYLLABLES: Final = (
    "an ar be ca co con de di en er es ex fi for ge ha in ing is ka la le li lo ma me mi mo na ne ni no on or pa pe "
    "per po pre pro ra re ri ro sa se si so sta ta te ter ti tion to tra tri un ver vi wa ment able ness ly est qu sch"
)
_NUMBERS: Final = (
    "7", "24", "100", "2,500", "$1,200.50", "50%", "2024", "10:30", "12/05/2023", "020 7946 0123", "1.5", "£300", "#42",
    "EUR 40", "5 000", "0800-123-456", "a1b2c3d4e5f6", "15th", "(3)", "[1]", "192.0.2.10", "AB-1234567", "x86_64", "3D",
)  # fmt: skip
_ADDRESSES: Final = (
    "http://www.example.com/index.html", "https://mail.example.org/a/b?id=39182&u=ann%40x.example", "ann@example.org",
    "<info@example.com>", "www.example.net", "https://lists.example.org/mailman/listinfo/users", "user_name@x.example",
    "From:", "Subject:", "Date:", "-----", "=====", "*****", "> >", "_____________", "<br>", "&nbsp;", "/usr/local/bin",
)  # fmt: skip
_ENDS: Final = (".", ".", ".", ",", ",", ",", "!", "?", ":", ";", " -", "...", ")", '"')


class _Dice:
    """A linear congruential generator: no chance is wanted, but the same mixture everywhere."""

    def __init__(self) -> None:
        self._state = 12_345
        self.words, self.syllables = _WORDS.split(), _SYLLABLES.split()

    def below(self, bound: int) -> int:
        self._state = (self._state * 6_364_136_223_846_793_005 + 1_442_695_040_888_963_407) % 2**64
        return (self._state >> 33) % bound

    def pick(self, items: tuple[str, ...] | list[str]) -> str:
        return items[self.below(len(items))]


@cache
def sample() -> bytes:
    """Lines that end with a line feed, SIZE bytes or little more."""
    dice = _Dice()
    lines: list[bytes] = []
    size = 0
    while size < SIZE:
        lines.append(_dressed(_line(dice), dice.below(64)))
        size += len(lines[-1])
    return b"".join(lines)


def _line(dice: _Dice) -> str:
    wanted = LINES[0] + dice.below(LINES[1] - LINES[0])
    line = ""
    while len(line) < wanted:
        line += _token(dice) + " "
    return line[:-1]


def _token(dice: _Dice) -> str:
    kind = dice.below(100)
    if kind < 70:
        word = dice.words[min(dice.below(len(dice.words)), dice.below(len(dice.words)))]
    elif kind < 88:
        word = "".join(dice.pick(dice.syllables) for _ in range(1 + dice.below(4)))
    elif kind < 95:
        word = dice.pick(_NUMBERS)
    else:
        return dice.pick(_ADDRESSES)
    case = dice.below(16)
    word = word.capitalize() if case < 3 else word.upper() if case == 3 else word
    return word + dice.pick(_ENDS) if dice.below(8) == 0 else word


def _dressed(line: str, kind: int) -> bytes:
    """Some lines in other scripts, or all in capitals. Args: kind: of 0 to 63."""
    if kind == 0:
        line = "".join(chr(0x410 + ord(letter) % 64) if letter.isalpha() else letter for letter in line)
    elif kind == 1:
        line = line.replace("e", "é").replace("o", "ö").replace("a", "ã").replace("'", "’")
    elif kind == 2:
        line = line.upper()
    elif kind == 3:
        return line.replace("e", "é").encode("latin-1", "replace") + b"\n"
    elif kind == 4:
        line = "".join(chr(0x4E00 + ord(letter) * 37 % 5000) if letter.isalpha() else letter for letter in line)
    elif kind == 5:
        line = line.replace("  ", "\u00a0").replace(" ", "\u200c ").replace("-", "–")
    return line.encode() + b"\n"
