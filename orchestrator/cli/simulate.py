"""``podium simulate``: whole clusters in virtual time, drawn from seeds, under every fault, held to invariants."""

from __future__ import annotations

import argparse

from orchestrator.cli.terminal import CommandError

MAX_SEEDS = 10_000_000


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seeds", type=int, default=100, metavar="N", help="how many clusters live (default 100)")
    parser.add_argument("--first", type=int, default=0, metavar="SEED", help="the first seed (default 0)")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="processes (default 1)")
    parser.add_argument("--tell", action="store_true", help="say what each seed stands for")


def run(options: argparse.Namespace) -> int:
    if not 1 <= options.seeds <= MAX_SEEDS or options.first < 0:
        raise CommandError(f"expected 1 to {MAX_SEEDS} seeds from 0 on, found {options.seeds} from {options.first}")
    from orchestrator.testing.swarm.exploring import Tally, explore, tell

    for seed in range(options.first, options.first + options.seeds) if options.tell else ():
        tell(seed)
    replay = "podium simulate --first {seed} --seeds 1 --tell"
    return explore(options.first, options.seeds, Tally(), replay=replay, jobs=options.jobs)
