"""A story told to a cluster: each step at its moment, each of the user's acts until it is acknowledged."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import msgspec

from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.errors import StatusError
from orchestrator.client.errors import TransportError
from orchestrator.client.kinds import CONFIGMAPS, PODS
from orchestrator.embedding.cluster import Cluster
from orchestrator.embedding.faults import Heal, Kill, PowerOn
from orchestrator.embedding.faulty import FAULTS
from orchestrator.testing.swarm.ledger import Promise
from orchestrator.testing.swarm.manifests import crowded, tight, workload
from orchestrator.testing.swarm.story import (
    CHAOS_SECONDS,
    Act,
    DeletePod,
    KillOne,
    Remove,
    Scale,
    Story,
    Update,
    Workload,
    Write,
)

T = TypeVar("T")
AGAIN_SECONDS = 0.25
USER_SECONDS = 300.0
"""After which a user's act that was never answered is a violation by itself."""


class Teller:
    """Tells ``story`` to ``cluster``. ``wanted`` is what the user was promised to get; ``promises`` are writes."""

    def __init__(self, cluster: Cluster, story: Story) -> None:
        self._cluster = cluster
        self._story = story
        self.wanted: dict[str, Workload] = {}
        self.promises: list[Promise] = []
        self.violations: list[str] = []

    async def tell(self) -> None:
        clock = self._cluster.system.clock
        began = clock.monotonic()
        extra = [*(tight() if self._story.tight else ()), *(crowded(self._story.nodes) if self._story.crowded else ())]
        for obj in extra:
            await self._acknowledged(lambda obj=obj: self._cluster.apply(obj))  # type: ignore[misc]
        for one in self._story.workloads:
            await self._put(one)
        for step in self._story.steps:
            await clock.sleep(max(began + step.at - clock.monotonic(), 0.0))
            await self._perform(step.act)
        await clock.sleep(max(began + CHAOS_SECONDS - clock.monotonic(), 0.0))
        await self._cluster.do(Heal())
        for node in sorted(self._cluster.off):
            await self._cluster.do(PowerOn(node))

    async def _perform(self, act: Act) -> None:
        match act:
            case Scale(name=name, replicas=replicas):
                await self._change(name, replicas=replicas)
            case Update(name=name, version=version):
                await self._change(name, version=version)
            case Remove(name=name):
                one = self.wanted.pop(name, None)
                if one is not None:
                    await self._acknowledged(lambda: self._remove(one))
            case DeletePod(share=share):
                await self._acknowledged(lambda: self._delete_pod(share))
            case Write(name=name, value=value):
                await self._write(name, value)
            case KillOne(share=share):
                paths = [path for path in living(self._cluster) if path != FAULTS]
                await self._cluster.do(Kill(paths[int(share * len(paths))]))
            case _:
                await self._cluster.do(act)

    async def _change(self, name: str, **changes: Any) -> None:
        one = self.wanted.get(name)
        if one is None or one.kind == "Job" or (one.kind == "DaemonSet" and "replicas" in changes):
            return
        await self._put(msgspec.structs.replace(one, **changes))

    async def _put(self, one: Workload) -> None:
        self.wanted[one.name] = one
        for obj in workload(one):
            await self._acknowledged(lambda obj=obj: self._cluster.apply(obj))  # type: ignore[misc]

    async def _remove(self, one: Workload) -> None:
        await self._cluster.delete(one.kind, one.name, propagation="Background")

    async def _delete_pod(self, share: float) -> None:
        pods = (await self._cluster.client.list(PODS, "default")).objects()
        if pods:
            chosen = pods[int(share * len(pods))]["metadata"]
            await self._cluster.client.delete(PODS, chosen["name"], "default")

    async def _write(self, name: str, value: str) -> None:
        obj: Object = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": name, "namespace": "default"},
            "data": {"value": value},
        }
        written = await self._acknowledged(lambda: self._cluster.client.apply(CONFIGMAPS, obj, manager="ledger"))
        if written is not None:
            revision = int(written["metadata"]["resourceVersion"])
            self.promises.append(Promise(f"{CONFIGMAPS.prefix}default/{name}", revision, value))

    async def _acknowledged(self, act: Callable[[], Awaitable[T]]) -> T | None:
        """Do it until the server says that it is done. Refusals of what the user asked are violations."""
        clock = self._cluster.system.clock
        end = clock.monotonic() + USER_SECONDS
        reason = ""
        while clock.monotonic() < end:
            try:
                return await act()
            except TransportError as failure:
                reason = str(failure)
            except StatusError as refusal:
                reason = str(refusal)
                if refusal.code == 404:
                    return None
                if refusal.code < 500 and refusal.code not in (409, 429):
                    self.violations.append(f"the user was refused: {refusal}")
                    return None
            await clock.sleep(AGAIN_SECONDS)
        self.violations.append(f"the user was not answered within {USER_SECONDS:g} s: {reason}")
        return None


def living(cluster: Cluster) -> list[str]:
    """Every actor, by path."""
    return [path for path in cluster.system.cells if path]
