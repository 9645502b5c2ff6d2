"""What is measured: each function starts its cluster as its users do, again and again, and says what that took."""

from __future__ import annotations

import argparse
import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable
from typing import Any

from orchestrator.large_pages import resident_bytes

MB = 1024 * 1024
WEB = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "web"},
    "spec": {
        "replicas": 3,
        "selector": {"matchLabels": {"app": "web"}},
        "template": {
            "metadata": {"labels": {"app": "web"}},
            "spec": {"containers": [{"name": "main", "image": "nginx:1"}]},
        },
    },
}
Once = Callable[[], Awaitable[None]]


async def _measure(begun: tuple[float, float], once: Once, rounds: int) -> dict[str, Any]:
    """``once`` ends with the first answer and leaves what it started to be stopped by its own ``finally``."""
    await once()
    first = (time.perf_counter() - begun[0], time.process_time() - begun[1])
    walls, cpus = [], []
    for _ in range(rounds):
        wall, cpu = time.perf_counter(), time.process_time()
        await once()
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
    return {
        "first_seconds": first[0],
        "first_cpu_seconds": first[1],
        "next_seconds": statistics.median(walls),
        "next_cpu_seconds": statistics.median(cpus),
        "rounds": rounds,
        "memory_mb": resident_bytes() / MB,
    }


def in_process(options: argparse.Namespace) -> dict[str, Any]:
    begun = (time.perf_counter(), time.process_time())
    from orchestrator import Cluster

    async def once() -> None:
        async with Cluster(nodes=3, clock="virtual") as cluster:
            await cluster.list("nodes")

    async def run() -> dict[str, Any]:
        record = await _measure(begun, once, options.rounds)
        async with Cluster(nodes=3, clock="virtual") as cluster:
            await cluster.apply(WEB)
            await cluster.wait("deployment/web", "Available")
            return {**record, "memory_mb": resident_bytes() / MB}

    return asyncio.run(run())


def over_https(options: argparse.Namespace) -> dict[str, Any]:
    begun = (time.perf_counter(), time.process_time())
    import aiohttp

    from orchestrator import Cluster

    async def ask(url: str) -> None:
        async with aiohttp.ClientSession() as session, session.get(url, ssl=False) as answer:
            assert answer.status == 200, f"expected an answer of /readyz, found {answer.status}"

    async def once() -> None:
        async with Cluster(nodes=3, serve=True) as cluster:
            assert cluster.config.listen is not None, "it is served"
            await ask(f"https://127.0.0.1:{cluster.config.listen[1]}/readyz")

    async def run() -> dict[str, Any]:
        record = await _measure(begun, once, options.rounds)
        async with Cluster(nodes=3, serve=True) as cluster:
            await cluster.apply(WEB)
            await cluster.wait("deployment/web", "Available")
            return {**record, "memory_mb": resident_bytes() / MB}

    return asyncio.run(run())


def kmock(options: argparse.Namespace) -> dict[str, Any]:
    begun = (time.perf_counter(), time.process_time())
    import aiohttp
    from kmock import KubernetesEmulator, Server, resource

    async def once() -> None:
        async with KubernetesEmulator() as emulator, Server(emulator) as server:
            resources: Any = emulator.resources
            resources[resource("v1", "nodes")] = {"namespaced": False, "kind": "Node"}
            async with aiohttp.ClientSession() as session, session.get(f"{server.url}/api/v1/nodes") as answer:
                assert answer.status == 200, f"expected a list of nodes, found {answer.status}"

    return asyncio.run(_measure(begun, once, options.rounds))


def upstream(options: argparse.Namespace) -> dict[str, Any]:
    from bench.embedding.envtest import measure

    return measure(options.apiserver, options.etcd, max(options.rounds // 5, 1))


CONTESTANTS: dict[str, Callable[[argparse.Namespace], dict[str, Any]]] = {
    "podium in process": in_process,
    "podium over HTTPS": over_https,
    "kmock": kmock,
    "etcd and kube-apiserver": upstream,
}
