"""The client's process: it speaks HTTPS like anybody, drives one cell and watches every pod.

``python -m orchestrator.bench.outside`` reads the kubeconfig's path and the cell from its first line, then says when a
phase begins and ends, one JSON document a line; after each it waits for a line, while the cluster's own process looks
at its counters. What it asks for in ``need`` only that process can do (let nodes fail).
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import time
from collections import defaultdict
from collections.abc import Awaitable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from orchestrator.apimachinery.encoded import Object, encode_part
from orchestrator.bench.cell import Cell
from orchestrator.bench.witness import Witness, decode_line, percentiles
from orchestrator.client.client import Client
from orchestrator.client.https import HttpTransport
from orchestrator.client.kinds import CONFIGMAPS, NODES, PODS, SERVICEACCOUNTS
from orchestrator.client.kubeconfig import load
from orchestrator.client.protocol import Options, PatchType, Request, Verb
from orchestrator.client.requests import list_, watch

TICK_SECONDS = 0.005
"""Between two looks at what the watcher has seen."""
PROBE_SECONDS = 0.05
"""Between two requests of the probe, whose latencies are the API's by verb."""
SAMPLE_SECONDS = 0.1
"""Between two points of the curve of Ready pods."""
STUCK_SECONDS = 300.0
"""Nothing changes for so long: the cell has failed."""
PAGE = 500
R = TypeVar("R")


@dataclass(slots=True)
class Outside:
    """What the scenarios work with."""

    cell: Cell
    client: Client
    transport: HttpTransport
    witness: Witness = field(default_factory=Witness)
    latencies: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    silence: asyncio.Lock = field(default_factory=asyncio.Lock)
    """While it is held the probe asks for nothing."""

    async def settled(self) -> None:
        """The default account is there and every node is registered and Ready."""
        while True:
            accounts = await self.client.list(SERVICEACCOUNTS, "default")
            nodes = await self.client.list(NODES)
            if accounts.items and len(nodes.items) == self.cell.nodes:
                return
            await asyncio.sleep(SAMPLE_SECONDS)

    async def watch(self) -> None:
        """Follow every pod from the list on, until cancelled."""
        listing = await self.client.request(list_(PODS, "", Options(limit=1)))
        async for lines in self.transport.lines(watch(PODS, revision=listing.revision)):
            now = time.perf_counter()
            for line in lines:
                self.witness.take(decode_line(line), now)
        raise RuntimeError("the watch of pods ended")

    async def probe(self) -> None:
        """Ask for small things all the time, and note how long each answer takes."""
        number = 0
        while True:
            number += 1
            name = f"probe-{number}"
            patch = {"data": {"x": "2"}}
            await self._probe("create", self.client.create(CONFIGMAPS, _config_map(name), "default"))
            await self._probe("get", self.client.get(CONFIGMAPS, name, "default"))
            await self._probe("update", self.client.update(CONFIGMAPS, _config_map(name) | {"data": {"x": "1"}}))
            await self._probe("patch", self.client.request(_merge(name, patch)))
            await self._probe("list", self.client.request(list_(PODS, "default", Options(limit=PAGE))))
            await self._probe("delete", self.client.delete(CONFIGMAPS, name, "default"))

    async def _probe(self, verb: str, asked: Awaitable[Any]) -> None:
        async with self.silence:
            await self.timed(verb, asked)
        await asyncio.sleep(PROBE_SECONDS)

    async def timed(self, verb: str, asked: Awaitable[R]) -> R:
        """Note how long the answer takes."""
        began = time.perf_counter()
        answer = await asked
        self.latencies[verb].append(time.perf_counter() - began)
        return answer

    async def until(self, done: Any, what: str) -> list[tuple[float, int]]:
        """Wait for ``done()``; the curve of Ready pods meanwhile, seconds since the call."""
        began = time.perf_counter()
        curve: list[tuple[float, int]] = []
        seen, since = self.witness.events, began
        while not done():
            passed = time.perf_counter() - began
            if not curve or passed - curve[-1][0] >= SAMPLE_SECONDS:
                curve.append((round(passed, 3), self.witness.ready))
            if self.witness.events != seen:
                seen, since = self.witness.events, time.perf_counter()
            if time.perf_counter() - since > STUCK_SECONDS:
                raise TimeoutError(f"{what}: {self.witness.ready} pods Ready of {len(self.witness.pods)}")
            await asyncio.sleep(TICK_SECONDS)
        curve.append((round(time.perf_counter() - began, 3), self.witness.ready))
        return curve

    def take_starts(self) -> dict[str, Any]:
        """Percentiles from created to Ready since the last call."""
        starts, self.witness.starts = self.witness.starts, []
        return percentiles(starts)

    def take_latencies(self) -> dict[str, Any]:
        """Percentiles of the API's answers by verb since the last call."""
        found = {verb: percentiles(values) for verb, values in sorted(self.latencies.items())}
        self.latencies.clear()
        return found


def _config_map(name: str) -> Object:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "default"}}


def _merge(name: str, patch: Object) -> Request:
    target = CONFIGMAPS.target("default", name)
    return Request(Verb.PATCH, target, encode_part(patch), PatchType.MERGE)


async def tell(document: Object) -> Object:
    """Say it to the cluster's process and wait for its word."""
    print(json.dumps(document), flush=True)
    line = await asyncio.to_thread(sys.stdin.readline)
    answer: Object = json.loads(line)
    return answer


async def run(kubeconfig: str, cell: Cell) -> None:
    from orchestrator.bench.scenarios import rounds

    transport = HttpTransport(load(kubeconfig))
    outside = Outside(cell, Client(transport), transport)
    tasks: list[asyncio.Task[None]] = []
    try:
        await outside.settled()
        tasks = [asyncio.create_task(outside.watch()), asyncio.create_task(outside.probe())]
        driving = asyncio.create_task(rounds(outside))
        tasks.append(driving)
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            if task.done():
                task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await transport.close()


def main() -> int:
    from orchestrator.fastloop import new_loop

    gc.disable()
    # With 30,000 pods its stops were up to 1.3 s long: what waits here would look like a slow server.
    first = json.loads(sys.stdin.readline())
    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(run(first["kubeconfig"], Cell(**first["cell"])))
    return 0


if __name__ == "__main__":
    sys.exit(main())
