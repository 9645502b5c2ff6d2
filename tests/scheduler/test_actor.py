"""The scheduler's actor against the fake API server, in virtual time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from actors import Ref, System, child
from orchestrator.client.client import Client
from orchestrator.client.errors import TransportError
from orchestrator.client.fake import FakeApi
from orchestrator.client.informers import Informers
from orchestrator.client.kinds import EVENTS, NODES, PODS, Kind
from orchestrator.client.mailbox import MailboxTransport
from orchestrator.client.protocol import Identity, Request, Response
from orchestrator.client.recorder import EventWriter, Recorder
from orchestrator.scheduler.actor import Scheduler

Object = dict[str, Any]


class Stage:
    """A scheduler among a fake API server and its informers."""

    def __init__(self, system: System, client: Client, api: FakeApi, lossy: Lossy) -> None:
        self.system = system
        self.client = client
        self.api = api
        self.lossy = lossy

    async def settle(self, seconds: float = 1.0) -> None:
        await self.system.clock.sleep(seconds)

    async def node(self, name: str, cpu: str = "4", pods: str = "110", **spec: Any) -> Object:
        status = {"allocatable": {"cpu": cpu, "memory": "8Gi", "pods": pods}}
        labels = {"kubernetes.io/hostname": name}
        return await self.client.create(
            NODES, {"metadata": {"name": name, "labels": labels}, "spec": spec, "status": status}
        )

    async def pod(self, name: str, cpu: str = "100m", **spec: Any) -> Object:
        container = {"name": "c", "image": "x", "resources": {"requests": {"cpu": cpu}}}
        obj = {"metadata": {"name": name, "labels": {"app": "web"}}, "spec": {"containers": [container], **spec}}
        return await self.client.create(PODS, obj, "default")

    async def placements(self) -> dict[str, str]:
        pods = (await self.client.list(PODS)).objects()
        return {pod["metadata"]["name"]: pod["spec"].get("nodeName", "") for pod in pods}

    async def events(self, reason: str) -> list[str]:
        return [event["message"] for event in await self.objects(EVENTS) if event["reason"] == reason]

    async def objects(self, kind: Kind) -> list[Object]:
        return (await self.client.list(kind)).objects()


class Lossy(MailboxTransport):
    """The answers to the next ``lost`` batches that bind are lost; what they ask for is done or, ``before``, is not."""

    __slots__ = ("before", "lost")

    def __init__(self, api: Ref[Any]) -> None:
        super().__init__(api, Identity("test"))
        self.lost = 0
        self.before = False

    async def batch(self, requests: list[Request]) -> list[Response]:
        loses = self.lost > 0 and any(request.target.subresource == "binding" for request in requests)
        if loses:
            self.lost -= 1
        if loses and self.before:
            raise TransportError("batch", "it was lost on its way")
        responses = await super().batch(requests)
        if loses:
            raise TransportError("batch", "its answer was lost")
        return responses


@asynccontextmanager
async def stage() -> AsyncIterator[Stage]:
    async with System(seed=1) as system:
        api = FakeApi()
        ref = await system.spawn(child(lambda: api), name="api")
        lossy = Lossy(ref)
        client = Client(lossy)
        writer = await system.spawn(child(EventWriter, client, "default-scheduler"), name="events")

        async def spawn(factory: Callable[[], Any], name: str) -> Ref[Any]:
            return await system.spawn(child(factory), name=name)

        informers = Informers(client, spawn)
        await system.spawn(child(Scheduler, client, informers, Recorder(writer)), name="scheduler")
        yield Stage(system, client, api, lossy)


async def test_pods_are_bound_and_the_binding_is_told() -> None:
    async with stage() as on:
        for index in range(3):
            await on.node(f"n{index}")
        for index in range(9):
            await on.pod(f"p{index}")
        await on.settle()
        placements = await on.placements()
        assert set(placements.values()) <= {"n0", "n1", "n2"}
        assert len(placements) == 9
        assert f"Successfully assigned default/p0 to {placements['p0']}" in await on.events("Scheduled")


async def test_a_pod_that_fits_nowhere_says_why_and_is_bound_when_there_is_room() -> None:
    async with stage() as on:
        await on.node("small", cpu="1")
        await on.pod("big", cpu="2")
        await on.settle()
        message = (
            "0/1 nodes are available: 1 Insufficient cpu. preemption: "
            "0/1 nodes are available: 1 Preemption is not helpful for scheduling."
        )
        pod = await on.client.get(PODS, "big", "default")
        assert pod["status"]["conditions"][0]["message"] == message
        assert pod["status"]["conditions"][0]["reason"] == "Unschedulable"
        assert message in await on.events("FailedScheduling")
        await on.node("large")
        await on.settle(3.0)
        assert await on.placements() == {"big": "large"}


async def test_room_made_by_a_deleted_pod_wakes_the_one_that_waits() -> None:
    async with stage() as on:
        await on.node("n", cpu="1")
        await on.pod("first", cpu="1")
        await on.settle()
        await on.pod("second", cpu="1")
        await on.settle()
        assert (await on.placements())["second"] == ""
        await on.client.delete(PODS, "first", "default", grace_seconds=0)
        await on.settle(3.0)
        assert await on.placements() == {"second": "n"}


async def test_a_more_important_pod_preempts_and_takes_the_room() -> None:
    async with stage() as on:
        await on.node("n", cpu="1")
        await on.pod("low", cpu="1", priority=1)
        await on.settle()
        await on.pod("high", cpu="1", priority=100)
        await on.settle(15.0)
        assert await on.placements() == {"high": "n"}
        assert await on.events("Preempted")


@pytest.mark.parametrize("before", [False, True])
async def test_a_binding_without_an_answer_keeps_its_room_until_it_is_known_what_became_of_it(before: bool) -> None:
    async with stage() as on:
        await on.node("only", cpu="1")
        on.lossy.lost, on.lossy.before = 3, before
        await on.pod("first", cpu="1")
        await on.settle(0.2)
        await on.pod("second", cpu="1")
        await on.settle(5.0)
        assert on.lossy.lost == 0
        assert await on.placements() == {"first": "only", "second": ""}
        assert await on.events("Scheduled") == ["Successfully assigned default/first to only"]


async def test_a_pod_that_went_while_its_binding_had_no_answer_gives_its_room_back() -> None:
    async with stage() as on:
        await on.node("only", cpu="1")
        on.lossy.lost, on.lossy.before = 2, True
        await on.pod("first", cpu="1")
        await on.settle(0.2)
        await on.client.delete(PODS, "first", "default", grace_seconds=0)
        await on.pod("second", cpu="1")
        await on.settle(5.0)
        assert await on.placements() == {"second": "only"}


async def test_a_restarted_scheduler_goes_on_from_what_is_stored() -> None:
    async with stage() as on:
        await on.node("n", pods="2")
        await on.pod("p0")
        await on.settle()
        assert on.system.kill("scheduler")
        await on.pod("p1")
        await on.pod("p2")
        await on.settle(5.0)
        placements = await on.placements()
        assert sorted(placements.values()) == ["", "n", "n"]
        assert placements["p0"] == "n"


async def test_a_gated_pod_waits_until_the_gate_is_lifted() -> None:
    async with stage() as on:
        await on.node("n")
        await on.pod("p", schedulingGates=[{"name": "wait"}])
        await on.settle()
        assert await on.placements() == {"p": ""}
        await on.client.patch(PODS, "p", "default", {"spec": {"schedulingGates": None}})
        await on.settle()
        assert await on.placements() == {"p": "n"}


async def test_pods_of_another_scheduler_are_left_alone() -> None:
    async with stage() as on:
        await on.node("n")
        await on.pod("p", schedulerName="other")
        await on.pod("q")
        await on.settle()
        assert await on.placements() == {"p": "", "q": "n"}
