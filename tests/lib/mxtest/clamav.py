"""A private clamd with signatures of our own, and a private c-icap in front of it, both from Debian."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

import pytest

from mxtest.ports import free_port
from mxward.server.engines.clamd import Clamd
from mxward.server.engines.icap import Icap

CANARY = b"MXWARD-CLAMD-" + b"CANARY-51a7"
SIGNATURE = "Mxward.Test.Canary.UNOFFICIAL"
MAX_BYTES = 2_000_000  # of one stream that clamd takes
_MODULES = Path("/usr/lib/x86_64-linux-gnu/c_icap")


class _Daemon:
    """A process in the foreground that is ready when `is_ready` says so."""

    def __init__(self, root: Path, argv: list[str], is_ready: Callable[[], bool]) -> None:
        self._root, self._argv, self._is_ready = root, argv, is_ready
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.process = subprocess.Popen(self._argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 30
        while not self._is_ready():
            if self.process.poll() is not None or time.monotonic() > deadline:
                logs = "\n".join(path.read_text(errors="replace")[-2000:] for path in self._root.glob("*.log"))
                self.stop()
                raise RuntimeError(f"{self._argv[0]} does not serve:\n{logs}")
            time.sleep(0.05)

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def __enter__(self):  # type: ignore[no-untyped-def] # each gives itself
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None) -> None:
        self.stop()


class ClamdServer(_Daemon):
    """`address` and `tcp` are what clients are given."""

    def __init__(self, root: Path) -> None:
        if shutil.which("clamd") is None:
            pytest.skip("needs Debian's clamav-daemon")
        database = root / "db"
        database.mkdir(parents=True, exist_ok=True)
        (database / "own.ndb").write_text(f"{SIGNATURE.removesuffix('.UNOFFICIAL')}:0:*:{CANARY.hex()}\n")
        port, self.socket = free_port(), root / "clamd.sock"
        self.address, self.tcp = f"unix:{self.socket}", f"127.0.0.1:{port}"
        conf = root / "clamd.conf"
        conf.write_text(
            f"DatabaseDirectory {database}\nLocalSocket {self.socket}\nTCPSocket {port}\nTCPAddr 127.0.0.1\n"
            f"Foreground yes\nUser root\nLogFile {root}/clamd.log\nStreamMaxLength {MAX_BYTES}\n"
            "AlertEncrypted yes\nDetectPUA no\nFixStaleSocket yes\n"
        )
        client = Clamd("clamd", [self.address])
        super().__init__(root, ["clamd", "-c", str(conf)], lambda: not client.health(1.0)[self.address])


class IcapServer(_Daemon):
    """c-icap with its virus_scan service, which asks a clamd."""

    def __init__(self, root: Path, clamd: ClamdServer) -> None:
        if shutil.which("c-icap") is None or not (_MODULES / "virus_scan.so").exists():
            pytest.skip("needs Debian's c-icap and libc-icap-mod-virus-scan")
        root.mkdir(parents=True, exist_ok=True)
        port = free_port()
        self.address = f"127.0.0.1:{port}"
        conf = root / "c-icap.conf"
        conf.write_text(
            f"PidFile {root}/pid\nCommandsSocket {root}/ctl\nPort 127.0.0.1:{port}\nUser root\nGroup root\n"
            f"TmpDir {root}\nModulesDir {_MODULES}\nServicesDir {_MODULES}\n"
            "TemplateDir /usr/share/c_icap/templates/\nTemplateDefaultLanguage en\n"
            f"LoadMagicFile /etc/c-icap/c-icap.magic\nServerLog {root}/server.log\nAccessLog {root}/access.log\n"
            "StartServers 1\nMaxServers 2\nMinSpareThreads 2\nMaxSpareThreads 5\nThreadsPerChild 5\n"
            f"Module common clamd_mod.so\nclamd_mod.ClamdSocket {clamd.socket}\n"
            "Service antivirus_module virus_scan.so\n"
            "ServiceAlias avscan virus_scan?allow204=on&sizelimit=off&mode=simple\n"
            "virus_scan.ScanFileTypes TEXT DATA EXECUTABLE ARCHIVE GIF JPEG MSOFFICE\n"
            "virus_scan.DefaultEngine clamd\nvirus_scan.MaxObjectSize 5M\nService echo srv_echo.so\n"
        )
        client = Icap("icap", [self.address], "avscan")
        super().__init__(root, ["c-icap", "-N", "-f", str(conf)], lambda: not client.health(1.0)[self.address])
