"""What happens in a round: all pods are made and become Ready, something is done to them, all are deleted."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any

from orchestrator.apimachinery.encoded import Object, encode_part
from orchestrator.bench.objects import deployment, pod, service
from orchestrator.bench.outside import TICK_SECONDS, Outside, tell
from orchestrator.bench.recount import recount
from orchestrator.client.kinds import DEPLOYMENTS, ENDPOINTSLICES, NODES, PODS, SERVICES
from orchestrator.client.protocol import PatchType, Request, Verb

MAX_POSTS = 32
"""Requests of the client under way at once."""
ALIVE_SECONDS = 5.0
"""How long a pod of the churn lives once it is Ready."""
IDLE_SECONDS = 30.0
"""Of a cluster that nobody asks anything: each node sends its heartbeat three times."""
POLL_SECONDS = 0.25
"""Between two looks at the endpoints of thousands of Services."""


async def rounds(outside: Outside) -> None:
    for number in range(outside.cell.rounds):
        names = [f"web-{number}-{index}" for index in range(outside.cell.deployments)]
        await phase(outside, number, "ready", partial(_ready, outside, names))
        if outside.cell.scenario != "ready":
            made = SCENARIOS[outside.cell.scenario]
            for name, step in made(outside, names):
                await phase(outside, number, name, step)
        await phase(outside, number, "deleted", partial(_deleted, outside, names))


Step = Callable[[], Awaitable[Object]]
"""Does it and gives its figures; ``pods`` among them is what the cost is divided by."""


async def phase(outside: Outside, number: int, name: str, step: Step) -> None:
    """One measured step between two looks at the cluster's counters, then the recount."""
    outside.take_starts()
    outside.take_latencies()
    await tell({"begin": name, "round": number})
    began = time.perf_counter()
    figures = await step()
    seconds = time.perf_counter() - began
    figures["seconds"] = round(figures.get("seconds", seconds), 4)
    figures["pods_per_second"] = round(figures["pods"] / figures["seconds"], 1)
    figures["created_to_ready_seconds"] = outside.take_starts()
    figures["api_seconds"] = outside.take_latencies()
    await tell({"end": name, "round": number, "figures": figures})
    faults = await recount(outside.client)
    witness = outside.witness
    if name != "deleted":
        figures["memory"] = (await tell({"need": "census"}))["memory"]
    figures["recount_errors"] = len(faults) + witness.fault_count
    figures["faults"] = [*faults[:20], *witness.faults[:20]]
    await tell({"recounted": name, "round": number, "figures": figures})


async def _each(asked: Sequence[Callable[[], Awaitable[Any]]]) -> None:
    limit = asyncio.Semaphore(MAX_POSTS)

    async def one(make: Callable[[], Awaitable[Any]]) -> None:
        async with limit:
            await make()

    await asyncio.gather(*(one(make) for make in asked))


async def _ready(outside: Outside, names: list[str]) -> Object:
    """From the POST to the last Ready pod, as seen by the watcher and as counted in every Deployment's status."""
    cell, client = outside.cell, outside.client
    each = cell.pods // cell.deployments
    impatient = cell.scenario == "failure"
    made = [deployment(name, each, impatient=impatient) for name in names]
    await _each([partial(client.create, DEPLOYMENTS, obj, "default") for obj in made])
    curve = await outside.until(lambda: outside.witness.ready >= cell.pods, "pods become Ready")
    await _counted(outside, names, each)
    return {"pods": cell.pods, "curve": curve}


async def _counted(outside: Outside, names: list[str], each: int) -> None:
    for name in names:
        await poll(partial(_is_counted, outside, name, each), TICK_SECONDS)


async def _is_counted(outside: Outside, name: str, each: int) -> bool:
    status = (await outside.client.get(DEPLOYMENTS, name, "default")).get("status", {})
    return bool(status.get("readyReplicas", 0) == each)


async def poll(done: Callable[[], Awaitable[bool]], seconds: float) -> None:
    while True:
        if await done():
            return
        await asyncio.sleep(seconds)


async def _deleted(outside: Outside, names: list[str]) -> Object:
    count = len(outside.witness.pods)
    asked = [partial(outside.client.delete, DEPLOYMENTS, name, "default") for name in names]
    await _each(asked)
    curve = await outside.until(lambda: not outside.witness.pods, "pods are deleted")
    return {"pods": count, "curve": curve}


def _rolling(outside: Outside, names: list[str]) -> list[tuple[str, Step]]:
    return [("rolling", lambda: _roll(outside, names))]


async def _roll(outside: Outside, names: list[str]) -> Object:
    """Another environment for all pods: over when each is Ready from the new template and no old one is left."""
    witness, total = outside.witness, len(outside.witness.pods)
    old = {seen.template for seen in witness.pods.values()}
    env = [{"name": "web", "env": [{"name": "LOG_LEVEL", "value": "debug"}]}]
    patch = {"spec": {"template": {"spec": {"containers": env}}}}
    await _each([partial(_patch, outside, name, patch) for name in names])

    def done() -> bool:
        held = witness.pods
        return len(held) == total == witness.ready and not any(seen.template in old for seen in held.values())

    curve = await outside.until(done, "pods are replaced")
    return {"pods": total, "curve": curve}


async def _patch(outside: Outside, name: str, patch: Object) -> None:
    target = DEPLOYMENTS.target("default", name)
    await outside.client.request(Request(Verb.PATCH, target, encode_part(patch), PatchType.STRATEGIC))


