"""`python -m bench [NAME]` (= ./build.sh bench): lists and runs benchmarks, the gate and the end-to-end comparison."""

from __future__ import annotations

import argparse
import ast
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).resolve().parent
RUNS = {
    "gate": "all gates but the end-to-end one; --short leaves out what is slow",
    "endtoend": "smtp-source -> mxward -> smtp-sink beside Postfix alone in the same run (gate 4)",
    "receive": "our SMTP receive loop beside stock aiosmtpd",
    "wholes": "whole scanners: mxward with everything on beside rspamd and spamd in the same run",
    "engines": "each engine beside its references in the same run",
    "curves": "growth of engines and of the whole scan, as plots in docs/plots",
    "selftest": "the gate tests itself: 15 % slower fails, a comment passes",
    "all": "every benchmark with pytest-benchmark",
}


def say(text: str) -> None:
    print(text, flush=True)


def names() -> dict[str, str]:
    """Benchmark files: name -> first line of their docstring."""
    found = {}
    for path in sorted(HERE.glob("bench_*.py")):
        text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
        found[path.stem.removeprefix("bench_")] = text.splitlines()[0]
    return found


def show() -> int:
    say("usage: ./build.sh bench NAME [OPTIONS]\n")
    for name, text in (names() | RUNS).items():
        say(f"  {name:12} {text}")
    return 0


def run_pytest(selected: list[str], options: list[str]) -> int:
    """Run benchmark files with pytest-benchmark."""
    files = [str(HERE / f"bench_{name}.py") for name in selected]
    command = [
        sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--benchmark-columns=min,median,ops,rounds",
        "--benchmark-sort=name", *files, *options,
    ]  # fmt: skip
    return subprocess.run(command, cwd=HERE.parent).returncode


def _gate(options: list[str]) -> int:
    from bench import gate

    parser = argparse.ArgumentParser(prog="bench gate")
    parser.add_argument("--short", action="store_true", help="what CI runs: below three minutes")
    return gate.run(say, short=parser.parse_args(options).short)


def _endtoend(options: list[str]) -> int:
    from bench import endtoend

    return endtoend.main(options)


def _receive(options: list[str]) -> int:
    from bench import receive

    return receive.main(options)


def _wholes(options: list[str]) -> int:
    from bench import wholes

    return wholes.main(options)


def _engines(options: list[str]) -> int:
    from bench import engines

    return engines.main(options)


def _curves(options: list[str]) -> int:
    from bench import curves

    return curves.main(options)


def _selftest(_options: list[str]) -> int:
    from bench import selftest

    return selftest.main(say)


def main(arguments: list[str]) -> int:
    verbs: dict[str, Callable[[list[str]], int]] = {
        "gate": _gate, "endtoend": _endtoend, "receive": _receive, "wholes": _wholes, "curves": _curves,
        "engines": _engines,
        "selftest": _selftest, "all": lambda options: run_pytest(list(names()), options),
    }  # fmt: skip
    if not arguments:
        return show()
    name, options = arguments[0], arguments[1:]
    if name in verbs:
        return verbs[name](options)
    if name in names():
        return run_pytest([name], options)
    say(f"no such benchmark: {name}\n")
    show()
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
