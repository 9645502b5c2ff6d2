"""Deployment: rollouts within bounds, history, pause, scaling, conditions."""

from __future__ import annotations

from orchestrator.apimachinery.encoded import Object
from orchestrator.client.kinds import DEPLOYMENTS, PODS, REPLICASETS
from orchestrator.controllers.deployment import Deployments, request_of
from orchestrator.controllers.deployment_plan import Change
from orchestrator.controllers.replicaset import ReplicaSets
from tests.controllers.stage import Stage, deployment, replicaset, stage

REVISION = "deployment.kubernetes.io/revision"


async def begin(s: Stage, obj: Object) -> None:
    await s.play(ReplicaSets)
    await s.play(Deployments)
    await s.client.create(DEPLOYMENTS, obj)
    await converge(s)


async def converge(s: Stage, rounds: int = 12) -> None:
    for _ in range(rounds):
        await s.settle(0.5)
        if not await s.make_ready():
            return


async def live(s: Stage) -> Object:
    return await s.client.get(DEPLOYMENTS, "web", "default")


def condition(obj: Object, type: str) -> Object:
    return next(held for held in obj["status"]["conditions"] if held["type"] == type)


async def set_image(s: Stage, image: str) -> None:
    change = {"spec": {"template": {"spec": {"containers": [{"name": "c", "image": image}]}}}}
    await s.client.patch(DEPLOYMENTS, "web", "default", change)


async def test_a_deployment_becomes_available_by_one_replicaset() -> None:
    async with stage() as s:
        await begin(s, deployment(replicas=3))
        obj = await live(s)
        (rs,) = await s.objects(REPLICASETS)
        assert obj["status"]["availableReplicas"] == obj["status"]["updatedReplicas"] == 3
        assert condition(obj, "Available")["status"] == "True"
        assert condition(obj, "Progressing")["reason"] == "NewReplicaSetAvailable"
        assert obj["metadata"]["annotations"][REVISION] == rs["metadata"]["annotations"][REVISION] == "1"
        assert rs["metadata"]["labels"]["pod-template-hash"] == rs["metadata"]["name"].removeprefix("web-")


async def test_a_rolling_update_stays_within_surge_and_unavailable() -> None:
    async with stage() as s:
        strategy = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}
        await begin(s, deployment(replicas=4, strategy=strategy))
        await set_image(s, "web:2")
        for _ in range(20):
            await s.settle(0.3)
            pods = await s.objects(PODS)
            ready = [pod for pod in pods if pod.get("status", {}).get("conditions")]
            assert len(pods) <= 5
            assert len(ready) >= 4
            await s.make_ready()
        images = {pod["spec"]["containers"][0]["image"] for pod in await s.objects(PODS)}
        assert images == {"web:2"}
        assert (await live(s))["metadata"]["annotations"][REVISION] == "2"


async def test_a_change_that_comes_late_holds_only_for_the_spec_that_it_was_planned_for() -> None:
    """Found by the swarm, seeds 2221 and 2350: a scaling that had been given up undid the one after it."""
    async with stage() as s:
        await s.play(ReplicaSets)
        await s.client.create(REPLICASETS, replicaset(replicas=4))
        cache = await s.informers.synced(REPLICASETS)
        await s.settle()
        seen = cache.list()[0]
        await converge(s)
        counted = cache.list()[0]
        assert counted.revision > seen.revision
        (held,) = await s.client.batch([request_of(Change(seen, {"a/b": "c"}, {"replicas": 3}))])
        assert held.code == 200
        (late,) = await s.client.batch([request_of(Change(counted, {}, {"replicas": 4}))])
        assert late.code == 422
        (rs,) = await s.objects(REPLICASETS)
        assert rs["spec"]["replicas"] == 3
        assert rs["metadata"]["annotations"] == {"a/b": "c"}


async def test_recreate_makes_no_new_pod_before_the_last_old_one_is_gone() -> None:
    async with stage() as s:
        await begin(s, deployment(replicas=2, strategy={"type": "Recreate"}))
        await set_image(s, "web:2")
        for _ in range(30):
            await s.settle(0.02)
            images = {pod["spec"]["containers"][0]["image"] for pod in await s.objects(PODS)}
            assert len(images) <= 1
        assert images == {"web:2"}


