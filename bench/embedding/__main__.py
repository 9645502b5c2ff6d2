"""``make bench-embedding``: how long a test waits for its cluster, and what that costs, here and with what others use.

Each contestant is a process of its own: seconds from nothing (its imports too) to the first answer of its API, the
median of the starts after that, CPU seconds of the first, memory with one Deployment of three pods where pods run.
``kmock`` is measured when it is installed, etcd with a kube-apiserver (what envtest starts) when both are named:
``python -m bench.embedding --apiserver PATH --etcd PATH``. Results in ``bench/results/embedding.json``.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from bench.embedding.contestants import CONTESTANTS
from bench.store.machine import facts

RESULTS = Path(__file__).parents[1] / "results"
COLUMNS = ("first_seconds", "next_seconds", "first_cpu_seconds", "next_cpu_seconds", "memory_mb")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.embedding", description=__doc__)
    parser.add_argument("--rounds", type=int, default=20, help="starts after the first (a fifth of it for processes)")
    parser.add_argument("--apiserver", default="", help="a kube-apiserver to start as envtest does")
    parser.add_argument("--etcd", default=shutil.which("etcd") or "", help="the etcd below it")
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--one", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(CONTESTANTS[options.one](options)))
        return 0
    records = {name: _in_a_process(name, options) for name in CONTESTANTS if _is_here(name, options)}
    print(table(records))
    options.results.mkdir(parents=True, exist_ok=True)
    written = json.dumps({"machine": facts(), "contestants": records}, indent=2) + "\n"
    (options.results / "embedding.json").write_text(written)
    return 0


def _is_here(name: str, options: argparse.Namespace) -> bool:
    if name == "kmock":
        return importlib.util.find_spec("kmock") is not None
    return name != "etcd and kube-apiserver" or bool(options.apiserver and options.etcd)


def _in_a_process(name: str, options: argparse.Namespace) -> dict[str, Any]:
    command = [sys.executable, "-m", "bench.embedding", "--one", name, "--rounds", str(options.rounds)]
    command += ["--apiserver", options.apiserver, "--etcd", options.etcd]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    record: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return record


def table(records: dict[str, dict[str, Any]]) -> str:
    """As Markdown."""
    lines = ["| | " + " | ".join(name.replace("_", " ") for name in COLUMNS) + " |", "|---" * (len(COLUMNS) + 1) + "|"]
    for name, record in records.items():
        lines.append(f"| {name} | " + " | ".join(f"{record[column]:.3g}" for column in COLUMNS) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
