"""How fast the store is in process: durable puts through the mailbox, and the latency of one large batch.

``python -m bench.store.run [--seconds 3] [--writers 64] [--out FILE]`` prints a table and writes JSON. The store is the
real one: SQLite with fsync, the actor, the mailbox, frames.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from actors import Mailbox, Ref, System, child
from bench.store.growth import run
from bench.store.machine import facts
from orchestrator.store.protocol import Batch, Change, Range, StoreStatus
from orchestrator.store.sqlite_log import SqliteLog
from orchestrator.store.store import Store

VALUE = (os.urandom(300), os.urandom(200), os.urandom(524))
"""1 KiB in three parts."""


async def puts(store: Ref[Any], writers: int, seconds: float) -> dict[str, float]:
    """Each writer puts one object after the other, each waiting for its durable answer."""
    latencies: list[float] = []
    before = await store.ask(StoreStatus())
    begun = time.perf_counter()

    async def writer(number: int) -> None:
        count = 0
        while time.perf_counter() - begun < seconds:
            count += 1
            asked = time.perf_counter()
            await store.ask(Batch([Change(f"core/pods/bench-{number}/pod-{count % 500}", VALUE)]))
            latencies.append(time.perf_counter() - asked)

    cpu = time.process_time()
    await asyncio.gather(*[writer(number) for number in range(writers)])
    took = time.perf_counter() - begun
    cpu = time.process_time() - cpu
    after = await store.ask(StoreStatus())
    latencies.sort()
    return {
        "writers": writers,
        "puts_per_second": len(latencies) / took,
        "p50_ms": latencies[len(latencies) // 2] * 1000,
        "p99_ms": latencies[len(latencies) * 99 // 100] * 1000,
        "puts_per_commit": (after.changes - before.changes) / max(1, after.commits - before.commits),
        "cpu_us_per_put": cpu / len(latencies) * 1e6,
    }


async def batches(store: Ref[Any], size: int, rounds: int) -> dict[str, float]:
    """One batch after the other, from the ask to the durable answer."""
    took = []
    for number in range(rounds):
        changes = [Change(f"core/pods/batch-{number}/pod-{i}", VALUE) for i in range(size)]
        asked = time.perf_counter()
        await store.ask(Batch(changes))
        took.append(time.perf_counter() - asked)
    return {"size": size, "p50_ms": statistics.median(took) * 1000, "max_ms": max(took) * 1000}


async def listing(store: Ref[Any], count: int) -> dict[str, float]:
    """All objects at one revision, from the ask to the decoded answer."""
    for start in range(0, count, 1000):
        await store.ask(Batch([Change(f"core/configmaps/list/{i:06}", VALUE) for i in range(start, start + 1000)]))
    asked = time.perf_counter()
    reply = await store.ask(Range("core/configmaps/"), timeout=30)
    return {"objects": len(reply.values), "seconds": time.perf_counter() - asked}


async def measure(path: str, writers: int, seconds: float) -> dict[str, Any]:
    async with System() as system:
        spec = child(Store, SqliteLog(path), name="store", mailbox=Mailbox(8192), later=8192)
        store = await system.spawn(spec)
        return {
            "machine": facts(),
            "puts": [await puts(store, count, seconds) for count in (1, 8, writers)],
            "batch": await batches(store, 500, 40),
            "list": await listing(store, 100_000),
        }


def show(results: dict[str, Any]) -> None:
    table = Table("writers", "puts/s", "p50 ms", "p99 ms", "puts per commit", "CPU µs per put")
    for row in results["puts"]:
        table.add_row(
            f"{row['writers']}",
            f"{row['puts_per_second']:,.0f}",
            f"{row['p50_ms']:.2f}",
            f"{row['p99_ms']:.2f}",
            f"{row['puts_per_commit']:.1f}",
            f"{row['cpu_us_per_put']:.1f}",
        )
    console = Console()
    console.print(table)
    batch, listed = results["batch"], results["list"]
    console.print(f"one batch of {batch['size']}: median {batch['p50_ms']:.1f} ms, slowest {batch['max_ms']:.1f} ms")
    console.print(f"list of {listed['objects']:,} at one revision: {listed['seconds'] * 1000:.0f} ms")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--writers", type=int, default=64)
    parser.add_argument("--out", type=Path, default=Path("bench/results/store-run.json"))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        results = run(measure(f"{directory}/store.db", options.writers, options.seconds))
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(results, indent=2) + "\n")
    show(results)


if __name__ == "__main__":
    main()
