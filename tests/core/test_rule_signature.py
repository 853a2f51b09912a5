"""core/rules/{signature,secretkey,sums}: minisign's formats, read and written, and every way to be wrong."""

from __future__ import annotations

import shutil
import subprocess
from base64 import b64decode, b64encode
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mxward.core.errors import RulePackError
from mxward.core.rules import secretkey, sums, trust
from mxward.core.rules.files import PackFiles
from mxward.core.rules.signature import SignatureError, parse_public_key, parse_signature, sign, verify
from mxward.core.rules.trust import Trust, check_trust

# Made by minisign 0.11 with the password "pw" over b"hello\n".
PUBLIC = "RWTdqSHW3lDBXRziq2Ww5dAT2MUb+5NvH6pZpPovNn7kMXUj4kERPL0d"
SECRET = (
    "untrusted comment: minisign encrypted secret key\n"
    "RWRTY0IyI9H3BivfZaOQ/7+dhxAE68/2TIJNQsqzqQMfg0YavDAAAAACAAAAAAAAAEAAAAAAb6pQl51f4Poo0lbzULmKL5zXUmXT4jpWugz6+NgtbnqeCa85"
    "09cQWxuGf/b+lwCWYZdHPtOAR/IgRWTuynPfo6HNw2XOiGM50JgMVAmZz3T3lhP9Is7lQAfD5VDJnHYfbdBtDdZm8a8=\n"
)
HASHED = b"""untrusted comment: signature from minisign secret key
RUTdqSHW3lDBXa/PrspxGSo/HTRPCRnxFRk2mYK9Fgg5i2fq1o6Vm+Kbu2gNVakBeFm660z21CrxSDroYxfNgprwHrNNnOaKyws=
trusted comment: hi there
cgoxKk2IAcwMzv/k/4hBKBSCYYuoBHz08eBJbMlUVE2rriEcIfrwEt70E72ZVo7tsFVq9O5pmPU/OSY10dntBw==
"""
LEGACY = b"""untrusted comment: signature from minisign secret key
RWTdqSHW3lDBXbvW1kf93YyjVzoVXnvelhvsAMVrsK2XTwCfm8LHHjJd7PxTU5iC1vTk5cW4d0k0ZzUa6wommiu+8OiioQrT7A4=
trusted comment: hi legacy
CyVjFw4iN6vJgwfZPAJbWfiaeRV8W7+OVSw3JmYf5g2Foj2us24EUWWA7jGq3HltkYJoNw+xcDBaHp1k1y0TBw==
"""
CONTENT = b"hello\n"
MINE = secretkey.generate()
needs_minisign = pytest.mark.skipif(not shutil.which("minisign"), reason="the Debian package minisign is not installed")


@pytest.mark.parametrize(("signature", "comment"), [(HASHED, "hi there"), (LEGACY, "hi legacy")])
def test_what_minisign_signed(signature: bytes, comment: str) -> None:
    key = parse_public_key(PUBLIC, "vendor")
    assert key.id_text == "5DC150DED621A9DD"
    assert verify(CONTENT, parse_signature(signature), key) == comment
    assert verify(CONTENT, parse_signature(signature.replace(b"\n", b"\r\n")), key) == comment
    with pytest.raises(SignatureError, match="does not fit the content"):
        verify(CONTENT + b"\n", parse_signature(signature), key)


@pytest.mark.parametrize("signature", [HASHED, LEGACY])
def test_the_trusted_comment_is_covered(signature: bytes) -> None:
    with pytest.raises(SignatureError, match="trusted comment that was changed"):
        verify(CONTENT, parse_signature(signature.replace(b"comment: hi", b"comment: HI")), parse_public_key(PUBLIC))


def test_a_hashed_signature_is_no_plain_one() -> None:
    lines = HASHED.split(b"\n")
    lines[1] = b64encode(b"Ed" + b64decode(lines[1])[2:])
    with pytest.raises(SignatureError, match="does not fit"):
        verify(CONTENT, parse_signature(b"\n".join(lines)), parse_public_key(PUBLIC))


def test_of_another_key() -> None:
    with pytest.raises(SignatureError, match="was made with key 5DC150DED621A9DD"):
        verify(CONTENT, parse_signature(HASHED), MINE.public)


