"""Nodes: silence, taints, eviction, collection of what is left behind."""

from __future__ import annotations

import asyncio
from typing import Any

from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.errors import StatusError
from orchestrator.apimachinery.timestamps import rfc3339
from orchestrator.client.kinds import LEASES, NODES, PODS
from orchestrator.controllers.node_lifecycle import NodeLifecycle
from orchestrator.controllers.podgc import PodCollector, surplus
from orchestrator.controllers.taint_eviction import TaintEviction
from orchestrator.controllers.taints import tolerated_seconds
from tests.controllers.stage import Stage, bare_pod, ready_status, stage
from tests.controllers.views import view

NOT_READY = "node.kubernetes.io/not-ready"
UNREACHABLE = "node.kubernetes.io/unreachable"


def node(name: str) -> Object:
    status = {"conditions": [{"type": "Ready", "status": "True"}]}
    return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}, "spec": {}, "status": status}


async def renew(s: Stage, name: str) -> None:
    spec = {"renewTime": rfc3339(s.system.clock.time()), "holderIdentity": name}
    try:
        await s.client.patch(LEASES, name, "kube-node-lease", {"spec": spec})
    except StatusError:
        metadata = {"name": name, "namespace": "kube-node-lease"}
        lease = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata, "spec": spec}
        await s.client.create(LEASES, lease)


