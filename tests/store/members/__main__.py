"""``python -m tests.store.members --runs N [--first K] [--only KIND]``: a run a seed, a line a run, and a summary."""

from __future__ import annotations

import argparse
import asyncio
import random
import shutil
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

from orchestrator.fastloop import new_loop
from orchestrator.pki import prepare_member
from tests.store.checks import Violation
from tests.store.members.faults import KINDS, Kind, drawn
from tests.store.members.life import Lived, live
from tests.store.members.volume import unavailable

AUTHORITY = "authority"


def main() -> int:
    parser = argparse.ArgumentParser(description="three real members and one real fault a run")
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument(
        "--only", default="", help=f"a kind, or how its name begins: {', '.join(k.name for k in KINDS)}"
    )
    options = parser.parse_args()
    began, lives = time.monotonic(), list[Lived]()
    root = Path(tempfile.mkdtemp(prefix="podium-members-"))
    prepare_member(root / AUTHORITY, root / AUTHORITY, 1, time.time())
    without = unavailable(root)
    if without:
        print(f"no slow and no full disks: {without}")
    for seed in range(options.first, options.first + options.runs):
        kind = drawn(random.Random(f"fault {seed}"), disks=not without, only=options.only)
        lived = _lived(seed, kind, root)
        if isinstance(lived, str):
            print(f"seed {seed}: {kind.name}: {lived}; what the members said is in {root / str(seed)}")
            print(f"again: python -m tests.store.members --first {seed} --runs 1 --only '{options.only}'")
            return 1
        lives.append(lived)
        shutil.rmtree(root / str(seed))
        print(f"seed {seed}: {lived.line()}", flush=True)
    shutil.rmtree(root)
    print(_summary(lives, time.monotonic() - began))
    return 0


def _lived(seed: int, kind: Kind, root: Path) -> Lived | str:
    """What was violated, or what came of the run."""
    with asyncio.Runner(loop_factory=new_loop) as runner:
        try:
            return runner.run(live(seed, kind, root / str(seed), root / AUTHORITY))
        except Violation as error:
            return str(error)
        except ExceptionGroup as group:
            found, others = group.split(Violation)
            if found is None or others is not None:
                raise
            return str(found.exceptions[0])


def _summary(lives: list[Lived], seconds: float) -> str:
    """The last line says all; before it one for each fault."""
    by_kind: dict[str, list[Lived]] = defaultdict(list)
    for lived in lives:
        by_kind[lived.kind].append(lived)
    lines = [f"{name}: {len(some)} runs, {_recovery(some)}" for name, some in sorted(by_kind.items())]
    writes, unknown = sum(lived.writes for lived in lives), sum(lived.unknown for lived in lives)
    undecided = sum(lived.undecided for lived in lives)
    lines.append(
        f"{len(lives)} runs passed, 0 failed: {writes} writes acknowledged, 0 lost, {unknown} requests without an"
        f" answer, {undecided} keys not decided by search, after a leader's death {_recovery(by_kind['kill-leader'])},"
        f" {seconds:.0f} s"
    )
    return "\n".join(lines)


def _recovery(lives: list[Lived]) -> str:
    times = sorted(lived.recovery for lived in lives if lived.recovery is not None)
    if not times:
        return "no recovery measured"
    middle, late = times[len(times) // 2], times[min(len(times) - 1, len(times) * 99 // 100)]
    return f"served again after p50 {middle:.2f} s, p99 {late:.2f} s, max {times[-1]:.2f} s"


if __name__ == "__main__":
    sys.exit(main())
