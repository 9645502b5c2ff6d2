"""The swarm: ``python -m tests.cluster.explore --seeds N [--first K] [--tell] [--summary FILE]``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from orchestrator.testing.swarm.exploring import Tally, explore, missing, prepare, tell
from orchestrator.testing.swarm.living import verdict
from tests.cluster.summary import Summary

REPLAY = "python -m tests.cluster.explore --first {seed} --seeds 1"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--tell", action="store_true", help="say what each seed stands for")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--summary", type=Path, help="a file to go on from and to write; from seed 0 on, past failures")
    options = parser.parse_args()
    if options.tell:
        for seed in range(options.first, options.first + options.seeds):
            tell(seed)
    if options.summary:
        return _prove(options.seeds, options.jobs, options.summary)
    return explore(options.first, options.seeds, Tally(), replay=REPLAY, jobs=options.jobs)


def _prove(seeds: int, jobs: int, path: Path) -> int:
    """Live those that failed last time once more, and then the seeds below ``seeds`` that are not on record yet."""
    summary = Summary(path)
    first = summary.next_seed
    prepare()
    print(f"{first} seeds are on record")
    for failed in list(summary.record.failed):
        passed = summary.again(verdict(failed.seed))
        print(f"seed {failed.seed}, which failed on {failed.commit}, {'passes' if passed else 'fails again'}")
    try:
        explore(first, max(seeds - first, 0), summary.tally, replay=REPLAY, jobs=jobs, each=summary.noted)
    finally:
        summary.save()
    return 1 if summary.record.failed or missing(summary.tally) else 0


if __name__ == "__main__":
    sys.exit(main())
