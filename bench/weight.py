"""Gate 5: what the product weighs before it does anything: import, kernels on disk, memory of an idle worker."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench import callgrind

ROOT = callgrind.ROOT


def import_instructions(module: str) -> int:
    """Instructions of importing `module` above those of an empty interpreter (byte code cached for both)."""
    writing = {k: v for k, v in callgrind.environment(ROOT).items() if k != "PYTHONDONTWRITEBYTECODE"}
    subprocess.run(
        [sys.executable, "-c", f"import {module}"], env=writing, check=True
    )  # byte code is there from now on
    empty = callgrind.count_command(["-c", "pass"])
    return callgrind.count_command(["-c", f"import {module}"]) - empty


def largest_extension() -> int:
    """Bytes of the largest built kernel; 0 when none is built."""
    sizes = [path.stat().st_size for folder in ("pyx", "bindings") for path in (ROOT / folder).glob("*.so")]
    return max(sizes, default=0)


def idle_worker_bytes() -> int:
    """Proportional set size of the largest idle smtp worker of a freshly started product."""
    from mxtest.proctree import pss_bytes
    from mxtest.product import Product

    with tempfile.TemporaryDirectory(prefix="mxward-weight-") as directory, Product(Path(directory)) as product:
        time.sleep(1.0)
        return max(pss_bytes(worker.pid) for worker in product.workers("smtp"))


def run(targets: dict[str, Any], *, short: bool) -> list[dict[str, Any]]:
    """Measure every weight against its target."""
    figures = {"extension_bytes": largest_extension()}
    if not callgrind.missing():
        figures["import_mxward_instructions"] = import_instructions("mxward")
        if (ROOT / "core" / "pipeline.py").exists() and not short:
            figures["import_core_instructions"] = import_instructions("mxward.core.pipeline")
    if not short:
        figures["idle_worker_bytes"] = idle_worker_bytes()
    return [
        {"name": name, "value": value, "at_most": targets[name]["at_most"], "passed": value <= targets[name]["at_most"]}
        for name, value in figures.items()
    ]
