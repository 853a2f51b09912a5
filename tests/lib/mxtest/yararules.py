"""Random YARA rules and texts that they may match: every kind of string, modifier and condition.

Rules are made of few words, so that texts made of the same words match often. Not every combination is valid; the
caller drops what libyara does not compile.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

Draw = Callable[[Any], Any]
WORDS = ("evil", "hello!", "ab", "MZ", "xyzzy-", "Passw0rd", "aaaa", "\\x00\\x01\\xfe", "http://", "longer than most")
EXTERNALS: dict[str, str | int | bool] = {"filename": "", "extension": "", "part_depth": 0}
VALUES: list[dict[str, str | int | bool]] = [
    {},
    {"filename": "evil.pdf.exe", "extension": ".exe"},
    {"part_depth": 3, "filename": "ABEVIL"},
    {"extension": "x"},
]
HEX = (
    "65 76 69 6C",
    "4D 5A",
    "6? 76 [2] 6C",
    "78 79 ?? 7A 79",
    "( 61 | 62 62 ) 61 61 61",
    "68 [1-4] 6C 6C",
    "~00 01 FE",
    "61 ~62 61",
    "?1 62",
    "50 61 73 ( 73 | ?3 ) 77",
)
REGEXES = (
    "evil",
    "ev.l",
    "[ab]+c?",
    "hel{2}o",
    "(evil|ab|MZ)",
    "e.?v.?i",
    "\\bevil\\b",
    "^MZ",
    "x(yz|Y)z[yz]-?",
    "Pass\\w0",
    "a{2,}",
    "[^a]aa",
    "http:\\/\\/.{0,4}",
    "(e|\\x65)(v|w)il",
    "\\x00.\\xfe",
    "l$",
    "[A-Z]{2}",
    "p.s.w",
)


def _string(draw: Draw, number: int) -> str:
    kind = draw(st.sampled_from(("text", "text", "text", "hex", "regex")))
    private = draw(st.sampled_from(("", "", "", " private")))
    name = f"${draw(st.sampled_from('abs'))}{number}"
    if kind == "hex":
        return f"{name} = {{ {draw(st.sampled_from(HEX))} }}{private}"
    if kind == "regex":
        flags = draw(st.sampled_from(("", "i", "s", "is")))
        chosen = draw(st.sampled_from(("", "", "wide", "ascii wide", "nocase", "fullword", "fullword wide nocase")))
        return f"{name} = /{draw(st.sampled_from(REGEXES))}/{flags} {chosen}{private}"
    word = draw(st.sampled_from(WORDS))
    chosen = draw(
        st.sampled_from(
            (
                "",
                "",
                "nocase",
                "wide",
                "ascii wide",
                "fullword",
                "nocase wide ascii fullword",
                "xor",
                "xor(1-3)",
                "xor(32)",
                "xor wide",
                "xor ascii wide",
                "base64",
                "base64wide",
                "base64 wide",
                "base64 base64wide",
                "fullword wide",
                'base64("!@#$%^&*(){}[].,|ABCDEFGHIJ\\x09LMNOPQRSTUVWXYZabcdefghijklmnopqrstu")',
            )
        )
    )
    return f'{name} = "{word}" {chosen}{private}'


def _number(draw: Draw, names: list[str], depth: int) -> str:
    kind = draw(st.integers(0, 9 if depth > 0 else 4))
    name = draw(st.sampled_from(names))[1:] if names else ""
    if kind == 0 or not names:
        return draw(st.sampled_from(("0", "1", "2", "3", "-1", "0x10", "filesize", "5KB", "filesize - 4", "7")))
    if kind in (1, 2):
        return f"#{name}"
    if kind == 3:
        return f"@{name}" + draw(st.sampled_from(("", "[1]", "[2]", "[0]")))
    if kind == 4:
        return f"!{name}" + draw(st.sampled_from(("", "[1]", "[#" + name + "]")))
    if kind == 5:
        return f"#{name} in (0..{draw(st.integers(0, 30))})"
    if kind in (6, 7):
        read = draw(st.sampled_from(("uint8", "uint16", "int32", "uint32be", "int16be", "int8")))
        return f"{read}({_number(draw, names, depth - 1)})"
    op = draw(st.sampled_from(("+", "-", "*", "\\", "%", "&", "|", "^", "<<", ">>")))
    return f"({_number(draw, names, depth - 1)} {op} {_number(draw, names, depth - 1)})"


def _quantifier(draw: Draw) -> str:
    return str(draw(st.sampled_from(("any", "all", "none", "1", "2", "3", "0", "#n"))))


def _of(draw: Draw, names: list[str]) -> str:
    quantifier = _quantifier(draw).replace("#n", f"#{names[0][1:]}")
    if draw(st.integers(0, 5)) == 0:
        quantifier = draw(st.sampled_from(("50%", "1%", "100%")))
    chosen = draw(
        st.sampled_from(("them", f"({names[0]})", "($*)", f"({names[0]}, {names[-1]})", f"({names[0][:2]}*)"))
    )
    place = draw(st.sampled_from(("", "", "", " at 0", " at 3", " in (0..20)", " in (filesize-20..filesize)")))
    return f"{quantifier} of {chosen}{'' if '%' in quantifier else place}"


def _loop(draw: Draw, names: list[str], rules: list[str], depth: int) -> str:
    quantifier = _quantifier(draw).replace("#n", f"#{names[0][1:]}")
    if draw(st.booleans()):
        chosen = draw(st.sampled_from(("them", f"({names[0]}, {names[-1]})", "($*)")))
        body = draw(
            st.sampled_from(("$", "# > 1", "@ > 4", "!>3", "#", "$ at 0", "not $", "@[1] < 9 or $ in (0..9)", "true"))
        )
        return f"for {quantifier} of {chosen} : ( {body} )"
    over = draw(
        st.sampled_from(("(0..3)", f"(1..#{names[0][1:]})", "(1, 2, 5)", f"(@{names[0][1:]}..filesize)", "(0..0)"))
    )
    body = draw(
        st.sampled_from((f"@{names[0][1:]}[i] < 20", "uint8(i) == 0x4D", f"i > 1 and {names[0]}", f"{names[0]} at i"))
    )
    return f"for {quantifier} i in {over} : ( {body} )"


def _module(draw: Draw) -> str:
    return str(
        draw(
            st.sampled_from(
                (
                    "pe.is_pe",
                    "pe.number_of_sections > 1",
                    "not pe.is_pe",
                    "pe.is_dll()",
                    "defined pe.machine",
                    "pe.machine == pe.MACHINE_I386",
                    "elf.type == elf.ET_EXEC",
                    "not defined elf.type",
                    "pe.MACHINE_AMD64 > 1",
                    "math.entropy(0, filesize) > 3.5",
                    'hash.md5(0, 2) == "aa"',
                    'for any s in pe.sections : (s.name == ".a")',
                    "pe.rich_signature.version(1) == 0",
                    'string.length("abc") == 3',
                    "time.now() > 0",
                    "dotnet.is_dotnet == 0",
                    "math.in_range(1.5, 1.0, 2.0)",
                    "for all s in pe.sections : (true)",
                    'pe.imports("a.dll") > 0',
                    'not pe.imports("a.dll")',
                    'console.log("x")',
                    "math.mean(0, 4) > 80.0",
                    "pe.entry_point >= 0",
                    "entrypoint > 0",
                )
            )
        )
    )


def _external(draw: Draw) -> str:
    return str(
        draw(
            st.sampled_from(
                (
                    'filename == ""',
                    'filename contains "evil"',
                    'filename icontains "EVIL"',
                    "filename matches /evil/i",
                    'extension == ".exe"',
                    "part_depth > 1",
                    "part_depth == 3",
                    'filename endswith ".exe"',
                    'extension != ""',
                    "filename",
                    "filename matches /^$/",
                    'not filename startswith "e"',
                    'filename iequals "abevil"',
                )
            )
        )
    )


def _condition(draw: Draw, names: list[str], rules: list[str], depth: int) -> str:
    kind = draw(st.integers(0, 15))
    if depth > 0 and kind < 5:
        parts = [_condition(draw, names, rules, depth - 1) for _ in range(draw(st.integers(2, 3)))]
        return "(" + draw(st.sampled_from((" and ", " and ", " or "))).join(parts) + ")"
    if depth > 0 and kind == 5:
        return f"not {_condition(draw, names, rules, depth - 1)}"
    if kind == 6:
        return _module(draw)
    if kind == 7:
        return _external(draw)
    if kind == 8 and rules:
        return str(draw(st.sampled_from((rules[0], rules[-1], f"any of ({rules[0]}*)", f"not {rules[-1]}"))))
    if kind == 9:
        return draw(
            st.sampled_from(
                (
                    "filesize < 40",
                    "filesize > 20",
                    "20 < filesize",
                    "uint16(0) == 0x5A4D",
                    "true",
                    "uint16be(0) != 0x4D5A",
                    "uint32(uint32(4)) ^ 1 == 0x6c697664",
                    "filesize != 9",
                )
            )
        )
    if not names or kind == 10:
        op = draw(st.sampled_from(("==", "!=", "<", "<=", ">", ">=")))
        left = f"{_number(draw, names, 2)} {op} {_number(draw, names, 2)}"
        return f"defined ({left})" if draw(st.integers(0, 9)) == 0 else left
    if kind == 11:
        return _of(draw, names)
    if kind == 12:
        return _loop(draw, names, rules, depth)
    name = draw(st.sampled_from(names))
    place = draw(
        st.sampled_from(("", "", "", "", " at 0", " at 4", " in (0..9)", f" at @{name[1:]}", " at filesize - 4"))
    )
    return f"{name}{place}"


@st.composite
def sources(draw: Draw) -> str:
    """One namespace of one to five rules."""
    rules: list[str] = []
    found = [f'import "{name}"' for name in ("pe", "elf", "math", "hash", "string", "time", "dotnet", "console")]
    for number in range(draw(st.integers(1, 5))):
        strings = [_string(draw, n) for n in range(draw(st.integers(0, 3)))]
        names = [string.split(" ", 1)[0] for string in strings]
        head = draw(st.sampled_from(("", "", "", "", "private ", "global ", "global private ")))
        body = f" strings: {' '.join(strings)}" if strings else ""
        condition = _condition(draw, names, rules, 2)
        unused = [name for name in names if name not in condition and "them" not in condition and "$*" not in condition]
        if unused:
            condition = f"({condition}) and (" + " or ".join(f"#{name[1:]} >= 0" for name in unused) + ")"
        found.append(f"{head}rule r{number} : t{number} {{ meta: n = {number}{body} condition: {condition} }}")
        rules.append(f"r{number}")
    return "\n".join(found)


def _forms(word: bytes) -> list[bytes]:
    wide = b"".join(bytes((byte, 0)) for byte in word)
    forms = [word, word, word.upper(), wide, bytes(byte ^ 2 for byte in word), bytes(byte ^ 32 for byte in wide)]
    coded = [base64.b64encode(bytes(shift) + form) for shift in range(3) for form in (word, wide)]
    return forms + coded + [b"".join(bytes((byte, 0)) for byte in code) for code in coded]


@st.composite
def texts(draw: Draw) -> bytes:
    """Text in which the words of rules stand in some form."""
    pieces = []
    for _ in range(draw(st.integers(0, 6))):
        word = draw(st.sampled_from(WORDS)).encode().decode("unicode_escape").encode("latin-1")
        pieces.append(draw(st.sampled_from([*_forms(word), b" ", b"a", b"\0", b"\n", b"z-", b"\x7fELF", b"bc"])))
    return b"".join(pieces)
