"""``python -m tests.store.explore --seeds N [--first K] [--jobs J]``: groups of stores in virtual time, one a seed.

Each seed draws a group of one to five members and its troubles; every checker runs on every seed. With several jobs the
seeds are shared among processes; what is printed is the same but for the order of the progress.
"""

from __future__ import annotations

import argparse
import gc
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from typing import NamedTuple

from tests.store.simulation.tally import Tally
from tests.store.simulation.universe import Universe

BLOCK_SEEDS = 25
PROGRESS_SEEDS = 1_000


class Lived(NamedTuple):
    """What a seed came to: what it violated, if anything, how much there was to check, what went wrong on the way."""

    seed: int
    violation: str
    operations: int
    committed: int
    undecided: int
    tally: Tally
    cpu_seconds: float


def live(seed: int) -> Lived:
    began = time.process_time()
    universe = Universe(seed)
    try:
        universe.live()
    except Exception as error:  # an assertion of the product, or whatever else it died of, is a find too
        said = str(error) or type(error).__name__
        return Lived(seed, f"{type(error).__name__}: {said}", 0, 0, 0, universe.tally, time.process_time() - began)
    operations, committed = len(universe.operations), len(universe.safety.committed)
    return Lived(seed, "", operations, committed, universe.undecided, universe.tally, time.process_time() - began)


def _live_all(block: range) -> list[Lived]:
    gc.disable()  # a seed leaves little behind: it is cheaper to look for cycles after some of them
    gc.freeze()  # and not among the modules
    lived = []
    for seed in block:
        lived.append(live(seed))
        if lived[-1].violation:
            break
    gc.collect()
    return lived


def run(first: int, count: int, jobs: int) -> Iterator[Lived]:
    """The seeds from ``first`` on, in their order; the one that violates a promise is the last."""
    blocks = [
        range(start, min(start + BLOCK_SEEDS, first + count)) for start in range(first, first + count, BLOCK_SEEDS)
    ]
    if jobs == 1:
        for block in blocks:
            yield from _live_all(block)
        return
    with ProcessPoolExecutor(jobs) as pool:
        for lived in pool.map(_live_all, blocks):
            yield from lived
            if lived[-1].violation:
                pool.shutdown(cancel_futures=True)


def replay(seed: int) -> str:
    return f"python -m tests.store.explore --first {seed} --seeds 1"


def main() -> int:
    parser = argparse.ArgumentParser(description="simulate groups of stores")
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=1)
    options = parser.parse_args()
    began = time.perf_counter()
    passed = operations = committed = undecided = 0
    tally = Tally()
    for lived in run(options.first, options.seeds, options.jobs):
        if lived.violation:
            print(f"seed {lived.seed}: {lived.violation}")
            print(f"replay: {replay(lived.seed)}")
            return 1
        passed += 1
        operations += lived.operations
        committed += lived.committed
        undecided += lived.undecided
        tally.update(lived.tally)
        if passed % PROGRESS_SEEDS == 0:
            print(f"{passed} seeds, {time.perf_counter() - began:.0f} s", flush=True)
    print("\n".join(tally.rows()))
    print(f"{operations} operations of clients, {committed} entries committed, {undecided} keys not decided by search")
    print(f"{passed} passed, 0 failed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
