"""Job: pods run until as many have succeeded as ``spec.completions`` says, or one of the limits is met.

Every pod bears a finalizer until its end is written into the status, so that none is lost or counted twice, whoever
dies in between. The end is written in two steps: why the job will end, then, when the last pod is gone, that it has.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from orchestrator.apimachinery.encoded import Object
from orchestrator.client.cache import index_of_metadata
from orchestrator.client.kinds import JOBS, PODS
from orchestrator.client.protocol import Request, Response, Want
from orchestrator.client.requests import create, delete, patch, update_status
from orchestrator.client.view import View
from orchestrator.controllers import conditions
from orchestrator.controllers.belonging import belonging_keys, still_there
from orchestrator.controllers.claim import Claim, claim
from orchestrator.controllers.controller import Controller, Watched, controller_reference, own_keys, owner_key, refusals
from orchestrator.controllers.job_accounting import tally
from orchestrator.controllers.job_backoff import Failures, after
from orchestrator.controllers.job_end import COMPLETE, finished
from orchestrator.controllers.job_plan import Look, Plan, look_at, plan, status_of
from orchestrator.controllers.job_pod import TRACKING, facts, job_selector, make_pod, tracked
from orchestrator.controllers.outcome import DONE, Outcome, requeue_after, retry
from orchestrator.controllers.pods import ORPHANS, orphans

TRACKED = "job-tracking"
NAMED_PODS = 25
"""Of one burst so many pods come back with their names, for Events: more of one object are not recorded anyway."""


@index_of_metadata
def tracked_by_job(view: View) -> Iterable[str]:
    """Index: the pods that a job's finalizer holds, by the job's key."""
    key = owner_key(view, JOBS) if tracked(view) else ""
    return (key,) if key else ()


class Jobs(Controller, kind=JOBS):
    """Drives pods to the completions of their Job."""

    workers: ClassVar[int] = 16

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._failures: dict[str, Failures] = {}
        """By key of the job; jobs that have ended are forgotten."""

    def watches(self) -> list[Watched]:
        keys = belonging_keys(JOBS, lambda: self.cache(JOBS), job_selector)
        return [Watched(JOBS, own_keys), Watched(PODS, keys, {ORPHANS: orphans, TRACKED: tracked_by_job})]

    async def reconcile(self, key: str) -> Outcome:
        job = self.cache(JOBS).get_key(key)
        held = self.cache(PODS).by_index(TRACKED, key)
        if job is None or finished(job):
            self._failures.pop(key, None)
            return await self._let_go(key, held)
        wanted = job.facts(facts)
        if wanted.managed_elsewhere:
            return DONE
        strangers = [view for view in held if view.owner is None or view.owner.uid != job.uid]
        await self._let_go(key, strangers)
        claimed = await self._claim(key, job)
        if claimed.adopt:
            return DONE  # Nothing is made in their place: they count as soon as the cache shows whose they are.
        now = self.now()
        done = tally(job, wanted, claimed.mine)
        failures = after(self._failures.get(key, Failures()), done, now)
        look = look_at(job, wanted, claimed.mine, done, now)
        planned = plan(look, failures)
        failure = await self._pods(key, job, look, planned)
        refused = await self._report(key, job, look, planned, undone=bool(failure))
        if refused:
            return retry(refused)
        self._failures[key] = failures
        outcome = await self._let_go(key, planned.release)
        if failure:
            return retry(failure)
        if outcome.retry or planned.again_seconds is None:
            return outcome
        return requeue_after(planned.again_seconds)

    # -- whose pods -----------------------------------------------------------------------------------------------

    async def _claim(self, key: str, job: View) -> Claim:
        pods = self.cache(PODS)
        wanted = job.facts(facts)
        found = claim(job, wanted.selector, pods.by_owner(job.uid), pods.by_index(ORPHANS, job.namespace))
        writes: list[Request] = []
        if found.adopt and await still_there(self.client, JOBS, job):
            writes += [_adopt(view, controller_reference(job)) for view in found.adopt]
        writes += [_release(view, job.uid) for view in found.release]
        if writes:
            await self.write(key, PODS, writes)
        return found

    async def _let_go(self, key: str, views: Iterable[View]) -> Outcome:
        """Take the finalizer off pods that need no counting any more."""
        writes = [_without_tracking(view) for view in views]
        if not writes:
            return DONE
        refused = refusals(await self.write(key, PODS, writes))
        serious = [message for _, reason, message in refused if reason != "NotFound"]
        return retry(serious[0]) if serious else DONE

    # -- pods -----------------------------------------------------------------------------------------------------

    async def _pods(self, key: str, job: View, look: Look, planned: Plan) -> str:
        """Create and end pods as planned. Returns why the first of them was refused, or nothing."""
        reference = controller_reference(job)
        writes: list[Request] = []
        for number, missing in enumerate(planned.create):
            made = make_pod(job, look.wanted, reference, missing.index, missing.failures)
            want = Want.OBJECT if number < NAMED_PODS else Want.REVISION
            writes.append(create(PODS, made, job.namespace, want=want))
        writes += [_without_tracking(view) for view in planned.discard if tracked(view)]
        ends = len(writes)
        gone = [*planned.delete, *planned.discard]
        writes += [delete(PODS, view.name, view.namespace, uid=view.uid) for view in gone]
        if not writes:
            return ""
        responses = await self.write(key, PODS, writes)
        return self._tell(job, responses, len(planned.create), ends, gone)

    def _tell(self, job: View, responses: list[Response], created: int, ends: int, gone: list[View]) -> str:
        first = ""
        refused = {position: (reason, message) for position, reason, message in refusals(responses)}
        for position, response in enumerate(responses):
            reason, message = refused.get(position, ("", ""))
            if reason and reason != "NotFound":
                first = first or message
                if position < created:
                    self.event(JOBS, job, "FailedCreate", f"Error creating: {message}", warning=True)
            elif position < created and response.object is not None:
                name = response.object.decode_metadata()["name"]
                self.event(JOBS, job, "SuccessfulCreate", f"Created pod: {name}")
            elif position >= ends and not reason:
                self.event(JOBS, job, "SuccessfulDelete", f"Deleted pod: {gone[position - ends].name}")
        return first

    # -- status ---------------------------------------------------------------------------------------------------

    async def _report(self, key: str, job: View, look: Look, planned: Plan, *, undone: bool) -> str:
        """Write the status if it is another. Returns why it was refused, or nothing."""
        if job.deleting:
            return ""
        status = status_of(look, Plan(end=planned.end, over=planned.over) if undone else planned)
        if status == job.status:
            return ""
        refused = refusals(await self.write(key, JOBS, [update_status(JOBS, job, status)]))
        if refused:
            return refused[0][2]
        self._announce(job, status, planned)
        return ""

    def _announce(self, job: View, status: Object, planned: Plan) -> None:
        before, after_ = job.status.get("conditions") or [], status.get("conditions") or []
        suspended = conditions.is_true(after_, "Suspended")
        if suspended != conditions.is_true(before, "Suspended"):
            self.event(JOBS, job, *(("Suspended", "Job suspended") if suspended else ("Resumed", "Job resumed")))
        end = planned.end
        if end is None or not planned.over:
            return
        if end.type == COMPLETE:
            self.event(JOBS, job, "Completed", "Job completed")
        else:
            self.event(JOBS, job, end.reason, end.message, warning=True)


def _without_tracking(view: View) -> Request:
    return _patched(view, {"finalizers": _rest(view)})


def _rest(view: View) -> list[str] | None:
    return [name for name in view.meta.finalizers if name != TRACKING] or None


def _adopt(view: View, reference: Object) -> Request:
    references = [held for held in view.metadata.get("ownerReferences", []) if held["uid"] != reference["uid"]]
    return _patched(view, {"ownerReferences": [*references, reference], "finalizers": [*(_rest(view) or ()), TRACKING]})


def _release(view: View, uid: str) -> Request:
    references = [held for held in view.metadata.get("ownerReferences", []) if held["uid"] != uid]
    return _patched(view, {"ownerReferences": references or None, "finalizers": _rest(view)})


def _patched(view: View, metadata: Object) -> Request:
    stated = {"uid": view.uid, "resourceVersion": str(view.revision), **metadata}
    return patch(PODS, view.name, view.namespace, {"metadata": stated}, want=Want.REVISION)
