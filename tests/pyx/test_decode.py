"""Transfer decodings against slow, obviously right decoders of our own, and against the library's encoders."""

from __future__ import annotations

import base64
import binascii
import quopri
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mxtest import corpus
from mxward.pyx.decode import (
    BASE64_MODES,
    QP_MODES,
    decode_base64,
    decode_binhex,
    decode_qp,
    decode_uu,
    decode_yenc,
)

ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
BASE64ISH = st.lists(st.sampled_from([bytes([c]) for c in b"AZaz09+/=\r\n \t#:\x00\xff"]), max_size=120).map(b"".join)
QPISH = st.lists(
    st.sampled_from([b"=", b"4", b"F", b"f", b"x", b" ", b"\t", b"\r\n", b"\n", b"\r", b"\xff"]), max_size=80
)


def bits_to_bytes(bits: str) -> bytes:
    return bytes(int(bits[i : i + 8], 2) for i in range(0, len(bits) - 7, 8))


def slow_base64(data: bytes) -> bytes:
    """RFC 2045 6.8 by strings of bits: strange characters skipped, padding that completes a group ends the data."""
    bits, in_group, pads = "", 0, 0
    for byte in data:
        if byte in ALPHABET:
            bits += f"{ALPHABET.index(byte):06b}"
            in_group = (in_group + 1) % 4
            pads = 0 if in_group == 0 else pads
        elif byte == ord("="):
            pads += 1
            if in_group >= 2 and in_group + pads >= 4:
                break
    if in_group == 1:  # six bits are no byte
        bits = bits[:-6]
    return bits_to_bytes(bits)


def slow_qp(data: bytes) -> bytes:
    """RFC 2045 6.7, line by line; damaged escapes stay."""
    lines, out = data.split(b"\n"), b""
    for number, line in enumerate(lines):
        last = number == len(lines) - 1
        end = b"" if last else b"\n"
        text = line.rstrip(b"\r")
        end = line[len(text) :] + end
        text = text.rstrip(b" \t")
        at = 0
        while at < len(text):
            if text[at : at + 1] != b"=":
                out += text[at : at + 1]
                at += 1
            elif text[at + 1 :].strip(b" \t\r") == b"":
                end = b""
                break
            elif is_hex(text[at + 1 : at + 3]):
                out += bytes([int(text[at + 1 : at + 3], 16)])
                at += 3
            else:
                out += b"="
                at += 1
        out += end
    return out


def is_hex(pair: bytes) -> bool:
    return len(pair) == 2 and all(c in b"0123456789abcdefABCDEF" for c in pair)


def slow_uu(lines: list[bytes]) -> bytes:
    out = b""
    for line in lines:
        if not line:
            continue
        count = (line[0] - 32) & 63
        bits = "".join(f"{(c - 32) & 63:06b}" for c in line[1:])
        bits += "0" * (-len(bits) % 24)
        out += bits_to_bytes(bits)[:count]
    return out


def yenc(data: bytes) -> bytes:
    out = b""
    for byte in data:
        code = (byte + 42) & 255
        out += b"=" + bytes([(code + 64) & 255]) if code in (0, 10, 13, 61) else bytes([code])
    lines = [out[i : i + 128] for i in range(0, len(out), 128)]
    for i in range(len(lines) - 1):  # an escape is not cut
        if lines[i].endswith(b"=") and not lines[i].endswith(b"=="):
            lines[i], lines[i + 1] = lines[i][:-1], b"=" + lines[i + 1]
    return (
        b"=ybegin line=128 size=%d name=a\r\n" % len(data) + b"\r\n".join(lines) + b"\r\n=yend size=%d\r\n" % len(data)
    )


def binhex(data: bytes) -> bytes:
    letters = b"!\"#$%&'()*+,-012345689@ABCDEFGHIJKLMNPQRSTUVXYZ[`abcdefhijklmpqr"
    content = b"\x01a\0TYPECREA\0\0" + len(data).to_bytes(4, "big") + bytes(4) + b"\0\0" + data + b"\0\0"
    bits = "".join(f"{byte:08b}" for byte in content.replace(b"\x90", b"\x90\0"))
    bits += "0" * (-len(bits) % 6)
    text = bytes(letters[int(bits[i : i + 6], 2)] for i in range(0, len(bits), 6))
    lines = [text[i : i + 64] for i in range(0, len(text), 64)]
    return b"(This file must be converted with BinHex 4.0)\n:" + b"\n".join(lines) + b":\n"


@given(BASE64ISH)
@example(b"QUJD\r\nQUI=\r\nQUJD")
@example(b"A" * 200)
@example((b"QUJD" * 19 + b"\r\n") * 3)
def test_base64_equals_the_slow_decoder(data: bytes) -> None:
    assert decode_base64(data) == slow_base64(data)


@given(st.binary(max_size=600), st.sampled_from([b"\n", b"\r\n"]), st.sampled_from([76, 64, 60, 4, 5, 72]))
def test_base64_round_trip(data: bytes, end: bytes, width: int) -> None:
    text = base64.b64encode(data)
    lines = end.join(text[i : i + width] for i in range(0, len(text), width))
    for mode in (0, 1, 2, 3):
        assert decode_base64(lines, mode) == data, BASE64_MODES[mode]
    if width % 4 == 0:
        assert decode_base64(lines, BASE64_MODES.index("line")) == data
        assert decode_base64(lines, BASE64_MODES.index("clean")) == data


@pytest.mark.parametrize("mode", range(len(BASE64_MODES)))
@given(data=BASE64ISH)
def test_base64_never_writes_more_than_three_for_four(mode: int, data: bytes) -> None:
    assert len(decode_base64(data, mode)) <= len(data) * 3 // 4 + 1


