"""The key file DATA/keys/master.json: master keys with ids, one current, and the key of content hashes.

Made on first start; written whole, fsynced and renamed. Looser permissions than 0700/0600 stop the start.
"""

from __future__ import annotations

import base64
import os
import secrets
import stat
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import orjson
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from mxward.core.errors import StoreCorrupt, StoreError, StoreFull
from mxward.server.store.files import FULL_ERRNOS, locked, sync_directory

KEY_ID_BYTES: Final = 8
_RECHECK_S: Final = 5.0  # how soon a process notices that another one rotated the key


@dataclass(slots=True)
class _Keys:
    current: str
    content: bytes
    masters: dict[str, AESGCM]
    document: dict[str, Any] = field(default_factory=dict)


class KeyRing:
    """Master keys of one data directory; thread-safe."""

    def __init__(self, data: Path) -> None:
        self._directory, self._path = data / "keys", data / "keys" / "master.json"
        self._lock = threading.Lock()
        self._create()
        self._stamp: tuple[int, int] = (0, 0)
        self._checked = 0.0
        self._keys = self._load()

    @property
    def content_key(self) -> bytes:
        return self._keys.content

    def ids(self) -> list[str]:
        """Ids of all master keys, oldest first; never the keys."""
        return list(self._keys.masters)

    def current(self) -> tuple[bytes, AESGCM]:
        """Id and cipher of the key that new records use."""
        if time.monotonic() - self._checked > _RECHECK_S:
            self._refresh()
        keys = self._keys
        return keys.current.encode(), keys.masters[keys.current]

    def cipher(self, key_id: bytes) -> AESGCM:
        """The cipher of a key id read from a record. Raises StoreCorrupt when there is no such key."""
        name = key_id.decode("ascii", "replace")
        found = self._keys.masters.get(name)
        if found is None:
            self._refresh()
            found = self._keys.masters.get(name)
        if found is None:
            raise StoreCorrupt(f"no master key {name!r} in {self._path}")
        return found

    def rotate(self) -> str:
        """Make a new master key current; the older ones stay for reading. Returns its id."""
        with locked(self._directory / ".lock"):
            document = self._load().document
            key_id = _new_id()
            document["keys"][key_id] = _encode(secrets.token_bytes(32))
            document["current"] = key_id
            self._write(document)
            self._refresh()
        return key_id

    def check(self) -> list[str]:
        """What is wrong with the files' permissions, in words."""
        return [p for p in (_too_open(self._directory, 0o077), _too_open(self._path, 0o177)) if p]

    def _create(self) -> None:
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        problem = _too_open(self._directory, 0o077)
        if problem:
            raise StoreError(problem)
        with locked(self._directory / ".lock"):
            if not self._path.exists():
                key_id = _new_id()
                keys = {key_id: _encode(secrets.token_bytes(32))}
                self._write({"current": key_id, "keys": keys, "content": _encode(secrets.token_bytes(32))})

    def _refresh(self) -> None:
        with self._lock:
            status = self._path.stat()
            if (status.st_mtime_ns, status.st_ino) != self._stamp:
                self._keys = self._load()
            self._checked = time.monotonic()

    def _load(self) -> _Keys:
        problem = _too_open(self._path, 0o177)
        if problem:
            raise StoreError(problem)
        try:
            status = self._path.stat()
            document = orjson.loads(self._path.read_bytes())
            masters = {k: AESGCM(base64.b64decode(v)) for k, v in document["keys"].items()}
            keys = _Keys(document["current"], base64.b64decode(document["content"]), masters, document)
            keys.masters[keys.current]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise StoreError(f"{self._path}: cannot be used ({error}); restore it from a backup") from error
        self._stamp = (status.st_mtime_ns, status.st_ino)
        return keys

    def _write(self, document: dict[str, Any]) -> None:
        temporary = self._path.with_suffix(".new")
        try:
            fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            try:
                os.write(fd, orjson.dumps(document, option=orjson.OPT_INDENT_2))
                os.fsync(fd)
            finally:
                os.close(fd)
            os.rename(temporary, self._path)
            sync_directory(self._directory)
        except OSError as error:
            kind = StoreFull if error.errno in FULL_ERRNOS else StoreError
            raise kind(f"{self._path}: cannot be written: {error}") from error


def _new_id() -> str:
    return secrets.token_hex(KEY_ID_BYTES // 2)


def _encode(key: bytes) -> str:
    return base64.b64encode(key).decode()


def _too_open(path: Path, forbidden: int) -> str:
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
    except OSError as error:
        return f"{path}: {error.strerror}"
    if mode & forbidden:
        return f"{path}: mode {mode:04o} lets others in; run: chmod {mode & ~forbidden:04o} {path}"
    return ""
