"""How far behind watchers are: many on one prefix while events come at a steady rate, a shared frame a batch.

``python -m bench.store.watching [--watchers 1000 10000] [--rate 2000 200] [--seconds 5]``. The watchers are actors in
the store's process: what is measured is the store's sending, the frames and their mailboxes. One in ``LOOKING`` looks
inside each frame and checks that no event is missing, twice or out of order; the others go by the frame's revision, as
one does that passes frames on.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import tempfile
import time
from pathlib import Path
from typing import Any

from actors import Actor, Mailbox, Ref, System, child
from bench.store.growth import run, spec
from bench.store.machine import facts
from orchestrator.large_pages import resident_bytes
from orchestrator.store.protocol import Batch, Change, Changes, StoreStatus, Watch, WatchCredit

BATCH = 200
CREDIT = 16
"""Frames for which a watcher gives credit at once, of the 64 that it has: not a message for each."""
LOOKING = 50


class Seen:
    """What all watchers note. ``sent``: when each batch was, by the revision it ends at."""

    def __init__(self) -> None:
        self.sent: dict[int, float] = {}
        self.lags: list[float] = []
        self.events = 0
        self.wrong = 0


class Watcher(Actor):
    """Takes frames, gives credit back, notes how old the batch of each was."""

    def __init__(self, store: Ref[Any], seen: Seen, looks: bool) -> None:
        self._store = store
        self._seen = seen
        self._looks = looks
        self._revision = 0
        self._frames = 0

    async def receive(self, message: Any) -> None:
        if not isinstance(message, Changes) or message.revision == self._revision:
            return
        seen, before = self._seen, self._revision
        seen.lags.append(time.perf_counter() - seen.sent[message.revision])
        seen.events += message.revision - before
        if self._looks:
            found = [event.value.mod_revision for event in message.events]
            seen.wrong += found != list(range(before + 1, message.revision + 1))
        self._revision = message.revision
        self._frames += 1
        if self._frames % CREDIT == 0:
            self._store.tell_nowait(WatchCredit(message.watch, CREDIT))


async def measure(path: str, watchers: int, rate: int, seconds: float) -> dict[str, Any]:
    seen = Seen()
    async with System() as system:
        store: Ref[Any] = await system.spawn(spec(path))
        begun = time.perf_counter()
        for number in range(watchers):
            looks = number % LOOKING == 0
            one = await system.spawn(child(Watcher, store, seen, looks, name=f"w-{number}", mailbox=Mailbox(256)))
            await store.ask(Watch(one, prefix="core/pods/"))
        opened = time.perf_counter() - begun
        rest = os.urandom(200)
        batches = int(rate * seconds / BATCH)
        begun, cpu = time.perf_counter(), time.process_time()
        for number in range(batches):
            due = begun + number * BATCH / rate
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            seen.sent[(number + 1) * BATCH] = time.perf_counter()
            changes = [Change(f"core/pods/ns/pod-{i:05}", (b"metadata", b"status", rest)) for i in range(BATCH)]
            await store.ask(Batch(changes), timeout=60)
        took = time.perf_counter() - begun
        end = time.perf_counter() + 30
        while seen.events < batches * BATCH * watchers and time.perf_counter() < end:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
        cpu = time.process_time() - cpu
        open_watches = (await store.ask(StoreStatus(), timeout=60)).watches
    lags = sorted(seen.lags)
    return {
        "watchers": watchers,
        "open_at_the_end": open_watches,
        "events_per_second": batches * BATCH / took,
        "delivered": seen.events,
        "missed": batches * BATCH * watchers - seen.events,
        "wrong_frames": seen.wrong,
        "lag_p50_ms": lags[len(lags) // 2] * 1000,
        "lag_p99_ms": lags[len(lags) * 99 // 100] * 1000,
        "lag_max_ms": lags[-1] * 1000,
        "cpu_seconds": cpu,
        "cpu_ms_per_batch": cpu / batches * 1000,
        "open_seconds": opened,
        "rss_bytes": resident_bytes(),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--watchers", type=int, nargs="*", default=[1_000, 10_000])
    parser.add_argument("--rate", type=int, nargs="*", default=[2_000, 200])
    parser.add_argument("--seconds", type=float, default=5.0)
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
            f"{row['missed']} missed, {row['wrong_frames']} wrong, {row['cpu_ms_per_batch']:.1f} ms of CPU a batch",
            flush=True,
        )
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps({"machine": facts(), "rows": rows}, indent=2) + "\n")


if __name__ == "__main__":
    main()
