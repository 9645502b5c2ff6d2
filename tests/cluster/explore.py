"""The swarm: ``python -m tests.cluster.explore --seeds N [--first K] [--tell]``."""

from __future__ import annotations

import argparse
import sys

from orchestrator.testing.swarm.exploring import explore, tell


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--tell", action="store_true", help="say what each seed stands for")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    options = parser.parse_args()
    if options.tell:
        for seed in range(options.first, options.first + options.seeds):
            tell(seed)
    replay = "python -m tests.cluster.explore --first {seed} --seeds 1"
    return explore(options.first, options.seeds, replay=replay, jobs=options.jobs)


if __name__ == "__main__":
    sys.exit(main())
