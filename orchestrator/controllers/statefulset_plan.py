"""What one look at a StatefulSet's pods asks for: the next creates and deletes, in order where order is kept. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from orchestrator.client.view import View
from orchestrator.controllers.controller_history import HASH_LABEL
from orchestrator.controllers.pods import RUNNING, available, pod
from orchestrator.controllers.statefulset_pod import SetFacts, ordinal


class Plan(msgspec.Struct, frozen=True):
    """Ordinals to create and pods to delete now; the rest follows when these are done."""

    create: list[int] = []
    delete: list[View] = []
    again_seconds: float | None = None
    """When a ready pod becomes available, where somebody waits for it."""


class Situation(msgspec.Struct, frozen=True):
    """The set's pods by ordinal, and the names of its two revisions."""

    wanted: SetFacts
    pods: dict[int, View]
    current: str
    update: str
    now: float

    @property
    def condemned(self) -> list[View]:
        """Pods outside of the ordinals, the highest first."""
        outside = [number for number in self.pods if number not in self.wanted.ordinals]
        return [self.pods[number] for number in sorted(outside, reverse=True)]

    def revision_for(self, number: int) -> str:
        """What a new pod of this ordinal is made from: below the partition the old revision stays."""
        below = self.wanted.rolling and number < self.wanted.start + self.wanted.partition
        return self.current if below else self.update


def by_ordinal(owner_name: str, pods: Iterable[View]) -> dict[int, View]:
    found: dict[int, View] = {}
    for view in pods:
        number = ordinal(owner_name, view.name)
        if number is not None:
            found[number] = view
    return found


def healthy(view: View) -> bool:
    held = pod(view)
    return held.phase == RUNNING and held.ready and not view.deleting


def settled(view: View, wanted: SetFacts, now: float) -> bool:
    """Healthy, and ready for long enough."""
    return healthy(view) and available(pod(view), wanted.min_ready_seconds, now)


def plan(situation: Situation) -> Plan:
    made = _ordered(situation) if situation.wanted.ordered else _parallel(situation)
    if made is None:
        made = _update(situation)
    return msgspec.structs.replace(made, again_seconds=_ripens(situation))


def _ordered(situation: Situation) -> Plan | None:
    """One step at a time: fill upwards, shrink downwards; None when there is neither to do nor to wait for."""
    wanted, now = situation.wanted, situation.now
    for number in wanted.ordinals:
        view = situation.pods.get(number)
        if view is None:
            return Plan(create=[number])
        if pod(view).finished:
            return Plan(delete=_leave([view]))
        if not settled(view, wanted, now):
            return Plan()
    return _shrink(situation, _first_unhealthy(situation))


def _first_unhealthy(situation: Situation) -> View | None:
    """The pod that may be removed although it is not well: the lowest that is not."""
    ordered = [situation.pods[number] for number in sorted(situation.pods)]
    return next((view for view in ordered if not healthy(view)), None)


def _shrink(situation: Situation, unhealthy: View | None) -> Plan | None:
    condemned = situation.condemned
    if not condemned:
        return None
    view = condemned[0]
    if view.deleting:
        return Plan()
    if not settled(view, situation.wanted, situation.now) and view is not unhealthy and not pod(view).finished:
        return Plan()
    return Plan(delete=[view])


def _parallel(situation: Situation) -> Plan | None:
    """Everything at once: None when nothing is missing, ended or too much."""
    missing = [number for number in situation.wanted.ordinals if number not in situation.pods]
    inside = [situation.pods[number] for number in situation.wanted.ordinals if number in situation.pods]
    gone = _leave([view for view in inside if pod(view).finished]) + _leave(situation.condemned)
    return Plan(create=missing, delete=gone) if missing or gone else None


def _leave(views: Sequence[View]) -> list[View]:
    return [view for view in views if not view.deleting]


def _update(situation: Situation) -> Plan:
    """Replace outdated pods from the highest ordinal down to the partition, as far as the budget goes."""
    wanted = situation.wanted
    if not wanted.rolling:
        return Plan()
    gone: list[View] = []
    budget = wanted.max_unavailable
    for number in reversed(wanted.ordinals[wanted.partition :]):
        view = situation.pods.get(number)
        if view is None or view.deleting:
            budget -= 1
        elif view.labels.get(HASH_LABEL) != situation.update:
            gone.append(view)
            budget -= 1
        elif not settled(view, wanted, situation.now):
            budget -= 1
        if budget <= 0:
            break
    return Plan(delete=gone)


def _ripens(situation: Situation) -> float | None:
    """Seconds until the next ready pod counts as available."""
    wanted, now = situation.wanted, situation.now
    waiting = [
        pod(view).ready_since + wanted.min_ready_seconds - now
        for view in situation.pods.values()
        if healthy(view) and pod(view).ready_since and not settled(view, wanted, now)
    ]
    return min(waiting) if waiting else None
