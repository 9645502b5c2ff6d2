"""Budgets, quotas, finished jobs."""

from __future__ import annotations

from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.timestamps import rfc3339
from orchestrator.client.kinds import JOBS, PODDISRUPTIONBUDGETS, PODS, REPLICASETS, RESOURCEQUOTAS
from orchestrator.controllers.disruption import Disruption
from orchestrator.controllers.replicaset import ReplicaSets
from orchestrator.controllers.resource_quota import ResourceQuotas
from orchestrator.controllers.ttl_after_finished import FinishedJobs
from tests.controllers.stage import Stage, bare_pod, replicaset, stage


def budget(**spec: object) -> Object:
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": "web", "namespace": "default"},
        "spec": {"selector": {"matchLabels": {"app": "web"}}, **spec},
    }


async def replicas(s: Stage, count: int) -> None:
    await s.play(ReplicaSets)
    await s.client.create(REPLICASETS, replicaset(replicas=count))
    await s.settle()
    await s.make_ready()
    await s.settle()


async def status(s: Stage) -> Object:
    found: Object = (await s.client.get(PODDISRUPTIONBUDGETS, "web", "default"))["status"]
    return found


async def test_a_budget_allows_what_is_healthy_beyond_the_least() -> None:
    async with stage() as s:
        await s.play(Disruption)
        await replicas(s, 3)
        await s.client.create(PODDISRUPTIONBUDGETS, budget(minAvailable=2))
        await s.settle()
        found = await status(s)
        assert (found["disruptionsAllowed"], found["currentHealthy"], found["desiredHealthy"]) == (1, 3, 2)
        assert found["conditions"][0]["reason"] == "SufficientPods"


async def test_a_share_is_of_what_the_controllers_want() -> None:
    async with stage() as s:
        await s.play(Disruption)
        await replicas(s, 4)
        await s.client.create(PODDISRUPTIONBUDGETS, budget(maxUnavailable="50%"))
        await s.settle()
        found = await status(s)
        assert (found["expectedPods"], found["desiredHealthy"], found["disruptionsAllowed"]) == (4, 2, 2)


async def test_a_share_of_pods_without_controller_fails_the_sync() -> None:
    async with stage() as s:
        await s.play(Disruption)
        await s.client.create(PODS, bare_pod("alone", {"app": "web"}))
        await s.client.create(PODDISRUPTIONBUDGETS, budget(maxUnavailable=1))
        await s.settle()
        found = await status(s)
        assert found["disruptionsAllowed"] == 0
        assert found["conditions"][0]["reason"] == "SyncFailed"


async def test_an_eviction_counts_as_gone_for_two_minutes() -> None:
    async with stage() as s:
        await s.play(Disruption)
        await replicas(s, 3)
        await s.client.create(PODDISRUPTIONBUDGETS, budget(minAvailable=2))
        await s.settle()
        name = (await s.objects(PODS))[0]["metadata"]["name"]
        obj = await s.client.get(PODDISRUPTIONBUDGETS, "web", "default")
        obj["status"]["disruptedPods"] = {name: rfc3339(s.system.clock.time())}
        await s.client.update_status(PODDISRUPTIONBUDGETS, obj)
        await s.settle()
        assert (await status(s))["disruptionsAllowed"] == 0
        await s.settle(125.0)
        assert (await status(s))["disruptionsAllowed"] == 1


async def test_a_quota_counts_what_is_there_and_what_has_gone() -> None:
    async with stage() as s:
        await s.play(ResourceQuotas)
        limits = {"resources": {"requests": {"cpu": "500m", "memory": "64Mi"}}}
        for name in ("one", "two"):
            await s.client.create(PODS, bare_pod(name, {}, containers=[{"name": "c", **limits}]))
        hard = {"pods": "5", "requests.cpu": "2", "memory": "1Gi", "count/replicasets.apps": "3"}
        quota = {
            "apiVersion": "v1",
            "kind": "ResourceQuota",
            "metadata": {"name": "q", "namespace": "default"},
            "spec": {"hard": hard},
        }
        await s.client.create(REPLICASETS, replicaset(replicas=0))
        await s.client.create(RESOURCEQUOTAS, quota)
        await s.settle()
        used = (await s.client.get(RESOURCEQUOTAS, "q", "default"))["status"]["used"]
        assert used == {"pods": "2", "requests.cpu": "1", "memory": "128Mi", "count/replicasets.apps": "1"}
        await s.client.delete(PODS, "one", "default")
        await s.settle(12.0)
        used = (await s.client.get(RESOURCEQUOTAS, "q", "default"))["status"]["used"]
        assert (used["pods"], used["requests.cpu"]) == ("1", "500m")


async def test_what_was_charged_is_not_given_back_before_it_can_be_there() -> None:
    async with stage() as s:
        await s.play(ResourceQuotas)
        quota = {
            "apiVersion": "v1",
            "kind": "ResourceQuota",
            "metadata": {"name": "q", "namespace": "default"},
            "spec": {"hard": {"pods": "5"}},
        }
        made = await s.client.create(RESOURCEQUOTAS, quota)
        await s.settle()
        for charged in ("1", "2"):
            made = await s.client.get(RESOURCEQUOTAS, "q", "default")
            status = {"hard": {"pods": "5"}, "used": {"pods": charged}}
            await s.client.update_status(RESOURCEQUOTAS, {**made, "status": status})
            await s.settle(0.7)  # the pod's write takes its time, and then comes the next
            assert (await s.client.get(RESOURCEQUOTAS, "q", "default"))["status"]["used"] == {"pods": charged}
        await s.client.create(PODS, bare_pod("one", {}))
        await s.settle(12.0)
        assert (await s.client.get(RESOURCEQUOTAS, "q", "default"))["status"]["used"] == {"pods": "1"}


async def test_a_finished_job_is_deleted_after_its_time() -> None:
    async with stage() as s:
        await s.play(FinishedJobs)
        job = {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": {"name": "j", "namespace": "default"},
            "spec": {"ttlSecondsAfterFinished": 30},
        }
        made = await s.client.create(JOBS, job)
        done = {"type": "Complete", "status": "True", "lastTransitionTime": rfc3339(s.system.clock.time())}
        await s.client.update_status(JOBS, {**made, "status": {"conditions": [done]}})
        await s.settle(20.0)
        assert not (await s.client.get(JOBS, "j", "default"))["metadata"].get("deletionTimestamp")
        await s.settle(20.0)
        assert (await s.client.get(JOBS, "j", "default"))["metadata"]["finalizers"] == ["foregroundDeletion"]
