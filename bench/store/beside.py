"""Puts of 1 KiB through etcd's JSON gateway: ours and a real etcd's in turn, the same ``wrk``, the same disk.

``python -m bench.store.beside [--members 1 3] [--seconds 3] [--rounds 3]``. A cell is the median of its rounds; within
a round the two run one right after the other, so that a busy machine is busy for both. Of three members the leader is
asked.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.store.machine import facts
from bench.store.servers import Server, etcd, etcd_version, podium, program

CLIENTS = (1, 8, 32, 128)
SCRIPT = Path(__file__).with_name("put.lua")
WARM_SECONDS = 1


def load(server: Server, clients: int, seconds: int) -> dict[str, float]:
    """One run of wrk. Raises ``RuntimeError`` when a put failed."""
    command = [program("wrk", "WRK", "wrk"), "-t1", f"-c{clients}", f"-d{seconds}s", "--timeout", "10s"]
    cpu = server.cpu_seconds()
    said = subprocess.run([*command, "-s", str(SCRIPT), server.url], capture_output=True, text=True, check=True).stdout
    cpu = server.cpu_seconds() - cpu
    line = next(line for line in said.splitlines() if line.startswith("RESULT "))
    requests, micros, p50, p99, slowest, errors = map(float, line.split()[1:])
    if errors:
        raise RuntimeError(f"{errors:.0f} of {requests:.0f} puts to {server.url} failed")
    return {
        "puts_per_second": requests / micros * 1e6,
        "p50_ms": p50 / 1000,
        "p99_ms": p99 / 1000,
        "max_ms": slowest / 1000,
        "cpu_us_per_put": cpu / max(1.0, requests) * 1e6,
    }


def measure(members: int, seconds: int, rounds: int, folder: Path) -> list[dict[str, Any]]:
    """A row for each number of clients, with the medians of both."""
    rows = []
    with podium(folder / "podium", members) as ours, etcd(folder / "etcd", members) as theirs:
        servers = {"podium": ours, "etcd": theirs}
        for server in servers.values():
            load(server, CLIENTS[-1], WARM_SECONDS)
        for clients in CLIENTS:
            runs: dict[str, list[dict[str, float]]] = {name: [] for name in servers}
            for _ in range(rounds):
                for name, server in servers.items():
                    runs[name].append(load(server, clients, seconds))
            row: dict[str, Any] = {name: _median(found) for name, found in runs.items()}
            row["members"], row["clients"] = members, clients
            row["ratio"] = row["podium"]["puts_per_second"] / row["etcd"]["puts_per_second"]
            rows.append(row)
    return rows


def _median(runs: list[dict[str, float]]) -> dict[str, float]:
    return {name: statistics.median(run[name] for run in runs) for name in runs[0]}


def show(result: dict[str, Any]) -> None:
    theirs = f"etcd {result['etcd']}"
    columns = (
        "members",
        "clients",
        "podium puts/s",
        f"{theirs}",
        "ratio",
        "podium p50 ms",
        f"{theirs}",
        "podium p99 ms",
        f"{theirs}",
        "podium CPU µs",
        f"{theirs}",
    )
    table = Table(*columns)
    for row in result["rows"]:
        ours, other = row["podium"], row["etcd"]
        table.add_row(
            f"{row['members']}",
            f"{row['clients']}",
            f"{ours['puts_per_second']:,.0f}",
            f"{other['puts_per_second']:,.0f}",
            f"{row['ratio']:.2f}",
            f"{ours['p50_ms']:.2f}",
            f"{other['p50_ms']:.2f}",
            f"{ours['p99_ms']:.1f}",
            f"{other['p99_ms']:.1f}",
            f"{ours['cpu_us_per_put']:.0f}",
            f"{other['cpu_us_per_put']:.0f}",
        )
    Console().print(table)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--members", type=int, nargs="*", default=[1, 3])
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path("bench/results/store-beside.json"))
    options = parser.parse_args()
    rows = []
    for members in options.members:
        with tempfile.TemporaryDirectory(prefix="podium-bench-") as folder:
            rows += measure(members, options.seconds, options.rounds, Path(folder))
    result = {"machine": facts(), "etcd": etcd_version(), "value_bytes": 1032, "rows": rows}
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(result, indent=2) + "\n")
    show(result)


if __name__ == "__main__":
    main()
