"""The sandbox of a gateway that does not run as root, and where namespaces are not to be had."""

from __future__ import annotations

import errno
import json
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mxtest.hostilecalls import REFUSED
from mxward.server.sandbox import restrict
from mxward.server.sandbox.restrict import RESTRICTIONS

NEEDS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
LIB = Path(__file__).resolve().parents[2] / "lib"
PROGRAM = """
import json, sys
from mxtest.hostilecalls import REFUSED
from mxtest.sandboxkit import asked, facts, request
from mxward.server.sandbox.pool import SandboxPool
with SandboxPool(asked()) as pool, pool.session(20.0) as session:
    names = " ".join(name.replace(" ", "_") for name in REFUSED)
    opened = session.open(request("calls", cpu_s=5.0), names.encode())
    print(json.dumps([opened.failure, facts(opened), pool.report.missing]))
"""


@NEEDS_ROOT
@pytest.mark.skipif(platform.machine() != "x86_64", reason="the numbers of the calls are those of x86_64")
@pytest.mark.skipif(not shutil.which("setpriv"), reason="setpriv (util-linux) is not installed")
def test_as_an_ordinary_user_nothing_is_missing() -> None:
    # the one capability lets it read the Python that root may have at home; the sandbox drops it
    keep = "+dac_read_search"
    command = [
        "setpriv", "--reuid", "12345", "--regid", "12345", "--clear-groups", "--inh-caps", keep, "--ambient-caps", keep,
        "--bounding-set", f"-all,{keep}", sys.executable, "-c", PROGRAM,
    ]  # fmt: skip
    environment = {**os.environ, "PYTHONPATH": str(LIB)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60)
    assert done.returncode == 0, done.stderr[-2000:]
    failure, tried, missing = json.loads(done.stdout)
    namespaces_forbidden = set(missing) == {"network", "ipc", "processes"}  # by a container; told, and no more
    assert failure == "" and (missing == {} or namespaces_forbidden), missing
    assert len(tried) == len(REFUSED)
    assert not [name for name, answer in tried.items() if answer.startswith("done")]


def in_a_child(program: str) -> dict[str, int]:
    """What `program`, run after imports in a process that may break, prints."""
    begin = "import json, os\nfrom mxward.server.sandbox import restrict\ncodes = {}"
    code = f"{begin}\n{program}\nprint(json.dumps(codes))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr[-2000:]
    answer: dict[str, int] = json.loads(done.stdout)
    return answer


@NEEDS_ROOT
def test_namespaces_that_are_not_to_be_had_are_named(tmp_path: Path) -> None:
    # the kernel gives no user namespace to who lives in a chroot
    codes = in_a_child(f"os.chroot({str(tmp_path)!r}); os.setuid(12345)\nrestrict.leave_namespaces(codes)")
    assert codes == dict.fromkeys(("network", "ipc", "processes"), errno.EPERM)


@NEEDS_ROOT
def test_who_stays_root_is_told() -> None:
    assert in_a_child("restrict.become(-1, -1, codes)") == {"user": errno.EPERM}
    assert in_a_child("restrict.become(65534, 65534, codes)") == {"user": 0}


@NEEDS_ROOT
def test_without_no_new_privs_landlock_and_seccomp_are_missing_and_named() -> None:
    codes = in_a_child(
        "restrict.prepare(); restrict.become(65534, 65534, codes)\n"
        "restrict.confine_worker(restrict.Limits(1 << 28, 1 << 27, 5), codes, os.getppid())"
    )
    assert codes["seccomp"] == errno.EACCES
    assert codes["landlock_files"] == codes["landlock_tcp"] == codes["landlock_signals"] == errno.EPERM
    assert restrict.hello(codes)[list(RESTRICTIONS).index("seccomp")] == errno.EACCES
