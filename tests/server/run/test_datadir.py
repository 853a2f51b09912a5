"""The data directory: tree, permissions, lock, privilege drop."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from mxward.core.errors import ConfigError
from mxward.server.config import Config, Log, Server
from mxward.server.run import datadir


def config_for(path: Path, **server: str) -> Config:
    return Config(server=Server(data_dir=str(path), **server), log=Log(pseudonymise=True))


def test_the_tree_has_the_permissions_it_should(tmp_path: Path) -> None:
    data = tmp_path / "deep" / "data"
    datadir.make(config_for(data), None)
    datadir.make(config_for(data), None)  # again: nothing changes
    assert {name: (data / name).stat().st_mode & 0o777 for name in datadir.TREE} == datadir.TREE
    assert data.stat().st_mode & 0o007 == 0
    key = data / "keys" / "pseudonym.key"
    assert key.stat().st_mode & 0o777 == 0o600
    assert len(key.read_bytes()) == 32


def test_the_key_of_pseudonyms_stays(tmp_path: Path) -> None:
    datadir.make(config_for(tmp_path), None)
    key = (tmp_path / "keys" / "pseudonym.key").read_bytes()
    datadir.make(config_for(tmp_path), None)
    assert (tmp_path / "keys" / "pseudonym.key").read_bytes() == key


def test_a_file_in_the_way_is_a_plain_error(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("")
    with pytest.raises(ConfigError, match=r"server\.data_dir: cannot be prepared"):
        datadir.make(config_for(tmp_path), None)


HOLDER = """
import sys, time
from pathlib import Path
from mxward.server.run import datadir
datadir.lock(Path(sys.argv[1]))
print("locked", flush=True)
time.sleep(60)
"""


def test_the_lock_keeps_others_out_and_goes_with_a_kill(tmp_path: Path) -> None:
    datadir.make(config_for(tmp_path), None)
    assert datadir.running_pid(tmp_path) == 0
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE)
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"locked\n"
        assert datadir.running_pid(tmp_path) == holder.pid
        with pytest.raises(datadir.AlreadyRunning) as caught:
            datadir.lock(tmp_path, patience=0.1)
        assert caught.value.pid == holder.pid
    finally:
        holder.send_signal(signal.SIGKILL)
        holder.communicate()
    assert datadir.running_pid(tmp_path) == 0
    fd = datadir.lock(tmp_path, patience=0.1)
    assert datadir.running_pid(tmp_path) == os.getpid()
    os.close(fd)


def test_status_is_never_half_written(tmp_path: Path) -> None:
    target = tmp_path / "status.json"
    datadir.write_atomically(target, b"one")
    datadir.write_atomically(target, b"two")
    assert target.read_bytes() == b"two"
    assert [path.name for path in tmp_path.iterdir()] == ["status.json"]


def test_unknown_accounts_are_named(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root drops privileges")
    with pytest.raises(ConfigError, match="no user 'nobody-here'"):
        datadir.account(config_for(tmp_path, user="nobody-here"))
    with pytest.raises(ConfigError, match="no group 'nogroup-here'"):
        datadir.account(config_for(tmp_path, user="nobody", group="nogroup-here"))
    assert datadir.account(config_for(tmp_path)) is None


DROP = """
import os, sys
from pathlib import Path
from mxward.server.config import Config, Server
from mxward.server.run import datadir
config = Config(server=Server(data_dir=sys.argv[1], user="nobody"))
owner = datadir.account(config)
datadir.make(config, owner)
datadir.drop(owner)
try:
    os.setuid(0)
except PermissionError:
    pass
else:
    raise SystemExit("root again")
assert os.getuid() == os.geteuid() == owner.uid and os.getgroups() == [], os.getresuid()
Path(sys.argv[1], "run", "mine").write_text("")
"""


def test_privileges_are_gone_for_good(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root drops privileges")
    for folder in (tmp_path, tmp_path.parent, tmp_path.parent.parent):  # pytest's own, closed to others
        folder.chmod(0o755)
    done = subprocess.run([sys.executable, "-c", DROP, str(tmp_path / "data")], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "data" / "run" / "mine").stat().st_uid != 0
