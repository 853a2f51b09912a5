"""Queue ids: form, order, uniqueness."""

from __future__ import annotations

import subprocess
import sys

from hypothesis import given
from hypothesis import strategies as st

from mxward.server.store.queueid import ALPHABET, LENGTH, is_queue_id, lower_bound, new_queue_id


@given(at=st.integers(1, 62**9), step=st.integers(1_000_001, 10**12))
def test_form_and_order(at: int, step: int) -> None:
    first, second = new_queue_id(at), new_queue_id(at + step)
    assert len(first) == LENGTH and is_queue_id(first) and set(first) <= set(ALPHABET)
    assert lower_bound(at) <= first < second


def test_ids_rise_though_the_clock_stands_still() -> None:
    ids = [new_queue_id(1_000_000_000) for _ in range(1000)]
    assert ids == sorted(set(ids))


def test_the_alphabet_is_in_byte_order() -> None:
    assert list(ALPHABET) == sorted(ALPHABET)


def test_forked_and_other_processes_differ() -> None:
    script = (
        "import os\nfrom mxward.server.store.queueid import new_queue_id\nnew_queue_id(5)\n"
        "pid = os.fork()\nos.write(1, new_queue_id(10**12).encode() + b' ')\nif pid: os.waitpid(pid, 0)\n"
    )
    out = [
        subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout for _ in "ab"
    ]
    ids = "".join(out).split()
    assert len(ids) == len(set(ids)) == 4


def test_what_is_no_queue_id() -> None:
    for text in ("", "a" * 15, "a" * 17, "../../etc/passwd", "ééééééééaaaaaaaa", "aaaaaaaa aaaaaaa"):
        assert not is_queue_id(text)
