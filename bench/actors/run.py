"""Measures the actor library beside its peers, all on this machine in one run, each in an environment of its own.

Rounds alternate between the libraries, so that a busy minute of the machine meets all of them. Rates are by the wall
clock, as the peers with threads and processes need it; for what runs in one process the CPU time stands beside.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from bench.actors.environment import ROOT, Unavailable, command
from bench.actors.libraries import BYTES, CASES, LIBRARIES, ONCE, WEIGHED, Library
from bench.actors.report import plot, summarize, table

RESULTS = ROOT / "bench" / "results"
ROUND_SECONDS = 600.0
"""A library that needs longer for one round is listed with what it gave until then."""

Samples = dict[str, list[dict[str, float]]]


class Measured:
    """What one library gave."""

    def __init__(self, library: Library) -> None:
        self.library = library
        self.version = ""
        self.failure = ""
        self.samples: Samples = defaultdict(list)

    def measure(self, runs: int, cases: Sequence[str]) -> None:
        """Run a round of ``cases``; a failure is kept and ends this library's part."""
        if self.failure or not cases:
            return
        try:
            arguments = command(self.library, runs, list(cases))
        except Unavailable as reason:
            self.failure = str(reason)
            return
        try:
            done = subprocess.run(arguments, capture_output=True, text=True, timeout=ROUND_SECONDS, check=False)
        except subprocess.TimeoutExpired as late:
            self.failure = f"did not end within {ROUND_SECONDS:g} s"
            self._read((late.stdout or b"").decode())
            return
        self._read(done.stdout)
        if done.returncode != 0:
            self.failure = (done.stderr.strip().splitlines() or [f"ended with {done.returncode}"])[-1]

    def _read(self, text: str) -> None:
        for line in text.splitlines():
            try:
                facts = json.loads(line)
            except json.JSONDecodeError:
                continue  # a library's own words
            if not isinstance(facts, dict):
                continue
            if "version" in facts:
                self.version = facts["version"]
            else:
                self.samples[facts.pop("case")].append(facts)


def measure(measured: Sequence[Measured], runs: int, rounds: int, cases: Sequence[str]) -> Iterator[int]:
    """Gives the number of each round that is done."""
    timed = [case for case in cases if case not in BYTES]
    each = [runs // rounds + (number < runs % rounds) for number in range(rounds)]
    for number, share in enumerate(each):
        for one in measured:
            begun = time.monotonic()
            one.measure(share, timed)
            for case in WEIGHED:
                one.measure(1, [case] if case in cases else [])
            if number == 0:
                one.measure(1, [case for case in ONCE if case in cases and one.library.name == "podium"])
            seconds = time.monotonic() - begun
            print(f"round {number + 1}/{rounds} {one.library.name}: {seconds:.0f} s {one.failure}", file=sys.stderr)
        yield number + 1


def machine() -> dict[str, Any]:
    model = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    return {
        "python": sys.version.split()[0],
        "platform": platform.platform(),
        "cpu": model[0].split(":", 1)[1].strip() if model else platform.machine(),
        "cpus": os.cpu_count(),
        "load": os.getloadavg(),
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }


def write(measured: Sequence[Measured], facts: dict[str, Any], rounds: int, out: Path) -> str:
    """What was measured in ``rounds`` rounds, as JSON, table and plot; gives the table."""
    results = [summarize(one.library, one.version, one.failure, one.samples) for one in measured]
    runs = max((len(samples) for one in measured for samples in one.samples.values()), default=0)
    out.mkdir(parents=True, exist_ok=True)
    report = {"machine": facts, "runs": runs, "rounds": rounds, "libraries": results}
    (out / "actors.json").write_text(json.dumps(report, indent=1) + "\n")
    text = table(results, facts, runs)
    (out / "actors.md").write_text(text)
    plot(results, out / "actors.svg")
    return text


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.actors", description=__doc__)
    parser.add_argument("--runs", type=int, default=20, help="of each timed case")
    parser.add_argument("--rounds", type=int, default=2, help="processes over which the runs are spread")
    parser.add_argument("--only", default="", help="names of libraries, comma-separated")
    parser.add_argument("--cases", default=",".join(CASES))
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    wanted = options.only.split(",") if options.only else [library.name for library in LIBRARIES]
    chosen = [library for library in LIBRARIES if library.name.split(",")[0] in wanted or library.name in wanted]
    facts = machine()
    measured = [Measured(library) for library in chosen]
    for rounds in measure(measured, options.runs, options.rounds, options.cases.split(",")):
        text = write(measured, facts, rounds, options.out)
    print(text)
    return 0
