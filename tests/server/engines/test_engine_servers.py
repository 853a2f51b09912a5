"""Real scanners of Debian: clamd by both kinds of socket, c-icap in front of it, one that goes away and comes back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mxtest.clamav import CANARY, MAX_BYTES, SIGNATURE, ClamdServer, IcapServer
from mxward.core.errors import EngineUnavailable
from mxward.server.engines.clamd import Clamd
from mxward.server.engines.icap import Icap

BAD = b"text before " + CANARY + b" text after"


@pytest.fixture(scope="module")
def clamd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClamdServer]:
    with ClamdServer(tmp_path_factory.mktemp("clamd")) as server:
        yield server


@pytest.fixture(scope="module")
def icap(tmp_path_factory: pytest.TempPathFactory, clamd: ClamdServer) -> Iterator[IcapServer]:
    with IcapServer(tmp_path_factory.mktemp("icap"), clamd) as server:
        yield server


@pytest.mark.parametrize("kind", ["unix", "tcp"])
def test_clamd_tells_what_it_finds(kind: str, clamd: ClamdServer) -> None:
    engine = Clamd("clamd", [clamd.address if kind == "unix" else clamd.tcp])
    assert [said.signature for said in engine.scan(BAD, 10)] == [SIGNATURE]
    assert engine.scan(b"nothing of the kind", 10) == []
    assert engine.scan(b"", 10) == []
    assert engine.scan(memoryview(BAD * 1000), 10)[0].signature == SIGNATURE


def test_clamd_says_that_a_content_is_too_large(clamd: ClamdServer) -> None:
    for address in (clamd.address, clamd.tcp):
        (said,) = Clamd("clamd", [address]).scan(bytes(3 * MAX_BYTES), 10)
        assert said.is_refusal


def test_clamd_is_asked_how_it_is(clamd: ClamdServer, tmp_path: Path) -> None:
    nobody = f"unix:{tmp_path}/none"
    found = Clamd("clamd", [clamd.address, nobody]).health(5)
    assert found[clamd.address] == ""
    assert found[nobody]


def test_the_next_server_is_asked_when_one_is_down(clamd: ClamdServer, tmp_path: Path) -> None:
    engine = Clamd("clamd", [f"unix:{tmp_path}/none", clamd.address])
    for _ in range(3):
        assert engine.scan(BAD, 10)[0].signature == SIGNATURE


def test_a_server_that_comes_back_is_asked_again(tmp_path: Path) -> None:
    server = ClamdServer(tmp_path / "own")
    engine = Clamd("clamd", [server.address])
    with server:
        assert engine.scan(BAD, 10)
    with pytest.raises(EngineUnavailable, match="no server answers"):
        engine.scan(BAD, 10)
    with server:
        assert engine.scan(BAD, 10)


@pytest.mark.parametrize("method", ["RESPMOD", "REQMOD"])
def test_icap_tells_what_it_finds(method: str, icap: IcapServer) -> None:
    engine = Icap("icap", [icap.address], "avscan", method)
    (said, *_) = engine.scan(BAD, 10)
    assert SIGNATURE in said.signature or said.signature == "blocked"
    assert engine.scan(b"nothing of the kind", 10) == []
    assert engine.scan(b"x" * 300_000, 10) == []


def test_icap_that_echoes_finds_nothing(icap: IcapServer) -> None:
    assert Icap("icap", [icap.address], "echo").scan(BAD, 10) == []


def test_icap_is_asked_how_it_is(icap: IcapServer) -> None:
    assert Icap("icap", [icap.address], "avscan").health(5) == {icap.address: ""}
    assert Icap("icap", [icap.address], "nosuch").health(5)[icap.address]
    with pytest.raises(EngineUnavailable):
        Icap("icap", [icap.address], "nosuch").scan(BAD, 5)
