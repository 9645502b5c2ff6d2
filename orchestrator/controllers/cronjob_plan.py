"""What one look at a CronJob, its Jobs and the clock asks for. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.timestamps import parse_time, rfc3339
from orchestrator.client.view import View
from orchestrator.controllers import conditions
from orchestrator.controllers.schedule import MAX_COUNTED, Schedule

SCHEDULED = "batch.kubernetes.io/cronjob-scheduled-timestamp"
DELTA_SECONDS = 0.1
"""Looked at so long after the moment, so that it has surely come."""


class Plan(msgspec.Struct):
    """``start`` is the moment whose Job is to be created."""

    start: float | None = None
    replace: list[View] = []
    forget: list[View] = []
    """Ended Jobs beyond the limits of the history."""
    active: list[Object] = []
    last_success: str = ""
    events: list[tuple[str, str, bool]] = []
    again_seconds: float | None = None

    def say(self, reason: str, message: str, *, warning: bool = False) -> None:
        self.events.append((reason, message, warning))


def ended(job: View) -> str:
    """``Complete``, ``Failed`` or nothing."""
    held = job.status.get("conditions") or ()
    return next((type for type in ("Complete", "Failed") if conditions.is_true(held, type)), "")


def plan(cron: View, jobs: Sequence[View], schedule: Schedule, now: float) -> Plan:
    made = Plan(None, [], [], [], cron.status.get("lastSuccessfulTime", ""), [])
    _follow(cron, jobs, made)
    _trim(cron, jobs, made)
    if cron.spec.get("suspend") or cron.deleting:
        return made
    upcoming = schedule.after(now)
    made.again_seconds = None if upcoming is None else upcoming - now + DELTA_SECONDS
    due = _due(cron, schedule, now, made)
    if due is not None:
        _begin(cron, jobs, due, made)
    return made


def _follow(cron: View, jobs: Sequence[View], made: Plan) -> None:
    """Bring the list of active Jobs up to date."""
    by_uid = {job.uid: job for job in jobs}
    for reference in cron.status.get("active") or ():
        job = by_uid.pop(reference.get("uid", ""), None)
        if job is None:
            made.say("MissingJob", f"Active job went missing: {reference.get('name')}")
        elif how := ended(job):
            made.say("SawCompletedJob", f"Saw completed job: {job.name}, condition: {how}")
            if how == "Complete":
                made.last_success = max(made.last_success, job.status.get("completionTime", ""))
        else:
            made.active.append(reference)
    for job in by_uid.values():
        if not ended(job) and not job.deleting and SCHEDULED in job.annotations:
            made.active.append(reference_to(job))


def reference_to(job: View) -> Object:
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "name": job.name,
        "namespace": job.namespace,
        "uid": job.uid,
        "resourceVersion": str(job.revision),
    }


def _trim(cron: View, jobs: Sequence[View], made: Plan) -> None:
    limits = {
        "Complete": cron.spec.get("successfulJobsHistoryLimit", 3),
        "Failed": cron.spec.get("failedJobsHistoryLimit", 1),
    }
    for type, limit in limits.items():
        found = [job for job in jobs if ended(job) == type and not job.deleting]
        found.sort(key=lambda job: (job.status.get("startTime", ""), job.meta.creationTimestamp or "", job.name))
        made.forget += found[: max(0, len(found) - limit)]


def _due(cron: View, schedule: Schedule, now: float, made: Plan) -> float | None:
    """The latest moment that has come and was not served; too old ones are passed over."""
    deadline = cron.spec.get("startingDeadlineSeconds")
    last = cron.status.get("lastScheduleTime")
    since = parse_time(last or cron.meta.creationTimestamp or rfc3339(now))
    if deadline is not None:
        since = max(since, now - deadline)
    moment, missed = schedule.latest(since, now)
    if missed >= MAX_COUNTED:
        text = "too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew"
        made.say("TooManyMissedTimes", text, warning=True)
    if moment is not None and deadline is not None and moment + deadline < now:
        made.say("MissSchedule", f"Missed scheduled time to start a job: {rfc3339(moment)}", warning=True)
        return None
    return moment


def _begin(cron: View, jobs: Sequence[View], due: float, made: Plan) -> None:
    policy = cron.spec.get("concurrencyPolicy", "Allow")
    if any(job.name == job_name(cron, due) for job in jobs):
        made.start = due
    elif made.active and policy == "Forbid":
        text = "Not starting job because prior execution is running and concurrency policy is Forbid"
        made.say("JobAlreadyActive", text)
    else:
        if policy == "Replace":
            active = {reference["uid"] for reference in made.active}
            made.replace = [job for job in jobs if job.uid in active]
            made.active = []
        made.start = due


def job_name(cron: View, moment: float) -> str:
    return f"{cron.name}-{int(moment // 60)}"


def make_job(cron: View, moment: float, text: str, reference: Object) -> Object:
    """``text`` is the moment in the schedule's time zone."""
    template = cron.spec.get("jobTemplate") or {}
    stated = template.get("metadata") or {}
    metadata: Object = {
        "name": job_name(cron, moment),
        "namespace": cron.namespace,
        "annotations": {**(stated.get("annotations") or {}), SCHEDULED: text},
        "ownerReferences": [reference],
    }
    if stated.get("labels"):
        metadata["labels"] = stated["labels"]
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": template.get("spec") or {}}
