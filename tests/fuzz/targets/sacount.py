"""Counts over hostile text: never more than there is, the same for a part wherever it stands, words counted once."""

from __future__ import annotations

from mxward.pyx.sacount import compare_words, count_illegal, count_lines, count_part

SEEDS = [
    b"a=20=09 \r\n=3D=41\r\n\r\n \t\r\n&#x20AC; \x1b$BAB\x1b(B CAPITALS and small",
    "words, words and more words \xa0 \u2028 é\U0001f600".encode() + b" x" * 3000,
]
WORDS = [
    b"=20", b"=3D", b"=", b"\r\n", b"\n", b"\r", b" ", b"\t", b"&#x20AC;", b"\x1b(B", b"\x1b$B", b"\0",
    b"\xc2\xa0", b"\xe2\x80\x83", b"\xff", b"A" * 70 + b" ", b"word",
]  # fmt: skip


def run(data: bytes) -> None:
    size, longest, blank, escapes, entities, _ = count_part(data, 0, len(data), escapes=True, text=True)
    assert longest <= size <= len(data)
    assert blank <= size
    assert abs(escapes) <= len(data) // 3
    assert entities <= len(data) // 8
    middle = len(data) // 2
    assert count_part(b"\n" + data + b"\n", 1, 1 + len(data))[:3] == (size, longest, blank)
    n, large, small, spaces = count_lines(data, [0, middle])
    assert large + small <= n <= len(data)
    assert -1 <= spaces <= 100
    assert count_illegal(data) == count_illegal(data[:middle]) + count_illegal(data[middle:])
    for is_wide in (False, True):
        ours, others, left = compare_words([(data, is_wide)], [(data, is_wide)])
        assert ours == others
        assert left == 0
        assert compare_words([(data, is_wide)], [])[2] == ours
