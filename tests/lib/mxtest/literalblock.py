"""Mending the checksum of a changed block of compiled literals, so that what lies behind it is tested."""

from __future__ import annotations

import struct

WORD = (1 << 64) - 1
HEAD = 24  # bytes of magic, size and sum, which the sum does not cover


def checksum(data: bytes) -> int:
    """The sum of pyx/literals_check.h, written from its description."""
    a, b = 0x243F6A8885A308D3, 0x13198A2E03707344
    whole = len(data) // 16 * 16
    for first, second in struct.iter_unpack("<QQ", data[:whole]):
        a = (a ^ first) * 0x9E3779B97F4A7C15 & WORD
        b = (b ^ second) * 0xC2B2AE3D27D4EB4F & WORD
        a ^= a >> 29
        b ^= b >> 31
    for byte in data[whole:]:
        a = (a ^ byte) * 0x9E3779B97F4A7C15 & WORD
    return a ^ (b << 1 & WORD) ^ (b >> 63)


def mend(block: bytes) -> bytes:
    """The block with its size and sum as they should be."""
    return block[:8] + struct.pack("<QQ", len(block), checksum(block[HEAD:])) + block[HEAD:]
