"""Every file of dialogues/ is a case: what the client says and what the server must answer.

# comment
@ side outbound                 which listener (default inbound)
@ KEY = VALUE                   configuration, dotted keys, TOML value (smtp.limits.max_errors = 3)
@ listener KEY = VALUE          of the listener (require_tls = true)
@ tls                           the server has a certificate
@ user NAME PASSWORD            somebody who may authenticate
@ judge ACTION ARGUMENT         disposition of every recipient (default deliver)
C: text                         a line, CRLF is added; <XX> in it is the byte of that hex value
C| text                         the same, but sent together with the next C: line (pipelining)
C+ text                         bytes without CRLF, sent at once
S: text                         the next line of the server, "*" matches anything
T: start                        TLS handshake of the client
X: closed                       the server closes, having said nothing more
M: N                            so many messages are committed by now
"""

from __future__ import annotations

import asyncio
import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import uvloop
from argon2 import PasswordHasher

from mxtest.smtpbox import Box, Peer, client_context, open_box
from mxward.core.verdict import Disposition
from mxward.server.config import Listener
from mxward.server.store.api import UserRow

FILES = sorted((Path(__file__).parent / "dialogues").glob("*.smtp"))


@dataclass
class Case:
    side: str = "inbound"
    options: dict[str, object] = field(default_factory=dict)
    listener: dict[str, object] = field(default_factory=dict)
    users: dict[str, UserRow] = field(default_factory=dict)
    tls: bool = False
    judge: tuple[str, str] = ("deliver", "")
    steps: list[tuple[int, str, str]] = field(default_factory=list)


def read_case(path: Path) -> Case:
    case = Case()
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if line.startswith("@ "):
            _directive(case, line[2:].strip())
        elif line[:2] in ("C:", "C|", "C+", "S:", "T:", "X:", "M:"):
            case.steps.append((number, line[:2], line[3:]))
        elif line.strip() and not line.startswith("#"):
            raise ValueError(f"{path.name}:{number}: {line!r}")
    return case


def _directive(case: Case, text: str) -> None:
    word, _, rest = text.partition(" ")
    if word == "side":
        case.side = rest
    elif word == "tls":
        case.tls = True
    elif word == "user":
        name, password = rest.split()
        hasher = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
        case.users[name] = UserRow(name, hasher.hash(password), "user", 0, False)
    elif word == "judge":
        action, _, argument = rest.partition(" ")
        case.judge = (action, argument)
    elif word == "listener":
        case.listener.update(tomllib.loads(rest))
    else:
        key, _, value = text.partition("=")
        case.options[key.strip().replace(".", "__")] = tomllib.loads(f"v = {value}")["v"]


def to_bytes(text: str) -> bytes:
    raw = text.encode("utf-8")
    return re.sub(rb"<([0-9A-F]{2})>", lambda m: bytes((int(m[1], 16),)), raw)


async def play(box: Box, case: Case, name: str) -> None:
    peer = await box.connect(case.side)
    held = b""
    for number, kind, text in case.steps:
        where = f"{name}:{number}"
        if kind == "C|":
            held += to_bytes(text) + b"\r\n"
        elif kind in ("C:", "C+"):
            await peer.send(held + to_bytes(text) + (b"\r\n" if kind == "C:" else b""))
            held = b""
        elif kind == "S:":
            await _expect(peer, text, where)
        elif kind == "T:":
            await peer.writer.start_tls(client_context())
        elif kind == "X:":
            assert await peer.rest() == b"", where
        else:
            assert len(box.messages) == int(text), where


async def _expect(peer: Peer, pattern: str, where: str) -> None:
    try:
        line = (await asyncio.wait_for(peer.reader.readline(), 10)).decode("utf-8")
    except ConnectionError:
        line = ""
    shape = ".*".join(re.escape(piece) for piece in pattern.split("*")) + "\r\n"
    assert re.fullmatch(shape, line, re.DOTALL), f"{where}: {line!r} is not {pattern!r}"


async def _run(path: Path, tmp_path: Path) -> None:
    case = read_case(path)
    listener = Listener(address="127.0.0.1:0", side="outbound" if case.side == "outbound" else "inbound")
    for key, value in case.listener.items():
        setattr(listener, key, value)
    async with open_box(
        tmp_path, users=case.users, tls=case.tls, listeners={case.side: listener}, **case.options
    ) as box:
        box.judge.action = lambda rcpt: Disposition(rcpt, *case.judge)
        await play(box, case, path.name)


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_dialogue(path: Path, tmp_path: Path) -> None:
    uvloop.run(_run(path, tmp_path))


def test_there_are_dialogues() -> None:
    assert len(FILES) >= 40
