"""Runs one cell: a server with its log on disk, a scheduler and nothing else, as in scheduler_perf; and a recount.

What the default daemon has on is on: fsync, RBAC, admission, validation, managed fields, ``Scheduled`` events, history.
The pods are created by a client of the API in batches of single requests, and counted when the API shows them bound.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import sys
import time
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from actors import Supervisor, one_for_one
from bench.scheduler import shapes
from bench.scheduler.cells import Cell, Churn, Delete, Namespaces, Nodes, Pods, Service
from bench.scheduler.recount import recount
from orchestrator.apimachinery.encoded import Object
from orchestrator.client.client import Client, raised
from orchestrator.client.kinds import NAMESPACES, NODES, PODS, PRIORITYCLASSES, SERVICEACCOUNTS, SERVICES, Kind
from orchestrator.client.protocol import Request, Want
from orchestrator.client.requests import create, delete, patch
from orchestrator.client.view import Parts, View
from orchestrator.cluster import Cluster
from orchestrator.config import ClusterConfig
from orchestrator.daemon import free_port
from orchestrator.hops import Hops
from orchestrator.pki import prepare
from orchestrator.specs import RESTARTS
from orchestrator.store.protocol import StoreStatus

BATCH = 100
"""Requests that a client sends together."""
CLIENTS = 4
"""Batches on their way at once."""
POLL_SECONDS = 0.005
TIMEOUT_SECONDS = 900.0
BOUND = "bench-bound"
_PARTS = Parts()


def bound(view: View) -> tuple[str, ...]:
    """Index of pods: the namespace of those that have a node."""
    if b"nodeName" not in view.encoded.rest or not view.spec.get("nodeName"):
        return ()
    return (view.namespace,)


class SchedulingCluster(Cluster):
    """No controllers and no kubelets: only what scheduling needs."""

    def _control_plane(self) -> Supervisor:
        scheduler = self._member("scheduler", "scheduler")
        return Supervisor(one_for_one, RESTARTS, children=[scheduler])


@dataclass(slots=True)
class Result:
    pods: int = 0
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    series: list[tuple[float, int]] = field(default_factory=list)
    """(seconds since the first create, pods bound so far)"""


class Outside:
    """The client that creates measured pods over HTTPS from a process of its own."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    async def start(cls, kubeconfig: Path) -> Outside:
        command = [sys.executable, "-m", "bench.scheduler.outside", str(kubeconfig)]
        pipe = asyncio.subprocess.PIPE
        made = cls(await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe))
        await made._said("ready")
        return made

    async def create(self, shape: str, namespace: str, count: int) -> None:
        assert self._process.stdin is not None
        asked = {"shape": shape, "namespace": namespace, "count": count}
        self._process.stdin.write(json.dumps(asked).encode() + b"\n")
        await self._said("done")

    async def _said(self, word: str) -> None:
        assert self._process.stdout is not None
        line = (await self._process.stdout.readline()).decode().strip()
        if line != word:
            raise RuntimeError(f"the client outside: expected {word!r}, found {line!r}")

    async def stop(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        await self._process.wait()


class Driver:
    """``outside`` None: measured pods are created from here, by mailbox, in batches of single requests."""

    def __init__(self, cluster: Cluster, hops: Hops | None = None, outside: Outside | None = None) -> None:
        self._cluster = cluster
        self._client: Client = cluster.client
        self._hops = hops
        self._outside = outside
        self._names: dict[int, list[tuple[str, str]]] = {}
        """(namespace, name) of the pods of each step."""
        self._wanted: set[int] = set()
        """Steps whose pods are deleted later: their names are asked for."""
        self._tasks: list[asyncio.Task[None]] = []
        self.result = Result()

    async def run(self, cell: Cell) -> None:
        self._pods = await self._cluster.informers.cache(PODS, {BOUND: bound})
        classes = [{"metadata": {"name": n}, "value": value} for n, value in shapes.PRIORITIES.items()]
        await self._send([create(PRIORITYCLASSES, each) for each in classes])
        self._wanted = {step.step for step in cell.steps if isinstance(step, Delete)}
        for number, step in enumerate(cell.steps):
            await self._step(number, step)
        for task in self._tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _step(self, number: int, step: Any) -> None:
        match step:
            case Nodes():
                await self._nodes(number, step)
            case Namespaces():
                for index in range(step.count):
                    await self._namespace(f"{step.prefix}-{index}", step.team)
            case Service():
                await self._client.create(SERVICES, shapes.service("service", "scheduler-perf"), step.namespace)
            case Churn():
                self._tasks.append(asyncio.create_task(self._churn(step)))
            case Delete():
                self._tasks.append(asyncio.create_task(self._delete(step)))
            case Pods():
                await self._create_pods(number, step)

    async def _nodes(self, number: int, step: Nodes) -> None:
        taints = [{"key": "foo", "effect": "NoSchedule"}] if step.tainted else []
        names = [step.name] if step.name else [f"scheduler-perf-{number}-{index}" for index in range(step.count)]
        zones = step.zones or ("",)
        room = "90000" if step.name else "110"
        made = [shapes.node(name, zone=zones[index % len(zones)], pods=room) for index, name in enumerate(names)]
        await self._send([create(NODES, each, want=Want.REVISION) for each in made])
        # Admission taints a new node as not ready; what the node's controller does then is done here.
        await self._send(
            [patch(NODES, name, "", {"spec": {"taints": taints or None}}, want=Want.REVISION) for name in names]
        )

    async def _namespace(self, name: str, team: str = "") -> None:
        labels = {"team": team} if team else {}
        await self._client.create(NAMESPACES, {"metadata": {"name": name, "labels": labels}})
        await self._client.create(SERVICEACCOUNTS, {"metadata": {"name": "default"}}, name)

    async def _create_pods(self, number: int, step: Pods) -> None:
        names = [f"{step.namespace}-{index}" for index in range(step.namespaces)]
        if not names:
            names = [step.namespace or f"namespace-{number}"]
            if not step.namespace:
                await self._namespace(names[0])
        before = {name: self._pods.count(BOUND, name) for name in names}
        shape = shapes.PODS[step.shape]
        want = Want.OBJECT if number in self._wanted else Want.REVISION
        requests = [create(PODS, shape, name, want=want) for name in names for _ in range(step.count)]
        began, cpu = time.perf_counter(), time.process_time()
        hops = self._hops if step.measured and self._hops is not None else nullcontext()
        with hops:
            if step.measured and self._outside is not None:
                sending = asyncio.create_task(self._outside.create(step.shape, names[0], step.count))
            else:
                sending = asyncio.create_task(self._send_pods(number, requests))
            if step.wait:
                await self._until_bound({name: before[name] + step.count for name in names}, began, step.measured)
            await sending
        if step.measured:
            self.result.pods = step.count * len(names)
            self.result.seconds = time.perf_counter() - began
            self.result.cpu_seconds = time.process_time() - cpu

    async def _send_pods(self, number: int, requests: list[Request]) -> None:
        self._names[number] = await self._send(requests)

    async def _until_bound(self, wanted: dict[str, int], began: float, measured: bool) -> None:
        total = sum(wanted.values())
        noted = 0.0
        while True:
            count = sum(self._pods.count(BOUND, name) for name in wanted)
            now = time.perf_counter() - began
            if measured and (now - noted >= 0.1 or count >= total):
                self.result.series.append((round(now, 3), count))
                noted = now
            if count >= total:
                return
            if now > TIMEOUT_SECONDS:
                raise TimeoutError(f"{count} of {total} pods were bound in {now:.0f} s")
            await asyncio.sleep(POLL_SECONDS)

    async def _churn(self, step: Churn) -> None:
        await self._namespace("churn")
        number = 0
        last: list[tuple[Kind, str]] = []
        while True:
            await asyncio.sleep(step.seconds)
            number += 1
            if step.recreate:
                await self._send([_delete(kind, name) for kind, name in last])
                last = []
            for what in step.what:
                kind, obj = _churned(what, number)
                made = await self._client.create(kind, obj, "churn" if kind.namespaced else "")
                last.append((kind, made["metadata"]["name"]))

    async def _delete(self, step: Delete) -> None:
        """Ten times a second a tenth of what is to go in one."""
        names = list(self._names[step.step])
        share = max(1, round(step.per_second / 10))
        while names:
            some, names = names[:share], names[share:]
            await self._send([delete(PODS, name, namespace) for namespace, name in some])
            await asyncio.sleep(0.1)

    async def _send(self, requests: list[Request]) -> list[tuple[str, str]]:
        """(namespace, name) of what was answered with an object."""
        batches = [requests[start : start + BATCH] for start in range(0, len(requests), BATCH)]
        answers: list[list[tuple[str, str]]] = [[] for _ in batches]
        waiting = iter(enumerate(batches))

        async def client() -> None:
            for index, batch in waiting:
                for response in await self._client.batch(batch):
                    raised(response)
                    if response.object is not None:
                        view = View(response.object, _PARTS)
                        answers[index].append((view.namespace, view.name))

        await asyncio.gather(*(client() for _ in range(CLIENTS)))
        return [pair for some in answers for pair in some]


def _churned(what: str, number: int) -> tuple[Kind, Object]:
    match what:
        case "node":
            return NODES, shapes.node(f"node-churn-{number}", pods="0")
        case "service":
            return SERVICES, shapes.service(f"service-churn-{number}", "foo")
    return PODS, shapes.PODS[what]


def _delete(kind: Kind, name: str) -> Request:
    return delete(kind, name, "churn" if kind.namespaced else "", grace_seconds=0)


async def measure(cell: Cell, directory: Path, hops: Hops | None = None, *, https: bool = False) -> dict[str, Any]:
    """One record of figures."""
    listen = ("127.0.0.1", free_port()) if https else None
    config = ClusterConfig(data_dir=directory, listen=listen, nodes=0, runtime="simulated")
    pki = prepare(config, f"https://127.0.0.1:{listen[1]}", time.time()) if listen else None
    async with SchedulingCluster(config, pki=pki) as cluster:
        outside = None
        if pki is not None:
            (directory / "kubeconfig").write_text(pki.kubeconfig)
            outside = await Outside.start(directory / "kubeconfig")
        driver = Driver(cluster, hops, outside)
        await driver.run(cell)
        status = await cluster.store.ask(StoreStatus())
        wrong = recount((await cluster.client.list(NODES)).objects(), (await cluster.client.list(PODS)).objects())
        if outside is not None:
            await outside.stop()
    result = driver.result
    return {
        "cell": cell.name,
        "client": "HTTPS, one POST a pod, another process" if https else "mailbox, batches of single requests",
        "pods": result.pods,
        "seconds": round(result.seconds, 3),
        "pods_per_second": round(result.pods / result.seconds, 1),
        "cpu_microseconds_per_pod": round(result.cpu_seconds / result.pods * 1e6, 1),
        "kubernetes_pods_per_second": cell.kubernetes,
        "target_pods_per_second": cell.target,
        "recount_errors": dict(wrong),
        "commits": status.commits,
        "load_average": round(os.getloadavg()[0], 1),
        "memory_max_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
        "series": result.series,
    }
