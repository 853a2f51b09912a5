"""The seccomp filter as a program: run by an interpreter of ours for both machines, its numbers held by the headers."""

from __future__ import annotations

import errno
import re
import struct
from pathlib import Path

import pytest

from mxward.server.sandbox import seccomp
from mxward.server.sandbox.syscalls import ALLOWED, DEADLY, MACHINES

HEADERS = {"x86_64": "/usr/include/x86_64-linux-gnu/asm/unistd_64.h", "aarch64": "/usr/include/asm-generic/unistd.h"}
REFUSED = 0x00050000 | errno.EPERM


def run(machine: str, number: int, *arguments: int, audit: int | None = None) -> int:
    """What the filter answers to a call."""
    codes = list(struct.iter_unpack("=HBBI", seccomp.program(machine)))
    kind = MACHINES[machine].audit if audit is None else audit
    data = struct.pack("<IIQ6Q", number, kind, 0, *arguments, *[0] * (6 - len(arguments)))
    at = value = 0
    while True:
        operation, if_true, if_false, operand = codes[at]
        at += 1
        if operation == 0x20:
            (value,) = struct.unpack_from("<I", data, operand)
        elif operation == 0x06:
            return int(operand)
        else:
            is_so = {0x15: value == operand, 0x35: value >= operand, 0x45: bool(value & operand)}[operation]
            at += if_true if is_so else if_false


@pytest.mark.parametrize("machine", MACHINES)
def test_what_is_allowed_is_allowed_and_all_else_is_not(machine: str) -> None:
    numbers = MACHINES[machine].numbers
    allowed = {numbers[name] for name in ALLOWED}
    deadly = {numbers[name] for name in DEADLY if name in numbers}
    special = {numbers[name] for name in ("mmap", "mprotect", "clone", "clone3", "prlimit64")}
    for number in range(600):
        if number not in special:
            expected = seccomp.ALLOW if number in allowed else seccomp.KILL if number in deadly else REFUSED
            assert run(machine, number) == expected, number
    assert not allowed & deadly


@pytest.mark.parametrize("machine", MACHINES)
def test_calls_with_conditions(machine: str) -> None:
    numbers = MACHINES[machine].numbers
    for name in ("mmap", "mprotect"):
        assert run(machine, numbers[name], 0, 4096, 3) == seccomp.ALLOW
        for protection in (4, 7, 5 | 1 << 40):
            assert run(machine, numbers[name], 0, 4096, protection) == REFUSED
    assert run(machine, numbers["clone"], 0x3D0F00) == REFUSED  # a thread
    assert run(machine, numbers["clone"], 17) == seccomp.KILL  # a process
    assert run(machine, numbers["clone3"]) == 0x00050000 | errno.ENOSYS
    assert run(machine, numbers["prlimit64"], 0, 7, 0, 1) == seccomp.ALLOW
    for arguments in ((1, 7, 0), (0, 7, 1), (0, 7, 1 << 32)):
        assert run(machine, numbers["prlimit64"], *arguments) == REFUSED


def test_other_machines_and_other_abis_are_death() -> None:
    assert run("x86_64", 0, audit=MACHINES["aarch64"].audit) == seccomp.KILL
    assert run("aarch64", 63, audit=MACHINES["x86_64"].audit) == seccomp.KILL
    assert run("x86_64", 0x40000000) == seccomp.KILL
    with pytest.raises(KeyError):
        seccomp.program("riscv64")


@pytest.mark.parametrize("machine", MACHINES)
def test_numbers_are_those_of_the_kernel(machine: str) -> None:
    path = Path(HEADERS[machine])
    if not path.is_file():
        pytest.skip(f"{path} is not installed (linux-libc-dev)")
    known = {name: int(n) for name, n in re.findall(r"#define __NR(?:3264)?_(\w+) (\d+)", path.read_text())}
    known.setdefault("open_by_handle_at", 265)
    assert {name: known.get(name) for name in MACHINES[machine].numbers} == MACHINES[machine].numbers
