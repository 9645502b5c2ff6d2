"""``podium bench reconcile``: pods per second from the POST of a Deployment to the last Ready pod, through every hop.

A cluster of simulated nodes with its log on disk (fsync on) and everything the daemon has; the measuring client speaks
HTTPS like anybody, from a process of its own, and watches every pod. Each phase ends with a recount of the state.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import resource
import tempfile
from dataclasses import replace
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestrator.bench.cell import CELLS, SCENARIOS
from orchestrator.cli.terminal import CommandError

if TYPE_CHECKING:
    from orchestrator.bench.measure import Profile


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", choices=["reconcile"])
    parser.add_argument("--nodes", type=int, default=100)
    parser.add_argument("--pods", type=int, default=1000)
    parser.add_argument("--deployments", type=int, default=1, help="spread the pods over so many Deployments")
    parser.add_argument("--cell", choices=tuple(CELLS), help="a cell of `make bench-reconcile`, in place of the sizes")
    parser.add_argument("--rounds", type=int, help="measure so many times in one process; the first is cold")
    parser.add_argument("--scenario", choices=SCENARIOS, help="what happens to the pods once they are Ready")
    parser.add_argument("--seconds", type=float, help="how long a churn goes on")
    parser.add_argument("--rate", type=float, help="pods a second of churn")
    parser.add_argument("--services", type=int, help="Services of the scenario of that name")
    parser.add_argument("--share", type=float, help="of the nodes, those that fail in the scenario of that name")
    parser.add_argument(
        "--place", metavar="PART=PROCESS,...", help="run components in worker processes, as door=edge (see `podium up`)"
    )
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    parser.add_argument("--data-dir", type=Path, help="where the log goes (default: a temporary directory, deleted)")
    parser.add_argument(
        "--profile",
        type=Path,
        nargs="?",
        const=Path(os.devnull),
        help="print microseconds per pod per hop, and write the stacks to this file (.ready and .deleted)",
    )


def run(options: argparse.Namespace) -> int:
    from orchestrator.bench.cell import Cell
    from orchestrator.bench.measure import Profile, measure
    from orchestrator.config import placement
    from orchestrator.daemon import plain_logs, tune
    from orchestrator.fastloop import new_loop

    plain_logs()
    tune()
    if options.pods % options.deployments:
        raise CommandError("podium bench: --pods must be a multiple of --deployments", code=2)
    cell = CELLS[options.cell] if options.cell else Cell(options.nodes, options.pods, options.deployments)
    given = {name: getattr(options, name) for name in ("rounds", "scenario", "seconds", "rate", "services", "share")}
    cell = replace(cell, **{name: value for name, value in given.items() if value is not None})
    with tempfile.TemporaryDirectory(prefix="podium-bench-") as scratch:
        directory = options.data_dir or Path(scratch)
        profile = Profile()
        with asyncio.Runner(loop_factory=new_loop) as runner:
            figures = runner.run(measure(cell, directory, profile=profile, place=placement(options.place or "")))
    report = {"machine": machine(), "cell": vars_of(cell), "place": options.place or "", "rounds": figures}
    print(table(report))
    if options.profile:
        print(hops(profile, options.profile))
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(report, indent=1) + "\n")
    else:
        print(json.dumps(report))
    return 1 if any(each["recount_errors"] for each in figures) else 0


def hops(profile: Profile, path: Path) -> str:
    """A table for each phase; the stacks go to files beside ``path``."""
    lines = []
    for name, spent in profile.hops.items():
        lines.append(f"microseconds per pod, {name}\n{spent.table(max(1, profile.pods[name]))}")
        if path != Path(os.devnull):
            spent.write(path.with_name(f"{path.name}.{name}"))
    return "\n".join(lines)


def vars_of(cell: Any) -> dict[str, Any]:
    from dataclasses import asdict

    return asdict(cell)


def machine() -> dict[str, Any]:
    return {
        "cores": os.cpu_count(),
        "load_average": [round(load, 1) for load in os.getloadavg()],
        "python": platform.python_version(),
        "system": platform.platform(),
        "memory_max_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
    }


def table(report: dict[str, Any]) -> str:
    """A column for each round of each phase; what is not a number is in the JSON."""
    cell = report["cell"]
    lines = [f"{cell['pods']} pods on {cell['nodes']} nodes, {cell['deployments']} Deployments"]
    for phase in dict.fromkeys(row["phase"] for row in report["rounds"]):
        rows = [flat(row) for row in report["rounds"] if row["phase"] == phase]
        names = list(rows[0])
        width = max(map(len, names))
        lines.append(phase)
        lines += [f"  {name:<{width}}  " + "  ".join(f"{row.get(name, 0):>12,}" for row in rows) for name in names]
        lines += by_actor(report, phase)
        lines += [f"  fault: {fault}" for row in report["rounds"] if row["phase"] == phase for fault in row["faults"]]
    return "\n".join(lines)


def by_actor(report: dict[str, Any], phase: str) -> list[str]:
    """What the last round of a phase cost: CPU by hop beside the memory that each kind of actor holds."""
    row = [row for row in report["rounds"] if row["phase"] == phase][-1]
    spent = sorted(row["cpu_microseconds_per_pod_by_hop"].items(), key=lambda item: -item[1])
    held = list((row.get("memory") or {}).get("held_mb_by_actor", {}).items())
    lines = [f"  {'CPU by hop, µs a pod':<42}  {'memory by actor, MB' if held else ''}".rstrip()]
    for hop, actor in zip_longest(spent, held):
        left = f"{hop[0]:<32}{hop[1]:>10,.1f}" if hop else " " * 42
        lines.append(f"  {left}  {f'{actor[0]:<24}{actor[1]:>10,.2f}' if actor else ''}".rstrip())
    return lines


def flat(row: dict[str, Any]) -> dict[str, Any]:
    """The numbers of a record, with the tail of what has percentiles."""
    found = {name: value for name, value in row.items() if isinstance(value, int | float) and name != "round"}
    starts = row.get("created_to_ready_seconds") or {}
    found |= {f"created_to_ready_{name}": starts[name] for name in ("p50", "p99") if name in starts}
    for verb, times in (row.get("api_seconds") or {}).items():
        found[f"api_{verb}_p99_ms"] = round(times["p99"] * 1000, 2)
    return found
