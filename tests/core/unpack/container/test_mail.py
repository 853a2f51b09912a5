"""Mail in mail and what mail programs wrap files in: messages, mailboxes, TNEF, .msg, .msi, Macintosh files, yEnc."""

from __future__ import annotations

import binascii
import shutil
import struct
import subprocess
from email.message import EmailMessage
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mxtest import corpus
from mxtest.unpackkit import unpack
from mxward.core.unpack.container import mapi
from mxward.core.unpack.container.ole import installer_name

PROGRAM = b"MZ canary" + bytes(range(256))


def letter(**headers: str) -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Date"] = "a@b.example", "c@d.example", "Thu, 31 Jul 2025 13:49:50 +0000"
    message["Subject"] = headers.get("subject", "A canary")
    message.set_content("Hello")
    message.add_attachment(PROGRAM, maintype="application", subtype="octet-stream", filename="tool.exe")
    return message


def test_a_message_gives_its_parts() -> None:
    tree = unpack(letter().as_bytes(), "mail.eml")
    assert tree.content == {"body": b"Hello\n", "tool.exe": PROGRAM}
    assert tree.children[0].content_type == "text/plain" and tree.children[0].charset == "utf-8"
    assert "A canary" in tree.text and (0, "from", "a@b.example") in tree.facts


def test_messages_in_messages_are_parts_of_it() -> None:
    outer = EmailMessage()
    outer["From"], outer["To"], outer["Subject"] = "a@b.example", "c@d.example", "outer"
    outer.set_content("see below")
    outer.add_attachment(letter())
    assert unpack(outer.as_bytes(), "mail.eml").holds(PROGRAM)


def test_a_mailbox_gives_its_messages() -> None:
    box = b"".join(b"From a@b.example Thu Jul 31 13:49:50 2025\n" + letter().as_bytes() + b"\n" for _ in range(3))
    tree = unpack(box, "box")
    assert [leaf.name for leaf in tree.top] == ["message 1", "message 2", "message 3"]
    assert sum(leaf.data == PROGRAM for leaf in tree.children) == 3


def test_a_uuencoded_file() -> None:
    lines = [binascii.b2a_uu(PROGRAM[at : at + 45]) for at in range(0, len(PROGRAM), 45)]
    tree = unpack(b"begin 644 tool.exe\n" + b"".join(lines) + b"`\nend\n", "a.uu")
    assert tree.content == {"tool.exe": PROGRAM}


def test_a_yenc_file() -> None:
    body = b"".join(
        bytes([61, (byte + 42 + 64) % 256]) if (byte + 42) % 256 in (0, 10, 13, 61) else bytes([(byte + 42) % 256])
        for byte in PROGRAM
    )
    text = b"=ybegin line=999 size=%d name=tool.exe\r\n%s\r\n=yend size=%d\r\n" % (len(PROGRAM), body, len(PROGRAM))
    assert unpack(text, "a.ync").content == {"tool.exe": PROGRAM}


def binhex(name: bytes, data: bytes, resource: bytes) -> bytes:
    head = bytes([len(name)]) + name + b"\0APPLTEST\0\0" + struct.pack(">II", len(data), len(resource))
    plain = head + b"cc" + data + b"cc" + resource + b"cc"
    packed = plain.replace(b"\x90", b"\x90\0")
    packed = packed.replace(b"\0" * 100, b"\0\x90\x64")
    signs = b"!\"#$%&'()*+,-012345689@ABCDEFGHIJKLMNPQRSTUVXYZ[`abcdefhijklmpqr"
    base = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    text = binascii.b2a_base64(packed, newline=False).rstrip(b"=").translate(bytes.maketrans(base, signs))
    lines = b"\r\n".join(text[at : at + 64] for at in range(0, len(text), 64))
    return b"(This file must be converted with BinHex 4.0)\r\n\r\n:" + lines + b":\r\n"


def test_binhex_gives_both_forks() -> None:
    tree = unpack(binhex(b"tool", PROGRAM + bytes(100), b"resource"), "a.hqx")
    assert [(leaf.name, leaf.data) for leaf in tree.children] == [
        ("tool", PROGRAM + bytes(100)), ("resource fork", b"resource"),
    ]  # fmt: skip
    assert not tree.unseen


def test_a_torn_binhex_is_said() -> None:
    assert unpack(binhex(b"tool", PROGRAM, b"")[:200], "a.hqx").reasons == {"damaged"}


@pytest.mark.parametrize("magic", [b"\0\5\x16\7", b"\0\5\x16\0"])
def test_apple_files_give_their_forks(magic: bytes) -> None:
    entries = ((3, b"tool"), (2, b"resource"), (1, PROGRAM))
    at, table, body = 26 + 12 * len(entries), b"", b""
    for kind, content in entries:
        table += struct.pack(">III", kind, at + len(body), len(content))
        body += content
    data = magic + b"\0\2\0\0" + bytes(16) + struct.pack(">H", len(entries)) + table + body
    tree = unpack(data)
    assert {leaf.name: leaf.data for leaf in tree.children} == {"tool": PROGRAM, "resource fork": b"resource"}
    assert unpack(data[:-5]).reasons == {"damaged"}


