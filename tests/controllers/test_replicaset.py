"""ReplicaSet: the count of pods, who owns them, what the status says."""

from __future__ import annotations

from typing import Any

from orchestrator.client.client import Client
from orchestrator.client.kinds import EVENTS, PODS, REPLICASETS
from orchestrator.client.mailbox import MailboxTransport
from orchestrator.client.protocol import Identity, Request, Response, Verb
from orchestrator.controllers.replicaset import ReplicaSets
from tests.controllers.stage import bare_pod, replicaset, stage


async def test_a_replicaset_creates_the_pods_that_it_misses() -> None:
    async with stage() as s:
        await s.play(ReplicaSets)
        await s.client.create(REPLICASETS, replicaset(replicas=3))
        await s.settle()
        pods = await s.objects(PODS)
        assert len(pods) == 3
        assert all(pod["metadata"]["ownerReferences"][0]["name"] == "web" for pod in pods)
        assert all(pod["metadata"]["name"].startswith("web-") for pod in pods)


async def test_a_thousand_pods_are_created_once_each_in_two_batches() -> None:
    async with stage() as s:
        await s.play(ReplicaSets)
        await s.client.create(REPLICASETS, replicaset(replicas=1000))
        await s.settle(3.0)
        assert s.api.requests["create pods"] == 1000
        assert len(await s.objects(PODS)) == 1000


async def test_scaling_down_deletes_pods_that_are_not_ready_first() -> None:
    async with stage() as s:
        await s.play(ReplicaSets)
        await s.client.create(REPLICASETS, replicaset(replicas=4))
        await s.settle()
        first = (await s.objects(PODS))[:2]
        names = {pod["metadata"]["name"] for pod in first}
        await s.make_ready(when=lambda pod: pod["metadata"]["name"] in names)
        await s.settle()
        await s.client.patch(REPLICASETS, "web", "default", {"spec": {"replicas": 2}})
        await s.settle()
        assert {pod["metadata"]["name"] for pod in await s.objects(PODS)} == names


async def test_the_status_counts_ready_and_available_pods() -> None:
    async with stage() as s:
        await s.play(ReplicaSets)
        await s.client.create(REPLICASETS, replicaset(replicas=2, minReadySeconds=10))
        await s.settle()
        await s.make_ready()
        await s.settle()
        status = (await s.client.get(REPLICASETS, "web", "default"))["status"]
        assert (status["replicas"], status["readyReplicas"], status.get("availableReplicas", 0)) == (2, 2, 0)
        await s.settle(11.0)
        status = (await s.client.get(REPLICASETS, "web", "default"))["status"]
        assert status["availableReplicas"] == 2
        assert status["observedGeneration"] == 1


async def test_an_orphan_that_matches_is_adopted_in_place_of_a_new_pod() -> None:
    async with stage() as s:
        await s.play(ReplicaSets)
        await s.client.create(PODS, bare_pod("alone", {"app": "web"}))
        await s.client.create(REPLICASETS, replicaset(replicas=1))
        await s.settle()
        (pod,) = await s.objects(PODS)
        assert pod["metadata"]["ownerReferences"][0]["kind"] == "ReplicaSet"


async def test_a_pod_that_stops_matching_is_released_and_replaced() -> None:
    async with stage() as s:
        await s.play(ReplicaSets)
        await s.client.create(REPLICASETS, replicaset(replicas=1))
        await s.settle()
        (pod,) = await s.objects(PODS)
        await s.client.patch(PODS, pod["metadata"]["name"], "default", {"metadata": {"labels": {"app": "other"}}})
        await s.settle()
        pods = {held["metadata"]["name"]: held for held in await s.objects(PODS)}
        assert len(pods) == 2
        assert not pods[pod["metadata"]["name"]]["metadata"].get("ownerReferences")


async def test_a_finished_pod_is_replaced() -> None:
    async with stage() as s:
        await s.play(ReplicaSets)
        await s.client.create(REPLICASETS, replicaset(replicas=1))
        await s.settle()
        (pod,) = await s.objects(PODS)
        await s.client.update_status(PODS, {**pod, "status": {"phase": "Failed"}})
        await s.settle()
        assert len(await s.objects(PODS)) == 2


async def test_created_pods_are_said_in_events() -> None:
    async with stage() as s:
        await s.play(ReplicaSets)
        await s.client.create(REPLICASETS, replicaset(replicas=2))
        await s.settle()
        events = await s.objects(EVENTS)
        assert sorted(event["reason"] for event in events) == ["SuccessfulCreate", "SuccessfulCreate"]
        assert events[0]["involvedObject"]["kind"] == "ReplicaSet"


async def test_a_controller_killed_in_the_middle_creates_no_pod_too_many() -> None:
    async with stage() as s:
        ref = await s.play(ReplicaSets)
        await s.client.create(REPLICASETS, replicaset(replicas=700))
        for _ in range(4):
            await s.settle(0.05)
            s.system.kill(ref.path)
        await s.settle(30.0)
        assert s.api.requests["create pods"] == 700


class Scaled(MailboxTransport):
    """Somebody scales the ReplicaSet just before its controller's first write of the status arrives."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.bursts: list[int] = []
        """Pods created by each batch."""
        self._scaled = False

    async def batch(self, requests: list[Request]) -> list[Response]:
        created = sum(request.verb is Verb.CREATE and request.target.resource == "pods" for request in requests)
        if created:
            self.bursts.append(created)
        if not self._scaled and any(request.target.subresource == "status" for request in requests):
            self._scaled = True
            await Client(self).patch(REPLICASETS, "web", "default", {"spec": {"replicas": 20}})
        return await super().batch(requests)


async def test_a_replicaset_that_is_scaled_while_it_reports_creates_all_that_is_missing_at_once() -> None:
    async with stage() as s:
        assert isinstance(s.client.transport, MailboxTransport)
        transport = Scaled(s.client.transport.server, Identity("test"))
        s.client = Client(transport)
        await s.play(ReplicaSets)
        await s.client.create(REPLICASETS, replicaset(replicas=3))
        await s.settle()
        assert transport.bursts == [3, 17]
        status = (await s.client.get(REPLICASETS, "web", "default"))["status"]
        assert (status["replicas"], status["observedGeneration"]) == (20, 2)


async def test_deleted_pods_are_said_in_events() -> None:
    async with stage() as s:
        await s.play(ReplicaSets)
        await s.client.create(REPLICASETS, replicaset(replicas=10))
        await s.settle()
        await s.client.patch(REPLICASETS, "web", "default", {"spec": {"replicas": 0}})
        await s.settle()
        reasons = [event["reason"] for event in await s.objects(EVENTS)]
        assert (reasons.count("SuccessfulCreate"), reasons.count("SuccessfulDelete")) == (10, 10)
