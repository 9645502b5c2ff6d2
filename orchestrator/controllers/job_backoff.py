"""How long a Job waits after failures before it tries again: doubled with each in a row. Pure."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from orchestrator.client.view import View
from orchestrator.controllers.job_accounting import Tally
from orchestrator.controllers.job_pod import (
    INDEX_FAILURES,
    INDEX_IGNORED,
    JobFacts,
    count_in,
    ended_at,
    failed,
    index_of,
    succeeded,
)
from orchestrator.controllers.job_policy import IGNORE, judge

BASE_SECONDS = 10.0
MAX_SECONDS = 600.0


class Failures(msgspec.Struct, frozen=True):
    """Failures since the last success, and when the last of them was."""

    count: int = 0
    last: float = 0.0

    @property
    def until(self) -> float:
        return self.last + delay(self.count) if self.count else 0.0


def delay(count: int) -> float:
    return min(BASE_SECONDS * 2.0 ** min(count - 1, 30), MAX_SECONDS) if count > 0 else 0.0


def after(held: Failures, done: Tally, now: float) -> Failures:
    """With the pods that are counted for the first time."""
    count, last = held.count, held.last
    for view, _ in sorted(done.news, key=lambda one: (ended_at(one[0], now), one[0].name)):
        if succeeded(view):
            count, last = 0, 0.0
        else:
            count, last = count + 1, max(last, ended_at(view, now))
    return Failures(count, last)


class IndexFailures(msgspec.Struct, frozen=True):
    """The history of one index: counted and ignored failures, and the last pod that failed."""

    counted: int
    ignored: int
    last: View

    def until(self, now: float) -> float:
        return ended_at(self.last, now) + delay(self.counted + self.ignored)


def by_index(wanted: JobFacts, pods: Iterable[View]) -> dict[int, IndexFailures]:
    """What each index went through; every pod bears the counts of those before it."""
    found: dict[int, IndexFailures] = {}
    for view in pods:
        index = index_of(view)
        if index is None or not failed(view, wanted):
            continue
        ignored = bool(wanted.failure_rules) and judge(wanted.failure_rules, view).action == IGNORE
        counted = count_in(view, INDEX_FAILURES) + (not ignored)
        passed_over = count_in(view, INDEX_IGNORED) + ignored
        held = found.get(index)
        if held is None or (counted + passed_over) > held.counted + held.ignored:
            found[index] = IndexFailures(counted, passed_over, view)
    return found
