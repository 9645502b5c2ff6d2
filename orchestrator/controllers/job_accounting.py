"""Each ended pod is counted once, whatever dies in between. Pure.

A pod that ended is first written into ``uncountedTerminatedPods`` by its uid, then its finalizer is removed, and when
the pod is seen without it the uid moves into the counter. An index that succeeded is written into
``completedIndexes``, where it cannot be counted twice.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from orchestrator.apimachinery.encoded import Object
from orchestrator.client.view import View
from orchestrator.controllers import job_indexes
from orchestrator.controllers.job_pod import INDEX_FAILURES, JobFacts, count_in, failed, index_of, succeeded, tracked
from orchestrator.controllers.job_policy import FAIL_INDEX, FAIL_JOB, IGNORE, Verdict, judge

MAX_UNCOUNTED = 500
"""Uids in the status at once; what is more waits for the next round."""


class Tally(msgspec.Struct, frozen=True):
    """What has ended, as it will stand in the status."""

    succeeded: int
    failed: int
    counted_succeeded: int
    """Of them those that are in the counters and no longer listed by uid."""
    counted_failed: int
    uncounted_succeeded: list[str]
    uncounted_failed: list[str]
    completed: frozenset[int]
    failed_indexes: frozenset[int]
    release: list[View]
    """Ended pods whose finalizer may go as soon as this is written."""
    news: list[tuple[View, Verdict | None]]
    """Pods that are counted for the first time; the verdict is of a failed one."""
    fatal: str
    """Why a pod's failure ends the job, or nothing."""
    waiting: bool
    """Some ended pods are not in here yet."""

    @property
    def open(self) -> bool:
        """Something is not in the counters yet."""
        return bool(self.uncounted_succeeded or self.uncounted_failed or self.release or self.waiting)


def tally(job: View, wanted: JobFacts, pods: Sequence[View]) -> Tally:
    status = job.status
    listed = status.get("uncountedTerminatedPods") or {}
    holding = {view.uid for view in pods if tracked(view)}
    done = _Books(status, listed, holding, wanted)
    for view in pods:
        if tracked(view):
            done.enter(view)
    return done.closed()


class _Books:
    """The counting while it goes on."""

    def __init__(self, status: Object, listed: Object, holding: set[str], wanted: JobFacts) -> None:
        self.wanted = wanted
        self.uncounted = {name: [uid for uid in listed.get(name) or () if uid in holding] for name in _OUTCOMES}
        gone = {name: len(listed.get(name) or ()) - len(self.uncounted[name]) for name in _OUTCOMES}
        self.counted = {name: (status.get(name) or 0) + gone[name] for name in _OUTCOMES}
        self.known = {uid for uids in self.uncounted.values() for uid in uids}
        self.completed = job_indexes.parse(status.get("completedIndexes"))
        self.failed_indexes = job_indexes.parse(status.get("failedIndexes"))
        self.release: list[View] = []
        self.news: list[tuple[View, Verdict | None]] = []
        self.fatal = ""
        self.waiting = False

    def enter(self, view: View) -> None:
        won, lost = succeeded(view), failed(view, self.wanted)
        if not (won or lost):
            return
        verdict = judge(self.wanted.failure_rules, view) if lost and self.wanted.failure_rules else None
        if verdict is not None and verdict.action == FAIL_JOB:
            self.fatal = self.fatal or verdict.message
        if view.uid in self.known:
            self.release.append(view)
        elif len(self.known) >= MAX_UNCOUNTED:
            self.waiting = True
        elif won and self.wanted.indexed:
            self._won_index(view)
        elif won:
            self._list("succeeded", view, None)
        elif verdict is not None and verdict.action == IGNORE:
            self.release.append(view)
        else:
            self._lost(view, verdict)

    def _won_index(self, view: View) -> None:
        index = index_of(view)
        if index is not None and index < (self.wanted.completions or 0) and index not in self.completed:
            self.completed.add(index)
            self.news.append((view, None))
        self.release.append(view)

    def _lost(self, view: View, verdict: Verdict | None) -> None:
        index = index_of(view)
        if self.wanted.index_limit is not None and index is not None and index not in self.completed:
            given_up = verdict is not None and verdict.action == FAIL_INDEX
            if given_up or count_in(view, INDEX_FAILURES) >= self.wanted.index_limit:
                self.failed_indexes.add(index)
        self._list("failed", view, verdict)

    def _list(self, outcome: str, view: View, verdict: Verdict | None) -> None:
        self.uncounted[outcome].append(view.uid)
        self.known.add(view.uid)
        self.news.append((view, verdict))
        self.release.append(view)

    def closed(self) -> Tally:
        won = self.counted["succeeded"] + len(self.uncounted["succeeded"])
        if self.wanted.indexed:
            won = self.counted["succeeded"] = len(self.completed)
        return Tally(
            won,
            self.counted["failed"] + len(self.uncounted["failed"]),
            self.counted["succeeded"],
            self.counted["failed"],
            self.uncounted["succeeded"],
            self.uncounted["failed"],
            frozenset(self.completed),
            frozenset(self.failed_indexes),
            self.release,
            self.news,
            self.fatal,
            self.waiting,
        )


_OUTCOMES = ("succeeded", "failed")
