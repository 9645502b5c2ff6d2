"""How many replicas a metric asks for: usage against the target, with care for pods that say nothing yet. Pure.

All amounts are integers of nano units. Pods that are not ready count as idle when that keeps the scale from growing,
pods without figures as whatever keeps it from changing: doubt never moves the scale, it only holds it back.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec

from orchestrator.api.usage import Amount, Measured
from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.quantity import NANO, Form, Quantity
from orchestrator.apimachinery.timestamps import parse_time
from orchestrator.client.view import View
from orchestrator.controllers.pods import FAILED, PENDING, condition, pod

CPU, MEMORY = "cpu", "memory"
TOLERANCE = 0.1
"""A ratio of usage to target this near to 1 changes nothing."""
CPU_INITIALIZATION_SECONDS = 300.0
"""So long after its start a pod's CPU counts only if it was measured while the pod was ready."""
READINESS_DELAY_SECONDS = 30.0
"""A pod that became unready so soon after its start was never ready."""


class MetricError(Exception):
    """No replica count can be told. ``reason`` is that of the ScalingActive condition."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class Tolerances(msgspec.Struct, frozen=True):
    up: float = TOLERANCE
    down: float = TOLERANCE

    def holds(self, ratio: float) -> bool:
        """Nothing is to be done about this ratio."""
        return 1.0 - self.down <= ratio <= 1.0 + self.up


class Proposal(msgspec.Struct, frozen=True):
    replicas: int
    status: Object
    """The entry of ``status.currentMetrics``."""
    name: str
    """What the condition calls the metric."""


class Groups(msgspec.Struct, frozen=True):
    """Pods by what their figures are worth; ``usage`` is of those that count."""

    ready: int
    unready: Sequence[View]
    missing: Sequence[View]
    usage: Mapping[str, int]


class _Ask(msgspec.Struct, frozen=True):
    """A Resource or ContainerResource metric of a spec."""

    kind: str
    field: str
    resource: str
    container: str
    target: Object


def propose(
    metric: Object,
    current: int,
    pods: Sequence[View],
    measured: Mapping[str, Measured],
    tolerances: Tolerances,
    now: float,
) -> Proposal:
    """What one metric of the spec asks for. Raises ``MetricError``."""
    ask = _asked(metric)
    figures = {view.key: measured[view.key] for view in pods if view.key in measured}
    usage = {key: amount for key, held in figures.items() if (amount := _amount(held, ask)) is not None}
    if not usage:
        raise _failed(ask, "no metrics returned from resource metrics API")
    groups = group(pods, usage, figures, ask.resource, now)
    if not groups.usage:
        raise _failed(ask, "did not receive metrics for targeted pods (pods might be unready)")
    utilization = ask.target.get("averageUtilization")
    if utilization is not None:
        return _by_utilization(ask, utilization, current, pods, groups, tolerances)
    value = ask.target.get("averageValue")
    if value is None:
        raise _failed(ask, "expected averageUtilization or averageValue, found neither")
    wanted = Quantity.parse(value).nanos
    ratio = _ratio_to(wanted)
    replicas = count(current, groups, ratio, lambda view: wanted, tolerances)
    return Proposal(replicas, _status(ask, groups.usage, None), _name(ask, utilization=False))


def _by_utilization(
    ask: _Ask, target: int, current: int, pods: Sequence[View], groups: Groups, tolerances: Tolerances
) -> Proposal:
    requests = {view.key: _requested(view, ask) for view in pods}
    share = max(100, target)

    def ratio(usage: Mapping[str, int]) -> float:
        return _utilization(usage, requests) / target

    replicas = count(current, groups, ratio, lambda view: requests[view.key] * share // 100, tolerances)
    status = _status(ask, groups.usage, _utilization(groups.usage, requests))
    return Proposal(replicas, status, _name(ask, utilization=True))


def count(
    current: int,
    groups: Groups,
    ratio_of: Callable[[Mapping[str, int]], float],
    full: Callable[[View], int],
    tolerances: Tolerances,
) -> int:
    """Replicas for the ratio of usage to target; ``full`` is what a pod without figures is taken to use at most."""
    ratio = ratio_of(groups.usage)
    rising_unready = bool(groups.unready) and ratio > 1.0
    if not rising_unready and not groups.missing:
        return current if tolerances.holds(ratio) else math.ceil(ratio * groups.ready)
    assumed = dict(groups.usage)
    if ratio != 1.0:
        assumed.update({view.key: full(view) if ratio < 1.0 else 0 for view in groups.missing})
    if rising_unready:
        assumed.update({view.key: 0 for view in groups.unready})
    again = ratio_of(assumed)
    if tolerances.holds(again) or (ratio < 1.0 < again) or (again < 1.0 < ratio):
        return current
    replicas = math.ceil(again * len(assumed))
    contrary = (again < 1.0 and replicas > current) or (again > 1.0 and replicas < current)
    return current if contrary else replicas


def group(
    pods: Iterable[View], usage: Mapping[str, int], figures: Mapping[str, Measured], resource: str, now: float
) -> Groups:
    """Finished and leaving pods are no longer asked."""
    unready: list[View] = []
    missing: list[View] = []
    counted: dict[str, int] = {}
    for view in pods:
        held = pod(view)
        if view.deleting or held.phase == FAILED:
            continue
        if held.phase == PENDING:
            unready.append(view)
        elif view.key not in usage:
            missing.append(view)
        elif resource == CPU and _starting(view, figures[view.key], now):
            unready.append(view)
        else:
            counted[view.key] = usage[view.key]
    return Groups(len(counted), unready, missing, counted)


class _Readiness(msgspec.Struct, frozen=True):
    """``changed`` and ``begun``: in Unix seconds."""

    ready: bool
    changed: float
    begun: float


def _readiness(view: View) -> _Readiness | None:
    """None: the pod has not said."""
    held, started = condition(view, "Ready"), view.status.get("startTime")
    if held is None or not started:
        return None
    changed = parse_time(held.lastTransitionTime) if held.lastTransitionTime else 0.0
    return _Readiness(held.status == "True", changed, parse_time(started))


def _starting(view: View, measured: Measured, now: float) -> bool:
    """The CPU that it uses is that of starting."""
    held = view.facts(_readiness)
    if held is None:
        return True
    ready, changed, begun = held.ready, held.changed, held.begun
    if begun + CPU_INITIALIZATION_SECONDS > now:
        return not ready or measured.taken_at < changed + measured.window_seconds
    return not ready and begun + READINESS_DELAY_SECONDS > changed


def _asked(metric: Object) -> _Ask:
    kind = metric["type"]
    field = {"Resource": "resource", "ContainerResource": "containerResource"}.get(kind)
    if field is None:
        raise MetricError(f"FailedGet{kind}Metric", f"no metrics of type {kind} are served: expected Resource")
    source = metric[field]
    ask = _Ask(kind, field, source["name"], source.get("container", ""), source["target"])
    if ask.resource not in (CPU, MEMORY):
        raise _failed(ask, f"expected cpu or memory, found {ask.resource}")
    return ask


def _failed(ask: _Ask, why: str) -> MetricError:
    text = f"failed to get {ask.resource} resource metric value: {why}"
    return MetricError(f"FailedGet{ask.kind}Metric", text)


def _amount(measured: Measured, ask: _Ask) -> int | None:
    amounts = measured.amounts
    if ask.container:
        return _nanos(amounts[ask.container], ask.resource) if ask.container in amounts else None
    return sum(_nanos(one, ask.resource) for one in amounts.values())


def _nanos(amount: Amount, resource: str) -> int:
    return amount.cpu_nanocores if resource == CPU else amount.memory_bytes * NANO


_Requests = Mapping[str, int]
"""By resource."""


def _requests(view: View) -> tuple[_Requests, Mapping[str, _Requests]]:
    """Of the pod as a whole, and of each container by name."""
    return _parsed(view.spec), {one["name"]: _parsed(one) for one in view.spec["containers"]}


def _parsed(asker: Object) -> _Requests:
    stated = (asker.get("resources") or {}).get("requests") or {}
    return {name: Quantity.parse(stated[name]).nanos for name in (CPU, MEMORY) if name in stated}


def _requested(view: View, ask: _Ask) -> int:
    whole, containers = view.facts(_requests)
    if ask.resource in whole and not ask.container:
        return whole[ask.resource]
    total = 0
    for name, requests in containers.items():
        if ask.container in ("", name):
            if ask.resource not in requests:
                raise _failed(ask, f"missing request for {ask.resource} in container {name} of Pod {view.name}")
            total += requests[ask.resource]
    if not total:
        raise _failed(ask, f"expected a request for {ask.resource} in Pod {view.name}, found none")
    return total


def _utilization(usage: Mapping[str, int], requests: Mapping[str, int]) -> int:
    return sum(usage.values()) * 100 // sum(requests[key] for key in usage)


def _ratio_to(wanted: int) -> Callable[[Mapping[str, int]], float]:
    return lambda usage: sum(usage.values()) / len(usage) / wanted


def _status(ask: _Ask, usage: Mapping[str, int], utilization: int | None) -> Object:
    average = sum(usage.values()) // len(usage)
    amount = Quantity.of_milli(average // 1_000_000) if ask.resource == CPU else _bytes(average)
    current: Object = {"averageValue": str(amount)}
    if utilization is not None:
        current["averageUtilization"] = utilization
    source: Object = {"name": ask.resource, "current": current}
    if ask.container:
        source["container"] = ask.container
    return {"type": ask.kind, ask.field: source}


def _bytes(nanos: int) -> Quantity:
    whole = nanos // NANO
    return Quantity.of(whole, Form.BINARY if whole % 1024 == 0 else Form.DECIMAL)


def _name(ask: _Ask, *, utilization: bool) -> str:
    where = f"{ask.resource} container" if ask.container else ask.resource
    return f"{where} resource{' utilization (percentage of request)' if utilization else ''}"
