"""HorizontalPodAutoscaler: the scale of its target follows what the target's pods use, within bounds and at a pace.

Every period each autoscaler looks anew: metrics propose counts, the greatest is wished for, recent wishes and changes
temper it. A metric that cannot be read never makes a scale smaller.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from orchestrator.api.usage import Measure, Measured
from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.errors import StatusError
from orchestrator.apimachinery.quantity import NANO, Quantity
from orchestrator.apimachinery.selectors import Selector, parse_labels
from orchestrator.apimachinery.timestamps import rfc3339
from orchestrator.client.cache import Index
from orchestrator.client.kinds import HORIZONTALPODAUTOSCALERS, PODS, Kind
from orchestrator.client.requests import update, update_status
from orchestrator.client.view import View
from orchestrator.controllers import conditions
from orchestrator.controllers.autoscaler_metrics import TOLERANCE, MetricError, Proposal, Tolerances, propose
from orchestrator.controllers.autoscaler_pace import Moment, Past, limited, stabilized
from orchestrator.controllers.autoscaler_target import (
    FOLLOWED,
    PodsByLabel,
    Target,
    kind_of_target,
    target_of,
    target_of_view,
)
from orchestrator.controllers.controller import Controller, Watched, refusals
from orchestrator.controllers.outcome import DONE, Outcome, requeue_after, retry

PERIOD_SECONDS = 15.0
"""Between two looks at one autoscaler. All fall together, on the clock's quarters of a minute."""
TOGETHER_SECONDS = 1.0
"""Who looks within this shares one measurement."""

ABLE, ACTIVE, LIMITED = "AbleToScale", "ScalingActive", "ScalingLimited"


class Wish(msgspec.Struct, frozen=True):
    """What the metrics ask for; None: nothing may be done."""

    replicas: int | None
    why: str
    """For the event of a change."""
    metrics: Sequence[Object]
    active: tuple[bool, str, str]
    """The ScalingActive condition."""


class Plan(msgspec.Struct, frozen=True):
    """``replicas`` None leaves the scale alone."""

    replicas: int | None
    wished: int | None
    """What is remembered for stabilization."""
    why: str
    metrics: Sequence[Object]
    conditions: Sequence[tuple[str, bool, str, str]]


def plan(
    spec: Object, target: Target, pods: Sequence[View], measured: Mapping[str, Measured], past: Past, now: float
) -> Plan:
    """Pure: where the scale is to go."""
    able = (ABLE, True, "ReadyForNewScale", "recommended size matches current size")
    if target.replicas == 0:
        text = "scaling is disabled since the replica count of the target is zero"
        return Plan(None, None, "", (), [able, (ACTIVE, False, "ScalingDisabled", text)])
    low, high = spec.get("minReplicas", 1), spec["maxReplicas"]
    if target.replicas > high:
        return Plan(high, None, "Current number of replicas above Spec.MaxReplicas", (), [able])
    if target.replicas < low:
        return Plan(low, None, "Current number of replicas below Spec.MinReplicas", (), [able])
    wish = wished(spec, target.replicas, pods, measured, now)
    active = (ACTIVE, *wish.active)
    if wish.replicas is None:
        return Plan(None, None, "", wish.metrics, [able, active])
    steady = stabilized(spec, target.replicas, wish.replicas, past.wishes, now)
    if steady.reason:
        able = (ABLE, True, steady.reason, steady.message)
    verdict = limited(spec, target.replicas, steady.replicas, past.changes, now)
    within = (LIMITED, False, "DesiredWithinRange", "the desired count is within the acceptable range")
    bound = (LIMITED, True, verdict.reason, verdict.message) if verdict.reason else within
    return Plan(verdict.replicas, wish.replicas, wish.why, wish.metrics, [able, active, bound])


