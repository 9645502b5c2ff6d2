"""Planted bugs: each is a small patch that the suite's explorer must catch, or the explorer proves nothing.

    python -m tests.mutants actors                 # each patch of the suite, over the seeds that its header names
    python -m tests.mutants actors --full          # over the suite's whole limit, from seed 0
    python -m tests.mutants --patch file.patch     # a reviewer's own, against each suite in turn

A patch is a unified diff with paths from the root, in ``tests/<suite>/mutants/``. Text before the diff says what the
bug is; a line ``seeds: FIRST COUNT`` there names a range that catches it, for runs in a hurry. One that does not apply
fails the run. The explorer is ``python -m tests.<suite>.explore --first FIRST --seeds COUNT``; it must say
``seed S: ...`` and end with 1.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
LIMITS = {"actors": 2000, "powercut": 2000, "store": 5000, "cluster": 1000, "nodes": 500}
"""Seeds within which a bug of the suite must be caught."""
COPIED = ("actors", "orchestrator", "tests", "examples", "pyproject.toml")
RUN_SECONDS = 3600.0
"""A mutant may hang; that is no catch, since a hang names no seed."""
SEEDS = re.compile(r"^seeds: (\d+) (\d+)$", re.MULTILINE)
CAUGHT = re.compile(r"^seed \d+: .*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of one patch: ``caught`` or not, and the explorer's word or the reason."""

    patch: Path
    suite: str
    caught: bool
    said: str
    seconds: float

    def __str__(self) -> str:
        word = "caught" if self.caught else "MISSED"
        return f"{word}  {self.suite}/{self.patch.stem}  {self.seconds:.0f} s  {self.said}"


def judge(patch: Path, suite: str, *, full: bool = False) -> Verdict:
    """Apply ``patch`` to a copy of the tree and let the suite's explorer look for it."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="podium-mutant-") as folder:
        tree = Path(folder)
        _copy(tree)
        applied = subprocess.run(["git", "apply", "-p1", str(patch)], cwd=tree, capture_output=True, text=True)
        if applied.returncode:
            return Verdict(patch, suite, False, f"does not apply: {applied.stderr.strip()}", time.monotonic() - began)
        caught, said = _explore(tree, suite, *_range(patch, suite, full))
    return Verdict(patch, suite, caught, said, time.monotonic() - began)


def _copy(tree: Path) -> None:
    ignore = shutil.ignore_patterns("__pycache__", ".*")
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, tree / name, ignore=ignore)
        else:
            shutil.copy(source, tree / name)


def _range(patch: Path, suite: str, full: bool) -> tuple[int, int]:
    named = SEEDS.search(patch.read_text().split("\ndiff ", 1)[0])
    if full or named is None:
        return 0, LIMITS[suite]
    return int(named[1]), int(named[2])


def _explore(tree: Path, suite: str, first: int, count: int) -> tuple[bool, str]:
    command = [sys.executable, "-m", f"tests.{suite}.explore", "--first", str(first), "--seeds", str(count)]
    environment = {**os.environ, "PYTHONPATH": str(tree)}
    try:
        done = subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True, timeout=RUN_SECONDS)
    except subprocess.TimeoutExpired:
        return False, f"no verdict within {RUN_SECONDS:.0f} s"
    said = CAUGHT.search(done.stdout)
    if done.returncode == 1 and said:
        return True, said[0]
    if done.returncode == 0:
        return False, f"{count} seeds from {first} on passed"
    return False, f"the explorer ended with {done.returncode}: {(done.stdout + done.stderr).strip()[-400:]}"


def main() -> int:
    parser = argparse.ArgumentParser(description="run planted bugs against the explorers")
    parser.add_argument("suites", nargs="*", choices=[[], *LIMITS], help="all when none is named")
    parser.add_argument("--patch", type=Path, help="one patch, not those of the suites")
    parser.add_argument("--only", default="", help="patches whose name holds this")
    parser.add_argument("--full", action="store_true", help="the suite's whole limit of seeds")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    suites = options.suites or [suite for suite in LIMITS if (ROOT / "tests" / suite / "explore.py").exists()]
    if options.patch:
        verdicts = [judge(options.patch.resolve(), suite, full=True) for suite in suites]
        print("\n".join(map(str, verdicts)))
        return 0 if any(verdict.caught for verdict in verdicts) else 1
    pairs = [(path, suite) for suite in suites for path in sorted((ROOT / "tests" / suite / "mutants").glob("*.patch"))]
    pairs = [(path, suite) for path, suite in pairs if options.only in path.stem]
    with ThreadPoolExecutor(options.jobs) as pool:
        verdicts = []
        for verdict in pool.map(lambda pair: judge(*pair, full=options.full), pairs):
            print(verdict, flush=True)
            verdicts.append(verdict)
    missed = sum(not verdict.caught for verdict in verdicts)
    print(f"{len(verdicts) - missed} passed, {missed} failed")
    return 1 if missed or not verdicts else 0


if __name__ == "__main__":
    sys.exit(main())
