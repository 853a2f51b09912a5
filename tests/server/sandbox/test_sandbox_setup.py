"""From the configuration to a pool; what is loaded before workers are forked; text in pictures."""

from __future__ import annotations

import io
import os
import pwd
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mxtest.sandboxkit import Boxed, contents, records
from mxtest.unpackkit import USUAL
from mxward.core.errors import ConfigError
from mxward.core.extract import reply
from mxward.core.extract.opener import Request
from mxward.server import config as configuration
from mxward.server.config import Config, Sandbox, Server
from mxward.server.log import Log
from mxward.server.sandbox import report
from mxward.server.sandbox.client import MODULE
from mxward.server.sandbox.setup import asked, forget, pool_of

LIB = Path(__file__).resolve().parents[2] / "lib"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("idle", 0), ("idle", 65), ("memory_bytes", 1), ("user", "root"), ("user", "no-such-user-here"),
        ("ocr", "../eng"), ("ocr", "ENG"), ("ocr", "eng+"),
    ],
)  # fmt: skip
def test_wrong_settings_are_named(key: str, value: Any) -> None:
    with pytest.raises(ConfigError, match=rf"sandbox\.{key}"):
        configuration.load(environ={}, overrides={f"sandbox.{key}": value})


def test_right_settings_are_taken() -> None:
    settings = {"sandbox.idle": 4, "sandbox.user": "nobody", "sandbox.ocr": "eng+deu"}
    taken = configuration.load(environ={}, overrides=settings).sandbox
    assert (taken.idle, taken.user, taken.ocr) == (4, "nobody", "eng+deu")


def test_root_asks_for_another_user_and_nobody_else_does() -> None:
    found = asked(Sandbox(user="nobody"))
    if os.geteuid() == 0:
        assert found.uid == pwd.getpwnam("nobody").pw_uid
        assert asked(Sandbox()).uid > 0
    else:
        assert (found.uid, found.gid) == (-1, -1)
    assert found.module == MODULE


def test_a_pool_of_the_gateway_leaves_its_report(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    config = Config(server=Server(data_dir=str(tmp_path)))
    with pool_of(config, "smtp.7") as pool, pool.session(20.0) as session:
        session.open(Request("application/zip", "", ("a.zip",), USUAL), b"PK\5\6" + bytes(18))
        found = report.read(tmp_path)
        assert found is not None and len(found["active"]) + len(found["missing"]) == 16
    forget(tmp_path, "smtp.7")
    assert report.read(tmp_path) is None


def test_a_report_that_cannot_be_written_is_logged(tmp_path: Path) -> None:
    fd = os.open(tmp_path / "log", os.O_RDWR | os.O_CREAT | os.O_APPEND)
    config = Config(server=Server(data_dir=str(tmp_path / "absent")))
    with pool_of(config, "smtp.7", Log("x", fd=fd)) as pool, pool.session(20.0) as session:
        session.open(Request("application/zip", "", ("a.zip",), USUAL), b"PK\5\6" + bytes(18))
    os.close(fd)
    assert Boxed(pool, tmp_path / "log", fd).events("sandbox_report_not_written")


def test_after_warming_up_nothing_more_is_loaded() -> None:
    code = """
import sys
from mxtest import carriers
made = {k: b(b"words " * 50, "inside.txt") for k, b in (carriers.CARRIERS | carriers.DOCUMENTS).items()}
made |= {k: b(b"words " * 50, "inside.txt", "secret") for k, b in carriers.LOCKED.items()}
from mxtest.unpackkit import USUAL
from mxward.core.extract.opener import Request
from mxward.core.unpack import warm
from mxward.core.unpack.run import unpack
from mxward.pyx.filetype import identify
warm.warm()
before = set(sys.modules)
for name, data in made.items():
    unpack(Request(identify(data), "", (name,), USUAL, ("secret",)), data, lambda _: None)
print(sorted(set(sys.modules) - before))
"""
    environment = {**os.environ, "PYTHONPATH": str(LIB)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, timeout=100)
    assert done.stdout.strip() == "[]", done.stderr[-1000:]


def picture() -> bytes:
    from PIL import Image, ImageDraw, ImageFont

    shown = Image.new("RGB", (500, 120), "white")
    ImageDraw.Draw(shown).text((20, 30), "password Rabbit", fill="black", font=ImageFont.load_default(48))
    out = io.BytesIO()
    shown.save(out, "PNG")
    return out.getvalue()


def read_picture(config: Config, log: Log) -> str:
    with pool_of(config, "smtp.7", log) as pool, pool.session(60.0) as session:
        opened = session.open(Request("image/png", "", ("a.png",), USUAL), picture())
    assert opened.failure == ""
    assert contents(opened) == []
    texts = [bytes(c) for r, c in reply.read(opened.frames) if isinstance(r, reply.Text)]
    assert isinstance(records(opened)[-1], reply.End)
    return b" ".join(texts).decode()


def test_text_in_pictures_is_read_where_it_is_switched_on(tmp_path: Path) -> None:
    from mxward.bindings.tesseract import Reader, TesseractMissing

    try:
        Reader("eng")
    except TesseractMissing as error:
        pytest.skip(str(error))
    (tmp_path / "run").mkdir()
    server = Server(data_dir=str(tmp_path))
    fd = os.open(tmp_path / "log", os.O_RDWR | os.O_CREAT | os.O_APPEND)
    log = Log("x", fd=fd)
    assert "Rabbit" in read_picture(Config(server=server, sandbox=Sandbox(ocr="eng")), log)
    assert "Rabbit" not in read_picture(Config(server=server), log)
    assert "Rabbit" not in read_picture(Config(server=server, sandbox=Sandbox(ocr="xyz")), log)
    os.close(fd)
    lines = (tmp_path / "log").read_text()
    assert lines.count("sandbox_without_ocr") == 1
