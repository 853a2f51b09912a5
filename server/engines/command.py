"""A scanner that is a program: it reads the content from its standard input and tells by its exit status."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from typing import Final

from mxward.core.detect.engine import Said
from mxward.core.errors import EngineTimeout, EngineUnavailable

MAX_OUTPUT: Final = 4096  # bytes that are read of what it prints; its first line is the signature's name


class Command:
    """Runs one program a content, without a shell, in a process group that ends with it. Thread-safe."""

    def __init__(
        self, name: str, argv: Sequence[str], clean: Sequence[int] = (0,), found: Sequence[int] = (1,),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        """Args: clean, found: exit statuses; any other means that the program failed."""
        self.name, self._argv = name, tuple(argv)
        self._clean, self._found, self._monotonic = frozenset(clean), frozenset(found), monotonic

    def scan(self, data: bytes | memoryview, seconds: float) -> list[Said]:
        """What it says. Raises: EngineTimeout, EngineUnavailable."""
        end = self._monotonic() + seconds
        content = os.memfd_create("content", os.MFD_CLOEXEC)
        try:
            with open(content, "wb", closefd=False) as file:
                file.write(data)
            os.lseek(content, 0, os.SEEK_SET)
            process = subprocess.Popen(
                self._argv, stdin=content, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, process_group=0,
                env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8"},
            )  # fmt: skip
        except OSError as error:
            raise EngineUnavailable(f"{self.name}: {self._argv[0]} cannot be run ({error.strerror})") from error
        finally:
            os.close(content)
        try:
            output = self._output(process, end)
            status = process.wait(max(0.001, end - self._monotonic()))
        except (TimeoutError, subprocess.TimeoutExpired):
            raise EngineTimeout(f"{self.name} did not answer in {seconds:g} s") from None
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # what it started and left behind, too
            process.wait()
            if process.stdout is not None:
                process.stdout.close()
        if status in self._clean:
            return []
        if status in self._found:
            first = output.decode("utf-8", "replace").strip().split("\n")[0].strip()
            return [Said(first or "found")]
        raise EngineUnavailable(f"{self.name} ended with status {status}")

    def health(self, seconds: float) -> dict[str, str]:
        """The program -> "" when it calls an empty content clean, else what is wrong."""
        try:
            said = self.scan(b"", seconds)
        except (EngineTimeout, EngineUnavailable) as error:
            return {self._argv[0]: str(error)}
        return {self._argv[0]: f"finds {said[0].signature!r} in nothing" if said else ""}

    def _output(self, process: subprocess.Popen[bytes], end: float) -> bytes:
        """The first bytes it prints; the rest is read and dropped. Raises: TimeoutError."""
        assert process.stdout is not None
        out = bytearray()
        with selectors.DefaultSelector() as ready:
            ready.register(process.stdout, selectors.EVENT_READ)
            while True:
                left = end - self._monotonic()
                if left <= 0 or not ready.select(left):
                    raise TimeoutError
                more = os.read(process.stdout.fileno(), MAX_OUTPUT)
                if not more:
                    return bytes(out)
                out += more[: MAX_OUTPUT - len(out)]
