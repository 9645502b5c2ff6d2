"""What can be waited for: a condition, a phase, that an object is there or gone, or a function. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from orchestrator.apimachinery.encoded import Object

Met = Callable[[Object | None], bool]
Goal = str | Callable[[Any], bool]
"""``"Available"``, ``"Ready=False"``, ``"phase=Running"``, ``"exists"``, ``"deleted"``, or a function of the object."""


def met(goal: Goal) -> Met:
    """Whether an object (None: it is not there) meets ``goal``."""
    if not isinstance(goal, str):
        return lambda obj: obj is not None and bool(goal(obj))
    if goal == "exists":
        return lambda obj: obj is not None
    if goal == "deleted":
        return lambda obj: obj is None
    name, _, wanted = goal.partition("=")
    if name == "phase":
        return lambda obj: obj is not None and (obj.get("status") or {}).get("phase") == wanted
    return lambda obj: obj is not None and _condition(obj, name, wanted or "True")


def _condition(obj: Object, name: str, wanted: str) -> bool:
    held = condition(obj, name)
    if held is None or held.get("status") != wanted:
        return False
    seen = held.get("observedGeneration") or (obj.get("status") or {}).get("observedGeneration")
    return seen is None or bool(seen >= obj["metadata"].get("generation", 0))


def condition(obj: Object, name: str) -> Object | None:
    """The condition of that type, whatever its case."""
    held = (obj.get("status") or {}).get("conditions") or ()
    return next((one for one in held if str(one.get("type")).lower() == name.lower()), None)


def describe(goal: Goal) -> str:
    return goal if isinstance(goal, str) else getattr(goal, "__name__", repr(goal)).replace("<lambda>", "the condition")
