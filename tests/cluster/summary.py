"""What a long run of the swarm came to, in a file that the next run goes on from: the same product, the next seeds."""

from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path
from typing import Any

from orchestrator.testing.swarm.exploring import Tally
from orchestrator.testing.swarm.living import Life

ROOT = Path(__file__).parent.parent.parent
SAVE_SECONDS = 20.0


class Summary:
    """``path``'s record of the seeds from 0 on; of another product than the present one it is begun anew."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._saved = time.monotonic()
        self._record: dict[str, Any] = {"product": product(), "seeds": 0, "failed": [], "faults": {}, "witnessed": {}}
        self._record["wall_seconds"] = 0.0
        if path.exists():
            found = json.loads(path.read_text())
            if found["product"] == self._record["product"]:
                self._record = found
        self._record["commit"] = _git("rev-parse", "HEAD")
        self.tally = Tally()
        self.tally.seeds = self._record["seeds"]
        self.tally.failed = self._record["failed"]
        self.tally.faults.update(self._record["faults"])
        self.tally.witnessed.update(self._record["witnessed"])

    @property
    def next_seed(self) -> int:
        return self.tally.seeds

    def noted(self, life: Life) -> bool:
        """The life of the next seed is in the tally; a failure is on record, and does not end the run."""
        if time.monotonic() - self._saved > SAVE_SECONDS:
            self.save()
        return True

    def save(self) -> None:
        now = time.monotonic()
        record = self._record
        record["seeds"], record["failed"] = self.tally.seeds, self.tally.failed
        record["faults"], record["witnessed"] = (
            dict(sorted(counts.items())) for counts in (self.tally.faults, self.tally.witnessed)
        )
        record["wall_seconds"] = round(record["wall_seconds"] + now - self._saved, 1)
        self._saved = now
        part = self._path.with_suffix(".part")
        part.write_text(json.dumps(record, indent=1) + "\n")
        os.replace(part, self._path)


def product() -> str:
    """What is lived through: the trees of the two packages, and whether they are as committed."""
    trees = "+".join(_git("rev-parse", f"HEAD:{name}")[:12] for name in ("actors", "orchestrator"))
    return trees + (" changed" if _git("status", "--porcelain", "actors", "orchestrator") else "")


def _git(*words: str) -> str:
    return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