async def test_rolling_back_takes_the_old_replicaset_and_a_new_revision() -> None:
    async with stage() as s:
        await begin(s, deployment(replicas=2))
        await set_image(s, "web:2")
        await converge(s)
        await set_image(s, "web:1")
        await converge(s)
        by_revision = {rs["metadata"]["annotations"][REVISION]: rs for rs in await s.objects(REPLICASETS)}
        assert set(by_revision) == {"2", "3"}
        assert by_revision["3"]["spec"]["template"]["spec"]["containers"][0]["image"] == "web:1"
        assert by_revision["3"]["metadata"]["annotations"]["deployment.kubernetes.io/revision-history"] == "1"
        assert by_revision["3"]["spec"]["replicas"] == 2


async def test_a_paused_deployment_scales_but_does_not_roll() -> None:
    async with stage() as s:
        await begin(s, deployment(replicas=2))
        await s.client.patch(DEPLOYMENTS, "web", "default", {"spec": {"paused": True}})
        await set_image(s, "web:2")
        await s.client.patch(DEPLOYMENTS, "web", "default", {"spec": {"replicas": 4}})
        await converge(s)
        images = [pod["spec"]["containers"][0]["image"] for pod in await s.objects(PODS)]
        assert images == ["web:1"] * 4
        assert condition(await live(s), "Progressing")["reason"] == "DeploymentPaused"
        await s.client.patch(DEPLOYMENTS, "web", "default", {"spec": {"paused": False}})
        await converge(s)
        assert {pod["spec"]["containers"][0]["image"] for pod in await s.objects(PODS)} == {"web:2"}


async def test_a_rollout_that_makes_no_progress_passes_its_deadline() -> None:
    async with stage() as s:
        await begin(s, deployment(replicas=2, progressDeadlineSeconds=30))
        await set_image(s, "web:2")
        await s.settle(40.0)
        assert condition(await live(s), "Progressing")["reason"] == "ProgressDeadlineExceeded"


async def test_history_beyond_the_limit_is_deleted_oldest_first() -> None:
    async with stage() as s:
        await begin(s, deployment(replicas=1, revisionHistoryLimit=1))
        for number in range(2, 5):
            await set_image(s, f"web:{number}")
            await converge(s)
        await s.settle(2.0)
        revisions = sorted(rs["metadata"]["annotations"][REVISION] for rs in await s.objects(REPLICASETS))
        assert revisions == ["3", "4"]


async def test_scaling_in_the_middle_of_a_rollout_is_spread_in_proportion() -> None:
    async with stage() as s:
        strategy = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 3, "maxUnavailable": 2}}
        await begin(s, deployment(replicas=10, strategy=strategy))
        await set_image(s, "web:broken")
        await s.settle(1.0)
        before = sorted(rs["spec"]["replicas"] for rs in await s.objects(REPLICASETS))
        assert before == [5, 8]
        await s.client.patch(DEPLOYMENTS, "web", "default", {"spec": {"replicas": 15}})
        await s.settle(0.02)
        for _ in range(5):
            await s.settle(0.02)
        after = sorted(rs["spec"]["replicas"] for rs in await s.objects(REPLICASETS))
        assert sum(after) == 18
        assert after == [7, 11]


async def test_a_taken_name_counts_a_collision_and_another_hash_is_tried() -> None:
    async with stage() as s:
        await s.play(ReplicaSets)
        await s.play(Deployments)
        paused = deployment(replicas=1, paused=True)
        await s.client.create(DEPLOYMENTS, paused)
        await s.settle()
        from orchestrator.controllers.revisions import template_hash

        name = f"web-{template_hash(paused['spec']['template'], 0)}"
        other = {
            "apiVersion": "apps/v1",
            "kind": "ReplicaSet",
            "metadata": {"name": name, "namespace": "default"},
            "spec": {
                "replicas": 0,
                "selector": {"matchLabels": {"x": "y"}},
                "template": {"metadata": {"labels": {"x": "y"}}},
            },
        }
        await s.client.create(REPLICASETS, other)
        await s.client.patch(DEPLOYMENTS, "web", "default", {"spec": {"paused": False}})
        await converge(s)
        assert (await live(s))["status"]["collisionCount"] == 1
        assert (await live(s))["status"]["availableReplicas"] == 1
