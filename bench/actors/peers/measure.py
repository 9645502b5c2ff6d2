"""What every measured program shares: the message, the watch, the command line. Standard library only.

A program has a function per case; it gets a ``Watch`` and times what counts with ``with watch(count):``. Each run is
printed as a line of JSON: case, count, wall seconds, CPU seconds of this process.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import inspect
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

MESSAGE: dict[str, Any] = {
    "id": 812_345,
    "kind": "order",
    "at": 1_764_284_000.25,
    "customer": {
        "name": "Ada Lovelace",
        "mail": "ada@example.org",
        "address": {"street": "12 St James's Sq", "city": "London"},
    },
    "items": [
        {"sku": "A-1001", "count": 2, "price": 19.5, "tags": ["blue", "small"]},
        {"sku": "B-2002", "count": 1, "price": 249.0, "tags": ["fragile"]},
    ],
    "paid": True,
    "note": "ring twice, then call.",
}
"""266 bytes as MessagePack, three levels deep."""
SMALL: dict[str, Any] = {"sensor": 1, "place": "hello", "value": 2.5, "valid": True, "unit": "world"}
"""Five fields."""
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


class Watch:
    """Times one case, or weighs it."""

    def __init__(self, case: str) -> None:
        self._case = case

    @contextmanager
    def __call__(self, count: int) -> Iterator[None]:
        gc.collect()
        cpu = time.process_time()
        begun = time.perf_counter()
        yield
        seconds = time.perf_counter() - begun
        self._print(count=count, seconds=seconds, cpu_seconds=time.process_time() - cpu)

    @contextmanager
    def weigh(self, count: int) -> Iterator[None]:
        """Resident memory of this process and of all below it, for each of ``count``."""
        gc.collect()
        before = resident(os.getpid())
        yield
        gc.collect()
        self._print(count=count, bytes=resident(os.getpid()) - before)

    def _print(self, **facts: Any) -> None:
        print(json.dumps({"case": self._case, **facts}), flush=True)


def resident(pid: int) -> int:
    """Bytes in memory of a process tree; what its processes share counts once for each."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        children = " ".join(path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/children")).split()
    except FileNotFoundError:
        return 0
    return pages * PAGE_BYTES + sum(resident(int(child)) for child in children)


Case = Callable[[Watch], Any]


def main(cases: dict[str, Case], version: str) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--cases", default=",".join(cases))
    parser.add_argument("--loop", choices=("asyncio", "uvloop"), default="asyncio")
    options = parser.parse_args()
    print(json.dumps({"version": version}), flush=True)
    for case in options.cases.split(","):
        if case not in cases:
            continue
        for _ in range(options.runs):
            _run(cases[case], Watch(case), options.loop)


def _run(case: Case, watch: Watch, loop: str) -> None:
    if not inspect.iscoroutinefunction(case):
        case(watch)
        return
    factory = None
    if loop == "uvloop":
        import uvloop

        factory = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(case(watch))
