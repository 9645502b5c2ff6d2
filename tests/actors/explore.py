"""Deterministic exploration of the actor library: ``python -m tests.actors.explore --seeds N [--first K] [--jobs J]``.

Plays the seeds in order. The last line is ``N passed, 0 failed``; at the first seed that breaks a promise it says
which, and the line that plays that seed again, and ends with 1.
"""

from __future__ import annotations

import argparse
import multiprocessing
import signal
import sys
from collections.abc import Iterator

from tests.actors.exploration import explore
from tests.actors.ledger import Violation

CHUNK = 50
"""Seeds that one process plays before it reports."""
SAY_EVERY = 2000
RUN_SECONDS = 20.0
"""Real time that one seed may take (a hundred times the usual): past it time stands still."""


class TimeStandsStill(KeyboardInterrupt):
    """A seed takes for ever. All but a KeyboardInterrupt would be one more exception of a handler or a callback."""


def play(seeds: range) -> tuple[int, str] | None:
    """The first seed of ``seeds`` that fails and why, None when all pass."""
    signal.signal(signal.SIGALRM, _time_stands_still)
    for seed in seeds:
        signal.setitimer(signal.ITIMER_REAL, RUN_SECONDS, 1.0)
        try:
            explore(seed)
        except Violation as violation:
            return seed, str(violation)
        except TimeStandsStill:
            return seed, f"not over after {RUN_SECONDS:g} s of real time"
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0.0)
    return None


def _time_stands_still(number: int, frame: object) -> None:
    raise TimeStandsStill


def _chunks(first: int, count: int) -> list[range]:
    end = first + count
    return [range(start, min(start + CHUNK, end)) for start in range(first, end, CHUNK)]


def _outcomes(chunks: list[range], jobs: int) -> Iterator[tuple[int, str] | None]:
    """What each chunk came to, in order."""
    if jobs == 1:
        yield from map(play, chunks)
        return
    with multiprocessing.get_context("fork").Pool(jobs) as pool:
        yield from pool.imap(play, chunks)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition(":")[0])
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=1)
    options = parser.parse_args()
    passed = 0
    chunks = _chunks(options.first, options.seeds)
    for chunk, failure in zip(chunks, _outcomes(chunks, options.jobs), strict=True):
        if failure is not None:
            seed, why = failure
            print(f"seed {seed}: {why}")
            print(f"replay: python -m tests.actors.explore --first {seed} --seeds 1")
            return 1
        passed += len(chunk)
        if passed % SAY_EVERY == 0:
            print(f"{passed} seeds", flush=True)
    print(f"{passed} passed, 0 failed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
