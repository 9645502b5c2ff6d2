"""``make bench-scheduler``: the cells of scheduler_perf, one process each; results in ``bench/results/``.

``python -m bench.scheduler --cell SchedulingBasic --scale 0.1`` runs those whose name begins so, a tenth of the size;
``--profile FILE`` writes the stacks of the measured part for a flame graph and prints microseconds per pod per hop.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from bench.scheduler.cells import CELLS, Cell

RESULTS = Path(__file__).parents[1] / "results"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.scheduler", description=__doc__)
    parser.add_argument("--cell", default="", help="run the cells whose name begins with this")
    parser.add_argument("--scale", type=float, default=1.0, help="multiply the numbers of nodes and pods")
    parser.add_argument("--results", type=Path, default=RESULTS, help="where the JSON and the plot go")
    parser.add_argument("--https", action="store_true", help="the pods come over HTTPS, from another process")
    parser.add_argument("--profile", type=Path, help="where the stacks of the measured part go")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(_run(_named(options.one).scaled(options.scale), options)))
        return 0
    chosen = [cell for cell in CELLS if cell.name.startswith(options.cell)]
    if not chosen:
        parser.error(f"no cell begins with {options.cell!r}; there are {', '.join(cell.name for cell in CELLS)}")
    records = [_in_a_process(cell, options) for cell in chosen]
    _write(records, options)
    return 1 if any(record["recount_errors"] for record in records) else 0


def _named(name: str) -> Cell:
    return next(cell for cell in CELLS if cell.name == name)


def _in_a_process(cell: Cell, options: argparse.Namespace) -> dict[str, Any]:
    """Each cell starts cold, with memory of its own."""
    command = [sys.executable, "-m", "bench.scheduler", "--one", cell.name, "--scale", str(options.scale)]
    command += ["--https"] if options.https else []
    if options.profile:
        command += ["--profile", str(options.profile)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    *said, last = done.stdout.splitlines()
    record: dict[str, Any] = json.loads(last)
    print("\n".join([*said, f"{cell.name}: {record['pods_per_second']:,.0f} pods/s"]), flush=True)
    return record


def _run(cell: Cell, options: argparse.Namespace) -> dict[str, Any]:
    from bench.scheduler.driver import measure
    from orchestrator.daemon import tune
    from orchestrator.fastloop import new_loop
    from orchestrator.hops import Hops

    tune()
    hops = Hops() if options.profile else None
    with (
        tempfile.TemporaryDirectory(prefix="podium-bench-") as scratch,
        asyncio.Runner(loop_factory=new_loop) as runner,
    ):
        record = runner.run(measure(cell, Path(scratch), hops, https=options.https))
    if hops is not None:
        print(hops.table(record["pods"]))
        hops.write(options.profile)
    return record


def _write(records: list[dict[str, Any]], options: argparse.Namespace) -> None:
    from bench.scheduler.report import plot, table
    from orchestrator.cli.bench import machine

    print(table(records))
    options.results.mkdir(parents=True, exist_ok=True)
    cells = ",\n".join(json.dumps(record) for record in records)
    head = json.dumps({"machine": machine(), "scale": options.scale})
    name = "scheduler-https" if options.https else "scheduler"
    (options.results / f"{name}.json").write_text(f'{head[:-1]}, "cells": [\n{cells}\n]}}\n')
    (options.results / f"{name}.txt").write_text(table(records) + "\n")
    plot(records, options.results / f"{name}.png")


if __name__ == "__main__":
    sys.exit(main())