async def live(s: Stage, seconds: int, *names: str) -> None:
    """So many seconds in which these nodes renew their leases."""
    for _ in range(seconds // 10):
        for name in names:
            await renew(s, name)
        await s.settle(10.0)


def keys(obj: Object) -> set[tuple[str, str]]:
    return {(taint["key"], taint["effect"]) for taint in obj["spec"].get("taints") or []}


async def bound(s: Stage, name: str, node: str, **spec: object) -> None:
    made = await s.client.create(PODS, bare_pod(name, {"app": "web"}, nodeName=node, **spec))
    await s.client.update_status(PODS, {**made, "status": ready_status(s.system.clock.time())})


async def test_a_silent_node_is_unknown_and_tainted_and_its_pods_are_not_ready() -> None:
    async with stage() as s:
        for name in ("one", "two"):
            await s.client.create(NODES, node(name))
        await bound(s, "web-1", "two")
        await s.play(NodeLifecycle)
        await live(s, 30, "one", "two")
        await live(s, 30, "one")
        assert keys(await s.client.get(NODES, "two")) == set()
        await live(s, 30, "one")
        lost = await s.client.get(NODES, "two")
        assert keys(lost) == {(UNREACHABLE, "NoSchedule"), (UNREACHABLE, "NoExecute")}
        ready = next(held for held in lost["status"]["conditions"] if held["type"] == "Ready")
        assert (ready["status"], ready["reason"]) == ("Unknown", "NodeStatusUnknown")
        assert keys(await s.client.get(NODES, "one")) == set()
        pod = await s.client.get(PODS, "web-1", "default")
        assert pod["status"]["conditions"][0]["status"] == "False"


async def test_a_stall_of_the_controller_is_no_silence_of_the_nodes() -> None:
    async with stage() as s:
        for name in ("one", "two"):
            await s.client.create(NODES, node(name))
        await s.play(NodeLifecycle)
        await live(s, 30, "one", "two")
        loop: Any = asyncio.get_running_loop()
        loop._now += 45.0  # as on a machine that was suspended: every timer is late
        await s.settle(6.0)
        assert keys(await s.client.get(NODES, "two")) == set()
        await live(s, 60, "one")
        assert keys(await s.client.get(NODES, "two")) != set()


async def test_when_no_node_is_ready_nothing_is_evicted() -> None:
    async with stage() as s:
        for name in ("one", "two"):
            await s.client.create(NODES, node(name))
        await s.play(NodeLifecycle)
        await s.settle(120.0)
        for name in ("one", "two"):
            assert keys(await s.client.get(NODES, name)) == {(UNREACHABLE, "NoSchedule")}


async def test_a_node_that_comes_back_loses_its_taints() -> None:
    async with stage() as s:
        for name in ("one", "two"):
            await s.client.create(NODES, node(name))
        await s.play(NodeLifecycle)
        await live(s, 100, "one")
        back = await s.client.get(NODES, "two")
        back["status"]["conditions"] = [{"type": "Ready", "status": "True"}]
        await s.client.update_status(NODES, back)
        await live(s, 20, "one", "two")
        assert keys(await s.client.get(NODES, "two")) == set()


async def test_a_cordoned_node_is_tainted_unschedulable() -> None:
    async with stage() as s:
        await s.client.create(NODES, {**node("one"), "spec": {"unschedulable": True}})
        await s.play(NodeLifecycle)
        await s.settle()
        assert keys(await s.client.get(NODES, "one")) == {("node.kubernetes.io/unschedulable", "NoSchedule")}


async def test_pods_leave_a_tainted_node_when_their_time_is_over() -> None:
    async with stage() as s:
        await s.client.create(NODES, node("one"))
        await bound(s, "now", "one")
        await bound(s, "later", "one", tolerations=[{"key": NOT_READY, "operator": "Exists", "tolerationSeconds": 60}])
        await bound(s, "never", "one", tolerations=[{"operator": "Exists"}])
        await s.play(TaintEviction)
        await s.settle()
        added = rfc3339(s.system.clock.time())
        taint = {"key": NOT_READY, "effect": "NoExecute", "timeAdded": added}
        await s.client.patch(NODES, "one", "", {"spec": {"taints": [taint]}})
        await s.settle(5.0)
        assert sorted(pod["metadata"]["name"] for pod in await s.objects(PODS)) == ["later", "never"]
        await s.settle(60.0)
        assert [pod["metadata"]["name"] for pod in await s.objects(PODS)] == ["never"]


async def test_a_taint_that_is_taken_back_cancels_the_eviction() -> None:
    async with stage() as s:
        await s.client.create(NODES, node("one"))
        await bound(s, "later", "one", tolerations=[{"key": NOT_READY, "operator": "Exists", "tolerationSeconds": 60}])
        await s.play(TaintEviction)
        taint = {"key": NOT_READY, "effect": "NoExecute", "timeAdded": rfc3339(s.system.clock.time())}
        await s.client.patch(NODES, "one", "", {"spec": {"taints": [taint]}})
        await s.settle(30.0)
        await s.client.patch(NODES, "one", "", {"spec": {"taints": None}})
        await s.settle(60.0)
        assert len(await s.objects(PODS)) == 1


def test_of_several_tolerations_the_shortest_time_holds() -> None:
    tolerations = [
        {"key": NOT_READY, "operator": "Exists", "tolerationSeconds": 300},
        {"key": UNREACHABLE, "operator": "Exists", "tolerationSeconds": 30},
    ]
    assert tolerated_seconds(tolerations, [(NOT_READY, "", ""), (UNREACHABLE, "", "")]) == 30
    assert tolerated_seconds(tolerations, [(NOT_READY, "", "")]) == 300
    assert tolerated_seconds(tolerations, [("other", "", "")]) == 0
    assert tolerated_seconds([{"operator": "Exists"}], [("other", "", "")]) is None


async def test_pods_of_a_node_that_is_gone_are_collected_after_the_quarantine() -> None:
    async with stage() as s:
        await s.client.create(NODES, node("one"))
        await bound(s, "stays", "one")
        await bound(s, "orphan", "gone")
        await s.play(PodCollector)
        await s.settle(30.0)
        assert len(await s.objects(PODS)) == 2
        await s.settle(60.0)
        assert [pod["metadata"]["name"] for pod in await s.objects(PODS)] == ["stays"]


def test_only_the_oldest_finished_pods_are_surplus() -> None:
    pods = [view({"metadata": {"name": f"p{n}", "creationTimestamp": rfc3339(100 + n)}, "spec": {}}) for n in (3, 1, 2)]
    assert [held.name for held in surplus(pods, kept=1)] == ["p1", "p2"]