def wished(spec: Object, current: int, pods: Sequence[View], measured: Mapping[str, Measured], now: float) -> Wish:
    """The greatest proposal. When a metric cannot be read the others may only raise the count."""
    best: Proposal | None = None
    failure: MetricError | None = None
    entries: list[Object] = []
    for metric in spec.get("metrics") or ():
        try:
            found = propose(metric, current, pods, measured, _tolerances(spec), now)
        except MetricError as problem:
            failure = failure or problem
            continue
        entries.append(found.status)
        if best is None or found.replicas > best.replicas:
            best = found
    if failure is not None and (best is None or best.replicas < current):
        text = f"the HPA was unable to compute the replica count: {failure}"
        return Wish(None, "", entries, (False, failure.reason, text))
    if best is None:
        return Wish(None, "", (), (False, "InvalidMetricSourceType", "expected metrics in the spec, found none"))
    text = f"the HPA was able to successfully calculate a replica count from {best.name}"
    why = f"{best.name} above target" if best.replicas > current else "All metrics below target"
    return Wish(best.replicas, why, entries, (True, "ValidMetricFound", text))


def _tolerances(spec: Object) -> Tolerances:
    behavior = spec.get("behavior") or {}
    up, down = ((behavior.get(name) or {}).get("tolerance") for name in ("scaleUp", "scaleDown"))
    return Tolerances(_share(up), _share(down))


def _share(text: Any) -> float:
    return TOLERANCE if text is None else Quantity.parse(text).nanos / NANO


