"""What one look at a HorizontalPodAutoscaler, its target and the figures of its pods asks for. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.quantity import Form, Quantity
from orchestrator.apimachinery.timestamps import rfc3339
from orchestrator.client.view import View
from orchestrator.controllers import conditions
from orchestrator.controllers.pod_metrics import PodUse
from orchestrator.controllers.replica_count import DEFAULT_TOLERANCE, Counted, Goal, MetricError, count, nanos
from orchestrator.controllers.scaling_behavior import Limited, Memory, limit

LIMITED_TEXTS = {
    "DesiredWithinRange": "the desired count is within the acceptable range",
    "TooFewReplicas": "the desired replica count is less than the minimum replica count",
    "TooManyReplicas": "the desired replica count is more than the maximum replica count",
    "ScaleUpLimit": "the desired replica count is increasing faster than the maximum scale rate",
    "ScaleDownLimit": "the desired replica count is decreasing faster than the maximum scale rate",
}
_FIELDS = {"Resource": "resource", "ContainerResource": "containerResource"}


class Plan(msgspec.Struct):
    desired: int
    reason: str
    metrics: list[Object]
    conditions: list[Object]
    failure: tuple[str, str] | None = None
    """Reason and message of a metric that could not be had."""


def bounds(scaler: View) -> tuple[int, int]:
    return scaler.spec.get("minReplicas", 1), scaler.spec["maxReplicas"]


def plan(
    scaler: View, current: int, pods: Sequence[View], usage: Mapping[str, PodUse], memory: Memory, now: float
) -> Plan:
    """``current`` is what the target's scale says. ``memory`` learns the recommendation."""
    held = list(scaler.status.get("conditions") or ())
    made = Plan(current, "", [], _with(held, "AbleToScale", True, *_GOT_SCALE, now))
    least, most = bounds(scaler)
    if current == 0 and least != 0:
        text = "scaling is disabled since the replica count of the target is zero"
        made.conditions = _with(made.conditions, "ScalingActive", False, "ScalingDisabled", text, now)
    elif current > most:
        made.desired, made.reason = most, "Current number of replicas above Spec.MaxReplicas"
    elif current < least:
        made.desired, made.reason = least, "Current number of replicas below Spec.MinReplicas"
    else:
        _by_metrics(scaler, current, pods, usage, memory, now, made)
    return made


_GOT_SCALE = ("SucceededGetScale", "the HPA controller was able to get the target's current scale")


def _by_metrics(
    scaler: View,
    current: int,
    pods: Sequence[View],
    usage: Mapping[str, PodUse],
    memory: Memory,
    now: float,
    made: Plan,
) -> None:
    wishes = _wishes(scaler, current, pods, usage, now, made)
    desired, name = max(wishes, default=(current, ""), key=lambda wish: wish[0])
    if not wishes or (made.failure is not None and desired < current):
        reason, message = made.failure or ("InvalidMetricSourceType", "no metrics are stated")
        text = f"the HPA was unable to compute the replica count: {message}"
        made.conditions = _with(made.conditions, "ScalingActive", False, reason, text, now)
        return
    text = f"the HPA was able to successfully calculate a replica count from {name}"
    made.conditions = _with(made.conditions, "ScalingActive", True, "ValidMetricFound", text, now)
    found = limit(memory, scaler.spec.get("behavior") or {}, current, desired, bounds(scaler), now)
    made.desired = found.replicas
    if found.replicas != current:
        made.reason = f"{name} above target" if found.replicas > current else "All metrics below target"
    _say_limits(found, made, now)


def _say_limits(found: Limited, made: Plan, now: float) -> None:
    if found.stabilized:
        text = "recent recommendations were higher than current one, applying the highest recent recommendation"
        able = ("ScaleDownStabilized", text)
    else:
        able = ("ReadyForNewScale", "recommended size matches current size")
    made.conditions = _with(made.conditions, "AbleToScale", True, *able, now)
    limited = found.reason != "DesiredWithinRange"
    text = LIMITED_TEXTS[found.reason]
    made.conditions = _with(made.conditions, "ScalingLimited", limited, found.reason, text, now)


def _wishes(
    scaler: View, current: int, pods: Sequence[View], usage: Mapping[str, PodUse], now: float, made: Plan
) -> list[tuple[int, str]]:
    """The count and the name of each metric that could be had."""
    found: list[tuple[int, str]] = []
    for metric in scaler.spec.get("metrics") or ():
        try:
            aim = goal(metric, scaler.spec.get("behavior") or {})
            counted = count(aim, current, pods, usage, now)
        except MetricError as error:
            made.failure = made.failure or (error.reason, str(error))
            continue
        found.append((counted.replicas, _name(aim)))
        made.metrics.append(_shown(metric["type"], aim, counted))
    return found


def goal(metric: Object, behavior: Object) -> Goal:
    type = metric.get("type", "")
    if type not in _FIELDS:
        text = f"unable to get {type.lower()} metrics: no such metrics API is served"
        raise MetricError(f"FailedGet{type}Metric", text)
    source = metric[_FIELDS[type]]
    target = source.get("target") or {}
    average = target.get("averageValue")
    return Goal(
        source["name"],
        source.get("container", ""),
        target.get("averageUtilization"),
        None if average is None else nanos(average),
        _tolerance(behavior.get("scaleUp")),
        _tolerance(behavior.get("scaleDown")),
    )


def _tolerance(rules: Object | None) -> float:
    stated = (rules or {}).get("tolerance")
    return DEFAULT_TOLERANCE if stated is None else Quantity.parse(stated).as_float()


def _name(aim: Goal) -> str:
    kind = "container resource" if aim.container else "resource"
    if aim.utilization is None:
        return f"{aim.resource} {kind}"
    return f"{aim.resource} {kind} utilization (percentage of request)"


def _shown(type: str, aim: Goal, counted: Counted) -> Object:
    form = Form.BINARY if aim.resource == "memory" else Form.DECIMAL
    current: Object = {"averageValue": str(Quantity(counted.average, form).rounded_to_milli())}
    if counted.utilization is not None:
        current["averageUtilization"] = counted.utilization
    source: Object = {"name": aim.resource, "current": current}
    if aim.container:
        source["container"] = aim.container
    return {"type": type, _FIELDS[type]: source}


def _with(held: list[Object], type: str, status: bool, reason: str, message: str, now: float) -> list[Object]:
    return conditions.put(held, conditions.make(type, status, reason, message, now))


def status_of(scaler: View, current: int, made: Plan, now: float, *, rescaled: bool) -> Object:
    status: Object = {
        "currentReplicas": current,
        "desiredReplicas": made.desired,
        "observedGeneration": scaler.generation,
        "conditions": made.conditions,
    }
    if made.metrics:
        status["currentMetrics"] = made.metrics
    last = rfc3339(now) if rescaled else scaler.status.get("lastScaleTime")
    if last:
        status["lastScaleTime"] = last
    return status
