"""``python -m tests.store.prove [--seeds N]``: the long count of ``explore``, in as many sittings as it takes.

What was lived through stands in ``bench/results/store-simulation.json``, with what went wrong how often. The next run
goes on from there, as long as the code is the same that was tried; else it begins anew.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from hashlib import sha256
from pathlib import Path

import msgspec

from tests.store.explore import replay, run
from tests.store.simulation.tally import TROUBLES, Tally

ROOT = Path(__file__).parent.parent.parent
SUMMARY = ROOT / "bench" / "results" / "store-simulation.json"
SEEDS = 400_000
SAVED_SEEDS = 500
"""As many are lived through again when a run is ended in the middle."""
TRIED = ("orchestrator/raft", "orchestrator/store", "tests/store/simulation", "tests/store/checks")
"""The code that decides what a seed lives through and what is found wrong."""


class Summary(msgspec.Struct):
    """Seeds 0 to ``seeds`` - 1 of this code passed, unless there is a ``failure``."""

    code: str
    seeds: int = 0
    failures: int = 0
    failure: str = ""
    cpu_seconds: float = 0.0
    operations: int = 0
    committed: int = 0
    undecided: int = 0
    """Keys whose histories the search for an order gave up on; the order of revisions was checked all the same."""
    troubles: dict[str, int] = {}


def fingerprint() -> str:
    digest = sha256()
    for folder in TRIED:
        for path in sorted((ROOT / folder).glob("*.py")):
            digest.update(f"{path.relative_to(ROOT)} {path.stat().st_size}\n".encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def begun(path: Path) -> Summary:
    """What was lived through with this very code."""
    fresh = Summary(fingerprint())
    if not path.exists():
        return fresh
    found = msgspec.json.decode(path.read_bytes(), type=Summary)
    return found if found.code == fresh.code and not found.failures else fresh


def save(path: Path, summary: Summary) -> None:
    draft = path.with_suffix(".draft")
    draft.write_bytes(msgspec.json.format(msgspec.json.encode(summary), indent=2) + b"\n")
    draft.replace(path)


def prove(path: Path, seeds: int, jobs: int) -> Summary:
    """Live seeds until ``seeds`` have passed or one has not."""
    summary = begun(path)
    print(f"{summary.seeds:,} seeds of this code were lived through before", flush=True)
    tally = Tally(summary.troubles)
    began = time.perf_counter()
    for lived in run(summary.seeds, max(0, seeds - summary.seeds), jobs):
        tally.update(lived.tally)
        summary.cpu_seconds = round(summary.cpu_seconds + lived.cpu_seconds, 3)
        if lived.violation:
            summary.failures, summary.failure = 1, f"seed {lived.seed}: {lived.violation}"
            print(f"{summary.failure}\nreplay: {replay(lived.seed)}")
            break
        summary.seeds += 1
        summary.operations += lived.operations
        summary.committed += lived.committed
        summary.undecided += lived.undecided
        if summary.seeds % SAVED_SEEDS == 0:
            summary.troubles = {trouble: tally[trouble] for trouble in TROUBLES}
            save(path, summary)
            if summary.seeds % (20 * SAVED_SEEDS) == 0:
                print(f"{summary.seeds:,} seeds, {time.perf_counter() - began:.0f} s", flush=True)
    summary.troubles = {trouble: tally[trouble] for trouble in TROUBLES}
    save(path, summary)
    return summary


def main() -> int:
    parser = argparse.ArgumentParser(description="live through groups of stores, in sittings")
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--summary", type=Path, default=SUMMARY)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    summary = prove(options.summary, options.seeds, options.jobs)
    for trouble, count in summary.troubles.items():
        print(f"{count:>15,}  {trouble}")
    print(f"{summary.seeds} passed, {summary.failures} failed")
    return summary.failures


if __name__ == "__main__":
    sys.exit(main())
