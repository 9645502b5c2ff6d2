"""The measurement of reconciliation: what ``podium bench reconcile`` and ``bench/`` run."""

from __future__ import annotations

import asyncio
import os
import resource
import time
from collections import Counter
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from orchestrator.apimachinery.encoded import Object
from orchestrator.client.client import Client
from orchestrator.client.https import HttpTransport
from orchestrator.client.kinds import DEPLOYMENTS, PODS, SERVICEACCOUNTS
from orchestrator.client.kubeconfig import load
from orchestrator.client.protocol import Options
from orchestrator.client.requests import list_
from orchestrator.cluster import Cluster
from orchestrator.config import ClusterConfig
from orchestrator.daemon import free_port
from orchestrator.hops import Hops
from orchestrator.pki import prepare
from orchestrator.store.protocol import StoreStatus

POLL_SECONDS = 0.01
TIMEOUT_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class Cell:
    nodes: int
    pods: int
    deployments: int = 1
    rounds: int = 1


@dataclass(frozen=True, slots=True)
class Profile:
    """Where the CPU went: from the POST to the last Ready pod, and from the DELETE until the last is gone."""

    ready: Hops = field(default_factory=Hops)
    deleted: Hops = field(default_factory=Hops)


async def measure(cell: Cell, directory: Path, *, profile: Profile | None = None) -> list[dict[str, Any]]:
    """One record of figures a round, seconds and counts. ``profile`` looks at every round but the first of several."""
    began = time.perf_counter()
    config = ClusterConfig(data_dir=directory, listen=("127.0.0.1", free_port()), nodes=cell.nodes, runtime="simulated")
    assert config.listen is not None
    pki = prepare(config, f"https://127.0.0.1:{config.listen[1]}", time.time())
    kubeconfig = directory / "kubeconfig"
    kubeconfig.write_text(pki.kubeconfig)
    async with Cluster(config, pki=pki) as cluster:
        started = time.perf_counter() - began
        transport = HttpTransport(load(kubeconfig))
        client = Client(transport)
        try:
            await _settled(client, cell.nodes)
            return [
                await _round(cluster, client, cell, number, started, profile if number or cell.rounds == 1 else None)
                for number in range(cell.rounds)
            ]
        finally:
            await transport.close()


async def _settled(client: Client, nodes: int) -> None:
    """The default account is there and every node is registered and Ready."""
    from orchestrator.client.kinds import NODES

    while True:
        accounts = await client.list(SERVICEACCOUNTS, "default")
        listed = await client.list(NODES)
        if accounts.items and len(listed.items) == nodes:
            return
        await asyncio.sleep(POLL_SECONDS)


async def _round(
    cluster: Cluster, client: Client, cell: Cell, number: int, started: float, profile: Profile | None
) -> dict[str, Any]:
    names = [f"web-{number}-{index}" for index in range(cell.deployments)]
    each = cell.pods // cell.deployments
    before = await cluster.store.ask(StoreStatus())
    cpu = _cpu()
    began = time.perf_counter()
    with profile.ready if profile else nullcontext():
        for name in names:
            await client.create(DEPLOYMENTS, deployment(name, each), "default")
        await _until_ready(client, names, each)
    ready = time.perf_counter() - began
    ready_cpu = _cpu() - cpu
    recount = await _recount(client, names, cell)
    after = await cluster.store.ask(StoreStatus())
    cpu = _cpu()
    began = time.perf_counter()
    with profile.deleted if profile else nullcontext():
        for name in names:
            await client.delete(DEPLOYMENTS, name, "default")
        await _until_gone(client, names)
    deleted = time.perf_counter() - began
    deleted_cpu = _cpu() - cpu
    return {
        "pods": cell.pods,
        "nodes": cell.nodes,
        "start_seconds": round(started, 3),
        "ready_seconds": round(ready, 3),
        "ready_pods_per_second": round(cell.pods / ready, 1),
        "cpu_microseconds_per_pod": round(ready_cpu / cell.pods * 1e6, 1),
        "delete_seconds": round(deleted, 3),
        "deleted_pods_per_second": round(cell.pods / deleted, 1),
        "delete_cpu_microseconds_per_pod": round(deleted_cpu / cell.pods * 1e6, 1),
        "revisions": after.revision - before.revision,
        "commits": after.commits - before.commits,
        "log_bytes_per_pod": round((after.log_bytes - before.log_bytes) / cell.pods),
        "recount_errors": recount,
        "rss_mb": round(_rss_mb(), 1),
    }


async def _until_ready(client: Client, names: list[str], each: int) -> None:
    deadline = time.perf_counter() + TIMEOUT_SECONDS
    waiting = list(names)
    while waiting:
        live = await client.get(DEPLOYMENTS, waiting[-1], "default")
        if live.get("status", {}).get("readyReplicas") == each:
            waiting.pop()
            continue
        if time.perf_counter() > deadline:
            raise TimeoutError(f"{waiting[-1]} is not ready: {live.get('status')}")
        await asyncio.sleep(POLL_SECONDS)


async def _until_gone(client: Client, names: list[str]) -> None:
    deadline = time.perf_counter() + TIMEOUT_SECONDS
    options = Options(label_selector=f"app in ({','.join(names)})", limit=1)
    while time.perf_counter() < deadline:
        if not (await client.request(list_(PODS, "default", options))).items:
            return
        await asyncio.sleep(POLL_SECONDS * 5)
    raise TimeoutError("pods were not deleted")


async def _recount(client: Client, names: list[str], cell: Cell) -> int:
    """What an outside reader finds wrong: pods that are not bound, not Ready, missing, or share an address."""
    pods = (await client.list(PODS, "default", labels=f"app in ({','.join(names)})")).objects()
    wrong = abs(len(pods) - cell.pods)
    addresses = Counter(pod.get("status", {}).get("podIP") for pod in pods)
    for pod in pods:
        conditions = {c["type"]: c["status"] for c in pod.get("status", {}).get("conditions", ())}
        bound = pod["spec"].get("nodeName", "").startswith("node-")
        wrong += not (bound and conditions.get("Ready") == "True" and addresses[pod["status"]["podIP"]] == 1)
    return wrong


def deployment(name: str, replicas: int) -> Object:
    """A pod of about 2.8 KB once it runs, as a small service would have."""
    container = {
        "name": "web",
        "image": "registry.example.com/team/web:1.4.2",
        "ports": [{"name": "http", "containerPort": 8080}],
        "env": [{"name": "LOG_LEVEL", "value": "info"}, {"name": "REGION", "value": "eu-central"}],
        "resources": {"requests": {"cpu": "10m", "memory": "16Mi"}, "limits": {"memory": "64Mi"}},
        "readinessProbe": {"httpGet": {"path": "/ready", "port": "http"}, "periodSeconds": 10},
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": "default", "labels": {"app": name}},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {"app": name, "tier": "front"}}, "spec": {"containers": [container]}},
        },
    }


def _cpu() -> float:
    """CPU seconds of this process, all threads."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def _rss_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20
