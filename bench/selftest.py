"""The gate tests itself: in a copy of one kernel, a comment must change nothing and 15 % more work must fail.

The copy is a tree of its own with nothing but the dot-stuffing kernel, built three times: as it is, with comments,
and with a call in front that does the work for the first 15 % of the data once more.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

from bench import callgrind, gate

ROOT = callgrind.ROOT
TREES = ROOT / "build" / "selftest"
KERNEL = "dotstuff"
BENCH = ROOT / "bench" / "bench_dots.py"
EXTRA = 0.15

SLOW = '''

def stuff(bytes data not None):
    """The same with 15 % more work."""
    _plain_stuff(data[: len(data) * 15 // 100])
    return _plain_stuff(data)
'''


def as_it_is(text: str) -> str:
    return text


def with_comment(text: str) -> str:
    """Comments between the functions and at the end."""
    return (
        re.sub(r"^(def stuff)", "# a comment that changes nothing\n# and another\n\\1", text, flags=re.MULTILINE)
        + "# end\n"
    )


def with_more_work(text: str) -> str:
    """`stuff` does the first 15 % of its input twice."""
    renamed, n = re.subn(r"^def stuff\(", "def _plain_stuff(", text, flags=re.MULTILINE)
    if n != 1:
        raise RuntimeError("the kernel has no `def stuff(` to patch")
    return renamed + SLOW


def tree(name: str, patch: Callable[[str], str]) -> Path:
    """A tree with the patched kernel alone, built in place."""
    root = TREES / name
    shutil.rmtree(root, ignore_errors=True)
    package = root / "mxward" / "pyx"
    package.mkdir(parents=True)
    shutil.copy(ROOT / "setup.py", root)
    shutil.copy(ROOT / "mxward" / "__init__.py", root / "mxward")
    shutil.copy(ROOT / "pyx" / "__init__.py", package)
    for path in (ROOT / "pyx").glob("*.h"):
        shutil.copy(path, package)
    source = (ROOT / "pyx" / f"{KERNEL}.pyx").read_text(encoding="utf-8")
    (package / f"{KERNEL}.pyx").write_text(patch(source), encoding="utf-8")
    gate.build_in_place(root)
    return root


def faults_of(patch: Callable[[str], str], name: str) -> list[str]:
    """What gate 1 says of a patch, measured against the kernel as it is."""
    base = callgrind.count_suite(tree("base", as_it_is), [BENCH], select="stuff_dotted")
    head = callgrind.count_suite(tree(name, patch), [BENCH], select="stuff_dotted")
    if not base or base.keys() != head.keys():
        raise RuntimeError(f"measured {sorted(base)} and {sorted(head)}")
    return gate.compare(base, head, gate.targets()["regression"], {})


def main(say: gate.Say) -> int:
    """Run both; returns the exit status."""
    absent = callgrind.missing()
    if absent:
        say(f"selftest NOT RUN: missing {', '.join(absent)}")
        return 0
    comment = faults_of(with_comment, "comment")
    slow = faults_of(with_more_work, "slow")
    say(f"a comment: {comment or 'passes'}")
    say(f"15 % more work: {slow or 'PASSES, WHICH IS WRONG'}")
    return 1 if comment or not slow else 0
