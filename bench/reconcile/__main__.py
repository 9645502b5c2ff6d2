"""``make bench-reconcile``: the cells of the reconcile benchmark, one process each, results in ``bench/results/``."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

RESULTS = Path(__file__).parents[1] / "results"
CELLS = ((100, 1000, 1), (1000, 5000, 1), (1000, 5000, 50))
"""Nodes, pods, Deployments."""


def main() -> int:
    for nodes, pods, deployments in CELLS:
        name = f"reconcile-{nodes}x{pods}x{deployments}.json"
        command = [sys.executable, "-m", "orchestrator.cli.main", "bench", "reconcile", "--rounds", "3"]
        sizes = ["--nodes", str(nodes), "--pods", str(pods), "--deployments", str(deployments)]
        subprocess.run([*command, *sizes, "--json", str(RESULTS / name)], check=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
