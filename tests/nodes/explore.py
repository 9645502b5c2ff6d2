"""Deterministic exploration of remoting: ``python -m tests.nodes.explore --seeds N [--first K]``.

Plays the seeds in order. The last line is ``N passed, 0 failed``; at the first seed that breaks a promise it says
which, and the line that plays that seed again, and ends with 1.
"""

from __future__ import annotations

import argparse
import logging
import signal
import sys

import structlog

from tests.nodes.exploration import explore

SAY_EVERY = 500
RUN_SECONDS = 15.0
"""Real time that one seed may take: past it time stands still."""


class TimeStandsStill(KeyboardInterrupt):
    """A seed takes for ever. All but a KeyboardInterrupt would be one more exception of a handler."""


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition(":")[0])
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--first", type=int, default=0)
    options = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    signal.signal(signal.SIGALRM, _time_stands_still)
    for seed in range(options.first, options.first + options.seeds):
        signal.setitimer(signal.ITIMER_REAL, RUN_SECONDS)
        try:
            explore(seed)
        except (AssertionError, TimeStandsStill) as violation:
            print(f"seed {seed}: {violation}")
            print(f"replay: python -m tests.nodes.explore --first {seed} --seeds 1")
            return 1
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0.0)
        if (seed + 1) % SAY_EVERY == 0:
            print(f"seed {seed + 1}", flush=True)
    print(f"{options.seeds} passed, 0 failed")
    return 0


def _time_stands_still(number: int, frame: object) -> None:
    raise TimeStandsStill(f"not over after {RUN_SECONDS:g} s of real time")


if __name__ == "__main__":
    sys.exit(main())
