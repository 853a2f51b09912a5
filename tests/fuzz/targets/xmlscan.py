"""Text and tags of XML: never longer than the source, in order."""

from __future__ import annotations

from mxward.pyx.xmlscan import CODE, CODE_LINE, GAP, LINE, TAG, TEXT, UNSHARED, Scanner

SEEDS = [
    b'<?xml version="1.0"?><w:p><w:r><w:t xml:space="preserve">a &amp; &#x20AC;</w:t><w:tab/></w:r></w:p>',
    b'<c t="s"><v>1</v></c><c><v>2</v></c><f>SUM(A1)</f><sheet name="x" state=\'hidden\'/>',
    b'<!DOCTYPE a [<!ENTITY b "c">]><t><![CDATA[x]]><!-- y --></t>',
]
WORDS = [
    b"<t>", b"</t>", b"<p/>", b"<![CDATA[", b"]]>", b"<!--", b"-->", b"<?", b"?>", b"&#x41;", b"&amp;", b"&#1114111;",
    b'"', b"'", b" t='s'", b"<c", b"<sheet ", b"<f>",
]  # fmt: skip
_SCANNER = Scanner(
    {"t": TEXT, "p": LINE, "tab": GAP, "f": CODE | CODE_LINE, "sheet": TAG, "c": GAP | UNSHARED, "v": TEXT}
)


def run(data: bytes) -> None:
    text, code, tags, _, _ = _SCANNER.scan(data, max_tags=100)
    assert len(text) <= len(data)
    assert len(code) <= len(data)
    at = 0
    for _, start, end in tags:
        assert at <= start <= end <= len(data)
        at = end
