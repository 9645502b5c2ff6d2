"""``make bench-reconcile``: the cells of the reconcile benchmark, one process each, results in ``bench/results/``.

``python -m bench.reconcile [CELL ...] [--churn-seconds 600]``; without names all of them.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

from bench.reconcile.plots import curve_of, growth
from orchestrator.bench.cell import CELLS

RESULTS = Path(__file__).parents[1] / "results"


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench.reconcile", description=__doc__)
    parser.add_argument("cells", nargs="*", metavar="CELL", help=f"of {', '.join(CELLS)}")
    parser.add_argument("--churn-seconds", type=float, default=CELLS["churn"].seconds)
    options = parser.parse_args()
    if unknown := sorted(set(options.cells) - set(CELLS)):
        parser.error(f"expected cells of {', '.join(CELLS)}, found {', '.join(unknown)}")
    code = 0
    for name in options.cells or CELLS:
        print(f"== {name}", flush=True)
        path = RESULTS / f"reconcile-{name}.json"
        command = [sys.executable, "-m", "orchestrator.cli.main", "bench", "reconcile", "--cell", name]
        command += ["--json", str(path), "--profile"]
        if CELLS[name].scenario == "churn":
            command += ["--seconds", str(options.churn_seconds)]
        code = subprocess.run(command, check=False).returncode or code
        if path.exists():
            curve_of(json.loads(path.read_text()), path.with_suffix(".svg"))
    reports = [json.loads(path.read_text()) for path in sorted(RESULTS.glob("reconcile-*.json"))]
    growth(reports, RESULTS / "reconcile-growth.svg")
    return code


if __name__ == "__main__":
    sys.exit(main())
