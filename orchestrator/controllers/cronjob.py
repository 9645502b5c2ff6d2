"""CronJob: at each moment of its schedule one Job, named after that moment, so that none is created twice.

A controller that slept starts the latest moment that it missed, if the starting deadline allows, never all of them.
"""

from __future__ import annotations

from typing import Any, ClassVar

import msgspec

from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.timestamps import rfc3339
from orchestrator.client.kinds import CRONJOBS, JOBS
from orchestrator.client.protocol import Request
from orchestrator.client.requests import create, delete, update_status
from orchestrator.client.view import View
from orchestrator.controllers.controller import (
    Controller,
    Watched,
    controller_reference,
    own_keys,
    owner_keys,
    refusals,
)
from orchestrator.controllers.cronjob_plan import Plan, Said, Situation, make_job, plan
from orchestrator.controllers.outcome import DONE, Outcome, requeue_after, retry
from orchestrator.controllers.schedule import Schedule, ScheduleError, schedule_of

NAMESPACE_TERMINATING = "being terminated"


class _Memory(msgspec.Struct):
    """What an instance remembers of a CronJob; without it nothing is started twice, but events are told again."""

    uid: str
    timing: tuple[str, str]
    changed: float = 0.0
    """When the schedule was seen to change."""
    told: frozenset[Said] = frozenset()


class CronJobs(Controller, kind=CRONJOBS):
    """Starts the Jobs of their CronJob when it is time."""

    workers: ClassVar[int] = 16

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._memories: dict[str, _Memory] = {}
        """By key, for each CronJob that exists."""

    def watches(self) -> list[Watched]:
        return [Watched(CRONJOBS, own_keys), Watched(JOBS, owner_keys(CRONJOBS))]

    async def reconcile(self, key: str) -> Outcome:
        cron = self.cache(CRONJOBS).get_key(key)
        if cron is None:
            self._memories.pop(key, None)
            return DONE
        now, jobs = self.now(), self.cache(JOBS)
        memory = self._remember(key, cron, now)
        schedule = cron.facts(schedule_or_fault)
        situation = Situation(
            cron,
            jobs.by_owner(cron.uid),
            lambda name: jobs.get(cron.namespace, name) is not None,
            memory.changed,
            now,
        )
        planned = plan(situation, schedule if isinstance(schedule, Schedule) else None)
        if not isinstance(schedule, Schedule):
            planned.states.append(Said("UnparseableSchedule", f"unparseable schedule: {schedule}", warning=True))
        self._tell(cron, planned, memory)
        failure = await self._remove(key, cron, planned.replace) or await self._start(key, cron, planned, schedule)
        unwritten = await self._report(key, cron, planned)
        if unwritten or failure:
            return retry(unwritten or failure)
        if failure := await self._remove(key, cron, planned.forget):
            return retry(failure)
        return requeue_after(planned.again_seconds) if planned.again_seconds is not None else DONE

    def _remember(self, key: str, cron: View, now: float) -> _Memory:
        timing = (cron.spec.get("schedule", ""), cron.spec.get("timeZone") or "")
        held = self._memories.get(key)
        if held is None or held.uid != cron.uid:
            held = self._memories[key] = _Memory(cron.uid, timing)
        elif held.timing != timing:
            held.timing, held.changed = timing, now
        return held

    def _tell(self, cron: View, planned: Plan, memory: _Memory) -> None:
        """Say in events what was not so in the plan before."""
        for said in planned.states:
            if said not in memory.told:
                self.event(CRONJOBS, cron, said.reason, said.message, warning=said.warning)
        memory.told = frozenset(planned.states)

    async def _remove(self, key: str, cron: View, jobs: list[View]) -> str:
        """Delete Jobs with what they own. Returns why the first was refused, or nothing."""
        if not jobs:
            return ""
        responses = await self.write(key, JOBS, [_removed(job) for job in jobs])
        refused = {position: (reason, message) for position, reason, message in refusals(responses)}
        first = ""
        for position, job in enumerate(jobs):
            reason, message = refused.get(position, ("", ""))
            if not reason:
                self.event(CRONJOBS, cron, "SuccessfulDelete", f"Deleted job {job.name}")
            elif reason != "NotFound":
                first = first or message
                self.event(CRONJOBS, cron, "FailedDelete", f"Deleted job: {message}", warning=True)
        return first

    async def _start(self, key: str, cron: View, planned: Plan, schedule: Schedule | str) -> str:
        """Create the Job that is due. Returns why it was refused, or nothing."""
        if planned.start is None or isinstance(schedule, str):
            return ""
        job = make_job(cron, planned.start, schedule.text(planned.start), controller_reference(cron))
        (response,) = await self.write(key, JOBS, [create(JOBS, job, cron.namespace)])
        if response.code < 400 and response.object is not None:
            self.event(CRONJOBS, cron, "SuccessfulCreate", f"Created job {job['metadata']['name']}")
            planned.active.append(_reference(response.object.decode()))
            planned.served = planned.start
            return ""
        _, reason, message = refusals([response])[0]
        if reason != "AlreadyExists" and NAMESPACE_TERMINATING not in message:
            self.event(CRONJOBS, cron, "FailedCreate", f"Error creating job: {message}", warning=True)
        return message

    async def _report(self, key: str, cron: View, planned: Plan) -> str:
        """Write the status if it changed, then say what it makes known. Returns why it was refused, or nothing."""
        last = rfc3339(planned.served) if planned.served is not None else cron.status.get("lastScheduleTime")
        fields = {"active": planned.active, "lastScheduleTime": last, "lastSuccessfulTime": planned.last_success}
        status: Object = {name: value for name, value in fields.items() if value}
        if status == cron.status:
            return ""
        refused = refusals(await self.write(key, CRONJOBS, [update_status(CRONJOBS, cron, status)]))
        if refused:
            return refused[0][2] if refused[0][1] != "NotFound" else ""
        for said in planned.changes:
            self.event(CRONJOBS, cron, said.reason, said.message, warning=said.warning)
        return ""


def schedule_or_fault(cron: View) -> Schedule | str:
    """The schedule, or what is wrong with it."""
    try:
        return schedule_of(cron.spec.get("schedule", ""), cron.spec.get("timeZone") or "")
    except ScheduleError as error:
        return str(error)


def _removed(job: View) -> Request:
    return delete(JOBS, job.name, job.namespace, uid=job.uid, propagation="Background")


def _reference(job: Object) -> Object:
    metadata = job["metadata"]
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "name": metadata["name"],
        "namespace": metadata["namespace"],
        "uid": metadata["uid"],
        "resourceVersion": metadata["resourceVersion"],
    }
