"""Many seeds in order, until one is violated: what the test suite and ``podium simulate`` run."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import structlog

from orchestrator.testing.swarm.living import verdict
from orchestrator.testing.swarm.story import describe, draw

PROGRESS_SECONDS = 30.0
CHUNK_SEEDS = 4
"""Seeds that a process is given at once."""


def explore(first: int, count: int, *, replay: str, jobs: int = 1, say: Callable[[str], None] = print) -> int:
    """Run ``count`` seeds from ``first`` on; the exit code. ``replay`` is the command, with ``{seed}`` in it."""
    began = said = time.monotonic()
    for done, (seed, violations) in enumerate(_verdicts(range(first, first + count), jobs)):
        if violations:
            say(f"seed {seed}: {violations[0]}")
            for more in violations[1:]:
                say(f"  also: {more}")
            say(f"replay: {replay.format(seed=seed)}")
            return 1
        if time.monotonic() - said > PROGRESS_SECONDS:
            said = time.monotonic()
            say(f"{done + 1} of {count} seeds, {(done + 1) / (said - began):.1f} a second")
    say(f"{count} passed, 0 failed")
    return 0


def _verdicts(seeds: range, jobs: int) -> Iterator[tuple[int, list[str]]]:
    """Each seed with what it violated, in order, whichever process ran it."""
    if jobs <= 1:
        _quiet()
        for seed in seeds:
            yield seed, verdict(seed)
        return
    with ProcessPoolExecutor(jobs, get_context("spawn"), initializer=_quiet) as pool:
        try:
            yield from zip(seeds, pool.map(verdict, seeds, chunksize=CHUNK_SEEDS), strict=True)
        finally:
            pool.shutdown(cancel_futures=True)


def _quiet() -> None:
    """Crashes are what a swarm is made of: nobody reads of each."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))


def tell(seed: int, say: Callable[[str], None] = print) -> None:
    """What a seed stands for, line by line."""
    story = draw(seed)
    say(f"seed {seed}: {story.nodes} nodes, containers start in {story.start_seconds:g} s, tight quota: {story.tight}")
    for one in story.workloads:
        say(f"  {one!r}")
    for step in story.steps:
        say(f"  {describe(step)}")
