"""``make bench-reconcile``: the cells of the reconcile benchmark, one process each, results in ``bench/results/``.

``python -m bench.reconcile [CELL ...] [--short] [--churn-seconds 600]``; without names all of them. ``--short`` leaves
out the largest cell and churns for a minute.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

from bench.reconcile.plots import curve_of, growth
from orchestrator.bench.cell import CELLS, LONG, SHORT_CHURN_SECONDS

RESULTS = Path(__file__).parents[1] / "results"


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench.reconcile", description=__doc__)
    parser.add_argument("cells", nargs="*", metavar="CELL", help=f"of {', '.join(CELLS)}")
    parser.add_argument("--short", action="store_true", help="without the largest cell, a minute of churn")
    parser.add_argument("--churn-seconds", type=float)
    options = parser.parse_args()
    churn = options.churn_seconds or (SHORT_CHURN_SECONDS if options.short else CELLS["churn"].seconds)
    if unknown := sorted(set(options.cells) - set(CELLS)):
        parser.error(f"expected cells of {', '.join(CELLS)}, found {', '.join(unknown)}")
    code = 0
    for name in options.cells or [name for name in CELLS if not (options.short and name in LONG)]:
        print(f"== {name}", flush=True)
        path = RESULTS / f"reconcile-{name}.json"
        command = [sys.executable, "-m", "orchestrator.cli.main", "bench", "reconcile", "--cell", name]
        command += ["--json", str(path), "--profile"]
        if CELLS[name].scenario == "churn":
            command += ["--seconds", str(churn)]
        code = subprocess.run(command, check=False).returncode or code
        if path.exists():
            curve_of(json.loads(path.read_text()), path.with_suffix(".svg"))
    reports = {name: RESULTS / f"reconcile-{name}.json" for name in CELLS}
    found = {name: json.loads(path.read_text()) for name, path in reports.items() if path.exists()}
    growth(found, RESULTS / "reconcile-growth.svg")
    return code


if __name__ == "__main__":
    sys.exit(main())