@given(st.integers(0, 73 * 8 - 1))
def test_no_bit_of_a_signature_may_change(bit: int) -> None:
    made = parse_signature(sign(CONTENT, MINE.seed, MINE.public.key_id, "c"))
    blob = bytearray(made.algorithm + made.key_id + made.signature)
    blob[2 + bit // 8 % 72] ^= 1 << bit % 8
    lines = [b"untrusted comment: x", b64encode(blob), b"trusted comment: c", b64encode(made.global_signature)]
    with pytest.raises(SignatureError):
        verify(CONTENT, parse_signature(b"\n".join(lines)), MINE.public)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "four lines"),
        (b"a\nb\nc\nd\n", "a comment is missing"),
        (HASHED.replace(b"untrusted comment: ", b"untrusted: "), "a comment is missing"),
        (HASHED + b"more\n", "four lines"),
        (HASHED.replace(b"RUTd", b"R!Td"), "is no minisign signature"),
        (HASHED.replace(b"RUTdqSHW", b"RUTd"), "is no minisign signature"),
        (HASHED.replace(b"RUTd", b"UldT"), "another kind"),
        (HASHED.replace(b"cgox", b"c"), "global signature"),
        (HASHED.replace(b"hi there", b"x" * 9000), "comment is too long"),
        (b"x" * 20_000, "four lines"),
    ],
)
def test_what_is_no_signature(text: bytes, message: str) -> None:
    with pytest.raises(SignatureError, match=message):
        parse_signature(text)


@pytest.mark.parametrize("text", ["", "RWTd", PUBLIC + "\n" + PUBLIC, PUBLIC.replace("RWT", "RXT"), "é" * 56])
def test_what_is_no_public_key(text: str) -> None:
    with pytest.raises(SignatureError):
        parse_public_key(text)


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(blob: bytes) -> None:
    for read in (parse_signature, lambda b: secretkey.parse_secret_key(b.decode("latin-1"))):
        try:
            read(blob)
        except SignatureError:
            continue


def test_a_public_key_survives_its_file() -> None:
    assert parse_public_key(MINE.public.file()) == MINE.public


def test_a_comment_of_two_lines_is_not_signed() -> None:
    with pytest.raises(SignatureError, match="one line"):
        sign(b"", MINE.seed, MINE.public.key_id, "a\nb")


@pytest.mark.parametrize("password", ["", "correct horse"])
def test_secret_keys_survive_their_file(password: str) -> None:
    text = secretkey.encode(MINE, password)
    assert secretkey.is_encrypted(text) is bool(password)
    assert secretkey.parse_secret_key(text, password) == MINE
    if password:
        assert b64encode(MINE.seed)[:20].decode() not in text
        with pytest.raises(SignatureError, match="password is wrong"):
            secretkey.parse_secret_key(text, "wrong")


def test_the_parameters_are_those_of_libsodium() -> None:
    assert secretkey.parameters(1 << 25, 1 << 30) == (20, 1)  # its "sensitive"
    assert secretkey.parameters(1 << 19, 1 << 24) == (14, 1)  # its "interactive"
    assert secretkey.parameters(secretkey.OPSLIMIT, secretkey.MEMLIMIT) == (17, 1)


def test_a_secret_key_may_not_ask_for_endless_work() -> None:
    blob = bytearray(b64decode(SECRET.splitlines()[1]))
    blob[46:54] = (1 << 40).to_bytes(8, "little")
    with pytest.raises(SignatureError, match="more work"):
        secretkey.parse_secret_key(b64encode(blob).decode(), "pw")


@pytest.mark.slow
def test_a_secret_key_of_minisign_is_read() -> None:
    assert secretkey.parse_secret_key(SECRET, "pw").public.encode() == PUBLIC


