"""A story told to a cluster: each step at its moment, each of the user's acts until it is acknowledged."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

import msgspec

from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.errors import StatusError
from orchestrator.client.errors import TransportError
from orchestrator.client.kinds import CONFIGMAPS, PODS
from orchestrator.controllers.registry import CONTROLLERS
from orchestrator.embedding.cluster import Cluster
from orchestrator.embedding.faults import Compact, CutWatches, Falter, Heal, Lag, PowerOn
from orchestrator.embedding.plan import KillOne
from orchestrator.identities import node
from orchestrator.testing.swarm.ledger import Promise
from orchestrator.testing.swarm.manifests import crowded, tight, workload
from orchestrator.testing.swarm.story import (
    Act,
    DeletePod,
    FalterOne,
    Forget,
    KillInformer,
    KillWriter,
    LoseMember,
    Remove,
    Replace,
    Reunite,
    Scale,
    SeverMember,
    Story,
    Update,
    Workload,
    Write,
)
from orchestrator.testing.swarm.world import World

T = TypeVar("T")
BUSY = (
    *("deployment", "replicaset", "statefulset", "daemonset", "job", "endpointslice", "garbage-collector"),
    *("node-lifecycle", "taint-eviction", "resourcequota"),
)
"""Controllers that write in every story."""
REPLACE_SECONDS = 5.0
"""How long the user waits for the end of what is to be made anew."""
SCHEDULERS = ("control-plane/scheduler", "control-plane/scheduler/leader")
"""Where it is: alone, and elected."""
AGAIN_SECONDS = 0.25
USER_SECONDS = 300.0
"""After which a user's act that was never answered is a violation by itself."""


