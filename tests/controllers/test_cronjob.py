"""CronJob: when Jobs start, which may run together, which are kept."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.timestamps import parse_time, rfc3339
from orchestrator.client.kinds import CRONJOBS, JOBS
from orchestrator.controllers.cronjob import CronJobs
from orchestrator.controllers.schedule import Schedule, ScheduleError
from tests.controllers.stage import Stage, stage, template


def cronjob(schedule: str = "*/1 * * * *", **spec: Any) -> Object:
    return {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {"name": "web", "namespace": "default"},
        "spec": {"schedule": schedule, "jobTemplate": {"spec": {"template": template("web", "web:1")}}, **spec},
    }


async def status(s: Stage) -> Object:
    found: Object = (await s.client.get(CRONJOBS, "web", "default")).get("status", {})
    return found


async def finish(s: Stage, type: str = "Complete") -> None:
    moment = rfc3339(s.system.clock.time())
    for job in await s.objects(JOBS):
        if not job.get("status"):
            ended = {"conditions": [{"type": type, "status": "True"}], "completionTime": moment, "startTime": moment}
            await s.client.update_status(JOBS, {**job, "status": ended})


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("schedule", "zone", "after", "expected"),
    [
        ("*/15 * * * *", "", "2026-01-01T00:00:00", "2026-01-01T00:15:00"),
        ("0 9 * * 1-5", "", "2026-01-02T10:00:00", "2026-01-05T09:00:00"),
        ("@daily", "", "2026-01-01T00:00:00", "2026-01-02T00:00:00"),
        ("0 12 * * *", "America/New_York", "2026-01-01T00:00:00", "2026-01-01T17:00:00"),
        ("0 12 * * *", "America/New_York", "2026-07-01T00:00:00", "2026-07-01T16:00:00"),
        ("@every 90s", "", "2026-01-01T00:00:00", "2026-01-01T00:01:30"),
    ],
)
def test_a_schedule_names_its_next_moment(schedule: str, zone: str, after: str, expected: str) -> None:
    assert Schedule(schedule, zone).after(at(after)) == at(expected)


def test_the_latest_moment_is_found_without_counting_all_that_were_missed() -> None:
    latest, count = Schedule("* * * * *").latest(at("2025-01-01T00:00:00"), at("2026-01-01T00:00:30"))
    assert latest == at("2026-01-01T00:00:00")
    assert count == 101


@pytest.mark.parametrize(("schedule", "zone"), [("nonsense", ""), ("* * * * *", "Nowhere/Land"), ("@every soon", "")])
def test_what_cannot_be_read_is_refused(schedule: str, zone: str) -> None:
    with pytest.raises(ScheduleError):
        Schedule(schedule, zone)


@pytest.mark.slow
async def test_a_day_of_minutes_has_its_exact_count_of_jobs() -> None:
    async with stage() as s:
        await s.play(CronJobs)
        await s.client.create(CRONJOBS, cronjob("*/10 * * * *", successfulJobsHistoryLimit=200))
        await s.settle(86_401.0)
        jobs = await s.objects(JOBS)
        assert len(jobs) == s.api.requests["create jobs"] == 144
        minutes = sorted(int(job["metadata"]["name"].rpartition("-")[2]) for job in jobs)
        assert minutes == list(range(minutes[0], minutes[0] + 1440, 10))


async def test_a_job_is_named_and_marked_by_its_moment() -> None:
    async with stage() as s:
        await s.play(CronJobs)
        await s.client.create(CRONJOBS, cronjob())
        await s.settle(61.0)
        (job,) = await s.objects(JOBS)
        shown = await status(s)
        moment = shown["lastScheduleTime"]
        assert job["metadata"]["name"] == f"web-{int(parse_time(moment) // 60)}"
        assert job["metadata"]["annotations"]["batch.kubernetes.io/cronjob-scheduled-timestamp"] == moment
        assert shown["active"][0]["uid"] == job["metadata"]["uid"]


async def test_allow_lets_jobs_run_together() -> None:
    async with stage() as s:
        await s.play(CronJobs)
        await s.client.create(CRONJOBS, cronjob())
        await s.settle(181.0)
        assert len((await status(s))["active"]) == 3


async def test_forbid_waits_for_the_job_that_runs_and_then_catches_up_once() -> None:
    async with stage() as s:
        await s.play(CronJobs)
        await s.client.create(CRONJOBS, cronjob(concurrencyPolicy="Forbid"))
        await s.settle(200.0)
        assert len(await s.objects(JOBS)) == 1
        await finish(s)
        await s.settle(1.0)
        assert len(await s.objects(JOBS)) == 2


async def test_replace_ends_the_job_that_runs() -> None:
    async with stage() as s:
        await s.play(CronJobs)
        await s.client.create(CRONJOBS, cronjob(concurrencyPolicy="Replace"))
        await s.settle(61.0)
        (first,) = await s.objects(JOBS)
        await s.settle(60.0)
        (second,) = await s.objects(JOBS)
        assert first["metadata"]["name"] != second["metadata"]["name"]
        assert len((await status(s))["active"]) == 1


async def test_a_suspended_cron_job_starts_nothing() -> None:
    async with stage() as s:
        await s.play(CronJobs)
        await s.client.create(CRONJOBS, cronjob(suspend=True))
        await s.settle(300.0)
        assert await s.objects(JOBS) == []


async def test_moments_older_than_the_deadline_are_passed_over() -> None:
    async with stage() as s:
        await s.play(CronJobs)
        await s.client.create(CRONJOBS, cronjob("0 * * * *", suspend=True, startingDeadlineSeconds=60))
        await s.settle(3600.0 + 1800.0)
        await s.client.patch(CRONJOBS, "web", "default", {"spec": {"suspend": False}})
        begun = s.system.clock.time() % 3600
        await s.settle(1.0)
        assert len(await s.objects(JOBS)) == (1 if begun < 60 else 0)


async def test_of_the_ended_jobs_the_newest_are_kept() -> None:
    async with stage() as s:
        await s.play(CronJobs)
        await s.client.create(CRONJOBS, cronjob(successfulJobsHistoryLimit=2, failedJobsHistoryLimit=1))
        for _ in range(5):
            await s.settle(60.0)
            await finish(s)
        await s.settle(1.0)
        jobs = await s.objects(JOBS)
        assert len([job for job in jobs if job.get("status")]) == 2
        assert "lastSuccessfulTime" in await status(s)


async def test_a_controller_killed_at_the_moment_starts_its_job_once() -> None:
    async with stage() as s:
        ref = await s.play(CronJobs)
        await s.client.create(CRONJOBS, cronjob(successfulJobsHistoryLimit=100))
        for number in range(30):
            await s.settle(60.0 + 0.01 * number)
            s.system.kill(ref.path)
        await s.settle(60.0)
        names = [job["metadata"]["name"] for job in await s.objects(JOBS)]
        assert len(names) == len(set(names)) >= 30
