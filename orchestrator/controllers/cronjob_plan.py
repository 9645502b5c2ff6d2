"""What one look at a CronJob, its Jobs and the clock asks for. Pure.

The latest moment that has come is served or passed over; earlier ones are missed for good.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from email.utils import format_datetime

import msgspec

from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.timestamps import parse_time, rfc3339
from orchestrator.client.view import View
from orchestrator.controllers import conditions
from orchestrator.controllers.schedule import MAX_COUNTED, Schedule

SCHEDULED = "batch.kubernetes.io/cronjob-scheduled-timestamp"
DELTA_SECONDS = 0.1
"""Looked at so long after the moment, so that it has surely come."""


class Said(msgspec.Struct, frozen=True):
    """An event; ``moment`` tells one scheduled time's from that of another."""

    reason: str
    message: str
    warning: bool = False
    moment: float = 0.0


class Situation(msgspec.Struct, frozen=True):
    """What a plan is made from."""

    cron: View
    jobs: Sequence[View]
    """Those that the CronJob controls."""
    taken: Callable[[str], bool]
    """Whether there is a Job of this name, whoever's it is."""
    changed: float
    """When the schedule was seen to change: what the new one would have wanted before was not missed."""
    now: float


class Plan(msgspec.Struct):
    start: float | None = None
    """The moment whose Job is to be created."""
    served: float | None = None
    """The moment whose Job is there although the status does not know."""
    replace: list[View] = []
    forget: list[View] = []
    """Ended Jobs beyond the limits of the history."""
    active: list[Object] = []
    last_success: str = ""
    changes: list[Said] = []
    """What the new status makes known: told when it is written."""
    states: list[Said] = []
    """What is so now: told when it was not so in the plan before."""
    again_seconds: float | None = None


def ended(job: View) -> str:
    """``Complete``, ``Failed`` or nothing."""
    held = job.status.get("conditions") or ()
    return next((type for type in ("Complete", "Failed") if conditions.is_true(held, type)), "")


def plan(situation: Situation, schedule: Schedule | None) -> Plan:
    """``schedule`` None: it cannot be read, so nothing is started."""
    cron = situation.cron
    made = Plan(None, None, [], [], [], cron.status.get("lastSuccessfulTime", ""), [], [])
    _follow(cron, situation.jobs, made)
    if cron.deleting:
        return made
    _trim(cron, situation.jobs, made)
    if schedule is None or cron.spec.get("suspend"):
        return made
    since = _since(situation)
    moment, _ = schedule.latest(since, situation.now)
    upcoming = schedule.after(since if moment is None else moment)
    made.again_seconds = None if upcoming is None else upcoming - situation.now + DELTA_SECONDS
    if moment is not None and _in_time(situation, schedule, since, moment, made):
        _begin(situation, moment, made)
    return made


def _follow(cron: View, jobs: Sequence[View], made: Plan) -> None:
    """Bring the list of active Jobs up to date."""
    by_uid = {job.uid: job for job in jobs}
    for reference in cron.status.get("active") or ():
        job = by_uid.pop(reference.get("uid", ""), None)
        if job is None:
            made.changes.append(Said("MissingJob", f"Active job went missing: {reference.get('name')}"))
        elif how := ended(job):
            made.changes.append(Said("SawCompletedJob", f"Saw completed job: {job.name}, condition: {how}"))
        else:
            made.active.append(reference)
    for job in by_uid.values():
        if ended(job) or job.deleting:
            continue
        if SCHEDULED in job.annotations:
            made.active.append(reference_to(job))
        else:
            text = f"Saw a job that the controller did not create or forgot: {job.name}"
            made.states.append(Said("UnexpectedJob", text, warning=True))
    done = (job.status.get("completionTime") or "" for job in jobs if ended(job) == "Complete")
    made.last_success = max((made.last_success, *done))


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


def _since(situation: Situation) -> float:
    """Moments up to this one are settled."""
    cron = situation.cron
    last = cron.status.get("lastScheduleTime") or cron.meta.creationTimestamp or rfc3339(situation.now)
    return max(parse_time(last), situation.changed)


def _in_time(situation: Situation, schedule: Schedule, since: float, moment: float, made: Plan) -> bool:
    """Whether the deadline allows ``moment`` still. Tells of too many that were missed within it."""
    deadline = situation.cron.spec.get("startingDeadlineSeconds")
    if deadline is not None and moment + deadline < situation.now:
        text = f"Missed scheduled time to start a job: {format_datetime(datetime.fromtimestamp(moment, UTC))}"
        made.states.append(Said("MissSchedule", text, warning=True, moment=moment))
        return False
    within = since if deadline is None else max(since, situation.now - deadline)
    if schedule.latest(within, situation.now)[1] >= MAX_COUNTED:
        text = "too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew"
        made.states.append(Said("TooManyMissedTimes", text, warning=True))
    return True


def _begin(situation: Situation, due: float, made: Plan) -> None:
    cron, jobs = situation.cron, situation.jobs
    policy, name = cron.spec.get("concurrencyPolicy", "Allow"), job_name(cron, due)
    if any(job.name == name for job in jobs):
        made.served = due
    elif situation.taken(name):
        return
    elif made.active and policy == "Forbid":
        text = "Not starting job because prior execution is running and concurrency policy is Forbid"
        made.states.append(Said("JobAlreadyActive", text, moment=due))
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
