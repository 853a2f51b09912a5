"""The command line as a process of its own, on a real data directory with a few messages in it."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from mxtest.product import MXWARD
from mxward.server import config as configuration
from mxward.server.run import datadir
from mxward.server.services import scanning
from mxward.server.store import open_store
from mxward.server.store.api import HELD, QUARANTINED, QUEUED, NewMessage, NewRecipient, Outcome, Store

START_US = 1_790_000_000_000_000


@dataclass
class Answer:
    """What a command answered."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def lines(self) -> list[Any]:
        return [json.loads(line) for line in self.out.splitlines()]


@dataclass
class Site:
    """A data directory, its configuration and its store, and `mx` to run commands on them."""

    data: Path
    config: Path
    store: Store
    ids: dict[str, str] = field(default_factory=dict)

    def mx(self, *arguments: str, given: bytes = b"", plain: bool = False, **environment: str) -> Answer:
        options = [] if plain else ["--data", str(self.data), "--config", str(self.config)]
        done = subprocess.run(
            [*MXWARD, *options, *arguments], input=given, capture_output=True, timeout=60,
            env={**os.environ, "PYTHONSAFEPATH": "1", **environment},
        )  # fmt: skip
        return Answer(done.returncode, done.stdout.decode(), done.stderr.decode())


def put(site: Site, name: str, n: int, state: str, raw: bytes, **fields: Any) -> None:
    queue_id = site.ids[name] = f"00000000000000{n:02d}"
    area = fields.pop("area", "")
    site.store.commit(
        [
            NewMessage(
                queue_id, START_US + n * 10**6, "inbound", fields.pop("sender", "b@example.org"), raw,
                [NewRecipient(f"{name}@trust.example", state, area=area)], **fields,
            )
        ]
    )  # fmt: skip


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    config_file = tmp_path / "mxward.toml"
    config_file.write_text('[server]\nhostname = "mx.trust.example"\n[web]\naddress = "127.0.0.1:1"\n')
    config = configuration.load(str(config_file), data=str(tmp_path / "data"), environ={})
    datadir.make(config, None)
    store = open_store(config, process="test")
    made = Site(config.data, config_file, store)
    put(made, "waiting", 1, QUEUED, b"Subject: w\r\n\r\nx\r\n", subject="hello", client_ip="192.0.2.1")
    store.record_outcomes(
        [Outcome(made.ids["waiting"], 0, QUEUED, START_US, reply="451 \x1b[2Jlater", next_attempt=START_US + 10**16)]
    )
    put(made, "held", 2, HELD, b"Subject: h\r\n\r\nx\r\n", sender="", subject="held \u202e\x1b[31mred")
    put(made, "spam", 3, QUARANTINED, scanning.SELF_TEST["GTUBE"][0], area="spam", verdict="spam", score=100.0)
    put(made, "virus", 4, QUARANTINED, scanning.SELF_TEST["EICAR"][0], area="malware", verdict="malware")
    yield made
    store.close()


Run = Callable[..., Answer]


@pytest.fixture
def mx(site: Site) -> Run:
    return site.mx
