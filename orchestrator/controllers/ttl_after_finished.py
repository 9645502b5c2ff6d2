"""TTL after finished: a Job that has ended is deleted ``ttlSecondsAfterFinished`` later, with what it owns."""

from __future__ import annotations

from collections.abc import Iterable

from orchestrator.apimachinery.timestamps import parse_time
from orchestrator.client.kinds import JOBS
from orchestrator.client.requests import delete
from orchestrator.client.view import View
from orchestrator.controllers.controller import Controller, Watched, refusals
from orchestrator.controllers.outcome import DONE, Outcome, requeue_after, retry


def due(job: View) -> float | None:
    """When the job is to be deleted; None when never, as far as can be seen."""
    seconds = job.spec.get("ttlSecondsAfterFinished")
    if seconds is None or job.deleting:
        return None
    for condition in job.status.get("conditions") or ():
        if condition.get("type") in ("Complete", "Failed") and condition.get("status") == "True":
            moment = condition.get("lastTransitionTime")
            return parse_time(moment) + float(seconds) if moment else None
    return None


def timed_keys(old: View | None, new: View | None) -> Iterable[str]:
    """A Job that has a time to live: the others, which are the most, wake nobody."""
    return (new.key,) if new is not None and new.spec.get("ttlSecondsAfterFinished") is not None else ()


class FinishedJobs(Controller, kind=JOBS):
    """Deletes what is past its time."""

    def watches(self) -> list[Watched]:
        return [Watched(JOBS, timed_keys)]

    async def reconcile(self, key: str) -> Outcome:
        job = self.cache(JOBS).get_key(key)
        moment = due(job) if job is not None else None
        if job is None or moment is None:
            return DONE
        if moment > self.now():
            return requeue_after(moment - self.now())
        request = delete(JOBS, job.name, job.namespace, uid=job.uid, revision=job.revision, propagation="Foreground")
        refused = refusals(await self.write(key, JOBS, [request]))
        return retry(refused[0][2]) if refused and refused[0][1] != "NotFound" else DONE
