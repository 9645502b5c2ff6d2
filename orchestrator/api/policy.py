"""The rules of PodDisruptionBudget."""

from __future__ import annotations

from typing import Any

from orchestrator.api.cells import age_of, columns, name_of
from orchestrator.api.counts import above_hundred, number_or_percent
from orchestrator.api.strategy import Rules, spec_changed
from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.field import FieldError, Path, invalid, not_supported
from orchestrator.apimachinery.selectors import validate_label_selector

_SPEC = Path("spec")
_EVICTION = ("AlwaysAllow", "IfHealthyBudget")


def _check(obj: Object) -> list[FieldError]:
    spec = obj.get("spec") or {}
    low, high = spec.get("minAvailable"), spec.get("maxUnavailable")
    errors: list[FieldError] = []
    policy = spec.get("unhealthyPodEvictionPolicy")
    if low is not None and high is not None:
        shown = {
            "MinAvailable": low,
            "Selector": spec.get("selector"),
            "MaxUnavailable": high,
            "UnhealthyPodEvictionPolicy": policy,
        }
        errors.append(invalid(_SPEC, shown, "minAvailable and maxUnavailable cannot be both set"))
    for key, value in (("minAvailable", low), ("maxUnavailable", high)):
        if value is not None:
            errors.extend(number_or_percent(value, _SPEC.child(key)))
            errors.extend(above_hundred(value, _SPEC.child(key)))
    errors.extend(validate_label_selector(spec.get("selector"), _SPEC.child("selector")))
    if policy is not None and policy not in _EVICTION:
        errors.append(not_supported(_SPEC.child("unhealthyPodEvictionPolicy"), policy, _EVICTION))
    return errors


def _row(obj: Object, now: float) -> list[Any]:
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    shown = ["N/A" if spec.get(key) is None else str(spec[key]) for key in ("minAvailable", "maxUnavailable")]
    return [name_of(obj), *shown, status.get("disruptionsAllowed") or 0, age_of(obj, now)]


RULES = (
    Rules(
        group="policy",
        kind="PodDisruptionBudget",
        has_status=True,
        counts=spec_changed,
        unconditional_update=False,
        check=_check,
        columns=columns("Name", "Min Available", "Max Unavailable", "Allowed Disruptions:int", "Age"),
        row=_row,
    ),
)
