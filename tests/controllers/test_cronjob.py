"""CronJob: when Jobs start, which may run together, which are kept."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.timestamps import parse_time, rfc3339
from orchestrator.client.kinds import CRONJOBS, EVENTS, JOBS
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


async def told(s: Stage, reason: str) -> int:
    """How often an event of this reason was recorded."""
    await s.settle(2.0)
    return sum(event.get("count", 1) for event in await s.objects(EVENTS) if event["reason"] == reason)


def job(name: str, uid: str = "", annotations: dict[str, str] | None = None) -> Object:
    """A job that the controller did not make, owned by the CronJob of ``uid``."""
    reference = {"apiVersion": "batch/v1", "kind": "CronJob", "name": "web", "uid": uid, "controller": True}
    metadata: Object = {"name": name, "namespace": "default", "annotations": annotations or {}}
    if uid:
        metadata["ownerReferences"] = [reference]
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": {}}


async def test_a_new_schedule_does_not_make_up_for_what_it_would_have_wanted_before() -> None:
    async with stage() as s:
        await s.play(CronJobs)
        await s.client.create(CRONJOBS, cronjob("0 0 1 1 *"))
        await s.settle(4 * 3600.0)
        await s.client.patch(CRONJOBS, "web", "default", {"spec": {"schedule": "0 * * * *"}})
        await s.settle(1.0)
        assert await s.objects(JOBS) == []
        await s.settle(3600.0)
        assert len(await s.objects(JOBS)) == 1


async def test_a_moment_that_forbid_holds_back_is_told_once_whatever_its_job_does() -> None:
    async with stage() as s:
        await s.play(CronJobs)
        await s.client.create(CRONJOBS, cronjob(concurrencyPolicy="Forbid"))
        await s.settle(125.0)
        for count in range(5):
            (running,) = await s.objects(JOBS)
            await s.client.update_status(JOBS, {**running, "status": {"active": count}})
            await s.settle(1.0)
        assert await told(s, "JobAlreadyActive") == 1


async def test_a_missed_deadline_is_told_once() -> None:
    async with stage() as s:
        await s.play(CronJobs)
        made = cronjob("0 * * * *", concurrencyPolicy="Forbid", startingDeadlineSeconds=60)
        await s.client.create(CRONJOBS, made)
        await s.settle(2 * 3600.0 + 300.0)
        assert len(await s.objects(JOBS)) == 1
        await finish(s)
        await s.settle(5.0)
        assert len(await s.objects(JOBS)) == 1
        assert await told(s, "MissSchedule") == 1


async def test_a_fixed_distance_keeps_its_rhythm_when_jobs_end_in_between() -> None:
    async with stage() as s:
        await s.play(CronJobs)
        await s.client.create(CRONJOBS, cronjob("@every 1h"))
        await s.settle(3610.0 + 900.0)
        await finish(s)
        await s.settle(2700.0)
        assert len(await s.objects(JOBS)) == 2


async def test_a_name_that_somebody_else_has_taken_is_not_tried() -> None:
    async with stage() as s:
        await s.play(CronJobs)
        minute = int(s.system.clock.time() // 60)
        for number in range(4):
            await s.client.create(JOBS, job(f"web-{minute + number}"))
        await s.client.create(CRONJOBS, cronjob())
        before = s.api.requests["create jobs"]
        await s.settle(150.0)
        assert s.api.requests["create jobs"] == before
        await s.settle(91.0)
        assert s.api.requests["create jobs"] == before + 1


async def test_a_job_started_by_hand_is_told_of_and_does_not_hold_the_schedule_back() -> None:
    async with stage() as s:
        await s.play(CronJobs)
        made = await s.client.create(CRONJOBS, cronjob(concurrencyPolicy="Forbid"))
        await s.client.create(JOBS, job("by-hand", made["metadata"]["uid"]))
        await s.settle(61.0)
        assert len((await status(s))["active"]) == 1
        assert await told(s, "UnexpectedJob") == 1


async def test_a_job_that_was_made_just_before_a_crash_is_taken_into_the_status() -> None:
    async with stage() as s:
        made = await s.client.create(CRONJOBS, cronjob("* * * * *"))
        await s.settle(61.0)
        moment = rfc3339(s.system.clock.time() // 60 * 60)
        name = f"web-{int(s.system.clock.time() // 60)}"
        marked = {"batch.kubernetes.io/cronjob-scheduled-timestamp": moment}
        await s.client.create(JOBS, job(name, made["metadata"]["uid"], marked))
        before = s.api.requests["create jobs"]
        await s.play(CronJobs)
        await s.settle(1.0)
        shown = await status(s)
        assert shown["lastScheduleTime"] == moment
        assert [held["name"] for held in shown["active"]] == [name]
        assert s.api.requests["create jobs"] == before


async def test_a_schedule_in_a_time_zone_marks_its_job_with_the_offset() -> None:
    async with stage() as s:
        await s.play(CronJobs)
        await s.client.create(CRONJOBS, cronjob(timeZone="Asia/Kolkata"))
        await s.settle(61.0)
        (made,) = await s.objects(JOBS)
        text = made["metadata"]["annotations"]["batch.kubernetes.io/cronjob-scheduled-timestamp"]
        assert text.endswith("+05:30")
        assert parse_time(text) == parse_time((await status(s))["lastScheduleTime"])


async def test_more_than_a_hundred_missed_moments_are_told_and_one_is_made_up_for() -> None:
    async with stage() as s:
        await s.client.create(CRONJOBS, cronjob())
        await s.settle(102 * 60.0)
        await s.play(CronJobs)
        await s.settle(1.0)
        assert len(await s.objects(JOBS)) == 1
        assert await told(s, "TooManyMissedTimes") == 1


async def test_what_ended_and_what_vanished_leaves_the_active_list_with_a_word() -> None:
    async with stage() as s:
        await s.play(CronJobs)
        await s.client.create(CRONJOBS, cronjob())
        await s.settle(121.0)
        first, second = await s.objects(JOBS)
        await s.client.delete(JOBS, second["metadata"]["name"], "default")
        ended = {"conditions": [{"type": "Failed", "status": "True"}]}
        await s.client.update_status(JOBS, {**first, "status": ended})
        await s.settle(1.0)
        shown = await status(s)
        assert "active" not in shown
        assert "lastSuccessfulTime" not in shown
        assert (await told(s, "SawCompletedJob"), await told(s, "MissingJob")) == (1, 1)


async def test_a_schedule_that_cannot_be_read_starts_nothing_and_is_told() -> None:
    async with stage() as s:
        await s.play(CronJobs)
        await s.client.create(CRONJOBS, cronjob("@every now and then"))
        await s.settle(300.0)
        assert await s.objects(JOBS) == []
        assert await told(s, "UnparseableSchedule") == 1
