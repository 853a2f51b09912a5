"""libarchive, used from memory alone: no paths, no callbacks, one named format at a time, output piece by piece.

It reads what is old, rare or large to write anew: rar, 7z, cab, lha, cpio, ar, xar, ISO 9660, and old filters.
"""

from __future__ import annotations

import ctypes
import stat
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from libarchive import ffi

from mxward.core.unpack.work import Damaged

_EOF, _WARN, _FAILED = 1, -20, -25
_STEP: Final = 1 << 18
_P: Final = ctypes.c_void_p


class LibraryError(Damaged):
    """What the library says of content that it cannot read. `fatal`: nothing more can be read of it."""

    def __init__(self, text: str, fatal: bool) -> None:
        super().__init__(text)
        self.text, self.fatal = text, fatal


class Entry(NamedTuple):
    """One member as the library sees it; its content is read by Reader.pieces before the next one is asked for."""

    name: str
    mode: int  # as of stat; 0 when unknown
    size: int  # -1: not stated
    target: str  # of a symbolic or hard link, "" for none
    encrypted: bool

    @property
    def is_folder(self) -> bool:
        return stat.S_ISDIR(self.mode)

    @property
    def is_device(self) -> bool:
        kind = stat.S_IFMT(self.mode)
        return kind not in (0, stat.S_IFREG, stat.S_IFDIR, stat.S_IFLNK)


class Reader:
    """One container being read. Use as a context manager.

    Args: kind: format of libarchive, such as "7zip"; through: filters before it, such as "rpm"; options: as of
    archive_read_set_options. Raises: LibraryError when it cannot be opened.
    """

    def __init__(
        self, data: bytes | memoryview, kind: str, *through: str, password: str | bytes = "", options: str = ""
    ) -> None:
        self._data = bytes(data)  # kept: the library reads from it
        self._reader = _new()
        self._buffer = ctypes.create_string_buffer(_STEP)
        try:
            for name in through:
                _LIB[f"archive_read_support_filter_{name}"](_P(self._reader))
            _LIB[f"archive_read_support_format_{kind}"](_P(self._reader))
            if password:
                _passphrase(self._reader, password.encode() if isinstance(password, str) else password)
            if options:
                self._check(_options(self._reader, options.encode()))
            self._check(_open(self._reader, self._data, len(self._data)))
        except BaseException:
            self._close()
            raise

    def __enter__(self) -> Reader:
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def __iter__(self) -> Iterator[Entry]:
        """The members. Raises: LibraryError where the container is damaged."""
        entry = _P()
        while (said := _next(self._reader, ctypes.byref(entry))) != _EOF:
            self._check(said)
            yield Entry(
                _text(_name_utf8(entry), _name(entry)),
                _mode(entry),
                _size(entry) if _has_size(entry) else -1,
                _text(_link(entry), None) or _text(_hard(entry), None),
                bool(_encrypted(entry)),
            )

    def pieces(self) -> Iterator[bytes]:
        """The content of the current member. Raises: LibraryError."""
        while (n := _read(self._reader, self._buffer, _STEP)) > 0:
            yield ctypes.string_at(self._buffer, n)
        if n < 0:
            self._check(n)

    def _check(self, said: int) -> None:
        if said >= _WARN:
            return
        text = (_error(self._reader) or b"").decode("ascii", "replace")
        raise LibraryError(text or "it breaks off", fatal=said < _FAILED)

    def _close(self) -> None:
        if self._reader:
            _free(self._reader)
            self._reader = None


def _text(utf8: bytes | None, raw: bytes | None) -> str:
    if utf8 is not None:
        return utf8.decode("utf-8", "replace")
    return (raw or b"").decode("cp437", "replace")


def _function(name: str, result: Any, *arguments: Any) -> Any:
    function = _LIB[f"archive_{name}"]  # a fresh object: the package's own settings stay
    function.restype, function.argtypes = result, arguments
    return function


_LIB: Final = ffi.libarchive
_new: Final = _function("read_new", _P)
_free: Final = _function("read_free", ctypes.c_int, _P)
_passphrase: Final = _function("read_add_passphrase", ctypes.c_int, _P, ctypes.c_char_p)
_options: Final = _function("read_set_options", ctypes.c_int, _P, ctypes.c_char_p)
_open: Final = _function("read_open_memory", ctypes.c_int, _P, ctypes.c_char_p, ctypes.c_size_t)
_next: Final = _function("read_next_header", ctypes.c_int, _P, ctypes.POINTER(_P))
_read: Final = _function("read_data", ctypes.c_ssize_t, _P, _P, ctypes.c_size_t)
_error: Final = _function("error_string", ctypes.c_char_p, _P)
_name: Final = _function("entry_pathname", ctypes.c_char_p, _P)
_name_utf8: Final = _function("entry_pathname_utf8", ctypes.c_char_p, _P)
_mode: Final = _function("entry_mode", ctypes.c_uint, _P)
_size: Final = _function("entry_size", ctypes.c_int64, _P)
_has_size: Final = _function("entry_size_is_set", ctypes.c_int, _P)
_link: Final = _function("entry_symlink_utf8", ctypes.c_char_p, _P)
_hard: Final = _function("entry_hardlink_utf8", ctypes.c_char_p, _P)
_encrypted: Final = _function("entry_is_encrypted", ctypes.c_int, _P)
