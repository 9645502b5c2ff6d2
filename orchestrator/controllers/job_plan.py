"""What one look at a Job and its pods asks for: pods to make and to end, pods that are counted, the status. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.timestamps import rfc3339
from orchestrator.client.view import View
from orchestrator.controllers import conditions, job_indexes
from orchestrator.controllers.job_accounting import Tally
from orchestrator.controllers.job_backoff import Failures, by_index
from orchestrator.controllers.job_end import COMPLETE, End, decide, seconds_left
from orchestrator.controllers.job_pod import JobFacts, ended, index_of, tracked
from orchestrator.controllers.pods import created_at, pod
from orchestrator.controllers.victims import victims

BURST_PODS = 500
"""Pods created in one batch; the next burst waits until the cache has seen it."""


class Missing(msgspec.Struct, frozen=True):
    """A pod to create: its index, and the counted and ignored failures before it."""

    index: int | None = None
    failures: tuple[int, int] = (0, 0)


class Plan(msgspec.Struct):
    """``end`` None: the job goes on. ``over``: its last condition can be written."""

    create: list[Missing] = []
    delete: list[View] = []
    """Live pods of a job that is over: their end is counted."""
    discard: list[View] = []
    """Live pods that are too many: their end does not count."""
    release: list[View] = []
    end: End | None = None
    over: bool = False
    again_seconds: float | None = None

    def wait(self, seconds: float) -> None:
        self.again_seconds = seconds if self.again_seconds is None else min(self.again_seconds, seconds)


class Look(msgspec.Struct, frozen=True):
    job: View
    wanted: JobFacts
    pods: list[View]
    live: list[View]
    terminating: list[View]
    done: Tally
    now: float


def look_at(job: View, wanted: JobFacts, pods: list[View], done: Tally, now: float) -> Look:
    open_pods = [view for view in pods if not ended(view)]
    live = [view for view in open_pods if not view.deleting]
    return Look(job, wanted, pods, live, [view for view in open_pods if view.deleting], done, now)


def plan(look: Look, failures: Failures) -> Plan:
    made = Plan([], [], [], [])
    made.end = decide(look.job, look.wanted, look.done, look.live, look.now)
    if look.job.deleting:
        made.release = [view for view in look.pods if tracked(view)]
        return made
    if made.end is not None:
        made.delete = look.live
        waits_for = look.live or look.terminating or look.done.open
        made.over = not waits_for
    elif look.wanted.suspended:
        made.discard = look.live
    else:
        _manage(look, failures, made)
    made.release = _releasable(look, made)
    left = seconds_left(look.job, look.wanted, look.now)
    if left is not None and made.end is None:
        made.wait(max(0.0, left))
    return made


def _manage(look: Look, failures: Failures, made: Plan) -> None:
    """As many live pods as parallelism and what is left to do allow."""
    wanted, done = look.wanted, look.done
    live = look.live
    if wanted.indexed:
        made.discard = _doubled(look)
        dropped = {view.uid for view in made.discard}
        live = [view for view in live if view.uid not in dropped]
    if wanted.completions is None:
        goal = len(live) if done.succeeded else wanted.parallelism
    else:
        goal = min(wanted.parallelism, wanted.completions - done.succeeded - len(done.failed_indexes))
    goal = max(0, goal)
    if len(live) > goal:
        made.discard += victims(live, live, len(live) - goal, look.now)
        return
    count = goal - len(live) - (len(look.terminating) if wanted.only_failed else 0)
    if count <= 0:
        return
    if wanted.index_limit is None and failures.until > look.now:
        made.wait(failures.until - look.now)
    elif wanted.indexed:
        made.create = _pending(look, min(count, BURST_PODS), made)
    else:
        made.create = [Missing()] * min(count, BURST_PODS)


def _doubled(look: Look) -> list[View]:
    """Live pods of an index that another has, or that is done or beyond the completions."""
    seen: set[int | None] = set(look.done.completed) | {None}
    found = []
    for view in sorted(look.live, key=lambda view: (created_at(view), view.name)):
        index = index_of(view)
        if index in seen or (index or 0) >= (look.wanted.completions or 0):
            found.append(view)
        seen.add(index)
    return found


def _pending(look: Look, count: int, made: Plan) -> list[Missing]:
    """The lowest indexes without a pod; one that failed waits out its own back-off."""
    wanted, done = look.wanted, look.done
    holders = [*look.live, *look.terminating] if wanted.only_failed else look.live
    taken = {index_of(view) for view in holders} | done.completed | done.failed_indexes
    past = by_index(wanted, look.pods) if wanted.index_limit is not None else {}
    found: list[Missing] = []
    for index in range(wanted.completions or 0):
        if len(found) >= count:
            break
        if index in taken:
            continue
        before = past.get(index)
        if before is None:
            found.append(Missing(index))
        elif before.until(look.now) > look.now:
            made.wait(before.until(look.now) - look.now)
        else:
            found.append(Missing(index, (before.counted, before.ignored)))
    return found


def _releasable(look: Look, made: Plan) -> list[View]:
    """Counted pods; the last failed one of an index stays until its successor bears its count."""
    if look.wanted.index_limit is None or made.end is not None:
        return look.done.release
    closed = look.done.completed | look.done.failed_indexes | {index_of(view) for view in look.live}
    last = by_index(look.wanted, look.pods)
    kept = {held.last.uid for index, held in last.items() if index not in closed}
    return [view for view in look.done.release if view.uid not in kept]


def status_of(look: Look, made: Plan) -> Object:
    """The status after ``made`` was done."""
    done, held = look.done, look.job.status
    going = {view.uid for view in (*made.delete, *made.discard)}
    staying = [view for view in look.live if view.uid not in going]
    active = len(staying) + len(made.create)
    status: Object = {
        "ready": sum(pod(view).ready for view in staying),
        "terminating": len(look.terminating) + len(going),
        "uncountedTerminatedPods": _uncounted(done),
    }
    counts = {"active": active, "succeeded": done.counted_succeeded, "failed": done.counted_failed}
    status.update({name: count for name, count in counts.items() if count})
    if look.wanted.indexed:
        if done.completed:
            status["completedIndexes"] = job_indexes.text(done.completed)
        if look.wanted.index_limit is not None:
            status["failedIndexes"] = job_indexes.text(done.failed_indexes)
    status.update({name: held[name] for name in ("startTime", "completionTime") if held.get(name)})
    status["conditions"] = _conditions(look, made, status)
    if not status["conditions"]:
        del status["conditions"]
    return status


def _uncounted(done: Tally) -> Object:
    listed = {"succeeded": done.uncounted_succeeded, "failed": done.uncounted_failed}
    return {name: uids for name, uids in listed.items() if uids}


def _conditions(look: Look, made: Plan, status: Object) -> Sequence[Object]:
    """The conditions, and the times that go with them."""
    now, held = look.now, list(look.job.status.get("conditions") or ())
    if made.end is None:
        held = _suspension(look, held, status)
    elif "startTime" not in status and not look.wanted.suspended:
        status["startTime"] = rfc3339(now)
    if made.end is not None and not look.job.deleting:
        end = made.end
        held = conditions.put(held, _stamped(end.interim, end, now))
        if made.over:
            held = conditions.put(held, _stamped(end.type, end, now))
            if end.type == COMPLETE:
                status["completionTime"] = rfc3339(now)
    return held


def _suspension(look: Look, held: list[Object], status: Object) -> list[Object]:
    was = conditions.is_true(held, "Suspended")
    moment = rfc3339(look.now)
    if look.wanted.suspended:
        made = conditions.make("Suspended", True, "JobSuspended", "Job suspended", look.now)
        return held if was else conditions.put(held, {**made, "lastProbeTime": moment})
    if was:
        status["startTime"] = moment
        made = conditions.make("Suspended", False, "JobResumed", "Job resumed", look.now)
        return conditions.put(held, {**made, "lastProbeTime": moment})
    status.setdefault("startTime", moment)
    return held


def _stamped(type: str, end: End, now: float) -> Object:
    return {**conditions.make(type, True, end.reason, end.message, now), "lastProbeTime": rfc3339(now)}
