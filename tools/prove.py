"""Run a whole proof and keep what it came to: ``python tools/prove.py NAME [--part N]``.

CI runs of each suite what its budget allows; these are the full counts. What each part printed last is kept in
``bench/results/proofs.json``, with the commit it was run on, and as a table in ``proofs.md``. A part that failed is
kept as such, and ends the proof. The two proofs that are run in many sittings, ``make simulate-long`` and ``make
simulate-cluster``, keep files of their own.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "bench" / "results" / "proofs.json"
TABLE = RESULTS.with_suffix(".md")
PROVE = ("pytest", "-q", "-s", "-m", "prove")
JOBS = str(os.cpu_count() or 1)
PROOFS: dict[str, list[tuple[str, ...]]] = {
    "actors": [
        ("tests.actors.explore", "--seeds", "10000", "--jobs", JOBS),
        ("tests.actors.repeat", "--runs", "1000", "--jobs", JOBS),
        (*PROVE, "tests/actors/test_slow_consumer.py"),
    ],
    "powercut": [
        ("tests.powercut.explore", "--seeds", "25000"),
        ("tests.powercut.kill", "--kills", "1000"),
        ("tests.powercut.fuzz", "--seeds", "100000"),
    ],
    "members": [("tests.store.members", "--runs", "200")],
    "scheduler": [(*PROVE, "tests/scheduler/test_cycle.py"), (*PROVE, "tests/scheduler/test_preemption.py")],
    "chaos": [(*PROVE, "tests/cluster/test_chaos_real.py")],
    "placement": [(*PROVE, "tests/cluster/test_placement.py")],
}
"""Modules and their arguments, one after the other."""
LINES = 2
"""Of a part's end that are kept: pytest says of a proof only that it passed, so the proof's own line stands before."""


def main() -> int:
    parser = argparse.ArgumentParser(description="run a whole proof and keep what it came to")
    parser.add_argument("name", choices=sorted(PROOFS))
    parser.add_argument("--part", type=int, help="only this part of it")
    options = parser.parse_args()
    parts = PROOFS[options.name]
    if options.part is not None and not 1 <= options.part <= len(parts):
        parser.error(f"expected a part of 1 to {len(parts)} of {options.name}, found {options.part}")
    for number, command in enumerate(parts, 1):
        if options.part in (None, number) and not run(f"{options.name} {number}", command):
            return 1
    return 0


def run(name: str, command: tuple[str, ...]) -> bool:
    """One part, its output passed on as it comes; it stands in the record then."""
    print(" ".join(command), flush=True)
    load, began, said = os.getloadavg()[0], time.monotonic(), list[str]()
    process = subprocess.Popen([sys.executable, "-m", *command], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    for line in process.stdout:
        print(line, end="", flush=True)
        if any(letter.isalpha() for letter in line):
            said = [*said[1 - LINES :], line.strip()]
    passed = process.wait() == 0
    note(
        name,
        {
            "command": " ".join(["python -m", *command]),
            "passed": passed,
            "said": said,
            "seconds": round(time.monotonic() - began),
            "commit": _git("rev-parse", "--short", "HEAD")
            + ("+" if _git("status", "--porcelain", "actors", "orchestrator", "tests") else ""),
            "date": datetime.now(UTC).date().isoformat(),
            "machine": f"{os.cpu_count()} cores, load {load:.1f} before, Python {platform.python_version()}",
        },
    )
    return passed


def note(name: str, part: dict[str, Any]) -> None:
    record = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    record[name] = part
    record = dict(sorted(record.items()))
    RESULTS.write_text(json.dumps(record, indent=1) + "\n")
    lines = ["| proof | what it said | seconds | commit, day, machine |", "|---|---|---|---|"]
    for each in record.values():
        said = "; ".join(each["said"]) if each["passed"] else "**failed**: " + "; ".join(each["said"])
        where = f"{each['commit']}, {each['date']}, {each['machine']}"
        lines.append(f"| `{each['command']}` | {said} | {each['seconds']:,} | {where} |")
    TABLE.write_text("\n".join(lines) + "\n")


def _git(*words: str) -> str:
    return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
