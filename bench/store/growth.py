"""What a put costs with a thousand keys and with a million, what a million take, and how long a restart is.

``python -m bench.store.growth [--keys 1000000] [--restart-objects 150000]``. CPU time of the process is what is
compared: it does not depend on who else is on the machine as wall time does.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from actors import Mailbox, Ref, System, child
from bench.store.machine import facts
from orchestrator.daemon import tune
from orchestrator.fastloop import new_loop
from orchestrator.large_pages import LargePages, resident_bytes
from orchestrator.store.protocol import Batch, Change, Range, StoreStatus
from orchestrator.store.sqlite_log import SqliteLog
from orchestrator.store.store import Store

WRITERS = 64
PUTS = 8_000
"""Puts in one measurement: some tenths of a second."""
FILL = 500
WINDOW_SECONDS = 0.3
MAX_WINDOWS = 400
LISTS = 3
"""The first takes memory that the process never had, which some machines make dear (``system_seconds``)."""
DIRECTORY = 1_000
"""Keys in one namespace."""


def key(number: int) -> str:
    return f"core/configmaps/ns-{number // DIRECTORY:05}/object-{number:08}"


def value(size: int) -> tuple[bytes, ...]:
    """Its own bytes in each of the three parts."""
    return (os.urandom(size // 4), os.urandom(size // 4), os.urandom(size - size // 4 * 2))


async def fill(store: Ref[Any], first: int, last: int, size: int) -> None:
    for start in range(first, last, FILL):
        changes = [Change(key(number), value(size)) for number in range(start, min(last, start + FILL))]
        await store.ask(Batch(changes), timeout=120)


async def puts(store: Ref[Any], keys: int) -> dict[str, float]:
    """Puts over keys that are there, spread over all of them."""
    parts = [value(1024) for _ in range(64)]
    wall, cpu = time.perf_counter(), time.process_time()

    async def writer(number: int) -> None:
        for turn in range(PUTS // WRITERS):
            place = (number * 7_919 + turn * 104_729) % keys
            await store.ask(Batch([Change(key(place), parts[turn % 64])]), timeout=120)

    await asyncio.gather(*[writer(number) for number in range(WRITERS)])
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return {"keys": keys, "puts_per_second": PUTS / wall, "cpu_us_per_put": cpu / PUTS * 1e6}


def spec(path: str) -> Any:
    return child(Store, SqliteLog(path), name="store", mailbox=Mailbox(8192), later=8192)


async def settled() -> None:
    """Return when what the filling left to do is done: checkpoints, a snapshot of everything, pages that are joined
    (a daemon's housekeeper does so from second to second)."""
    pages, quiet = LargePages(), 0
    pages.due()
    while pages.due():
        await asyncio.to_thread(pages.join)
    for _ in range(MAX_WINDOWS):
        cpu = time.process_time()
        await asyncio.sleep(WINDOW_SECONDS)
        quiet = quiet + 1 if time.process_time() - cpu < 0.1 * WINDOW_SECONDS else 0
        if quiet == 3:
            return
    raise RuntimeError(f"the store is still busy {MAX_WINDOWS * WINDOW_SECONDS:.0f} s after it was filled")


async def growth(path: str, most: int) -> dict[str, Any]:
    rows, have = [], 0
    sizes = [size for size in (1_000, 3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000) if size <= most]
    async with System() as system:
        store = await system.spawn(spec(path))
        before = resident_bytes()
        for size in sizes:
            await fill(store, have, size, 1024)
            have = size
            await settled()
            runs = [await puts(store, size) for _ in range(3)]
            rows.append({**min(runs, key=lambda run: run["cpu_us_per_put"]), "rss_bytes": resident_bytes()})
            print(json.dumps(rows[-1]), flush=True)
        lists = [await listing(store, 100_000) for _ in range(LISTS)]
        status = await store.ask(StoreStatus(), timeout=60)
    return {"rows": rows, "empty_rss_bytes": before, "lists": lists, "log_bytes": status.log_bytes}


async def listing(store: Ref[Any], objects: int) -> dict[str, float]:
    begun, cpu = time.perf_counter(), os.times()
    listed = await store.ask(Range("core/configmaps/", limit=objects), timeout=120)
    seconds, after = time.perf_counter() - begun, os.times()
    return {
        "objects": len(listed.values),
        "seconds": seconds,
        "user_seconds": after.user - cpu.user,
        "system_seconds": after.system - cpu.system,
    }


async def prepared(path: str, objects: int) -> None:
    async with System() as system:
        store = await system.spawn(spec(path))
        await fill(store, 0, objects, 2048)
        await fill(store, 0, objects // 20, 2048)


async def restarted(path: str) -> dict[str, float]:
    begun, cpu = time.perf_counter(), time.process_time()
    async with System() as system:
        store = await system.spawn(spec(path))
        reply = await store.ask(Range("", count_only=True), timeout=120)
        return {
            "objects": reply.count,
            "seconds": time.perf_counter() - begun,
            "cpu_seconds": time.process_time() - cpu,
            "rss_bytes": resident_bytes(),
        }


def run(work: Any) -> Any:
    tune()
    with asyncio.Runner(loop_factory=new_loop) as runner:
        return runner.run(work)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keys", type=int, default=1_000_000)
    parser.add_argument("--restart-objects", type=int, default=150_000)
    parser.add_argument("--out", type=Path, default=Path("bench/results/store-growth.json"))
    parser.add_argument("--restarted", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.restarted:
        print(json.dumps(run(restarted(options.restarted))))
        return
    with tempfile.TemporaryDirectory(prefix="podium-bench-") as folder:
        grown = run(growth(f"{folder}/growth.db", options.keys))
    with tempfile.TemporaryDirectory(prefix="podium-bench-") as folder:
        run(prepared(f"{folder}/restart.db", options.restart_objects))
        command = [sys.executable, "-m", "bench.store.growth", "--restarted", f"{folder}/restart.db"]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        restart = json.loads(said)
        print(f"restart with {restart['objects']:,} objects: {restart['seconds']:.2f} s", flush=True)
    result = {"machine": facts(), "restart": restart, **grown}
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(result, indent=2) + "\n")
    first, last = result["rows"][0], result["rows"][-1]
    ratio = last["cpu_us_per_put"] / first["cpu_us_per_put"]
    print(f"cost of a put with {last['keys']:,} keys over one with {first['keys']:,}: {ratio:.2f}")
    print(f"memory with {last['keys']:,} keys: {last['rss_bytes'] / 2**30:.2f} GiB")
    for listed in result["lists"]:
        kernel = listed["system_seconds"]
        print(f"{listed['objects']:,} objects listed in {listed['seconds']:.2f} s, {kernel:.2f} s in the kernel")


if __name__ == "__main__":
    main()