def test_macbinary_gives_its_forks() -> None:
    head = bytearray(128)
    head[1:6] = b"\4tool"
    struct.pack_into(">II", head, 83, len(PROGRAM), 8)
    head[122:124] = b"\x81\x81"
    data = bytes(head) + PROGRAM.ljust(-(-len(PROGRAM) // 128) * 128, b"\0") + b"resource"
    tree = unpack(data)
    assert tree.content == {"tool": PROGRAM, "resource fork": b"resource"}


def attribute(level: int, number: int, value: bytes) -> bytes:
    return struct.pack("<BII", level, number, len(value)) + value + struct.pack("<H", sum(value) & 0xFFFF)


def prop(number: int, kind: int, value: bytes) -> bytes:
    return struct.pack("<HHII", kind, number, 1, len(value)) + value + bytes(-len(value) % 4)


def tnef(*attributes: bytes) -> bytes:
    return b"\x78\x9f\x3e\x22\1\0" + b"".join(attributes)


def test_tnef_gives_attachments_by_their_best_names() -> None:
    properties = (
        struct.pack("<I", 2)
        + prop(0x3707, 0x1F, "a long t\u00f6ol.exe\0".encode("utf-16-le"))
        + prop(0x370E, 0x1E, b"Application/X-Tool\0")
    )
    data = tnef(
        attribute(1, 0x18004, b"Subject canary\0"), attribute(1, 0x2800C, b"Body canary\0"),
        attribute(2, 0x69002, bytes(14)), attribute(2, 0x18010, b"ALONGT~1.EXE\0"), attribute(2, 0x6800F, PROGRAM),
        attribute(2, 0x69005, properties), attribute(2, 0x69002, bytes(14)), attribute(2, 0x6800F, b"second"),
    )  # fmt: skip
    tree = unpack(data, "winmail.dat")
    assert tree.content == {"body.txt": b"Body canary", "a long t\u00f6ol.exe": PROGRAM, "": b"second"}
    assert tree.children[1].names == ("a long t\u00f6ol.exe", "ALONGT~1.EXE")
    assert tree.children[1].content_type == "application/x-tool"
    assert "Subject canary" in tree.text and not tree.unseen


def test_a_message_inside_tnef_is_opened() -> None:
    inner = tnef(attribute(2, 0x69002, bytes(14)), attribute(2, 0x6800F, PROGRAM))
    properties = struct.pack("<I", 1) + prop(0x3701, 0x0D, bytes(16) + inner)
    tree = unpack(tnef(attribute(2, 0x69002, bytes(14)), attribute(2, 0x69005, properties)))
    assert tree.holds(PROGRAM)


def packed_rtf(*tokens: bytes | tuple[int, int]) -> bytes:
    body = b""
    for at in range(0, len(tokens), 8):
        group = tokens[at : at + 8]
        body += bytes([sum(1 << n for n, token in enumerate(group) if isinstance(token, tuple))])
        body += b"".join(
            token if isinstance(token, bytes) else struct.pack(">H", token[0] << 4 | token[1] - 2) for token in group
        )
    return struct.pack("<II4sI", len(body) + 12, 100, b"LZFu", 0) + body


def test_packed_rtf() -> None:
    """The example of MS-OXRTFCP 4.1 in its terms: literals, references to the dictionary, the end mark."""
    start = (0, 6)  # "{\\rtf1" stands at the beginning of the dictionary
    tokens = (start, b" ", b"c", b"a", b"n", b"a", b"r", b"y", b"}", (207 + 15 - 1, 2))
    assert mapi.rtf(packed_rtf(*tokens), 1000) == b"{\\rtf1 canary}"
    plain = struct.pack("<II4sI", 20, 8, b"MELA", 0) + b"{\\rtf1 }"
    assert mapi.rtf(plain, 1000) == b"{\\rtf1 }"


@given(st.binary(max_size=300))
def test_any_packed_rtf_ends(data: bytes) -> None:
    packed = struct.pack("<II4sI", len(data), 1 << 31, b"LZFu", 0) + data
    assert len(mapi.rtf(packed, 5000)) <= 5000


@pytest.mark.parametrize(("folder", "n"), [("tnef", 10), ("msg", 15)])
def test_corpus_files_are_opened(folder: str, n: int) -> None:
    files = sorted(corpus.need(f"attachments/{folder}").iterdir())
    opened = 0
    for file in files:
        tree = unpack(file.read_bytes(), file.name)
        assert tree.ended
        opened += bool(tree.children)
        assert not tree.reasons or tree.reasons <= {"unsupported", "damaged"}, file.name
    assert opened >= n


def test_msg_bodies_and_attachments() -> None:
    data = (corpus.need("attachments/msg") / "example_received_regular.msg").read_bytes()
    tree = unpack(data, "a.msg")
    assert {"body.txt", "body.rtf", "alfresco.gif"} <= set(tree.content)
    assert "test message" in tree.text


@given(st.integers(0, 100_000), st.lists(st.tuples(st.integers(0, 100_000), st.integers(0, 255)), max_size=6))
def test_damaged_msg_is_answered(cut: int, changes: list[tuple[int, int]]) -> None:
    data = bytearray((corpus.need("attachments/msg") / "simple_test_msg.msg").read_bytes())
    for at, value in changes:
        data[at % len(data)] = value
    assert unpack(bytes(data[: cut % len(data)]), true_type="application/vnd.ms-outlook").ended


def compound(tree: dict[str, object]) -> bytes:
    """An OLE file of storages (dicts) and streams (bytes of at least 4,096, so that no mini stream is needed)."""
    rows: list[list[object]] = [["Root Entry", 5, -1, -1, b""]]  # name, kind, right sibling, child, content

    def add(parent: int, folder: dict[str, object]) -> None:
        before = -1
        for name, content in folder.items():
            is_folder = isinstance(content, dict)
            rows.append([name, 1 if is_folder else 2, -1, -1, b"" if is_folder else content])
            number = len(rows) - 1
            if before < 0:
                rows[parent][3] = number
            else:
                rows[before][2] = number
            before = number
            if isinstance(content, dict):
                add(number, content)

    add(0, tree)
    n_folder = -(-len(rows) * 128 // 512)
    chains, body, entries, at = [0xFFFFFFFD], b"", b"", 1
    chains += [*range(at + 1, at + n_folder), 0xFFFFFFFE]
    at += n_folder
    for name, kind, right, child, content in rows:
        assert isinstance(name, str) and isinstance(content, bytes) and isinstance(kind, int)
        assert isinstance(right, int) and isinstance(child, int)
        n = -(-len(content) // 512)
        begin = at if n else 0xFFFFFFFE
        chains += [*range(at + 1, at + n), 0xFFFFFFFE] if n else []
        at, body = at + n, body + content.ljust(n * 512, b"\0")
        raw = name.encode("utf-16-le")
        entries += raw.ljust(64, b"\0") + struct.pack(
            "<HBBiii36xIQ", len(raw) + 2, kind, 1, -1, right, child, begin, len(content)
        )
    assert len(chains) <= 128
    table = struct.pack("<128I", *chains, *([0xFFFFFFFF] * (128 - len(chains))))
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack(
        "<HHHHH6xIIIIIIIIII", 0x3E, 3, 0xFFFE, 9, 6, 0, 1, 1, 0, 4096, 0xFFFFFFFE, 0, 0xFFFFFFFE, 0, 0
    )  # fmt: skip
    return head + struct.pack("<108I", *([0xFFFFFFFF] * 108)) + table + entries.ljust(n_folder * 512, b"\0") + body


def test_a_message_inside_a_message_of_outlook() -> None:
    body, file = "inner canary ".encode("utf-16-le") * 200, PROGRAM * 20
    inner = {"__substg1.0_1000001F": body, "__attach_version1.0_#00000000": {"__substg1.0_37010102": file}}
    outer = {
        "__substg1.0_1000001F": "outer text ".encode("utf-16-le") * 200,
        "__attach_version1.0_#00000000": {"__substg1.0_3701000D": inner},
        "__attach_version1.0_#00000001": {"__substg1.0_3701000D": {"CONTENTS": b"object " * 600}},
    }
    tree = unpack(compound(outer), true_type="application/vnd.ms-outlook")
    assert tree.ended and not tree.unseen
    texts = [leaf.data for leaf in tree.children if leaf.name == "body.txt"]
    assert texts == [b"outer text " * 200, b"inner canary " * 200]
    assert tree.holds(file) and tree.content["CONTENTS"] == b"object " * 600


def test_an_installer_gives_its_streams(tmp_path: Path) -> None:
    if shutil.which("msibuild") is None or shutil.which("gcab") is None:
        pytest.skip("msibuild (Debian: msitools) and gcab are not installed")
    (tmp_path / "tool.exe").write_bytes(PROGRAM)
    for words in (
        ("gcab", "-c", "a.cab", "tool.exe"),
        ("msibuild", "a.msi", "-q", "CREATE TABLE x (a CHAR(72) NOT NULL PRIMARY KEY a)"),
        ("msibuild", "a.msi", "-a", "payload.cab", "a.cab"),
    ):
        subprocess.run(words, cwd=tmp_path, capture_output=True, check=False)
    tree = unpack((tmp_path / "a.msi").read_bytes(), "a.msi", true_type="application/x-msi")
    assert tree.content["tool.exe"] == PROGRAM
    assert (0, "!_Tables") in tree.listed and not tree.unseen


def test_names_of_streams_of_installers() -> None:
    assert installer_name("\u4840\u3f7f\u4164\u422f\u4836") == "!_Tables"
    assert installer_name("plain") == "plain"


def test_checksums_of_tnef_do_not_matter() -> None:
    data = bytearray(tnef(attribute(2, 0x69002, bytes(14)), attribute(2, 0x6800F, PROGRAM)))
    data[-1] ^= 0xFF
    assert unpack(bytes(data)).holds(PROGRAM)


@given(st.binary(max_size=400))
def test_any_tnef_is_answered(data: bytes) -> None:
    assert unpack(tnef(data)).ended
