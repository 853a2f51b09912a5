"""A private PostgreSQL 15 cluster for tests: its own directory, a free loopback port, the system user postgres."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

BINARIES = Path("/usr/lib/postgresql/15/bin")
_OPTIONS = {
    "listen_addresses": "127.0.0.1",
    "max_connections": "60",
    "shared_buffers": "64MB",
    "wal_level": "replica",
    "max_wal_senders": "4",
    "log_min_messages": "fatal",
}


@dataclass
class Cluster:
    """A running cluster; `url(name)` creates a fresh database."""

    directory: Path
    port: int

    def url(self, name: str) -> str:
        self.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        self.execute(f'CREATE DATABASE "{name}"')
        return self.address(name)

    def address(self, name: str) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/{name}"

    def execute(self, statement: str, database: str = "postgres") -> list[tuple[object, ...]]:
        """Run a statement as the superuser; rows when it has any."""
        with psycopg.connect(self.address(database), autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def setting(self, name: str, value: str) -> None:
        """ALTER SYSTEM and reload; waits until new sessions see it."""
        self.execute(f"ALTER SYSTEM SET {name} = '{value}'")
        self.execute("SELECT pg_reload_conf()")
        while self.execute(f"SHOW {name}") != [(value,)]:
            pass

    def stop(self, mode: str = "immediate") -> None:
        _run("pg_ctl", "-D", str(self.directory), "-m", mode, "-w", "stop")

    def start(self) -> None:
        options = " ".join(f"-c {k}={v}" for k, v in _OPTIONS.items())
        sockets = f"-c port={self.port} -c unix_socket_directories={self.directory}"
        log = str(self.directory / "log")
        _run("pg_ctl", "-D", str(self.directory), "-w", "-l", log, "-o", f"{options} {sockets}", "start")


@contextlib.contextmanager
def cluster() -> Iterator[Cluster]:
    """Start a cluster for the block; skips the test by name when PostgreSQL 15 is not installed."""
    if not (BINARIES / "initdb").exists():
        pytest.skip(f"PostgreSQL 15 is not installed ({BINARIES}/initdb is missing)")
    root = Path(tempfile.mkdtemp(prefix="mxward-pg-"))
    try:
        if os.getuid() == 0:
            user = pwd.getpwnam("postgres")
            os.chown(root, user.pw_uid, user.pw_gid)
        directory = root / "data"
        _run("initdb", "-D", str(directory), "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8", "-N")
        running = Cluster(directory, _free_port())
        running.start()
        try:
            yield running
        finally:
            running.stop()
    finally:
        shutil.rmtree(root, ignore_errors=True)


def _run(program: str, *arguments: str) -> None:
    """Run one of PostgreSQL's programs as its own user: it refuses to run as root."""
    drop = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.getuid() == 0 else {}
    done = subprocess.run(
        [str(BINARIES / program), *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,  # the server inherits it: a pipe would never end
        stderr=subprocess.DEVNULL,
        cwd="/",
        check=False,
        timeout=60,
        **drop,  # type: ignore[arg-type] # a mixed dictionary of keyword arguments
    )
    if done.returncode:
        raise RuntimeError(f"{program} {' '.join(arguments)} failed with {done.returncode}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
