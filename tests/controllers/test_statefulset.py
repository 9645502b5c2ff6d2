"""StatefulSet: stable names in order, claims of their own, updates from the top, a history to go back in."""

from __future__ import annotations

from typing import Any

from orchestrator.apimachinery.encoded import Object
from orchestrator.client.kinds import CONTROLLERREVISIONS, PERSISTENTVOLUMECLAIMS, PODS, STATEFULSETS
from orchestrator.controllers.statefulset import StatefulSets
from tests.controllers.stage import Stage, bare_pod, stage, template


def statefulset(replicas: int = 3, image: str = "web:1", **spec: Any) -> Object:
    return {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": {"name": "web", "namespace": "default"},
        "spec": {
            "replicas": replicas,
            "serviceName": "web",
            "selector": {"matchLabels": {"app": "web"}},
            "template": template("web", image),
            **spec,
        },
    }


CLAIM = {"metadata": {"name": "data"}, "spec": {"accessModes": ["ReadWriteOnce"]}}


async def names(s: Stage) -> list[str]:
    return sorted(pod["metadata"]["name"] for pod in await s.objects(PODS))


async def images(s: Stage) -> dict[str, str]:
    return {pod["metadata"]["name"]: pod["spec"]["containers"][0]["image"] for pod in await s.objects(PODS)}


async def grow(s: Stage, rounds: int) -> None:
    for _ in range(rounds):
        await s.settle()
        await s.make_ready()
    await s.settle()


async def status(s: Stage) -> Object:
    found: Object = (await s.client.get(STATEFULSETS, "web", "default"))["status"]
    return found


async def test_a_pod_is_created_only_when_the_one_before_is_ready() -> None:
    async with stage() as s:
        await s.play(StatefulSets)
        await s.client.create(STATEFULSETS, statefulset())
        await s.settle()
        assert await names(s) == ["web-0"]
        await s.make_ready()
        await s.settle()
        assert await names(s) == ["web-0", "web-1"]
        await grow(s, 2)
        assert await names(s) == ["web-0", "web-1", "web-2"]


async def test_a_pod_bears_its_identity() -> None:
    async with stage() as s:
        await s.play(StatefulSets)
        await s.client.create(STATEFULSETS, statefulset(1, ordinals={"start": 5}))
        await s.settle()
        (pod,) = await s.objects(PODS)
        labels = pod["metadata"]["labels"]
        assert pod["metadata"]["name"] == "web-5"
        assert labels["statefulset.kubernetes.io/pod-name"] == "web-5"
        assert labels["apps.kubernetes.io/pod-index"] == "5"
        assert labels["controller-revision-hash"] == (await status(s))["updateRevision"]
        assert (pod["spec"]["hostname"], pod["spec"]["subdomain"]) == ("web-5", "web")


async def test_parallel_management_creates_all_pods_at_once() -> None:
    async with stage() as s:
        await s.play(StatefulSets)
        await s.client.create(STATEFULSETS, statefulset(podManagementPolicy="Parallel"))
        await s.settle()
        assert await names(s) == ["web-0", "web-1", "web-2"]


async def test_scaling_down_removes_the_highest_first_and_waits_for_it_to_go() -> None:
    async with stage() as s:
        await s.play(StatefulSets)
        await s.client.create(STATEFULSETS, statefulset())
        await grow(s, 3)
        await s.client.patch(PODS, "web-2", "default", {"metadata": {"finalizers": ["a/b"]}})
        await s.client.patch(STATEFULSETS, "web", "default", {"spec": {"replicas": 1}})
        await s.settle()
        assert await names(s) == ["web-0", "web-1", "web-2"]
        await s.client.patch(PODS, "web-2", "default", {"metadata": {"finalizers": None}})
        await s.settle()
        assert await names(s) == ["web-0"]


async def test_an_unhealthy_pod_halts_scaling_in_both_directions() -> None:
    async with stage() as s:
        await s.play(StatefulSets)
        await s.client.create(STATEFULSETS, statefulset(2))
        await grow(s, 2)
        broken = {"status": {"conditions": [{"type": "Ready", "status": "False"}]}}
        await s.client.patch(PODS, "web-0", "default", broken, subresource="status")
        await s.client.patch(STATEFULSETS, "web", "default", {"spec": {"replicas": 3}})
        await s.settle()
        assert await names(s) == ["web-0", "web-1"]
        await s.client.patch(STATEFULSETS, "web", "default", {"spec": {"replicas": 1}})
        await s.settle()
        assert await names(s) == ["web-0", "web-1"]


