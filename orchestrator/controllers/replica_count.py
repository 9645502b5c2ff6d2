"""How many replicas a resource metric asks for. Pure.

Pods that have just started and pods without figures make the answer careful: they damp a change and never turn it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import msgspec

from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.quantity import Quantity
from orchestrator.apimachinery.timestamps import parse_time
from orchestrator.client.view import View
from orchestrator.controllers.pod_metrics import PodUse
from orchestrator.controllers.pods import FAILED, PENDING, pod

STARTING_SECONDS = 300.0
"""So long after its start the processor time of a pod counts only while it is ready."""
READINESS_SECONDS = 30.0
"""A pod that was never ready after this long is unready; what turns later is a failure of the moment."""
DEFAULT_TOLERANCE = 0.1


class MetricError(Exception):
    """A metric that cannot be had; ``reason`` goes into the condition."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class Goal(msgspec.Struct, frozen=True):
    """One resource metric of the spec. One of ``utilization`` (percent of requests) and ``average`` (nanos) is set."""

    resource: str
    container: str
    utilization: int | None
    average: int | None
    tolerance_up: float = DEFAULT_TOLERANCE
    tolerance_down: float = DEFAULT_TOLERANCE

    def near(self, ratio: float) -> bool:
        return 1.0 - self.tolerance_down <= ratio <= 1.0 + self.tolerance_up


class Counted(msgspec.Struct, frozen=True):
    replicas: int
    utilization: int | None
    average: int
    """Nanos per pod."""


class _Groups(msgspec.Struct, frozen=True):
    ready: dict[str, int]
    """Usage by uid of the pods that count fully."""
    unready: list[str]
    missing: list[str]


def count(goal: Goal, current: int, pods: Sequence[View], usage: Mapping[str, PodUse], now: float) -> Counted:
    """The replicas that bring the usage per pod to the goal."""
    if not pods:
        raise MetricError("FailedGetResourceMetric", "no pods returned by selector while calculating replica count")
    if not usage:
        text = f"unable to get metrics for resource {goal.resource}: no metrics returned from resource metrics API"
        raise MetricError("FailedGetResourceMetric", text)
    groups = _group(goal, pods, usage, now)
    if not groups.ready:
        raise MetricError(
            "FailedGetResourceMetric", "did not receive metrics for targeted pods (pods might be unready)"
        )
    wanted = _wanted(goal, pods)
    ratio = _ratio(goal, groups.ready, wanted)
    return Counted(
        _replicas(goal, current, groups, wanted, ratio),
        None if goal.utilization is None else round(ratio * goal.utilization),
        sum(groups.ready.values()) // len(groups.ready),
    )


def _replicas(goal: Goal, current: int, groups: _Groups, wanted: Mapping[str, int], ratio: float) -> int:
    rising = bool(groups.unready) and ratio > 1.0
    if not rising and not groups.missing:
        return current if goal.near(ratio) else math.ceil(round(ratio * len(groups.ready), 9))
    assumed = dict(groups.ready)
    if groups.missing and not goal.near(ratio):
        for uid in groups.missing:
            assumed[uid] = 0 if ratio > 1.0 else _full(goal, wanted[uid])
    if rising:
        assumed.update(dict.fromkeys(groups.unready, 0))
    careful = _ratio(goal, assumed, wanted)
    if goal.near(careful) or (ratio < 1.0 < careful) or (careful < 1.0 < ratio):
        return current
    replicas = math.ceil(round(careful * len(assumed), 9))
    turned = (careful < 1.0 and replicas > current) or (careful > 1.0 and replicas < current)
    return current if turned else replicas


def _full(goal: Goal, wanted: int) -> int:
    """What a pod without figures is taken to use before a scale-down: all of its request, or the goal."""
    if goal.utilization is None:
        return wanted
    return wanted * max(100, goal.utilization) // goal.utilization


def _ratio(goal: Goal, usage: Mapping[str, int], wanted: Mapping[str, int]) -> float:
    return sum(usage.values()) / max(1, sum(wanted[uid] for uid in usage))


def _wanted(goal: Goal, pods: Sequence[View]) -> dict[str, int]:
    """Nanos that each pod should use by the goal."""
    if goal.utilization is None:
        return {view.uid: goal.average or 0 for view in pods}
    return {view.uid: _request(goal, view) * goal.utilization // 100 for view in pods}


def _request(goal: Goal, view: View) -> int:
    total = 0
    sidecars = [one for one in view.spec.get("initContainers") or () if one.get("restartPolicy") == "Always"]
    for container in [*(view.spec.get("containers") or ()), *sidecars]:
        if goal.container not in ("", container["name"]):
            continue
        stated = ((container.get("resources") or {}).get("requests") or {}).get(goal.resource)
        if stated is None:
            text = f"missing request for {goal.resource} in container {container['name']} of Pod {view.name}"
            raise MetricError("FailedGetResourceMetric", text)
        total += nanos(stated)
    return total


def nanos(quantity: str | int | float) -> int:
    return Quantity.parse(quantity).nanos


def _group(goal: Goal, pods: Sequence[View], usage: Mapping[str, PodUse], now: float) -> _Groups:
    groups = _Groups({}, [], [])
    for view in pods:
        held = pod(view)
        if view.deleting or held.phase == FAILED:
            continue
        used = usage.get(view.uid)
        amount = None if used is None else used.of(goal.resource, goal.container)
        if held.phase == PENDING:
            groups.unready.append(view.uid)
        elif used is None or amount is None:
            groups.missing.append(view.uid)
        elif goal.resource == "cpu" and _starting(view, used, now):
            groups.unready.append(view.uid)
        else:
            groups.ready[view.uid] = amount
    return groups


def _starting(view: View, used: PodUse, now: float) -> bool:
    """Its figures are of its start, not of its work."""
    status: Object = view.status
    ready, started_text = pod(view).condition("Ready"), status.get("startTime")
    if ready is None or not started_text:
        return True
    started = parse_time(started_text)
    changed = parse_time(ready.lastTransitionTime) if ready.lastTransitionTime else started
    if started + STARTING_SECONDS > now:
        return ready.status == "False" or used.at < changed + used.window
    return ready.status == "False" and started + READINESS_SECONDS > changed
