"""Settings of the whole suite: Hypothesis profiles, a loud list of what was skipped, warnings of lost peers."""

from __future__ import annotations

import os
from collections import defaultdict
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

import mxward

ROOT = Path(__file__).resolve().parent.parent

for name, n_examples in (("dev", 25), ("ci", 200), ("night", 5000)):
    settings.register_profile(
        name,
        max_examples=n_examples,
        deadline=None,  # shared machines stall; time is the benchmarks' subject
        print_blob=True,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "dev"))


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the checkout."""
    return ROOT


def pytest_configure() -> None:
    """A run under sanitizers that imports other kernels than theirs proves nothing: it does not begin."""
    wanted = ROOT / "build" / "asan" / "lib"
    if os.environ.get("MXWARD_SANITIZED") and not Path(mxward.__file__).is_relative_to(wanted):
        pytest.exit(f"the kernels with sanitizers are not those that are tested: {mxward.__file__}", returncode=3)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say by name what was skipped and why: a silent skip looks like a pass."""
    skipped = terminalreporter.stats.get("skipped", [])
    if not skipped:
        return
    by_reason: dict[str, list[str]] = defaultdict(list)
    for report in skipped:
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        by_reason[reason.removeprefix("Skipped: ")].append(report.nodeid)
    terminalreporter.section("SKIPPED: not proven by this run", sep="!", yellow=True, bold=True)
    for reason, names in sorted(by_reason.items()):
        terminalreporter.write_line(f"{len(names)} x {reason}")
        for node in names[:10]:
            terminalreporter.write_line(f"    {node}")
        if len(names) > 10:
            terminalreporter.write_line(f"    ... and {len(names) - 10} more")