async def test_a_failed_pod_is_recreated_under_its_name() -> None:
    async with stage() as s:
        await s.play(StatefulSets)
        await s.client.create(STATEFULSETS, statefulset(1))
        await s.settle()
        (old,) = await s.objects(PODS)
        await s.client.update_status(PODS, {**old, "status": {"phase": "Failed", "reason": "Evicted"}})
        await s.settle()
        (new,) = await s.objects(PODS)
        assert new["metadata"]["name"] == "web-0"
        assert new["metadata"]["uid"] != old["metadata"]["uid"]


async def test_each_ordinal_has_claims_that_stay_when_the_set_shrinks() -> None:
    async with stage() as s:
        await s.play(StatefulSets)
        await s.client.create(STATEFULSETS, statefulset(2, volumeClaimTemplates=[CLAIM]))
        await grow(s, 2)
        await s.client.patch(STATEFULSETS, "web", "default", {"spec": {"replicas": 1}})
        await s.settle()
        claims = await s.objects(PERSISTENTVOLUMECLAIMS)
        assert [claim["metadata"]["name"] for claim in claims] == ["data-web-0", "data-web-1"]
        (pod,) = await s.objects(PODS)
        assert pod["spec"]["volumes"] == [{"name": "data", "persistentVolumeClaim": {"claimName": "data-web-0"}}]


async def test_a_claim_goes_with_its_pod_when_the_policy_deletes_on_scaling() -> None:
    policy = {"whenDeleted": "Retain", "whenScaled": "Delete"}
    async with stage() as s:
        await s.play(StatefulSets)
        spec: Object = {"volumeClaimTemplates": [CLAIM], "persistentVolumeClaimRetentionPolicy": policy}
        await s.client.create(STATEFULSETS, statefulset(2, **spec))
        await grow(s, 2)
        await s.client.patch(STATEFULSETS, "web", "default", {"spec": {"replicas": 1}})
        await s.settle()
        claims = {claim["metadata"]["name"]: claim for claim in await s.objects(PERSISTENTVOLUMECLAIMS)}
        assert claims["data-web-1"]["metadata"]["ownerReferences"][0]["name"] == "web-1"
        assert "ownerReferences" not in claims["data-web-0"]["metadata"]


async def test_claims_go_with_the_set_when_the_policy_deletes_with_it() -> None:
    async with stage() as s:
        await s.play(StatefulSets)
        policy = {"whenDeleted": "Delete", "whenScaled": "Retain"}
        spec: Object = {"volumeClaimTemplates": [CLAIM], "persistentVolumeClaimRetentionPolicy": policy}
        await s.client.create(STATEFULSETS, statefulset(1, **spec))
        await s.settle()
        (claim,) = await s.objects(PERSISTENTVOLUMECLAIMS)
        assert claim["metadata"]["ownerReferences"][0]["kind"] == "StatefulSet"


async def test_an_update_goes_from_the_top_and_waits_for_each_pod() -> None:
    async with stage() as s:
        await s.play(StatefulSets)
        await s.client.create(STATEFULSETS, statefulset())
        await grow(s, 3)
        await s.client.patch(STATEFULSETS, "web", "default", {"spec": {"template": template("web", "web:2")}})
        await s.settle()
        assert await images(s) == {"web-0": "web:1", "web-1": "web:1", "web-2": "web:2"}
        await grow(s, 3)
        assert set((await images(s)).values()) == {"web:2"}
        done = await status(s)
        assert done["currentRevision"] == done["updateRevision"]
        assert done["currentReplicas"] == done["updatedReplicas"] == 3


async def test_pods_below_the_partition_keep_their_revision_even_when_replaced() -> None:
    async with stage() as s:
        await s.play(StatefulSets)
        strategy = {"type": "RollingUpdate", "rollingUpdate": {"partition": 2}}
        await s.client.create(STATEFULSETS, statefulset(updateStrategy=strategy))
        await grow(s, 3)
        await s.client.patch(STATEFULSETS, "web", "default", {"spec": {"template": template("web", "web:2")}})
        await grow(s, 3)
        assert await images(s) == {"web-0": "web:1", "web-1": "web:1", "web-2": "web:2"}
        await s.client.delete(PODS, "web-0", "default")
        await grow(s, 1)
        assert (await images(s))["web-0"] == "web:1"
        assert (await status(s))["currentRevision"] != (await status(s))["updateRevision"]