class Teller:
    """Tells ``story`` to ``world``. ``wanted`` is what the user was promised to get; ``promises`` are writes."""

    def __init__(self, world: World, story: Story) -> None:
        self._world = world
        self._story = story
        self.wanted: dict[str, Workload] = {}
        self.promises: list[Promise] = []
        self.violations: list[str] = []

    async def tell(self) -> None:
        clock = self._world.clock
        began = clock.monotonic()
        extra = [*(tight() if self._story.tight else ()), *(crowded(self._story.nodes) if self._story.crowded else ())]
        for obj in extra:
            await self._acknowledged(lambda door, obj=obj: door.apply(obj))  # type: ignore[misc]
        for one in self._story.workloads:
            await self._put(one)
        for step in self._story.steps:
            await clock.sleep(max(began + step.at - clock.monotonic(), 0.0))
            await self._perform(step.act)
        await clock.sleep(max(began + self._story.seconds - clock.monotonic(), 0.0))
        await self._peace()

    async def _peace(self) -> None:
        """All faults end."""
        self._world.heal()
        await self._world.do(Heal())
        for member in list(self._world.members.values()):
            for name in sorted(member.off):
                await member.do(PowerOn(name))
        await self._world.risen()

    async def _perform(self, act: Act) -> None:
        match act:
            case Scale(name=name, replicas=replicas):
                await self._change(name, replicas=replicas)
            case Update(name=name, version=version):
                await self._change(name, version=version)
            case Remove(name=name, propagation=how):
                one = self.wanted.pop(name, None)
                if one is not None:
                    await self._acknowledged(lambda door: door.delete(one.kind, one.name, propagation=how))
            case Replace(name=name, propagation=how):
                await self._replace(name, how)
            case DeletePod(share=share, force=force):
                await self._acknowledged(lambda door: _delete_pod(door, share, force))
            case Write(name=name, value=value):
                await self._write(name, value)
            case _:
                await self._befall(act)

    async def _befall(self, act: Act) -> None:
        world = self._world
        match act:
            case KillOne(share=share):
                await world.kill(*_at(share, world.actors()))
            case KillInformer(share=share):
                informers = [(number, path) for number, path in world.actors() if path.startswith("informers/")]
                if informers:
                    await world.kill(*_at(share, informers))
            case FalterOne(share=share, times=times):
                places = ("informers/", "nodes/")
                found = [(number, path) for number, path in world.actors() if path.startswith(places)]
                if found:
                    number, path = _at(share, found)
                    await world.members[number].do(Falter(path, times))
            case KillWriter(share=share, lag=lag):
                writers = [(number, path, user) for number, path in world.actors() if (user := writer(path))]
                if writers:
                    await world.ambush(*_at(share, writers))
                    await world.do(Lag(lag, "*"))
            case Forget(resource=resource):
                await world.do(CutWatches(resource))
                await world.do(Compact())
            case LoseMember(share=share, leader=leader):
                if world.whole():
                    await world.lose(self._member(share, leader))
            case SeverMember(share=share, leader=leader):
                if world.whole():
                    world.sever(self._member(share, leader))
            case Reunite():
                world.heal()
            case _:
                await world.do(act)  # type: ignore[arg-type]

    def _member(self, share: float, leader: bool) -> int:
        leading = self._world.leaders("controllers") if leader else []
        return leading[0] if leading else _at(share, sorted(self._world.members))

    async def _change(self, name: str, **changes: Any) -> None:
        one = self.wanted.get(name)
        if one is None or one.kind == "Job" or (one.kind == "DaemonSet" and "replicas" in changes):
            return
        await self._put(msgspec.structs.replace(one, **changes))

    async def _replace(self, name: str, propagation: str) -> None:
        """Of several control planes one may still do what it was asked long ago: there nobody asks for the contrary."""
        one = self.wanted.get(name)
        if one is None or self._story.members > 1:
            return
        del self.wanted[name]
        await self._acknowledged(lambda door: door.delete(one.kind, one.name, propagation=propagation))
        clock = self._world.clock
        end = clock.monotonic() + REPLACE_SECONDS
        while clock.monotonic() < end:
            if await self._acknowledged(lambda door: door.find(one.kind, one.name)) is None:
                await self._put(one)
                return
            await clock.sleep(AGAIN_SECONDS)

    async def _put(self, one: Workload) -> None:
        self.wanted[one.name] = one
        for obj in workload(one):
            await self._acknowledged(lambda door, obj=obj: door.apply(obj))  # type: ignore[misc]

    async def _write(self, name: str, value: str) -> None:
        obj: Object = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": name, "namespace": "default"},
            "data": {"value": value},
        }
        written = await self._acknowledged(lambda door: door.client.apply(CONFIGMAPS, obj, manager="ledger"))
        if written is not None:
            revision = int(written["metadata"]["resourceVersion"])
            self.promises.append(Promise(f"{CONFIGMAPS.prefix}default/{name}", revision, value))

    async def _acknowledged(self, act: Callable[[Cluster], Awaitable[T]]) -> T | None:
        """Do it until a server says that it is done. Refusals of what the user asked are violations."""
        clock = self._world.clock
        end = clock.monotonic() + USER_SECONDS
        reason = ""
        while clock.monotonic() < end:
            try:
                return await act(self._world.door)
            except TransportError as failure:
                reason = str(failure)
            except StatusError as refusal:
                reason = str(refusal)
                if refusal.code == 404:
                    return None
                if refusal.code < 500 and refusal.code not in (409, 429):
                    self.violations.append(f"the user was refused: {refusal}")
                    return None
            self._world.turn()
            await clock.sleep(AGAIN_SECONDS)
        self.violations.append(f"the user was not answered within {USER_SECONDS:g} s: {reason}")
        return None


async def _delete_pod(door: Cluster, share: float, force: bool) -> None:
    pods = (await door.client.list(PODS, "default")).objects()
    if pods:
        chosen = _at(share, pods)["metadata"]
        owners = [owner["kind"] for owner in chosen.get("ownerReferences") or ()]
        options = {"grace_seconds": 0} if force and "StatefulSet" not in owners else {}
        await door.client.delete(PODS, chosen["name"], "default", **options)


def _at(share: float, found: Sequence[T]) -> T:
    return found[int(share * len(found))]


def writer(path: str) -> str:
    """The user as which the actor at ``path`` writes; "": it writes little, or there are many like it."""
    place, _, name = path.rpartition("/")
    if place.startswith("control-plane/controllers"):
        return next((entry.identity.user for entry in CONTROLLERS if entry.name == name and name in BUSY), "")
    if place == "nodes" and name.endswith("-1"):
        return node(name).user
    return "system:kube-scheduler" if path in SCHEDULERS else ""
