"""What the actor library costs: tell, ask, spawn and an idle actor, on asyncio and uvloop.

``python -m bench.actors.run [--runs N] [--json FILE]`` prints a table and writes JSON. Rates are per second of
this process' CPU time, so that a busy machine shows less; a bare ``asyncio.Queue`` round trip is the yardstick beside.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import platform
import statistics
import sys
import time
import tracemalloc
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import uvloop

from actors import Actor, Ask, Ref, System, Tell

TELLS = 100_000
ASKS = 10_000
SPAWNS = 10_000
TARGETS = {"tell": 600_000, "ask": 90_000, "spawn": 60_000, "idle_bytes": 4096}


class Reading(Tell):
    sensor: int
    place: str
    value: float
    valid: bool
    unit: str


class Question(Ask[int]):
    sensor: int
    place: str
    value: float
    valid: bool
    unit: str


class Sensor(Actor):
    def __init__(self) -> None:
        self.count = 0

    async def receive(self, message: Any) -> Any:
        match message:
            case Reading():
                self.count += 1
            case Question(sensor):
                return sensor
        return None


async def tell(system: System, ref: Ref[Any]) -> float:
    message = Reading(1, "hello", 2.5, True, "world")
    began = time.process_time()
    for _ in range(TELLS):
        await ref.tell(message)
    await system.idle()
    return TELLS / (time.process_time() - began)


async def ask(system: System, ref: Ref[Any]) -> float:
    message = Question(1, "hello", 2.5, True, "world")
    began = time.process_time()
    for _ in range(ASKS):
        await ref.ask(message)
    return ASKS / (time.process_time() - began)


async def spawn(system: System, ref: Ref[Any]) -> float:
    began = time.process_time()
    for _ in range(SPAWNS):
        await system.spawn(Sensor)
    return SPAWNS / (time.process_time() - began)


async def idle_bytes(system: System, ref: Ref[Any]) -> float:
    """Memory of one actor that has handled a message and waits."""
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    refs = [await system.spawn(Sensor) for _ in range(2000)]
    for one in refs:
        await one.tell(Reading(1, "hello", 2.5, True, "world"))
    await system.idle()
    gc.collect()
    after = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return (after - before) / len(refs)


async def queue_round_trip(system: System, ref: Ref[Any]) -> float:
    there: asyncio.Queue[int] = asyncio.Queue(1024)
    back: asyncio.Queue[int] = asyncio.Queue(1024)

    async def echo() -> None:
        while True:
            await back.put(await there.get())

    task = asyncio.create_task(echo())
    began = time.process_time()
    for number in range(ASKS):
        await there.put(number)
        await back.get()
    seconds = time.process_time() - began
    task.cancel()
    return ASKS / seconds


CASES: dict[str, Callable[[System, Ref[Any]], Awaitable[float]]] = {
    "tell": tell,
    "ask": ask,
    "spawn": spawn,
    "idle_bytes": idle_bytes,
    "queue_round_trip": queue_round_trip,
}


async def measure(runs: int) -> dict[str, list[float]]:
    results: dict[str, list[float]] = {name: [] for name in CASES}
    for _ in range(runs):
        for name, case in CASES.items():
            async with System() as system:
                results[name].append(await case(system, await system.spawn(Sensor)))
    return results


def summary(values: list[float]) -> dict[str, float]:
    return {"median": statistics.median(values), "low": min(values), "high": max(values)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--json", type=Path, default=None)
    options = parser.parse_args()
    loops = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}
    report: dict[str, Any] = {"python": sys.version.split()[0], "machine": platform.platform(), "runs": options.runs}
    print(f"{'case':<18}{'loop':<10}{'median':>12}{'low':>12}{'high':>12}{'target':>10}")
    for loop, factory in loops.items():
        with asyncio.Runner(loop_factory=factory) as runner:
            results = {name: summary(values) for name, values in runner.run(measure(options.runs)).items()}
        report[loop] = results
        for name, found in results.items():
            print(
                f"{name:<18}{loop:<10}{found['median']:>12,.0f}{found['low']:>12,.0f}{found['high']:>12,.0f}"
                f"{TARGETS.get(name, 0) or '':>10}"
            )
    if options.json is not None:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