async def test_on_delete_an_update_waits_for_people() -> None:
    async with stage() as s:
        await s.play(StatefulSets)
        await s.client.create(STATEFULSETS, statefulset(2, updateStrategy={"type": "OnDelete"}))
        await grow(s, 2)
        await s.client.patch(STATEFULSETS, "web", "default", {"spec": {"template": template("web", "web:2")}})
        await grow(s, 2)
        assert set((await images(s)).values()) == {"web:1"}
        await s.client.delete(PODS, "web-0", "default")
        await grow(s, 1)
        assert (await images(s))["web-0"] == "web:2"


async def test_going_back_uses_the_old_revision_with_a_new_number() -> None:
    async with stage() as s:
        await s.play(StatefulSets)
        await s.client.create(STATEFULSETS, statefulset(1))
        await grow(s, 1)
        first = (await status(s))["updateRevision"]
        await s.client.patch(STATEFULSETS, "web", "default", {"spec": {"template": template("web", "web:2")}})
        await grow(s, 2)
        await s.client.patch(STATEFULSETS, "web", "default", {"spec": {"template": template("web", "web:1")}})
        await grow(s, 2)
        assert (await status(s))["currentRevision"] == first
        revisions = {held["metadata"]["name"]: held["revision"] for held in await s.objects(CONTROLLERREVISIONS)}
        assert len(revisions) == 2
        assert revisions[first] == 3


async def test_the_history_is_no_longer_than_its_limit() -> None:
    async with stage() as s:
        await s.play(StatefulSets)
        await s.client.create(STATEFULSETS, statefulset(1, revisionHistoryLimit=1))
        await grow(s, 1)
        for number in range(2, 6):
            change = {"spec": {"template": template("web", f"web:{number}")}}
            await s.client.patch(STATEFULSETS, "web", "default", change)
            await grow(s, 2)
        assert sorted(held["revision"] for held in await s.objects(CONTROLLERREVISIONS)) == [4, 5]


async def test_the_next_pod_waits_for_the_minimum_of_ready_seconds() -> None:
    async with stage() as s:
        await s.play(StatefulSets)
        await s.client.create(STATEFULSETS, statefulset(2, minReadySeconds=10))
        await grow(s, 1)
        assert await names(s) == ["web-0"]
        assert (await status(s))["availableReplicas"] == 0
        await s.settle(11.0)
        assert await names(s) == ["web-0", "web-1"]
        assert (await status(s))["availableReplicas"] == 1


async def test_an_orphan_of_the_right_name_is_adopted_and_another_is_not() -> None:
    async with stage() as s:
        await s.play(StatefulSets)
        await s.client.create(PODS, bare_pod("web-0", {"app": "web"}))
        await s.client.create(PODS, bare_pod("other", {"app": "web"}))
        await s.client.create(STATEFULSETS, statefulset(1, updateStrategy={"type": "OnDelete"}))
        await s.settle()
        owned = {pod["metadata"]["name"]: pod["metadata"].get("ownerReferences") for pod in await s.objects(PODS)}
        assert owned["web-0"][0]["kind"] == "StatefulSet"
        assert owned["other"] is None


async def test_a_name_taken_by_another_revision_counts_as_a_collision() -> None:
    async with stage() as s:
        await s.play(StatefulSets)
        await s.client.create(STATEFULSETS, statefulset(1))
        await s.settle()
        (revision,) = await s.objects(CONTROLLERREVISIONS)
        await s.client.delete(STATEFULSETS, "web", "default")
        foreign = [{"apiVersion": "v1", "kind": "ConfigMap", "name": "x", "uid": "x", "controller": True}]
        await s.client.patch(
            CONTROLLERREVISIONS,
            revision["metadata"]["name"],
            "default",
            {"data": {"spec": {"template": None}}, "metadata": {"ownerReferences": foreign}},
        )
        await s.client.create(STATEFULSETS, statefulset(1))
        await s.settle()
        assert (await status(s))["collisionCount"] == 1
