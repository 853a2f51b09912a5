"""Lines of header sections, mailboxes and line ends: what is found stands in the text, in order."""

from __future__ import annotations

from mxward.pyx.saheader import blank_lines, encoded_words, line_feeds, raw_lines, raw_text, usual_mailboxes

SEEDS = [
    b"Subject: a\n b\nTo: a@b.example,\n\tc@d.example\n\n \n",
    b'"A, B" <a@b.example>',
    b"=?utf-8?Q?a=41_?=  =?UTF-8?b?w6k=?= b =?x*y?q?c?=",
    b"\n" * 30 + b" \r\n \r\r\n",
]
WORDS = [
    b"=?utf-8?q?",
    b"=?x?B?",
    b"?=",
    b"\n",
    b"\r\n",
    b"\n ",
    b"\t",
    b"<",
    b">",
    b'"',
    b"@",
    b"a",
    b",",
    b"\\",
    b"(",
    b" ",
]


def run(data: bytes) -> None:
    lines = raw_lines(data)
    assert b"".join(lines) == raw_text(data)
    assert all(line in data and line.endswith(b"\n") and not line.startswith((b" ", b"\t")) for line in lines)
    assert line_feeds(data, 0, len(data)) == data.replace(b"\r\n", b"\n")
    assert blank_lines(data) <= data.count(b"\n")
    assert sum(len(text) for _, text in encoded_words(data)) <= len(data)
    found = usual_mailboxes(data[:200])
    assert found is None or all(mail in data for _, mail in found)
