"""Many seeds in order, until one is violated: what the test suite and ``podium simulate`` run."""

from __future__ import annotations

import gc
import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import structlog

from orchestrator.testing.swarm.living import Life, verdict
from orchestrator.testing.swarm.story import describe, draw

PROGRESS_SECONDS = 30.0
CHUNK_SEEDS = 4
"""Seeds that a process is given at once."""
COLLECT_SEEDS = 8
"""Lives between two collections of garbage: a dead cluster is a few megabytes of it, and looking for it while one lives
is a fifth of the time."""


class Tally:
    """What many lives come to."""

    def __init__(self) -> None:
        self.seeds = 0
        self.failed: list[int] = []
        self.faults: Counter[str] = Counter()
        self.witnessed: Counter[str] = Counter()

    def add(self, life: Life) -> None:
        self.seeds += 1
        if life.violations:
            self.failed.append(life.seed)
        self.faults.update(life.faults)
        self.witnessed.update(life.witnessed)

    def __str__(self) -> str:
        lines = [f"{name}: {_counted(counts)}" for name, counts in (("faults", self.faults), ("seen", self.witnessed))]
        return "\n".join([*lines, f"{self.seeds - len(self.failed)} passed, {len(self.failed)} failed"])


def _counted(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))


FAULTS = (
    *("Ambush", "ClockSkew", "Compact", "CutWatches", "Delay", "Drop", "FailPull", "Falter", "Heal", "Kill", "Lag"),
    *("Late", "Partition", "PowerOff", "PowerOn", "SlowDisk", "control planes: 3", "member lost", "member severed"),
    *("answer lost", "append slowed", "frame late", "history lost", "request delayed", "request lost", "start failed"),
    *("watch cut", "watch silenced", "write late", "writer killed"),
)
"""Each of these must have befallen somebody in a run of any length, or it is not what it says."""
MANY_SEEDS = 500
"""In so many even the rarest comes up."""


def missing(tally: Tally) -> list[str]:
    """What never befell anybody in a long run."""
    if tally.seeds < MANY_SEEDS:
        return []
    return [name for name in FAULTS if not tally.faults[name]] + [
        name for name in ("pull failed",) if not tally.witnessed[name]
    ]


def explore(
    first: int,
    count: int,
    tally: Tally,
    *,
    replay: str,
    jobs: int = 1,
    say: Callable[[str], None] = print,
    each: Callable[[Life], bool] = lambda life: not life.violations,
) -> int:
    """Run ``count`` seeds from ``first`` on; the exit code. ``replay`` is the command, with ``{seed}`` in it.

    Each is added to ``tally``, in order; ``each`` is told of it, and says whether to go on."""
    began = said = time.monotonic()
    before = tally.seeds
    for life in _lives(range(first, first + count), jobs):
        tally.add(life)
        if life.violations:
            say(f"seed {life.seed}: {life.violations[0]}")
            for more in life.violations[1:]:
                say(f"  also: {more}")
            say(f"replay: {replay.format(seed=life.seed)}")
        if not each(life):
            return 1
        if time.monotonic() - said > PROGRESS_SECONDS:
            said = time.monotonic()
            done = tally.seeds - before
            say(f"{done} of {count} seeds, {done / (said - began):.1f} a second")
    unseen = missing(tally)
    if unseen:
        say(f"never happened: {', '.join(unseen)}")
    say(str(tally))
    return 1 if tally.failed or unseen else 0


def _lives(seeds: range, jobs: int) -> Iterator[Life]:
    """Each seed's life in order, whichever process lived it."""
    if jobs <= 1:
        prepare()
        yield from map(_live, seeds)
        return
    with ProcessPoolExecutor(jobs, get_context("spawn"), initializer=prepare) as pool:
        try:
            yield from pool.map(_live, seeds, chunksize=CHUNK_SEEDS)
        finally:
            pool.shutdown(cancel_futures=True)


def _live(seed: int) -> Life:
    gc.disable()
    try:
        return verdict(seed)
    finally:
        gc.enable()
        if seed % COLLECT_SEEDS == 0:
            gc.collect()


def prepare() -> None:
    """Crashes are what a swarm is made of: nobody reads of each. What is imported is no garbage."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    gc.collect()
    gc.freeze()


def tell(seed: int, say: Callable[[str], None] = print) -> None:
    """What a seed stands for, line by line."""
    story = draw(seed)
    say(
        f"seed {seed}: {story.members} control planes, {story.nodes} nodes, containers start in "
        f"{story.start_seconds:g} s, tight quota: {story.tight}"
    )
    for one in story.workloads:
        say(f"  {one!r}")
    for step in story.steps:
        say(f"  {describe(step)}")