@needs_minisign
def test_minisign_accepts_what_we_sign(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(CONTENT)
    (tmp_path / "f.minisig").write_bytes(sign(CONTENT, MINE.seed, MINE.public.key_id, "from us"))
    command = ["minisign", "-V", "-H", "-m", str(tmp_path / "f"), "-P", MINE.public.encode()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
    assert "from us" in done.stdout


@needs_minisign
@pytest.mark.parametrize("password", ["", "correct horse"])
def test_minisign_signs_with_our_secret_key(tmp_path: Path, password: str) -> None:
    (tmp_path / "f").write_bytes(CONTENT)
    (tmp_path / "key").write_text(secretkey.encode(MINE, password))
    command = ["minisign", "-S", "-s", str(tmp_path / "key"), "-m", str(tmp_path / "f"), "-t", "theirs"]
    done = subprocess.run(command, input=f"{password}\n", capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert verify(CONTENT, parse_signature((tmp_path / "f.minisig").read_bytes()), MINE.public) == "theirs"


# -- packs

PLAIN = {"pack.toml": b'name = "p"\n', "a.yar": b"rule A { condition: true }", "tests/must-match/A.eml": b"x"}
TRUST = Trust({MINE.public.key_id: MINE.public}, required=True)


def signed(contents: dict[str, bytes], **changes: bytes) -> PackFiles:
    """A pack signed with MINE and changed afterwards; names in `changes` have "__" for "."."""
    text = sums.sums_of(PackFiles("p", dict(sorted(contents.items()))))
    made = {**contents, trust.SUMS: text, trust.SIGNATURE: sign(text, MINE.seed, MINE.public.key_id, "pack p")}
    made |= {name.replace("__", "."): content for name, content in changes.items()}
    return PackFiles("p", dict(sorted(made.items())))


def without_samples(files: PackFiles) -> PackFiles:
    return PackFiles(files.name, {n: c for n, c in files.contents.items() if not n.startswith("tests/")})


def test_a_signed_pack_is_trusted_with_and_without_its_samples() -> None:
    found = check_trust(signed(PLAIN), TRUST)
    assert (found.state, found.comment, found.key_id) == (trust.TRUSTED, "pack p", MINE.public.id_text)
    assert check_trust(without_samples(signed(PLAIN)), TRUST, samples=False) == found


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (signed(PLAIN, a__yar=b"rule B { condition: true }"), "p/a.yar: is not what was signed"),
        (signed(PLAIN, b__yar=b"rule B { condition: true }"), "p/b.yar: is not what was signed"),
        (signed(PLAIN, pack__toml=b""), "p/pack.toml: is not what was signed"),
        (signed(PLAIN, pack__sums=b""), "p/pack.sums.minisig: the signature does not fit the content"),
        (signed(PLAIN, pack__sums__minisig=b"x"), "p/pack.sums.minisig: the signature is no minisign signature"),
        (signed(PLAIN, pack__sums__minisig=HASHED), "p: is signed by the key 5DC150DED621A9DD, which is not trusted"),
        (PackFiles("p", PLAIN), "p: is not signed, and rules.require_signature asks for it"),
        (PackFiles("p", {n: c for n, c in signed(PLAIN).contents.items() if n != "a.yar"}),
         "p/a.yar: was signed and is missing"),
        (PackFiles("p", {n: c for n, c in signed(PLAIN).contents.items() if n != "pack.sums"}),
         "the signature does not fit the content"),
    ],
)  # fmt: skip
def test_what_is_not_as_it_was_signed_is_refused(files: PackFiles, message: str) -> None:
    with pytest.raises(RulePackError, match=message.replace(".", r"\.")):
        check_trust(files, TRUST)


def test_a_wrong_signature_of_a_trusted_key_is_refused_even_when_none_is_required() -> None:
    with pytest.raises(RulePackError, match="is not what was signed"):
        check_trust(signed(PLAIN, a__yar=b"x"), Trust(TRUST.keys, required=False))


def test_without_the_duty_to_sign_others_are_told_apart() -> None:
    assert check_trust(PackFiles("p", PLAIN), Trust()).state == trust.UNSIGNED
    found = check_trust(signed(PLAIN), Trust())
    assert (found.state, found.key_id) == (trust.UNKNOWN, MINE.public.id_text)


@needs_minisign
def test_sha256sum_and_minisign_check_a_pack_as_we_do(tmp_path: Path) -> None:
    for name, content in signed(PLAIN).contents.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    for command in (["sha256sum", "-c", "--strict", "pack.sums"],
                    ["minisign", "-Vm", "pack.sums", "-P", MINE.public.encode()]):  # fmt: skip
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=30)
        assert done.returncode == 0, done.stdout + done.stderr
