"""How far behind watchers are: many on one prefix while events come at a steady rate, a shared frame a batch.

``python -m bench.store.watching [--watchers 1000 10000] [--rate 2000 200] [--seconds 10]``. The watchers are actors in
the store's process: what is measured is the store's sending, the frames and their mailboxes, and one decode for each.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import tempfile
import time
from pathlib import Path
from struct import Struct
from typing import Any

from actors import Actor, Mailbox, Ref, System, child
from bench.store.growth import run, spec
from bench.store.machine import facts, resident_bytes
from orchestrator.store.protocol import Batch, Change, Changes, StoreStatus, Watch, WatchCredit

BATCH = 200
CREDIT = 16
"""Frames for which a watcher gives credit at once, of the 64 that it has: not a message for each."""
_STAMP = Struct("<d")


class Watcher(Actor):
    """Takes frames, gives credit back, notes how old the first event of each was."""

    def __init__(self, store: Ref[Any], lags: list[float], seen: list[int]) -> None:
        self._store = store
        self._lags = lags
        self._seen = seen
        self._frames = 0

    async def receive(self, message: Any) -> None:
        if isinstance(message, Changes) and message.events:
            (sent,) = _STAMP.unpack_from(message.events[0].value.parts[0])
            self._lags.append(time.perf_counter() - sent)
            self._seen[0] += len(message.events)
            self._frames += 1
            if self._frames % CREDIT == 0:
                self._store.tell_nowait(WatchCredit(message.watch, CREDIT))


async def measure(path: str, watchers: int, rate: int, seconds: float) -> dict[str, Any]:
    lags: list[float] = []
    seen = [0]
    async with System() as system:
        store: Ref[Any] = await system.spawn(spec(path))
        begun = time.perf_counter()
        for number in range(watchers):
            one = await system.spawn(child(Watcher, store, lags, seen, name=f"w-{number}", mailbox=Mailbox(256)))
            await store.ask(Watch(one, prefix="core/pods/"))
        opened = time.perf_counter() - begun
        rest = os.urandom(200)
        batches = int(rate * seconds / BATCH)
        begun, cpu = time.perf_counter(), time.process_time()
        for number in range(batches):
            due = begun + number * BATCH / rate
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            stamp = _STAMP.pack(time.perf_counter())
            changes = [Change(f"core/pods/ns/pod-{i:05}", (stamp, b"status", rest)) for i in range(BATCH)]
            await store.ask(Batch(changes), timeout=60)
        took = time.perf_counter() - begun
        end = time.perf_counter() + 30
        while seen[0] < batches * BATCH * watchers and time.perf_counter() < end:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
        cpu = time.process_time() - cpu
        open_watches = (await store.ask(StoreStatus(), timeout=60)).watches
    lags.sort()
    return {
        "watchers": watchers,
        "open_at_the_end": open_watches,
        "events_per_second": batches * BATCH / took,
        "delivered": seen[0],
        "missed": batches * BATCH * watchers - seen[0],
        "lag_p50_ms": lags[len(lags) // 2] * 1000,
        "lag_p99_ms": lags[len(lags) * 99 // 100] * 1000,
        "lag_max_ms": lags[-1] * 1000,
        "cpu_seconds": cpu,
        "open_seconds": opened,
        "rss_bytes": resident_bytes(),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--watchers", type=int, nargs="*", default=[1_000, 10_000])
    parser.add_argument("--rate", type=int, nargs="*", default=[2_000, 200])
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--out", type=Path, default=Path("bench/results/store-watching.json"))
    options = parser.parse_args()
    rows = []
    for watchers, rate in zip(options.watchers, options.rate, strict=True):
        with tempfile.TemporaryDirectory(prefix="podium-bench-") as folder:
            rows.append(run(measure(f"{folder}/store.db", watchers, rate, options.seconds)))
        row = rows[-1]
        print(
            f"{row['watchers']:,} watchers, {row['events_per_second']:,.0f} events/s:",
            f"lag p50 {row['lag_p50_ms']:.0f} ms, p99 {row['lag_p99_ms']:.0f} ms, most {row['lag_max_ms']:.0f} ms,",
            f"{row['missed']} missed",
            flush=True,
        )
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps({"machine": facts(), "rows": rows}, indent=2) + "\n")


if __name__ == "__main__":
    main()
