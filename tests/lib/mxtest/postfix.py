"""A private Postfix as next hop with settings of the test's choice, on top of the one that the benchmark runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.peers import PostfixAlone, missing_tools


def need_postfix() -> None:
    """Skip, saying what is missing."""
    absent = missing_tools()
    if absent:
        pytest.skip(f"missing from Debian's postfix: {', '.join(absent)}")


class Postfix(PostfixAlone):
    """Relays to `sink_port`; `settings` are lines of main.cf that come last and so win."""

    def __init__(self, sink_port: int, settings: dict[str, str] | None = None, parent: Path | None = None) -> None:
        self._settings = settings or {}
        super().__init__(sink_port, parent)

    def _write(self, sink_port: int) -> None:
        super()._write(sink_port)
        with (self.root / "conf" / "main.cf").open("a") as file:
            file.writelines(f"{key} = {value}\n" for key, value in self._settings.items())
