"""Rule packs exchanged while mail comes in: no session is dropped, no message judged by two versions at once."""

from __future__ import annotations

import json
import threading
from collections import Counter
from pathlib import Path

import pytest

from mxtest.product import Product, Settings
from mxtest.sender import Client

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]
VERSIONS = 4
TEXT = "".join(f"left word {n} and right word {n}\r\n" for n in range(1, VERSIONS + 1))
RAW = f"From: a@b.example\r\nTo: c@trust.example\r\nSubject: all versions\r\n\r\n{TEXT}".encode()


def pack_of(folder: Path, version: int) -> Path:
    """A pack whose every version finds its own words, by a word list, an expression and a YARA rule."""
    folder.mkdir(exist_ok=True)
    (folder / "pack.toml").write_text(f'name = "ours"\nversion = "{version}"\n')
    (folder / "w.list").write_text(f"@name LIST_{version}\n@weight 0.1\nleft word {version}\n")
    (folder / "x.regex").write_text(f"@name REGEX_{version}\n@weight 0.1\n/right word {version}/\n")
    meta = 'weight = "0.1" category = "info"'
    rule = f'rule YARA_{version} {{ meta: {meta} strings: $a = "right word {version}" condition: $a }}'
    (folder / "a.yar").write_text(rule)
    return folder


class Traffic(threading.Thread):
    """One connection that sends until told to stop; `refused` and `lost` must stay empty."""

    def __init__(self, port: int) -> None:
        super().__init__(daemon=True)
        self.port, self.stop, self.sent, self.wrong = port, threading.Event(), 0, list[str]()

    def run(self) -> None:
        try:
            with Client(self.port) as client:
                while not self.stop.is_set():
                    result = client.transact("a@b.example", ["c@trust.example"], RAW)
                    self.sent += len(result.accepted)
                    if result.refusal is not None:
                        self.wrong.append(str(result.refusal))
        except (OSError, AssertionError) as error:
            self.wrong.append(repr(error))


def test_a_message_is_judged_by_one_version_of_all_rules(tmp_path: Path) -> None:
    sections = {
        "rules": {"messages_per_second": 0, "canary_messages": 0},
        "smtp.limits": {"max_transactions_per_session": 1_000_000},
    }
    settings = Settings(workers=2, sections=sections)
    with Product(tmp_path, settings) as product:
        traffic = [Traffic(product.inbound) for _ in range(3)]
        assert product.mx("rules", "add", str(pack_of(tmp_path / "ours", 1))).returncode == 0
        for thread in traffic:
            thread.start()
        for version in range(2, VERSIONS + 1):
            assert product.mx("rules", "add", str(pack_of(tmp_path / "ours", version))).returncode == 0
        assert product.mx("rules", "rollback", "ours", "--to", "2").returncode == 0
        for thread in traffic:
            thread.stop.set()
            thread.join(30)
        assert [thread.wrong for thread in traffic] == [[], [], []]
        found = product.mx("message", "find", "--json", "--limit", "100000").stdout.splitlines()
    judged = [json.loads(line)["judgement"] for line in found]
    assert len(judged) == sum(thread.sent for thread in traffic)
    seen: Counter[str] = Counter()
    for judgement in judged:
        ours = [pack for pack in judgement["packs"] if pack.startswith("ours@")]
        hits = {(hit["name"], hit["pack"]) for hit in judgement["hits"] if hit["pack"].startswith("ours@")}
        versions = {name.rpartition("_")[2] for name, _ in hits}
        assert len(ours) <= 1
        assert versions <= {pack.partition("@")[2] for pack in ours}, judgement
        assert len(hits) == (3 if ours else 0), judgement
        seen.update(ours)
    assert len(seen) >= 2, "the packs were exchanged while mail came in"
