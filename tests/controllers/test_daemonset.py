"""DaemonSet: which nodes get a pod, what it bears, how it is replaced."""

from __future__ import annotations

from typing import Any

from orchestrator.apimachinery.encoded import Object
from orchestrator.client.kinds import CONTROLLERREVISIONS, DAEMONSETS, NODES, PODS
from orchestrator.controllers.daemonset import DaemonSets
from tests.controllers.stage import Stage, stage, template


def daemonset(image: str = "web:1", pod_spec: Object | None = None, **spec: Any) -> Object:
    made = template("web", image)
    return {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {"name": "web", "namespace": "default"},
        "spec": {
            "selector": {"matchLabels": {"app": "web"}},
            "template": {**made, "spec": {**made["spec"], **(pod_spec or {})}},
            **spec,
        },
    }


def node(name: str, labels: dict[str, str] | None = None, taints: list[Object] | None = None) -> Object:
    metadata = {"name": name, "labels": labels or {}}
    return {"apiVersion": "v1", "kind": "Node", "metadata": metadata, "spec": {"taints": taints or []}}


def target(pod: Object) -> str:
    terms = pod["spec"]["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    name: str = terms["nodeSelectorTerms"][0]["matchFields"][0]["values"][0]
    return name


async def nodes(s: Stage) -> list[str]:
    return sorted(target(pod) for pod in await s.objects(PODS))


async def with_nodes(s: Stage, count: int) -> None:
    for number in range(count):
        await s.client.create(NODES, node(f"n{number}"))
    await s.play(DaemonSets)


async def images(s: Stage) -> list[str]:
    return sorted(pod["spec"]["containers"][0]["image"] for pod in await s.objects(PODS))


async def status(s: Stage) -> Object:
    found: Object = (await s.client.get(DAEMONSETS, "web", "default"))["status"]
    return found


async def test_every_node_gets_one_pod_and_a_new_node_too() -> None:
    async with stage() as s:
        await with_nodes(s, 2)
        await s.client.create(DAEMONSETS, daemonset())
        await s.settle()
        assert await nodes(s) == ["n0", "n1"]
        await s.client.create(NODES, node("n2"))
        await s.settle()
        assert await nodes(s) == ["n0", "n1", "n2"]


async def test_a_node_that_is_gone_takes_its_pod_along() -> None:
    async with stage() as s:
        await with_nodes(s, 2)
        await s.client.create(DAEMONSETS, daemonset())
        await s.settle()
        await s.client.delete(NODES, "n0")
        await s.settle()
        assert await nodes(s) == ["n1"]


async def test_pods_follow_the_node_selector_as_labels_change() -> None:
    async with stage() as s:
        await with_nodes(s, 2)
        await s.client.create(DAEMONSETS, daemonset(pod_spec={"nodeSelector": {"color": "blue"}}))
        await s.settle()
        assert await nodes(s) == []
        await s.client.patch(NODES, "n1", "", {"metadata": {"labels": {"color": "blue"}}})
        await s.settle()
        assert await nodes(s) == ["n1"]
        await s.client.patch(NODES, "n1", "", {"metadata": {"labels": {"color": "green"}}})
        await s.settle()
        assert await nodes(s) == []


async def test_a_taint_that_is_not_tolerated_keeps_pods_away_but_only_no_execute_removes_them() -> None:
    async with stage() as s:
        await with_nodes(s, 2)
        await s.client.create(DAEMONSETS, daemonset())
        await s.settle()
        await s.client.patch(NODES, "n0", "", {"spec": {"taints": [{"key": "k", "effect": "NoSchedule"}]}})
        await s.client.patch(NODES, "n1", "", {"spec": {"taints": [{"key": "k", "effect": "NoExecute"}]}})
        await s.settle()
        assert await nodes(s) == ["n0"]
        shown = await status(s)
        assert (shown["desiredNumberScheduled"], shown["numberMisscheduled"]) == (0, 1)


async def test_daemons_come_to_nodes_that_are_unschedulable_or_not_ready() -> None:
    async with stage() as s:
        taints = [
            {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"},
            {"key": "node.kubernetes.io/not-ready", "effect": "NoExecute"},
        ]
        await s.client.create(NODES, node("n0", taints=taints))
        await s.play(DaemonSets)
        await s.client.create(DAEMONSETS, daemonset())
        await s.settle()
        (pod,) = await s.objects(PODS)
        assert len(pod["spec"]["tolerations"]) == 6


async def test_the_status_counts_nodes_and_their_pods() -> None:
    async with stage() as s:
        await with_nodes(s, 3)
        await s.client.create(DAEMONSETS, daemonset())
        await s.settle()
        await s.make_ready(when=lambda pod: target(pod) != "n2")
        await s.settle()
        assert await status(s) == {
            "currentNumberScheduled": 3,
            "desiredNumberScheduled": 3,
            "numberMisscheduled": 0,
            "numberReady": 2,
            "numberAvailable": 2,
            "numberUnavailable": 1,
            "updatedNumberScheduled": 3,
            "observedGeneration": 1,
        }


async def test_a_rolling_update_keeps_all_but_one_available() -> None:
    async with stage() as s:
        await with_nodes(s, 3)
        await s.client.create(DAEMONSETS, daemonset())
        await s.settle()
        await s.make_ready()
        await s.settle()
        await s.client.patch(DAEMONSETS, "web", "default", {"spec": {"template": template("web", "web:2")}})
        for replaced in (1, 2, 3):
            await s.settle()
            assert (await images(s)).count("web:2") == replaced
            await s.make_ready()
        await s.settle()
        assert (await status(s))["numberAvailable"] == 3


async def test_with_surge_the_old_pod_stays_until_the_new_one_is_ready() -> None:
    async with stage() as s:
        await with_nodes(s, 2)
        strategy = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}
        await s.client.create(DAEMONSETS, daemonset(updateStrategy=strategy))
        await s.settle()
        await s.make_ready()
        await s.settle()
        await s.client.patch(DAEMONSETS, "web", "default", {"spec": {"template": template("web", "web:2")}})
        await s.settle()
        assert await images(s) == ["web:1", "web:1", "web:2"]
        await s.make_ready()
        await s.settle()
        assert await images(s) == ["web:1", "web:2", "web:2"]
        await s.make_ready()
        await s.settle()
        assert await images(s) == ["web:2", "web:2"]


async def test_on_delete_an_update_waits_for_people() -> None:
    async with stage() as s:
        await with_nodes(s, 1)
        await s.client.create(DAEMONSETS, daemonset(updateStrategy={"type": "OnDelete"}))
        await s.settle()
        await s.make_ready()
        await s.client.patch(DAEMONSETS, "web", "default", {"spec": {"template": template("web", "web:2")}})
        await s.settle()
        assert await images(s) == ["web:1"]
        (pod,) = await s.objects(PODS)
        await s.client.delete(PODS, pod["metadata"]["name"], "default")
        await s.settle()
        assert await images(s) == ["web:2"]


async def test_going_back_in_the_middle_does_not_restart_pods_that_were_not_updated() -> None:
    async with stage() as s:
        await with_nodes(s, 3)
        await s.client.create(DAEMONSETS, daemonset())
        await s.settle()
        await s.make_ready()
        await s.settle()
        before = {pod["metadata"]["uid"] for pod in await s.objects(PODS)}
        await s.client.patch(DAEMONSETS, "web", "default", {"spec": {"template": template("web", "bad:1")}})
        await s.settle()
        await s.client.patch(DAEMONSETS, "web", "default", {"spec": {"template": template("web", "web:1")}})
        await s.settle()
        await s.make_ready()
        await s.settle()
        after = {pod["metadata"]["uid"] for pod in await s.objects(PODS)}
        assert await images(s) == ["web:1"] * 3
        assert len(before & after) == 2
        assert sorted(held["revision"] for held in await s.objects(CONTROLLERREVISIONS)) == [2, 3]


async def test_a_failed_pod_is_replaced_at_once_and_later_ones_with_patience() -> None:
    async with stage() as s:
        await with_nodes(s, 1)
        await s.client.create(DAEMONSETS, daemonset())
        await s.settle()

        async def fail() -> str:
            (pod,) = await s.objects(PODS)
            await s.client.update_status(PODS, {**pod, "status": {"phase": "Failed"}})
            await s.settle(0.5)
            (now,) = await s.objects(PODS)
            return "replaced" if now["metadata"]["uid"] != pod["metadata"]["uid"] else "waits"

        assert await fail() == "replaced"
        assert await fail() == "waits"
        await s.settle(1.0)
        (pod,) = await s.objects(PODS)
        assert "status" not in pod
