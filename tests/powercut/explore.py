"""``python -m tests.powercut.explore --seeds N [--first K]``: logs that lose power, two cuts a seed.

The second cut finds the log as the first left it, often in the middle of its recovery. A quarter of the logs begin as
an older version left them, and are upgraded under the cuts.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import shutil
import sys
import tempfile
from pathlib import Path

from orchestrator.store.errors import LogError, LogFailed
from orchestrator.store.sqlite_log import SqliteLog
from tests.powercut.disk import Disk
from tests.powercut.vfs import Vfs, connect
from tests.powercut.workload import Violation, Workload

CUTS = 2
MAX_OPERATIONS = 90
"""Writes and syncs before a cut: a life has about so many."""
CHECKPOINT_BYTES = 30_000
"""So that checkpoints come between any two cuts."""
OLDER = 0.25
"""The chance of a log that an older version wrote."""
PROGRESS_SEEDS = 1_000
FAST = "/dev/shm"


async def run_seed(seed: int, vfs: Vfs, folder: Path) -> int:
    """One log and its cuts; how many appends were acknowledged. Raises ``Violation``."""
    dice = random.Random(seed)
    path = str(folder / "store.db")
    vfs.disk = disk = Disk(dice)
    work = Workload(dice)
    mark = Path(path + ".mark")
    if dice.random() < OLDER:
        work.begin_older(path)
        disk.holds(path)
    for _ in range(CUTS):
        marks = [b"", _read(mark)]
        disk.cut_after(dice.randint(0, MAX_OPERATIONS))
        log = SqliteLog(path, checkpoint_idle_bytes=CHECKPOINT_BYTES, connect=connect)
        try:
            await _checked(work, log)
            marks.append(_read(mark))
            await work.run(log)
        except LogFailed:
            pass
        await log.close()
        disk.cut()
        # The mark is never synced: what it was at an earlier time may be what survives.
        _survive(mark, dice.choice([*marks, _read(mark)]))
    await _checked(work, log)
    await log.close()
    return work.acknowledged


def _read(path: Path) -> bytes:
    return path.read_bytes() if path.exists() else b""


def _survive(path: Path, content: bytes) -> None:
    path.write_bytes(content)


async def _checked(work: Workload, log: SqliteLog) -> None:
    """Open the log and compare. A cut in the middle is a ``LogFailed``; all other refusals are violations."""
    try:
        await work.verify(log, await log.open())
    except LogFailed:
        raise
    except LogError as error:
        raise Violation(str(error)) from error


def explore(first: int, seeds: int) -> int:
    """The exit code."""
    parent = FAST if os.access(FAST, os.W_OK) else None
    vfs = Vfs(Disk(random.Random(0)))
    appends = 0
    with tempfile.TemporaryDirectory(prefix="podium-powercut-", dir=parent) as root, asyncio.Runner() as runner:
        for seed in range(first, first + seeds):
            folder = Path(root) / "log"
            folder.mkdir()
            try:
                appends += runner.run(run_seed(seed, vfs, folder))
            except Exception as error:
                what = error if isinstance(error, Violation) else repr(error)
                print(f"seed {seed}: {what}")
                print(f"replay: python -m tests.powercut.explore --first {seed} --seeds 1")
                return 1
            shutil.rmtree(folder)
            if (seed - first + 1) % PROGRESS_SEEDS == 0:
                print(f"{seed - first + 1} seeds", flush=True)
    print(f"{seeds * CUTS} cuts, {appends} acknowledged appends, 0 lost, 0 corrupt")
    print(f"{seeds} passed, 0 failed")
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5_000)
    parser.add_argument("--first", type=int, default=0)
    options = parser.parse_args()
    return explore(options.first, options.seeds)


if __name__ == "__main__":
    sys.exit(main())