class Autoscalers(Controller, kind=HORIZONTALPODAUTOSCALERS):
    """``measure`` gives what pods use."""

    def __init__(self, *args: Any, measure: Measure, **options: Any) -> None:
        super().__init__(*args, **options)
        self._measure = measure
        self._measuring = asyncio.Lock()
        self._measured: Mapping[str, Measured] = {}
        self._measured_at = -math.inf
        self._pods: PodsByLabel | None = None
        self._steady: dict[str, tuple[View, Target, Plan]] = {}
        # By uid, the last plan if it changed nothing: the same again need not be told.
        self._past: dict[str, Past] = {}
        """By uid. After a restart the scale as it is found stands for what was wished before."""

    def watches(self) -> list[Watched]:
        return [Watched(self.kind, _changed)]

    def reads(self) -> Mapping[Kind, Mapping[str, Index]]:
        return {PODS: {}} | {kind: {} for kind in FOLLOWED}

    async def reconcile(self, key: str) -> Outcome:
        view = self.cache(self.kind).get_key(key)
        if view is None or view.deleting:
            held = {one.uid for one in self.cache(self.kind).list()}
            self._past = {uid: past for uid, past in self._past.items() if uid in held}
            self._steady = {uid: steady for uid, steady in self._steady.items() if uid in held}
            return DONE
        outcome = await self._report(key, view, await self._scale(view))
        return outcome if outcome.retry else requeue_after(until_next_look(self.now()))

    async def _scale(self, view: View) -> Object:
        """Bring the target to where it is to be. Returns the status that says so."""
        now = self.now()
        reference = view.spec["scaleTargetRef"]
        kind = kind_of_target(reference)
        try:
            target = await self._target(kind, reference["name"], view.namespace)
        except StatusError as refusal:
            text = f"the HPA controller was unable to get the target's current scale: {refusal}"
            self.event(self.kind, view, "FailedGetScale", str(refusal), warning=True)
            return self._status(view, None, None, [(ABLE, False, "FailedGetScale", text)], (), now)
        past = self._past.setdefault(view.uid, Past([Moment(now, target.replicas)]))
        past.forget(now)
        if not target.selector:
            lacking = (ACTIVE, False, "InvalidSelector", "the HPA target's scale is missing a selector")
            return self._status(view, target, None, [lacking], (), now)
        measured = await self._figures()
        pods = self._pods_of(parse_labels(target.selector), view.namespace)
        planned = plan(view.spec, target, pods, measured, past, now)
        if planned.wished is not None:
            past.wish(now, planned.wished)
        if self._steady.get(view.uid) == (view, target, planned):
            return view.status
        status = await self._carry_out(view, kind, target, planned, past)
        if status == view.status and all(held for type, held, _, _ in planned.conditions if type == ACTIVE):
            self._steady[view.uid] = view, target, planned
        return status

    async def _carry_out(self, view: View, kind: Kind, target: Target, planned: Plan, past: Past) -> Object:
        """Write the scale if it is to change, tell what is wrong, and return the status that says so."""
        now, said = self.now(), list(planned.conditions)
        for type, held, reason, message in said:
            if type == ACTIVE and not held and reason != "ScalingDisabled":
                self.event(self.kind, view, reason, message, warning=True)
        replicas = target.replicas if planned.replicas is None else planned.replicas
        if replicas != target.replicas:
            said[0] = await self._rescale(view, kind, target, replicas, planned.why)
            if said[0][1]:
                past.changes.append(Moment(now, replicas - target.replicas))
            else:
                replicas = target.replicas
        changed = now if replicas != target.replicas else None
        return self._status(view, target, replicas, said, planned.metrics, now, changed)

    async def _target(self, kind: Kind, name: str, namespace: str) -> Target:
        """From the cache; what is not there is asked for, and the server's word on it is the one to tell."""
        held = self.cache(kind).get(namespace, name) if kind in FOLLOWED else None
        if held is not None:
            return held.facts(target_of_view)
        return target_of(await self.client.get(kind, name, namespace, subresource="scale"))

    async def _figures(self) -> Mapping[str, Measured]:
        if self._measured_together():
            return self._measured
        async with self._measuring:
            if not self._measured_together():
                self._measured = (await self._measure()).pods
                self._measured_at = self.context.clock.monotonic()
            return self._measured

    def _measured_together(self) -> bool:
        return self.context.clock.monotonic() - self._measured_at < TOGETHER_SECONDS

    def _pods_of(self, selector: Selector, namespace: str) -> Sequence[View]:
        if self._pods is None:
            self._pods = PodsByLabel(self.cache(PODS))
        return self._pods.select(selector, namespace)

    async def _rescale(
        self, view: View, kind: Kind, target: Target, replicas: int, why: str
    ) -> tuple[str, bool, str, str]:
        name = view.spec["scaleTargetRef"]["name"]
        metadata = {"name": name, "namespace": view.namespace, "resourceVersion": target.revision}
        body = {"apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": metadata, "spec": {"replicas": replicas}}
        refused = refusals(await self.write(view.key, kind, [update(kind, body, subresource="scale")]))
        if refused:
            refusal = refused[0][2]
            text = f"New size: {replicas}; reason: {why}; error: {refusal}"
            self.event(self.kind, view, "FailedRescale", text, warning=True)
            text = f"the HPA controller was unable to update the target scale: {refusal}"
            return (ABLE, False, "FailedUpdateScale", text)
        self.event(self.kind, view, "SuccessfulRescale", f"New size: {replicas}; reason: {why}")
        text = f"the HPA controller was able to update the target scale to {replicas}"
        return (ABLE, True, "SucceededRescale", text)

    def _status(
        self,
        view: View,
        target: Target | None,
        replicas: int | None,
        said: Iterable[tuple[str, bool, str, str]],
        metrics: Sequence[Object],
        now: float,
        changed: float | None = None,
    ) -> Object:
        before = view.status
        held: Sequence[Object] = before.get("conditions") or ()
        for type, value, reason, message in said:
            held = conditions.put(held, conditions.make(type, value, reason, message, now))
        status: Object = {"observedGeneration": view.generation, "conditions": list(held)}
        status["currentReplicas"] = target.running if target is not None else before.get("currentReplicas", 0)
        status["desiredReplicas"] = before.get("desiredReplicas", 0) if replicas is None else replicas
        if metrics:
            status["currentMetrics"] = list(metrics)
        moment = rfc3339(changed) if changed is not None else before.get("lastScaleTime")
        if moment:
            status["lastScaleTime"] = moment
        return status

    async def _report(self, key: str, view: View, status: Object) -> Outcome:
        if status == view.status:
            return DONE
        refused = refusals(await self.write(key, self.kind, [update_status(self.kind, view, status)]))
        return retry(refused[0][2]) if refused and refused[0][1] not in ("NotFound", "Conflict") else DONE


def until_next_look(now: float) -> float:
    """Seconds; what is nearer than a second is the look that was just had."""
    wait = PERIOD_SECONDS - now % PERIOD_SECONDS
    return wait if wait >= 1.0 else wait + PERIOD_SECONDS


def _changed(old: View | None, new: View | None) -> Iterable[str]:
    """The object itself, when its spec is new: its own status wakes nobody."""
    view = new or old
    if view is None or (old is not None and new is not None and old.generation == new.generation):
        return ()
    return (view.key,)
