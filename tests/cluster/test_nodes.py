"""What befalls pods: their node is lost, their image cannot be had, they are not ready, they crash."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from orchestrator.apimachinery.encoded import Object
from orchestrator.client.kinds import NODES
from orchestrator.embedding import Cluster
from orchestrator.kubelet.runtime.behaviour import Behaviour, Rule
from tests.cluster.objects import addresses, check_rollout, deployment, ready, rolled_out, service

pytestmark = pytest.mark.slow

GRACE_SECONDS = 40.0
"""node-monitor-grace-period: a node that was not heard of for so long is not ready."""
NOTICED_SECONDS = 50.0
TOLERATION_SECONDS = 300.0
READY_PROBE = {"httpGet": {"port": 80}, "periodSeconds": 1, "failureThreshold": 1}


def node_condition(node: Object | None) -> str:
    assert node is not None
    return str(next(held["status"] for held in node["status"]["conditions"] if held["type"] == "Ready"))


def on(node: str, pods: Sequence[Object]) -> list[str]:
    return sorted(pod["metadata"]["name"] for pod in pods if pod["spec"].get("nodeName") == node)


async def test_a_lost_node_is_noticed_and_its_pods_are_replaced_after_their_toleration() -> None:
    async with Cluster(nodes=3, seed=1) as cluster:
        clock = cluster.system.clock
        await cluster.apply(deployment(replicas=9))
        await cluster.apply(service())
        await cluster.wait("deployment/web", rolled_out)
        await clock.sleep(30.0)
        lost = on("node-2", await cluster.list("pods"))
        assert lost
        await cluster.power_off("node-2")
        began = clock.monotonic()
        await cluster.wait("node/node-2", lambda node: node_condition(node) == "Unknown", timeout=60.0)
        noticed = clock.monotonic() - began
        assert GRACE_SECONDS - 10.0 <= noticed <= NOTICED_SECONDS  # the last heartbeat was up to 10 s before
        await clock.sleep(2.0)
        pods = await cluster.list("pods")
        assert not any(ready(pod) for pod in pods if pod["metadata"]["name"] in lost)
        assert len(await addresses(cluster, "web")) == 9 - len(lost)
        await clock.sleep(TOLERATION_SECONDS - 10.0)
        assert on("node-2", await cluster.list("pods")) == lost
        await clock.sleep(20.0)
        pods = await cluster.list("pods")
        alive = [pod for pod in pods if "deletionTimestamp" not in pod["metadata"]]
        assert len(alive) == 9
        assert not on("node-2", alive)
        assert all(ready(pod) for pod in alive)
        assert on("node-2", pods) == lost, "nobody says that they ended: they are kept, terminating"
        await cluster.client.delete(NODES, "node-2")
        await clock.sleep(120.0)
        await check_rollout(cluster, "web", 9, "nginx:1")


async def test_a_bad_image_is_told_in_the_status_and_in_events() -> None:
    async with Cluster(nodes=1, seed=1) as cluster:
        await cluster.apply(deployment(replicas=1, image="web:non-existent"))
        reasons: list[str] = []
        for _ in range(400):
            for pod in await cluster.list("pods"):
                for held in pod["status"].get("containerStatuses") or ():
                    reason = held["state"].get("waiting", {}).get("reason", "")
                    if reasons[-1:] != [reason]:
                        reasons.append(reason)
            await cluster.pause(0.1)
        assert [reason for reason in reasons if reason != "ContainerCreating"][:2] == [
            "ErrImagePull",
            "ImagePullBackOff",
        ]
        events = [held["reason"] for held in await cluster.list("events")]
        assert {"Failed", "BackOff"} <= set(events)
        found = await cluster.find("deployment/web")
        assert found is not None
        assert found["status"].get("availableReplicas", 0) == 0


async def test_a_pod_that_stops_being_ready_leaves_the_slice_within_two_seconds() -> None:
    async with Cluster(nodes=2, seed=1) as cluster:
        clock = cluster.system.clock
        await cluster.apply(deployment(replicas=4, readinessProbe=READY_PROBE))
        await cluster.apply(service())
        await cluster.wait("deployment/web", rolled_out)
        await cluster.settle()
        assert len(await addresses(cluster, "web")) == 4
        cluster.behave(Rule(Behaviour(ready=False)))
        await clock.sleep(3.0)  # one period of the probe, and two seconds
        assert await addresses(cluster, "web") == []
        cluster.behave(Rule(Behaviour()))
        await clock.sleep(3.0)
        assert len(await addresses(cluster, "web")) == 4


async def test_a_container_that_crashes_is_restarted_later_and_later() -> None:
    async with Cluster(nodes=1, seed=1) as cluster:
        cluster.behave(Rule(Behaviour(run_seconds=1.0, exit_code=3)))
        await cluster.apply(deployment(replicas=1))
        began = cluster.system.clock.monotonic()
        moments: dict[int, float] = {}
        seen: set[str] = set()
        for _ in range(2400):
            for status in await _statuses(cluster):
                moments.setdefault(status["restartCount"], cluster.system.clock.monotonic() - began)
                seen.add(status["state"].get("waiting", {}).get("reason", ""))
                if status["restartCount"]:
                    assert status["lastState"]["terminated"]["exitCode"] == 3
            await cluster.pause(0.1)
        assert "CrashLoopBackOff" in seen
        waits = [round(moments[number + 1] - moments[number]) for number in range(1, max(moments))]
        assert waits[:4] == [pytest.approx(wait, abs=2) for wait in (11, 21, 41, 81)]


async def _statuses(cluster: Cluster) -> list[dict[str, Any]]:
    return [held for pod in await cluster.list("pods") for held in pod["status"].get("containerStatuses") or ()]
