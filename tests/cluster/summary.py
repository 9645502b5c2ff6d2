"""What a long run of the swarm came to, in a file that the next run goes on from.

A run takes an hour and more, so it may be made in several sittings, and the product may change between two of them.
Each sitting stands in the record with its commit and its seeds. A seed that failed stays on record until it is lived
again, which the next sitting does first; it is then ``mended`` with the commits that it failed and passed on.
"""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import msgspec

from orchestrator.testing.swarm.exploring import Tally
from orchestrator.testing.swarm.living import Life

ROOT = Path(__file__).parent.parent.parent
SAVE_SECONDS = 20.0


class Sitting(msgspec.Struct):
    """``seeds`` of them from ``first`` on were lived on ``commit``."""

    commit: str
    first: int
    seeds: int = 0
    wall_seconds: float = 0.0


class Mended(msgspec.Struct):
    seed: int
    failed_on: str
    passed_on: str


class Failed(msgspec.Struct):
    seed: int
    commit: str


class Record(msgspec.Struct):
    """Seeds 0 to ``seeds`` - 1 passed, but for those ``failed``."""

    seeds: int = 0
    failed: list[Failed] = []
    mended: list[Mended] = []
    sittings: list[Sitting] = []
    faults: dict[str, int] = {}
    witnessed: dict[str, int] = {}


class Summary:
    """The record at ``path``; it is written as the seeds are lived, and whole at any moment."""

    def __init__(self, path: Path, commit: str = "") -> None:
        self._path = path
        self._commit = commit or product()
        self._saved = time.monotonic()
        self.record = msgspec.json.decode(path.read_bytes(), type=Record) if path.exists() else Record()
        self._sitting = Sitting(self._commit, self.record.seeds)
        self.tally = Tally()
        self.tally.seeds = self.record.seeds
        self.tally.faults.update(self.record.faults)
        self.tally.witnessed.update(self.record.witnessed)

    @property
    def next_seed(self) -> int:
        return self.tally.seeds

    def again(self, life: Life) -> bool:
        """A seed that had failed was lived once more; whether it passes now."""
        if life.violations:
            return False
        before = next(failed for failed in self.record.failed if failed.seed == life.seed)
        self.record.failed.remove(before)
        self.record.mended.append(Mended(life.seed, before.commit, self._commit))
        return True

    def noted(self, life: Life) -> bool:
        """The life of the next seed is in the tally; a failure is on record, and does not end the run."""
        if life.violations:
            self.record.failed.append(Failed(life.seed, self._commit))
        self._sitting.seeds += 1
        if time.monotonic() - self._saved > SAVE_SECONDS:
            self.save()
        return True

    def save(self) -> None:
        now = time.monotonic()
        record, sitting = self.record, self._sitting
        record.seeds = self.tally.seeds
        record.faults, record.witnessed = (
            dict(sorted(counts.items())) for counts in (self.tally.faults, self.tally.witnessed)
        )
        sitting.wall_seconds = round(sitting.wall_seconds + now - self._saved, 1)
        self._saved = now
        if sitting.seeds and sitting not in record.sittings:
            record.sittings.append(sitting)
        part = self._path.with_suffix(".part")
        part.write_bytes(msgspec.json.format(msgspec.json.encode(record), indent=1) + b"\n")
        os.replace(part, self._path)


def product() -> str:
    """The commit that is lived through, and whether its product is as committed."""
    changed = _git("status", "--porcelain", "actors", "orchestrator")
    return _git("rev-parse", "--short=12", "HEAD") + (" changed" if changed else "")


def _git(*words: str) -> str:
    return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