def test_base64_readings_of_damage() -> None:
    readings = dict(zip(BASE64_MODES, (decode_base64(b"QQ=Qg=Qw=", m) for m in range(6)), strict=True))
    assert readings["restart"] == b"ABC"
    assert readings["continue"] == decode_base64(b"QQQgQw")
    assert decode_base64(b"UE=sAw=Q", BASE64_MODES.index("quad")) == b"PK\x03\x04"
    assert decode_base64(b"QUJD#zzzz\nREVG", BASE64_MODES.index("line")) == b"ABCDEF"
    assert decode_base64(b"begin-base64 644 a\nQUJD\n====", BASE64_MODES.index("clean")) == b"ABC"
    assert decode_base64(b"A\n\nQUJD", BASE64_MODES.index("line")) == b"ABC"


@given(QPISH)
def test_qp_equals_the_slow_decoder(pieces: list[bytes]) -> None:
    data = b"".join(pieces)
    assert decode_qp(data) == slow_qp(data)


@given(st.binary(max_size=300))
def test_qp_round_trip(data: bytes) -> None:
    assert decode_qp(quopri.encodestring(data, quotetabs=True)) == data


@pytest.mark.parametrize("mode", range(len(QP_MODES)))
@given(pieces=QPISH)
def test_qp_never_grows(mode: int, pieces: list[bytes]) -> None:
    data = b"".join(pieces)
    assert len(decode_qp(data, mode)) <= len(data)


QP_DAMAGE = [
    ("skip", b"P=K", b"PK"),
    ("drop", b"=0=50=0K", b"PK"),
    ("upper", b"=0a=50K", b"PK"),
    ("upper", b"==a50=aK", b"PK"),
    ("loose", b"=5 0=4\nB", b"PK"),
    ("rfc", b"=zz=4\n=", b"=zz=4\n"),
    ("wide", b"=zz", b"\x53"),
]


@pytest.mark.parametrize("mode, damaged, seen", QP_DAMAGE)
def test_qp_readings_of_damage(mode: str, damaged: bytes, seen: bytes) -> None:
    assert decode_qp(damaged, QP_MODES.index(mode)) == seen


@given(st.binary(max_size=300))
def test_uu_round_trip_and_slow_decoder(data: bytes) -> None:
    lines = [binascii.b2a_uu(data[i : i + 45]) for i in range(0, len(data), 45)]
    body = b"".join(lines)
    assert decode_uu(b"text\nbegin 644 name\n" + body + b"`\nend\nmore\n") == data
    assert decode_uu(body) == data == slow_uu([line.rstrip(b"\n") for line in lines])


@given(st.lists(st.binary(max_size=70).map(lambda b: b.replace(b"\n", b"").rstrip(b"\r")), max_size=6))
def test_uu_equals_the_slow_decoder_on_anything(lines: list[bytes]) -> None:
    if any(line.startswith(b"begin ") or line == b"end" for line in lines):
        return
    assert decode_uu(b"\n".join(lines)) == slow_uu(lines)


@given(st.binary(max_size=600))
def test_yenc_round_trip(data: bytes) -> None:
    assert decode_yenc(b"text\r\n" + yenc(data) + b"more\r\n") == data


@given(st.binary(max_size=300))
def test_binhex_gives_the_data_fork(data: bytes) -> None:
    assert decode_binhex(binhex(data)).startswith(data)


def test_binhex_runs() -> None:
    # "a", mark, 5: the byte five times; the header is 22 bytes for a name of one letter
    plain = binhex(b"aaaaa")
    assert decode_binhex(plain).startswith(b"aaaaa")


@given(st.binary(max_size=400))
def test_decoders_take_anything(data: bytes) -> None:
    assert len(decode_uu(data)) <= len(data) + 1
    assert len(decode_yenc(data)) <= len(data)
    assert len(decode_binhex(data)) <= 4 * len(data) + 64


def test_other_buffers_are_taken() -> None:
    assert decode_base64(bytearray(b"QUJD")) == decode_base64(memoryview(b"QUJD")) == b"ABC"
    with pytest.raises(TypeError):
        decode_base64("QUJD")  # type: ignore[arg-type]  # the point of the test
    with pytest.raises(ValueError):
        decode_base64(b"", 6)
    with pytest.raises(ValueError):
        decode_qp(b"", len(QP_MODES))


@pytest.mark.parametrize("decode", [decode_base64, decode_qp, decode_uu, decode_yenc, decode_binhex])
@pytest.mark.parametrize("unit", [b"=", b"=\n", b"= ", b"==", b"A=", b"=ybegin ", b"begin \n", b":\n", b"\x90", b"A"])
def test_cost_grows_linearly(decode, unit: bytes) -> None:
    def cost(n: int) -> float:
        data = unit * (n // len(unit))
        best = 1e9
        for _ in range(3):
            start = time.thread_time()
            decode(data)
            best = min(best, time.thread_time() - start)
        return best

    small, large = cost(40_000), cost(400_000)
    assert large < 0.002 or large / small < 40, (small, large)


@pytest.mark.corpus
def test_base64_of_the_corpus_equals_the_library() -> None:
    corpus.need("mail")
    tried = 0
    for mail in corpus.mails("phish", every=20):
        body = mail.stored.rpartition(b"base64")[2]
        lines = [line for line in body.splitlines() if len(line) == 76 and all(c in ALPHABET for c in line)]
        tried += len(lines)
        assert decode_base64(b"\r\n".join(lines)) == base64.b64decode(b"".join(lines))
    assert tried
