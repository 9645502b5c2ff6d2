"""The rules of PriorityClass."""

from __future__ import annotations

from typing import Any

from orchestrator.api.cells import age_of, columns, name_of
from orchestrator.api.strategy import Rules, setdefault
from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.field import FieldError, forbidden, immutable, not_supported

MAX_USER_PRIORITY = 1_000_000_000
SYSTEM_PREFIX = "system-"
SYSTEM_CLASSES = {"system-cluster-critical": 2_000_000_000, "system-node-critical": 2_000_001_000}
_POLICIES = ("PreemptLowerPriority", "Never")


def _check(obj: Object) -> list[FieldError]:
    errors: list[FieldError] = []
    name, value = obj["metadata"].get("name") or "", obj.get("value") or 0
    if name.startswith(SYSTEM_PREFIX):
        if SYSTEM_CLASSES.get(name) != value:
            text = (
                f"priority class names with '{SYSTEM_PREFIX}' prefix are reserved for system use only. "
                f"error: {name} is not a known system priority class"
            )
            errors.append(forbidden("metadata.name", text))
    elif value > MAX_USER_PRIORITY:
        text = f"maximum allowed value of a user defined priority is {MAX_USER_PRIORITY}"
        errors.append(forbidden("value", text))
    policy = obj.get("preemptionPolicy")
    if policy not in _POLICIES:
        errors.append(not_supported("preemptionPolicy", policy, _POLICIES))
    return errors


def _check_update(new: Object, old: Object) -> list[FieldError]:
    errors: list[FieldError] = []
    if (new.get("value") or 0) != (old.get("value") or 0):
        errors.append(forbidden("value", "may not be changed in an update."))
    errors.extend(immutable("preemptionPolicy", new.get("preemptionPolicy"), old.get("preemptionPolicy")))
    return errors


def _row(obj: Object, now: float) -> list[Any]:
    policy = obj.get("preemptionPolicy") or ""
    return [name_of(obj), obj.get("value") or 0, bool(obj.get("globalDefault")), age_of(obj, now), policy]


RULES = (
    Rules(
        group="scheduling.k8s.io",
        kind="PriorityClass",
        namespaced=False,
        counts=lambda _new, _old: False,
        default=lambda obj: setdefault(obj, "preemptionPolicy", "PreemptLowerPriority"),
        check=_check,
        check_update=_check_update,
        columns=columns("Name", "Value:int", "Global-Default:bool", "Age", "PreemptionPolicy"),
        row=_row,
    ),
)
