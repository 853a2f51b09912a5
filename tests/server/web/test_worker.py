"""The web role on a real socket: it says when it serves, answers, bounds what it reads, stops when told."""

from __future__ import annotations

import socket
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from setuptools import Distribution
from setuptools.config.pyprojecttoml import apply_configuration

from mxtest import served
from mxward.server.web import worker


def say(origin: str, data: bytes) -> bytes:
    """What the server answers to these bytes, up to its end of the connection."""
    address = urlsplit(origin)
    answer = b""
    with socket.create_connection((address.hostname, address.port), timeout=20) as sock:
        try:
            sock.sendall(data)
            while chunk := sock.recv(65_536):
                answer += chunk
        except ConnectionError:
            pass  # it hung up while we were still talking
    return answer


def test_it_serves_bounds_and_stops(tmp_path: Path) -> None:
    with served.console(tmp_path / "data") as running:
        with httpx.Client(base_url=running.origin) as client:
            assert client.get("/healthz").text == "ok\n"
            assert client.get("/messages").status_code == 303
            assert "server" not in client.get("/healthz").headers
        head = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: "
        assert b" 200 " not in say(running.origin, head + b"x" * (4 * worker.MAX_HEAD_BYTES) + b"\r\n\r\n")
        assert say(running.origin, b"\x16\x03\x01\x00\xff\r\n\r\n").startswith(b"HTTP/1.1 400")
        two = b"GET /login HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\nConnection: close\r\n\r\n"
        assert say(running.origin, two).split()[1] in (b"400", b"421")
        both = b"POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n"
        assert b"HTTP/1.1 200" not in say(running.origin, both + b"Connection: close\r\n\r\n0\r\n\r\n")
        with httpx.Client(base_url=running.origin) as client:
            assert client.get("/healthz").status_code == 200, "still there after all that"


def test_a_wheel_would_hold_every_template_and_static_file(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(repository)
    distribution = Distribution()
    apply_configuration(distribution, "pyproject.toml")
    command = distribution.get_command_obj("build_py")
    command.ensure_finalized()
    packed = {name for package, _, _, names in command.data_files for name in names if package == "mxward.server.web"}
    folder = repository / "server" / "web"
    there = {
        str(path.relative_to(folder))
        for part in ("static", "templates")
        for path in (folder / part).rglob("*")
        if path.is_file()
    }
    assert there == packed