def _scale(outside: Outside, names: list[str]) -> list[tuple[str, Step]]:
    each = outside.cell.pods // outside.cell.deployments
    return [
        ("scaled_to_zero", lambda: _scaled(outside, names, 0)),
        ("scaled_back", lambda: _scaled(outside, names, each)),
    ]


async def _scaled(outside: Outside, names: list[str], each: int) -> Object:
    witness = outside.witness
    total = each * len(names)
    moved = abs(total - len(witness.pods))
    patch = {"spec": {"replicas": each}}
    await _each([partial(_patch, outside, name, patch) for name in names])
    curve = await outside.until(lambda: len(witness.pods) == total == witness.ready, "pods are as many as wanted")
    await _counted(outside, names, each)
    return {"pods": moved, "curve": curve}


def _failure(outside: Outside, names: list[str]) -> list[tuple[str, Step]]:
    return [("failure", lambda: _failed(outside)), ("lost_nodes_deleted", lambda: _forgotten(outside))]


async def _failed(outside: Outside) -> Object:
    """Nodes end without a word: over when as many pods as before are Ready on the others."""
    witness, total = outside.witness, len(outside.witness.pods)
    answer = await tell({"need": "fail", "share": outside.cell.share})
    lost = set(answer["nodes"])
    victims = {uid for uid, seen in witness.pods.items() if seen.node in lost}

    def done() -> bool:
        well = sum(seen.is_ready and seen.node not in lost for seen in witness.pods.values())
        return well >= total

    curve = await outside.until(done, "pods move from lost nodes")
    return {"pods": len(victims), "nodes_lost": len(lost), "curve": curve}


async def _forgotten(outside: Outside) -> Object:
    """The lost nodes are taken out: over when what was left of their pods is collected."""
    client, cell, witness = outside.client, outside.cell, outside.witness
    lost = [f"node-{number + 1}" for number in range(round(cell.nodes * cell.share))]
    left = len(witness.pods) - cell.pods
    await _each([partial(client.delete, NODES, name) for name in lost])
    curve = await outside.until(lambda: len(witness.pods) == cell.pods, "pods of lost nodes are collected")
    return {"pods": left, "curve": curve}


def _standing(outside: Outside, names: list[str]) -> list[tuple[str, Step]]:
    return [("idle", lambda: _idle(outside)), ("churn", lambda: _churned(outside))]


async def _idle(outside: Outside) -> Object:
    """All pods run, nobody asks for anything: heartbeats and probes remain."""
    async with outside.silence:
        await asyncio.sleep(IDLE_SECONDS)
    return {"pods": len(outside.witness.pods)}


def _churn(outside: Outside, names: list[str]) -> list[tuple[str, Step]]:
    return [("churn", lambda: _churned(outside))]


async def _churned(outside: Outside) -> Object:
    """Pods are made at a steady rate and deleted once they were Ready for a while."""
    cell, client = outside.cell, outside.client
    tasks: set[asyncio.Task[None]] = set()
    began, made = time.perf_counter(), 0
    late = 0.0

    async def was_ready(uid: str) -> bool:
        seen = outside.witness.pods.get(uid)
        return seen is not None and bool(seen.ready)

    async def life(name: str) -> None:
        uid = (await outside.timed("create", client.create(PODS, pod(name), "default")))["metadata"]["uid"]
        await poll(partial(was_ready, uid), POLL_SECONDS)
        await asyncio.sleep(ALIVE_SECONDS)
        await outside.timed("delete", client.delete(PODS, name, "default"))

    while (passed := time.perf_counter() - began) < cell.seconds:
        while made < passed * cell.rate:
            made += 1
            task = asyncio.create_task(life(f"churn-{made}"))
            tasks.add(task)
            task.add_done_callback(tasks.discard)
        late = max(late, passed - made / cell.rate)
        await asyncio.sleep(1 / cell.rate)
    await asyncio.gather(*tasks)
    curve = await outside.until(lambda: len(outside.witness.pods) == cell.pods, "the churn ends")
    return {"pods": made, "rate": cell.rate, "late_seconds": round(late, 3), "curve": curve}


def _services(outside: Outside, names: list[str]) -> list[tuple[str, Step]]:
    return [("services", lambda: _served(outside, names)), ("services_deleted", lambda: _unserved(outside))]


async def _served(outside: Outside, names: list[str]) -> Object:
    """Services over the standing pods: over when the slices of each name all of its pods."""
    client, cell = outside.client, outside.cell
    made = [service(f"svc-{number}", names[number % len(names)]) for number in range(cell.services)]
    await _each([partial(client.create, SERVICES, obj, "default") for obj in made])
    wanted = cell.services * (cell.pods // cell.deployments)
    await poll(partial(_are_served, outside, wanted), POLL_SECONDS)
    return {"pods": cell.services, "addresses": wanted}


async def _are_served(outside: Outside, addresses: int) -> bool:
    slices = (await outside.client.list(ENDPOINTSLICES, "default")).objects()
    ours = [one for one in slices if one["metadata"]["name"].startswith("svc-")]
    return sum(len(one.get("endpoints") or ()) for one in ours) == addresses


async def _unserved(outside: Outside) -> Object:
    client, count = outside.client, outside.cell.services
    asked = [partial(client.delete, SERVICES, f"svc-{n}", "default") for n in range(count)]
    await _each(asked)
    await poll(partial(_are_served, outside, 0), POLL_SECONDS)
    return {"pods": count}


SCENARIOS: dict[str, Callable[[Outside, list[str]], list[tuple[str, Step]]]] = {
    "rolling": _rolling,
    "scale": _scale,
    "failure": _failure,
    "churn": _churn,
    "standing": _standing,
    "services": _services,
}
