"""Reading of YARA rules: any text is read or not understood, and a rule is never hidden by what is read of it."""

from __future__ import annotations

from mxward.bindings import yara
from mxward.core.rules.yara.build import build
from mxward.core.rules.yara.index import YaraIndex
from mxward.core.rules.yara.partition import partition

LIMIT = 2000
TEXTS = (b"", b"evil word MZ", b"MZ\x90\0 evil\0" + b"w\0o\0r\0d\0" * 20, bytes(range(256)))
SEEDS = [
    b'rule A { strings: $a = "evil" nocase wide $b = { 4D ?? [2-4] ( 65 | 66 ) } condition: any of them or #a > 2 }',
    b'import "pe"\nprivate rule B { condition: pe.is_pe }\nrule C : t { meta: n = -1 strings: $r = /e(v|x)il\\s+w/is '
    b'condition: not B and for any i in (1..#r) : ( @r[i] < 0x10 ) and uint16be(0) == 0x4D5A and filesize < 3KB }',
    b'global rule G { strings: $x = "word" xor(1-3) private $y = "evil" base64 condition: 1 of ($x, $y*) at 0 }',
]  # fmt: skip
WORDS = [
    b" and ", b" or ", b" not ", b"defined ", b"(", b")", b"$a", b"#a", b"@a[1]", b"!a", b"them", b" of ", b"for all ",
    b"filesize", b"uint32(", b'"', b"/", b"{", b"}", b"rule X { condition: true }", b"//", b"/*", b"*/", b"\\", b"0x",
    b"9999999999999999999", b"KB", b"..", b"%", b"[1-", b"~", b"|", b"?", b"entrypoint", b"pe.", b"import ",
]  # fmt: skip


def run(data: bytes) -> None:
    text = data.decode("utf-8", "replace").replace("\0", " ")
    parts = partition({"n": text}, ("filename",))
    assert all(root.namespace == "n" for root in parts.roots)
    try:
        whole = yara.compile_rules({"n": text}, {"filename": ""})
    except (yara.YaraSyntaxError, yara.YaraFailure):
        return
    index = YaraIndex(build({"n": text}, {"filename": ""}), is_trusted=True)
    for sample in TEXTS:
        assert index.scan(sample, {}, 5) == whole.scan(sample, {}, 5)
