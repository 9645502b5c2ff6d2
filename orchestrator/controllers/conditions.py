"""Lists of conditions, changed by copy. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.timestamps import rfc3339


def find(conditions: Sequence[Object], type: str) -> Object | None:
    return next((condition for condition in conditions if condition.get("type") == type), None)


def is_true(conditions: Sequence[Object], type: str) -> bool:
    held = find(conditions, type)
    return held is not None and held.get("status") == "True"


def make(type: str, status: bool | str, reason: str, message: str, now: float) -> Object:
    text = status if isinstance(status, str) else ("True" if status else "False")
    return {"type": type, "status": text, "lastTransitionTime": rfc3339(now), "reason": reason, "message": message}


def put(conditions: Sequence[Object], condition: Object) -> list[Object]:
    """With ``condition`` in place of the one of its type.

    The transition time stays while the status stays, and one that says nothing new changes nothing.
    """
    held = find(conditions, condition["type"])
    if held is None:
        return [*conditions, condition]
    if _same(held, condition, ("status", "reason", "message", "observedGeneration")):
        return list(conditions)
    if held.get("status") == condition["status"] and "lastTransitionTime" in held:
        condition = {**condition, "lastTransitionTime": held["lastTransitionTime"]}
    return [condition if other is held else other for other in conditions]


def drop(conditions: Sequence[Object], type: str) -> list[Object]:
    return [condition for condition in conditions if condition.get("type") != type]


def _same(one: Object, other: Object, names: Sequence[str]) -> bool:
    empty: Any = ""
    return all(one.get(name, empty) == other.get(name, empty) for name in names)
