"""``podium bench reconcile``: pods per second from the POST of a Deployment to the last Ready pod, through every hop.

A cluster of simulated nodes with its log on disk (fsync on) and everything the daemon has; the measuring client speaks
HTTPS like anybody, from a thread of its own loop. Each run ends with a recount of the state by an independent reader.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import resource
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestrator.cli.terminal import CommandError

if TYPE_CHECKING:
    from orchestrator.bench import Cell, Profile


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", choices=["reconcile"])
    parser.add_argument("--nodes", type=int, default=100)
    parser.add_argument("--pods", type=int, default=1000)
    parser.add_argument("--deployments", type=int, default=1, help="spread the pods over so many Deployments")
    parser.add_argument("--rounds", type=int, default=1, help="measure so many times in one process; the first is cold")
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
    from orchestrator.bench import Cell, Profile, measure
    from orchestrator.daemon import new_loop, tune

    tune()
    if options.pods % options.deployments:
        raise CommandError("podium bench: --pods must be a multiple of --deployments", code=2)
    cell = Cell(options.nodes, options.pods, options.deployments, options.rounds)
    with tempfile.TemporaryDirectory(prefix="podium-bench-") as scratch:
        directory = options.data_dir or Path(scratch)
        profile = Profile() if options.profile else None
        with asyncio.Runner(loop_factory=new_loop) as runner:
            figures = runner.run(measure(cell, directory, profile=profile))
    report = {"machine": machine(), "cell": vars_of(cell), "rounds": figures}
    print(table(report))
    if profile:
        print(hops(profile, cell, options.profile))
    print(json.dumps(report))
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(report, indent=1) + "\n")
    return 0


def hops(profile: Profile, cell: Cell, path: Path) -> str:
    """Both tables; the stacks go to files beside ``path``."""
    pods = cell.pods * max(1, cell.rounds - 1)
    lines = []
    for name, spent in (("ready", profile.ready), ("deleted", profile.deleted)):
        lines.append(f"microseconds per pod, {name}\n{spent.table(pods)}")
        if path != Path(os.devnull):
            spent.write(path.with_name(f"{path.name}.{name}"))
    return "\n".join(lines)


def vars_of(cell: Any) -> dict[str, Any]:
    from dataclasses import asdict

    return asdict(cell)


def machine() -> dict[str, Any]:
    return {
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "system": platform.platform(),
        "memory_max_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
    }


def table(report: dict[str, Any]) -> str:
    rows = report["rounds"]
    names = list(rows[0])
    width = max(map(len, names))
    lines = [f"{report['cell']['pods']} pods on {report['cell']['nodes']} nodes"]
    lines += [f"  {name:<{width}}  " + "  ".join(f"{row[name]:>12,}" for row in rows) for name in names]
    return "\n".join(lines)
