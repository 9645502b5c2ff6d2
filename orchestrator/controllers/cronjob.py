"""CronJob: at each moment of its schedule one Job, named after that moment, so that none is created twice.

A controller that slept starts the latest moment that it missed, if the starting deadline allows, never all of them.
"""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.timestamps import rfc3339
from orchestrator.client.kinds import CRONJOBS, JOBS
from orchestrator.client.protocol import Request, Response
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
from orchestrator.controllers.cronjob_plan import Plan, make_job, plan
from orchestrator.controllers.outcome import DONE, Outcome, requeue_after, retry, terminal
from orchestrator.controllers.schedule import Schedule, ScheduleError


class CronJobs(Controller, kind=CRONJOBS):
    """Starts the Jobs of their CronJob when it is time."""

    workers: ClassVar[int] = 16

    def watches(self) -> list[Watched]:
        return [Watched(CRONJOBS, own_keys), Watched(JOBS, owner_keys(CRONJOBS))]

    async def reconcile(self, key: str) -> Outcome:
        cron = self.cache(CRONJOBS).get_key(key)
        if cron is None:
            return DONE
        try:
            schedule = Schedule(cron.spec.get("schedule", ""), cron.spec.get("timeZone") or "")
        except ScheduleError as error:
            self.event(CRONJOBS, cron, "UnparseableSchedule", f"unparseable schedule: {error}", warning=True)
            return terminal(str(error))
        planned = plan(cron, self.cache(JOBS).by_owner(cron.uid), schedule, self.now())
        for reason, message, warning in planned.events:
            self.event(CRONJOBS, cron, reason, message, warning=warning)
        failure = await self._perform_plan(key, cron, planned, schedule)
        refused = await self._report(key, cron, planned, started=not failure)
        if failure or refused:
            return retry(failure or refused)
        return requeue_after(planned.again_seconds) if planned.again_seconds is not None else DONE

    async def _perform_plan(self, key: str, cron: View, planned: Plan, schedule: Schedule) -> str:
        """Remove and start Jobs. Returns why the start was refused, or nothing."""
        writes: list[Request] = [_removed(job) for job in (*planned.replace, *planned.forget)]
        if planned.start is not None:
            moment = datetime.fromtimestamp(planned.start, schedule.zone).isoformat().replace("+00:00", "Z")
            job = make_job(cron, planned.start, moment, controller_reference(cron))
            writes.append(create(JOBS, job, cron.namespace))
        if not writes:
            return ""
        responses = await self.write(key, JOBS, writes)
        self._tell_removed(cron, planned, responses)
        if planned.start is None:
            return ""
        return await self._started(cron, planned, responses[-1], writes[-1].target.namespace, job["metadata"]["name"])

    def _tell_removed(self, cron: View, planned: Plan, responses: list[Response]) -> None:
        for job, response in zip((*planned.replace, *planned.forget), responses, strict=False):
            if response.code < 400:
                self.event(CRONJOBS, cron, "SuccessfulDelete", f"Deleted job {job.name}")

    async def _started(self, cron: View, planned: Plan, response: Response, namespace: str, name: str) -> str:
        if response.code < 400 and response.object is not None:
            made = response.object.decode()
            self.event(CRONJOBS, cron, "SuccessfulCreate", f"Created job {name}")
            planned.active.append(_reference(made))
            return ""
        _, reason, message = refusals([response])[0]
        if reason != "AlreadyExists":
            self.event(CRONJOBS, cron, "FailedCreate", f"Error creating job: {message}", warning=True)
            return message
        live = await self.client.get(JOBS, name, namespace)
        owners = [held.get("uid") for held in live["metadata"].get("ownerReferences") or ()]
        return "" if cron.uid in owners else message

    async def _report(self, key: str, cron: View, planned: Plan, *, started: bool) -> str:
        status: Object = {}
        if planned.active:
            status["active"] = planned.active
        last = cron.status.get("lastScheduleTime")
        if planned.start is not None and started:
            last = rfc3339(planned.start)
        if last:
            status["lastScheduleTime"] = last
        if planned.last_success:
            status["lastSuccessfulTime"] = planned.last_success
        if status == cron.status:
            return ""
        refused = refusals(await self.write(key, CRONJOBS, [update_status(CRONJOBS, cron, status)]))
        return refused[0][2] if refused and refused[0][1] != "NotFound" else ""


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
