"""PodDisruptionBudget: the status says how many of the selected pods may be evicted now.

An eviction notes its pod in ``disruptedPods``; it counts as gone until the pod is deleted or two minutes have passed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec

from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.selectors import Selector, from_label_selector
from orchestrator.apimachinery.timestamps import parse_time
from orchestrator.client.cache import Index
from orchestrator.client.kinds import (
    DEPLOYMENTS,
    PODDISRUPTIONBUDGETS,
    PODS,
    REPLICASETS,
    REPLICATIONCONTROLLERS,
    STATEFULSETS,
    Kind,
)
from orchestrator.client.requests import update_status
from orchestrator.client.subscription import KeysUnless
from orchestrator.client.view import View
from orchestrator.controllers import conditions
from orchestrator.controllers.controller import Controller, Watched, own_keys, refusals
from orchestrator.controllers.outcome import DONE, Outcome, requeue_after, retry
from orchestrator.controllers.pods import pod
from orchestrator.controllers.rollout import share

DELETION_SECONDS = 120.0
"""How long an eviction that was granted may take until its pod counts as healthy again."""
Scale = Callable[[View], tuple[str, int] | None]
"""The uid and size of what controls a pod; None when nothing with a size does."""


class Plan(msgspec.Struct, frozen=True):
    status: Object
    again_seconds: float | None


def selector_of(view: View) -> Selector:
    return from_label_selector(view.spec.get("selector"))


def plan(budget: View, pods: Sequence[View], scale: Scale, now: float) -> Plan:
    """Pure."""
    try:
        expected, desired = _numbers(budget.spec, pods, scale)
    except LookupError as missing:
        return Plan(_failed(budget, str(missing), now), None)
    disrupted, again = _disrupted(budget, pods, now)
    healthy = sum(1 for view in pods if pod(view).ready and not view.deleting and view.name not in disrupted)
    allowed = max(0, healthy - desired) if expected > 0 else 0
    reason = "SufficientPods" if allowed > 0 else "InsufficientPods"
    made = conditions.make("DisruptionAllowed", allowed > 0, reason, "", now)
    made["observedGeneration"] = budget.generation
    status: Object = {
        "observedGeneration": budget.generation,
        "disruptionsAllowed": allowed,
        "currentHealthy": healthy,
        "desiredHealthy": desired,
        "expectedPods": expected,
        "conditions": conditions.put(budget.status.get("conditions") or [], made),
    }
    if disrupted:
        status["disruptedPods"] = disrupted
    return Plan(status, again)


def _numbers(spec: Object, pods: Sequence[View], scale: Scale) -> tuple[int, int]:
    """How many pods there should be, and how many of them must stay healthy."""
    least, most = spec.get("minAvailable"), spec.get("maxUnavailable")
    if most is not None:
        expected = _expected(pods, scale)
        return expected, max(0, expected - share(most, expected, up=True))
    if isinstance(least, str):
        expected = _expected(pods, scale)
        return expected, share(least, expected, up=True)
    return len(pods), int(least or 0)


def _expected(pods: Sequence[View], scale: Scale) -> int:
    sizes: dict[str, int] = {}
    for view in pods:
        found = scale(view)
        if found is None:
            raise LookupError(f"found no controller ref for pod {view.name!r}")
        sizes[found[0]] = found[1]
    return sum(sizes.values())


def _disrupted(budget: View, pods: Sequence[View], now: float) -> tuple[dict[str, str], float | None]:
    there = {view.name: view for view in pods}
    kept: dict[str, str] = {}
    again: float | None = None
    for name, moment in (budget.status.get("disruptedPods") or {}).items():
        view, left = there.get(name), parse_time(moment) + DELETION_SECONDS - now
        if view is None or view.deleting or left <= 0:
            continue
        kept[name] = moment
        again = left if again is None else min(again, left)
    return kept, again


def _failed(budget: View, message: str, now: float) -> Object:
    made = conditions.make("DisruptionAllowed", False, "SyncFailed", message, now)
    made["observedGeneration"] = budget.generation
    held = {"currentHealthy": 0, "desiredHealthy": 0, "expectedPods": 0, **budget.status}
    listed = conditions.put(budget.status.get("conditions") or [], made)
    return {**held, "disruptionsAllowed": 0, "observedGeneration": budget.generation, "conditions": listed}


class Disruption(Controller, kind=PODDISRUPTIONBUDGETS):
    """Keeps the status of budgets true."""

    def watches(self) -> list[Watched]:
        return [
            Watched(PODDISRUPTIONBUDGETS, own_keys, {"namespace": _namespace}),
            Watched(PODS, KeysUnless(self._no_budgets, self._pod_keys)),
        ]

    def reads(self) -> Mapping[Kind, Mapping[str, Index]]:
        return {kind: {} for kind in (DEPLOYMENTS, REPLICASETS, REPLICATIONCONTROLLERS, STATEFULSETS)}

    def _no_budgets(self) -> bool:
        return self.cache(PODDISRUPTIONBUDGETS).empty("namespace")

    def _pod_keys(self, old: View | None, new: View | None) -> Iterable[str]:
        budgets = self.cache(PODDISRUPTIONBUDGETS)
        view = new or old
        if view is None or not budgets.count("namespace", view.namespace) or not _matters(old, new):
            return ()
        return [
            budget.key
            for budget in budgets.by_index("namespace", view.namespace)
            if any(budget.facts(selector_of).matches(held.labels) for held in (old, new) if held is not None)
        ]

    def _scale(self, view: View) -> tuple[str, int] | None:
        owner = view.owner
        if owner is None:
            return None
        for kind in (REPLICASETS, STATEFULSETS, REPLICATIONCONTROLLERS, DEPLOYMENTS):
            if owner.kind != kind.kind:
                continue
            held = self.cache(kind).get(view.namespace, owner.name)
            if held is None or held.uid != owner.uid:
                return None
            parent = self._scale(held) if kind == REPLICASETS else None
            return parent or (held.uid, held.spec.get("replicas", 1))
        return None

    async def reconcile(self, key: str) -> Outcome:
        budget = self.cache(PODDISRUPTIONBUDGETS).get_key(key)
        if budget is None:
            return DONE
        selector = budget.facts(selector_of)
        pods = [view for view in self.cache(PODS).select(selector, budget.namespace) if not pod(view).finished]
        planned = plan(budget, pods, self._scale, self.now())
        if planned.status != budget.status:
            writes = [update_status(PODDISRUPTIONBUDGETS, budget, planned.status)]
            refused = refusals(await self.write(key, PODDISRUPTIONBUDGETS, writes))
            if refused and refused[0][1] != "NotFound":
                return retry(refused[0][2])
        return requeue_after(planned.again_seconds) if planned.again_seconds is not None else DONE


def _namespace(view: View) -> Iterable[str]:
    return (view.namespace,)


def _matters(old: View | None, new: View | None) -> bool:
    if old is None or new is None:
        return True
    before, after = pod(old), pod(new)
    return (
        before.ready != after.ready
        or before.finished != after.finished
        or old.deleting != new.deleting
        or old.meta.labels != new.meta.labels
    )
