"""One suite, two instruments: pytest-benchmark as a rule, callgrind when the run is under Valgrind.

Under Valgrind `benchmark(function, *args)` warms the call, counts the instructions of single calls, and returns the
result, so that the same benchmark asserts the same things. `growth(make, call)` measures one call on an input of
scale 1 and one of scale 10; the gate wants a ratio of at most 11.
"""

from __future__ import annotations

import ctypes
import functools
import gc
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import mxward
from bench.callgrind import ACTIVE, TREE

LIBRARY = os.environ.get(ACTIVE, "")
WARM_CALLS = 3
COUNTED_CALLS = 5
MAX_GROWTH = 11.0  # instructions; wall time, when that is all there is, gets the slack below
MAX_GROWTH_TIME = 20.0

if os.environ.get(TREE) and Path(os.environ[TREE]).resolve() not in Path(mxward.__file__).resolve().parents:
    raise RuntimeError(f"mxward comes from {mxward.__file__}, not from {os.environ[TREE]}")


@functools.cache
def _measure() -> Callable[[Callable[[], Any], bytes], Any]:
    function = ctypes.PyDLL(LIBRARY).mxward_bench_measure
    function.restype = ctypes.py_object
    function.argtypes = [ctypes.py_object, ctypes.c_char_p]
    return function


def _count(name: str, call: Callable[[], Any]) -> Any:
    for _ in range(WARM_CALLS):
        call()
    result = None
    for _ in range(COUNTED_CALLS):  # the least counts: where the heap happens to grow is nobody's doing
        gc.collect()
        gc.disable()
        try:
            result = _measure()(call, name.encode())
        finally:
            gc.enable()
    return result


def _name(request: pytest.FixtureRequest) -> str:
    return str(request.node.name).removeprefix("test_").replace(" ", "_")


if LIBRARY:

    @pytest.fixture
    def benchmark(request: pytest.FixtureRequest) -> Callable[..., Any]:
        """Counts one warmed call; stands in for pytest-benchmark's fixture."""

        def run(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
            return _count(_name(request), functools.partial(function, *args, **kwargs))

        return run


def _best_time(call: Callable[[], Any]) -> float:
    call()
    best = float("inf")
    for _ in range(7):
        start = time.process_time_ns()
        call()
        best = min(best, time.process_time_ns() - start)
    return max(best, 1.0)


@pytest.fixture
def growth(request: pytest.FixtureRequest) -> Callable[[Callable[[int], Any], Callable[[Any], Any]], None]:
    """`growth(make, call)`: cost of call(make(1)) and call(make(10))."""

    def run(make: Callable[[int], Any], call: Callable[[Any], Any]) -> None:
        small, large = make(1), make(10)
        if LIBRARY:
            _count(f"{_name(request)}@1", functools.partial(call, small))
            _count(f"{_name(request)}@10", functools.partial(call, large))
        else:
            ratio = _best_time(functools.partial(call, large)) / _best_time(functools.partial(call, small))
            assert ratio <= MAX_GROWTH_TIME, f"ten times the input costs {ratio:.1f} times as much"

    return run
