"""Job: completions, indexes, back-off, policies, and the count of what ended."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.timestamps import rfc3339
from orchestrator.client.kinds import JOBS, PODS
from orchestrator.controllers import job_indexes
from orchestrator.controllers.job import Jobs
from tests.controllers.stage import Stage, bare_pod, stage, template

INDEX = "batch.kubernetes.io/job-completion-index"


def job(**spec: Any) -> Object:
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "web", "namespace": "default"},
        "spec": {"selector": {"matchLabels": {"app": "web"}}, "template": template("web", "web:1"), **spec},
    }


async def live(s: Stage) -> list[Object]:
    pods = await s.objects(PODS)
    return [pod for pod in pods if pod.get("status", {}).get("phase") not in ("Succeeded", "Failed")]


async def end(s: Stage, phase: str, pods: list[Object], code: int = 1, **status: Any) -> None:
    moment = rfc3339(s.system.clock.time())
    exit_code = 0 if phase == "Succeeded" else code
    terminated = {"exitCode": exit_code, "finishedAt": moment}
    containers = [{"name": "c", "state": {"terminated": terminated}}]
    for pod in pods:
        held = {"phase": phase, "containerStatuses": containers, **status}
        await s.client.update_status(PODS, {**pod, "status": held})


async def status(s: Stage) -> Object:
    found: Object = (await s.client.get(JOBS, "web", "default"))["status"]
    return found


async def true_conditions(s: Stage) -> dict[str, str]:
    held = (await status(s)).get("conditions") or []
    return {one["type"]: one["reason"] for one in held if one["status"] == "True"}


def indexes(pods: list[Object]) -> list[int]:
    return sorted(int(pod["metadata"]["annotations"][INDEX]) for pod in pods)


@pytest.mark.parametrize("text", ["", "0", "0,1", "1,3-5,7", "0-99"])
def test_the_text_of_indexes_reads_back(text: str) -> None:
    assert job_indexes.text(job_indexes.parse(text)) == text


async def test_a_job_runs_as_many_pods_as_its_parallelism_until_all_succeeded() -> None:
    async with stage() as s:
        await s.play(Jobs)
        await s.client.create(JOBS, job(completions=5, parallelism=2))
        for expected in (2, 2, 1):
            await s.settle()
            pods = await live(s)
            assert len(pods) == expected
            await end(s, "Succeeded", pods)
        await s.settle()
        done = await status(s)
        assert (done["succeeded"], done.get("active", 0), done["uncountedTerminatedPods"]) == (5, 0, {})
        assert await true_conditions(s) == {
            "SuccessCriteriaMet": "CompletionsReached",
            "Complete": "CompletionsReached",
        }
        assert done["startTime"] <= done["completionTime"]
        assert not any(pod["metadata"].get("finalizers") for pod in await s.objects(PODS))


async def test_without_completions_one_success_lets_the_others_end() -> None:
    async with stage() as s:
        await s.play(Jobs)
        await s.client.create(JOBS, job(parallelism=3))
        await s.settle()
        pods = await live(s)
        await end(s, "Succeeded", pods[:1])
        await s.settle()
        assert len(await live(s)) == 2
        await end(s, "Succeeded", pods[1:])
        await s.settle()
        assert "Complete" in await true_conditions(s)


async def test_failures_are_tried_again_with_doubled_patience_until_the_limit() -> None:
    async with stage() as s:
        await s.play(Jobs)
        await s.client.create(JOBS, job(completions=1, parallelism=1, backoffLimit=2))
        for patience in (10.0, 20.0):
            await s.settle()
            await end(s, "Failed", await live(s))
            await s.settle(patience - 2.0)
            assert await live(s) == []
            await s.settle(3.0)
            assert len(await live(s)) == 1
        await end(s, "Failed", await live(s))
        await s.settle()
        assert (await true_conditions(s))["Failed"] == "BackoffLimitExceeded"
        assert (await status(s))["failed"] == 3


async def test_a_job_past_its_deadline_fails_and_its_pods_are_deleted() -> None:
    async with stage() as s:
        await s.play(Jobs)
        await s.client.create(JOBS, job(completions=1, parallelism=1, activeDeadlineSeconds=30))
        await s.settle(29.0)
        assert await true_conditions(s) == {}
        await s.settle(3.0)
        assert await live(s) == []
        assert (await true_conditions(s))["Failed"] == "DeadlineExceeded"


async def test_a_suspended_job_has_no_pods_and_starts_anew_when_resumed() -> None:
    async with stage() as s:
        await s.play(Jobs)
        await s.client.create(JOBS, job(completions=1, parallelism=1, suspend=True))
        await s.settle()
        assert await live(s) == []
        assert (await true_conditions(s))["Suspended"] == "JobSuspended"
        assert "startTime" not in await status(s)
        await s.client.patch(JOBS, "web", "default", {"spec": {"suspend": False}})
        await s.settle()
        assert len(await live(s)) == 1
        assert "Suspended" not in await true_conditions(s)
        await s.client.patch(JOBS, "web", "default", {"spec": {"suspend": True}})
        await s.settle()
        assert await live(s) == []
        assert (await status(s)).get("failed", 0) == 0


async def test_an_indexed_job_gives_each_index_one_pod_with_its_number() -> None:
    async with stage() as s:
        await s.play(Jobs)
        await s.client.create(JOBS, job(completions=3, parallelism=3, completionMode="Indexed"))
        await s.settle()
        pods = await live(s)
        assert indexes(pods) == [0, 1, 2]
        first = next(pod for pod in pods if pod["metadata"]["labels"][INDEX] == "0")
        assert first["spec"]["hostname"] == "web-0"
        assert first["metadata"]["name"].startswith("web-0-")
        assert first["spec"]["containers"][0]["env"][0]["name"] == "JOB_COMPLETION_INDEX"
        await end(s, "Succeeded", pods)
        await s.settle()
        assert (await status(s))["completedIndexes"] == "0-2"
        assert "Complete" in await true_conditions(s)


async def test_with_a_limit_for_each_index_the_others_run_to_their_end() -> None:
    async with stage() as s:
        await s.play(Jobs)
        spec = {"completions": 2, "parallelism": 2, "completionMode": "Indexed", "backoffLimitPerIndex": 1}
        await s.client.create(JOBS, job(**spec))
        await s.settle()
        pods = await live(s)
        await end(s, "Failed", [pod for pod in pods if indexes([pod]) == [0]])
        await s.settle(15.0)
        again = [pod for pod in await live(s) if indexes([pod]) == [0]]
        assert again[0]["metadata"]["annotations"]["batch.kubernetes.io/job-index-failure-count"] == "1"
        await end(s, "Failed", again)
        await s.settle()
        assert indexes(await live(s)) == [1]
        await end(s, "Succeeded", await live(s))
        await s.settle()
        done = await status(s)
        assert (done["failedIndexes"], done["completedIndexes"]) == ("0", "1")
        assert (await true_conditions(s))["Failed"] == "FailedIndexes"


async def test_too_many_failed_indexes_end_the_job() -> None:
    async with stage() as s:
        await s.play(Jobs)
        spec = {"completions": 4, "parallelism": 4, "completionMode": "Indexed"}
        await s.client.create(JOBS, job(**spec, backoffLimitPerIndex=0, maxFailedIndexes=1))
        await s.settle()
        await end(s, "Failed", (await live(s))[:2])
        await s.settle()
        assert await live(s) == []
        assert (await true_conditions(s))["Failed"] == "MaxFailedIndexesExceeded"


def rule(action: str) -> Object:
    return {"action": action, "onExitCodes": {"operator": "In", "values": [42]}}


async def test_a_failure_policy_ends_the_job_on_an_exit_code() -> None:
    async with stage() as s:
        await s.play(Jobs)
        await s.client.create(JOBS, job(completions=2, parallelism=2, podFailurePolicy={"rules": [rule("FailJob")]}))
        await s.settle()
        first, second = await live(s)
        await s.client.create_sub(PODS, second["metadata"]["name"], "default", "binding", {"target": {"name": "n0"}})
        await end(s, "Failed", [first], 42)
        await s.settle()
        assert await true_conditions(s) == {"FailureTarget": "PodFailurePolicy"}
        await end(s, "Failed", await live(s), 0)
        await s.settle()
        held = {one["type"]: one for one in (await status(s))["conditions"]}
        assert held["Failed"]["reason"] == "PodFailurePolicy"
        assert "failed with exit code 42 matching FailJob rule at index 0" in held["Failed"]["message"]


async def test_an_ignored_failure_is_replaced_and_not_counted() -> None:
    async with stage() as s:
        await s.play(Jobs)
        rules = [{"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]}]
        spec = {"completions": 1, "parallelism": 1, "backoffLimit": 0, "podFailurePolicy": {"rules": rules}}
        await s.client.create(JOBS, job(**spec))
        await s.settle()
        await end(s, "Failed", await live(s), conditions=[{"type": "DisruptionTarget", "status": "True"}])
        await s.settle()
        assert len(await live(s)) == 1
        assert (await status(s)).get("failed", 0) == 0


async def test_fail_index_gives_up_one_index_at_once() -> None:
    async with stage() as s:
        await s.play(Jobs)
        spec = {"completions": 2, "parallelism": 2, "completionMode": "Indexed", "backoffLimitPerIndex": 5}
        await s.client.create(JOBS, job(**spec, podFailurePolicy={"rules": [rule("FailIndex")]}))
        await s.settle()
        await end(s, "Failed", [pod for pod in await live(s) if indexes([pod]) == [1]], 42)
        await s.settle(30.0)
        assert (await status(s))["failedIndexes"] == "1"
        assert indexes(await live(s)) == [0]


@pytest.mark.parametrize("stated", [{"succeededIndexes": "1"}, {"succeededCount": 1}])
async def test_a_success_policy_completes_the_job_early(stated: Object) -> None:
    async with stage() as s:
        await s.play(Jobs)
        spec = {"completions": 3, "parallelism": 3, "completionMode": "Indexed", "successPolicy": {"rules": [stated]}}
        await s.client.create(JOBS, job(**spec))
        await s.settle()
        await end(s, "Succeeded", [pod for pod in await live(s) if indexes([pod]) == [1]])
        await s.settle()
        assert await live(s) == []
        assert (await true_conditions(s))["Complete"] == "SuccessPolicy"


async def test_a_pod_is_replaced_only_when_it_has_ended_if_so_asked() -> None:
    async with stage() as s:
        await s.play(Jobs)
        await s.client.create(JOBS, job(completions=1, parallelism=1, podReplacementPolicy="Failed"))
        await s.settle()
        (pod,) = await live(s)
        await s.client.create_sub(PODS, pod["metadata"]["name"], "default", "binding", {"target": {"name": "n0"}})
        await s.client.delete(PODS, pod["metadata"]["name"], "default")
        await s.settle(15.0)
        assert len(await s.objects(PODS)) == 1
        assert (await status(s))["terminating"] == 1


async def test_a_pod_that_its_kubelet_gave_up_without_a_phase_counts_as_ended() -> None:
    async with stage() as s:
        await s.play(Jobs)
        spec = {"completions": 1, "parallelism": 1, "podReplacementPolicy": "Failed", "activeDeadlineSeconds": 5}
        await s.client.create(JOBS, job(**spec))
        await s.settle()
        (pod,) = await live(s)
        name = pod["metadata"]["name"]
        await s.client.create_sub(PODS, name, "default", "binding", {"target": {"name": "n0"}})
        await s.settle(10.0)
        assert await true_conditions(s) == {"FailureTarget": "DeadlineExceeded"}
        await s.client.patch(PODS, name, "default", {"metadata": {"deletionGracePeriodSeconds": 0}})
        await s.settle()
        assert (await true_conditions(s))["Failed"] == "DeadlineExceeded"
        assert await s.objects(PODS) == []


async def test_reducing_parallelism_ends_pods_without_counting_them() -> None:
    async with stage() as s:
        await s.play(Jobs)
        await s.client.create(JOBS, job(completions=5, parallelism=4))
        await s.settle()
        await s.client.patch(JOBS, "web", "default", {"spec": {"parallelism": 1}})
        await s.settle()
        assert len(await live(s)) == 1
        assert (await status(s)).get("failed", 0) == 0


async def test_orphans_are_adopted_with_the_finalizer_and_strangers_let_go_without() -> None:
    async with stage() as s:
        await s.play(Jobs)
        await s.client.create(PODS, bare_pod("alone", {"app": "web"}))
        await s.settle()
        await s.client.create(JOBS, job(completions=1, parallelism=1))
        await s.settle()
        (pod,) = await s.objects(PODS)
        assert pod["metadata"]["ownerReferences"][0]["kind"] == "Job"
        assert pod["metadata"]["finalizers"] == ["batch.kubernetes.io/job-tracking"]
        await s.client.patch(PODS, "alone", "default", {"metadata": {"labels": {"app": "other"}}})
        await s.settle()
        pod = await s.client.get(PODS, "alone", "default")
        assert not pod["metadata"].get("ownerReferences")
        assert not pod["metadata"].get("finalizers")


async def test_pods_of_a_job_that_is_gone_lose_their_finalizer() -> None:
    async with stage() as s:
        await s.play(Jobs)
        await s.client.create(JOBS, job(completions=2, parallelism=2))
        await s.settle()
        await s.client.delete(JOBS, "web", "default")
        await s.settle()
        assert not any(pod["metadata"].get("finalizers") for pod in await s.objects(PODS))


async def test_every_end_is_counted_once_though_the_controller_is_killed_all_the_time() -> None:
    async with stage() as s:
        ref = await s.play(Jobs)
        await s.client.create(JOBS, job(completions=40, parallelism=10))
        for number in range(60):
            await s.settle(3.0)
            await end(s, "Succeeded", (await live(s))[:3])
            await s.settle(0.001 * number)
            s.system.kill(ref.path)
            if "Complete" in await true_conditions(s):
                break
        await s.settle(60.0)
        await end(s, "Succeeded", await live(s))
        await s.settle(60.0)
        ended = [pod for pod in await s.objects(PODS) if pod["status"]["phase"] == "Succeeded"]
        assert (await status(s))["succeeded"] == len(ended) >= 40
        assert "Complete" in await true_conditions(s)
