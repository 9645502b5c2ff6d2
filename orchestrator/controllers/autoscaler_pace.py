"""How far and how fast a scale may move: stabilization over recent wishes, policies over recent changes. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import msgspec

from orchestrator.apimachinery.encoded import Object

UP_RULES: Object = {
    "stabilizationWindowSeconds": 0,
    "selectPolicy": "Max",
    "policies": [
        {"type": "Pods", "value": 4, "periodSeconds": 15},
        {"type": "Percent", "value": 100, "periodSeconds": 15},
    ],
}
DOWN_RULES: Object = {"selectPolicy": "Max", "policies": [{"type": "Percent", "value": 100, "periodSeconds": 15}]}
"""What an autoscaler without ``behavior`` follows."""
DOWN_WINDOW_SECONDS = 300
"""The stabilization of scaling down where nothing else is said."""
LONGEST_SECONDS = 3600.0
"""No window and no period is longer: older wishes and changes are forgotten."""

STABLE_UP = "recent recommendations were lower than current one, applying the lowest recent recommendation"
STABLE_DOWN = "recent recommendations were higher than current one, applying the highest recent recommendation"


class Moment(msgspec.Struct, frozen=True):
    """A wish for so many replicas, or a change by so many (negative: down), at a time in Unix seconds."""

    at: float
    replicas: int


class Past(msgspec.Struct):
    """What one autoscaler wished and did."""

    wishes: list[Moment] = []
    changes: list[Moment] = []

    def wish(self, now: float, replicas: int) -> None:
        """A wish that is repeated takes the place of the one before: no window has the older but not the newer."""
        if self.wishes and self.wishes[-1].replicas == replicas:
            self.wishes.pop()
        self.wishes.append(Moment(now, replicas))

    def forget(self, now: float) -> None:
        for moments in (self.wishes, self.changes):
            while moments and moments[0].at <= now - LONGEST_SECONDS:
                del moments[0]


class Verdict(msgspec.Struct, frozen=True):
    """Reason and message say why it is not what was wished; an empty reason: it is."""

    replicas: int
    reason: str = ""
    message: str = ""


def rules(spec: Object) -> tuple[Object, Object]:
    """The rules for scaling up and for scaling down."""
    behavior = spec.get("behavior")
    if not behavior:
        return UP_RULES, DOWN_RULES
    return {**UP_RULES, **(behavior.get("scaleUp") or {})}, {**DOWN_RULES, **(behavior.get("scaleDown") or {})}


def stabilized(spec: Object, current: int, wished: int, wishes: Sequence[Moment], now: float) -> Verdict:
    """Up no further than the least, down no further than the greatest wish of the window."""
    up, down = rules(spec)
    rise = up.get("stabilizationWindowSeconds") or 0
    fall = down.get("stabilizationWindowSeconds")
    fall = DOWN_WINDOW_SECONDS if fall is None else fall
    least = min([wished, *_since(wishes, now - rise)])
    greatest = max([wished, *_since(wishes, now - fall)])
    found = min(max(current, least), greatest)
    if found == wished:
        return Verdict(found)
    if found < wished:
        return Verdict(found, "ScaleUpStabilized", STABLE_UP)
    return Verdict(found, "ScaleDownStabilized", STABLE_DOWN)


def limited(spec: Object, current: int, wished: int, changes: Sequence[Moment], now: float) -> Verdict:
    """Between the least and the most replicas, and no faster than the policies allow."""
    up, down = rules(spec)
    low, high = spec.get("minReplicas", 1), spec["maxReplicas"]
    if wished > current:
        ceiling = max(current, _ceiling(up, current, changes, now))
        if wished > min(ceiling, high):
            if high <= ceiling:
                return _too_many(high)
            text = "the desired replica count is increasing faster than the maximum scale rate"
            return Verdict(ceiling, "ScaleUpLimit", text)
    elif wished < current:
        floor = min(current, _floor(down, current, changes, now))
        if wished < max(floor, low):
            if low >= floor:
                return _too_few(low)
            text = "the desired replica count is decreasing faster than the maximum scale rate"
            return Verdict(floor, "ScaleDownLimit", text)
    if wished > high:
        return _too_many(high)
    return _too_few(low) if wished < low else Verdict(wished)


def _too_many(high: int) -> Verdict:
    return Verdict(high, "TooManyReplicas", "the desired replica count is more than the maximum replica count")


def _too_few(low: int) -> Verdict:
    return Verdict(low, "TooFewReplicas", "the desired replica count is less than the minimum replica count")


def _ceiling(stated: Object, current: int, changes: Sequence[Moment], now: float) -> int:
    if stated["selectPolicy"] == "Disabled":
        return current
    found = [
        start + value if kind == "Pods" else math.ceil(start * (100 + value) / 100)
        for kind, value, start in _policies(stated, current, changes, now)
    ]
    return min(found) if stated["selectPolicy"] == "Min" else max(found)


def _floor(stated: Object, current: int, changes: Sequence[Moment], now: float) -> int:
    if stated["selectPolicy"] == "Disabled":
        return current
    found = [
        start - value if kind == "Pods" else start * (100 - value) // 100
        for kind, value, start in _policies(stated, current, changes, now)
    ]
    return max(found) if stated["selectPolicy"] == "Min" else min(found)


def _policies(stated: Object, current: int, changes: Sequence[Moment], now: float) -> Iterable[tuple[str, int, int]]:
    """Of each policy its type, its value, and how many replicas there were when its period began."""
    for policy in stated["policies"]:
        start = current - sum(_since(changes, now - policy["periodSeconds"]))
        yield policy["type"], policy["value"], start


def _since(moments: Iterable[Moment], start: float) -> list[int]:
    return [held.replicas for held in moments if held.at > start]
