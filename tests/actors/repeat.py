"""The suite of the actor library again and again: each run with its own seed, tests and ready callbacks shuffled by it.

    python -m tests.actors.repeat --runs 1000 [--first 0] [--jobs 2]

Runs seeds FIRST to FIRST + RUNS - 1, many of them in one process, and ends with 1 at the first seed with a failure.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import multiprocessing
import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

SUITE = Path(__file__).parent
PROGRESS_SECONDS = 30.0
RUNS_PER_PROCESS = 20
"""pytest keeps what it imported and reported; a new process gives it back."""


class Shuffled:
    """A pytest plugin: the tests in an order made by the seed, and the names of those that failed."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self.failed: list[str] = []
        self.passed = 0

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        random.Random(self._seed).shuffle(items)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.failed.append(f"{report.nodeid} ({report.when}): {report.longreprtext.strip().splitlines()[-1]}")
        elif report.when == "call" and report.passed:
            self.passed += 1


def run(seed: int) -> tuple[int, int, list[str]]:
    """The seed, how many tests passed, and what failed."""
    plugin = Shuffled(seed)
    output = io.StringIO()
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
        code = pytest.main(["-q", "-p", "no:cacheprovider", "--seed", str(seed), str(SUITE)], plugins=[plugin])
    failed = plugin.failed
    if code != 0 and not failed:
        failed = [f"pytest ended with {code}: {output.getvalue()[-500:]}"]
    return seed, plugin.passed, failed


def results(seeds: range, jobs: int) -> Iterator[tuple[int, int, list[str]]]:
    with multiprocessing.get_context("spawn").Pool(jobs, maxtasksperchild=RUNS_PER_PROCESS) as pool:
        yield from pool.imap_unordered(run, seeds)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.actors.repeat", description=__doc__)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    done = tests = 0
    said = time.monotonic()
    for seed, passed, failed in results(range(options.first, options.first + options.runs), options.jobs):
        if failed:
            print(f"seed {seed}: " + "\n  ".join(failed))
            print(f"replay: python -m tests.actors.repeat --first {seed} --runs 1")
            return 1
        done += 1
        tests += passed
        if time.monotonic() - said > PROGRESS_SECONDS:
            said = time.monotonic()
            print(f"{done} runs, {tests} tests", file=sys.stderr, flush=True)
    print(f"{done} passed, 0 failed ({tests} tests)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
