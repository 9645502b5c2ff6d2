"""Where a cluster lives on disk, and the record its daemon leaves there."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path


def default() -> Path:
    """``$PODIUM_DATA_DIR`` or ``~/.podium``."""
    return Path(os.environ.get("PODIUM_DATA_DIR") or Path.home() / ".podium")


@dataclass(frozen=True, slots=True)
class DaemonRecord:
    """What the daemon says of itself in ``daemon.json`` once its API answers.

    ``start_ticks`` tells it from a later process with its pid.
    """

    pid: int
    start_ticks: int
    url: str
    nodes: int
    runtime: str
    runtime_note: str
    version: str
    startup_seconds: float

    def alive(self) -> bool:
        return process_start_ticks(self.pid) == self.start_ticks


def record_path(data_dir: Path) -> Path:
    return data_dir / "daemon.json"


def write_record(data_dir: Path, record: DaemonRecord) -> None:
    path = record_path(data_dir)
    draft = path.with_suffix(".tmp")
    draft.write_text(json.dumps(asdict(record)))
    draft.replace(path)


def read_record(data_dir: Path) -> DaemonRecord | None:
    """The record of the daemon that runs here, or None when none does (what a killed one left does not count)."""
    try:
        record = DaemonRecord(**json.loads(record_path(data_dir).read_text()))
    except (OSError, ValueError, TypeError):
        return None
    return record if record.alive() else None


def process_start_ticks(pid: int) -> int | None:
    """When the process began, in clock ticks since boot (field 22 of /proc/PID/stat); None for none, or a zombie."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return None
    fields = stat[stat.rindex(b")") + 2 :].split()
    return None if fields[0] == b"Z" else int(fields[19])
