"""How fast a count may change: the most careful recommendation of a window, then so much in so many seconds. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec

from orchestrator.apimachinery.encoded import Object

UP_POLICIES: list[Object] = [
    {"type": "Percent", "value": 100, "periodSeconds": 15},
    {"type": "Pods", "value": 4, "periodSeconds": 15},
]
DOWN_POLICIES: list[Object] = [{"type": "Percent", "value": 100, "periodSeconds": 15}]
DOWN_WINDOW = 300
MAX_REMEMBERED = 512
"""Recommendations and changes kept for one autoscaler: more than an hour of periods."""


class Rules(msgspec.Struct, frozen=True):
    window: float
    policies: list[Object]
    select: str

    def longest(self) -> float:
        return max((float(policy["periodSeconds"]) for policy in self.policies), default=0.0)


class Change(msgspec.Struct, frozen=True):
    at: float
    delta: int


class Memory(msgspec.Struct):
    """What was recommended and what was done lately."""

    recommended: list[tuple[float, int]] = []
    changes: list[Change] = []


class Limited(msgspec.Struct, frozen=True):
    replicas: int
    stabilized: bool
    reason: str
    """Of the ScalingLimited condition; DesiredWithinRange when nothing held it."""


def up_rules(behavior: Object) -> Rules:
    return _rules(behavior.get("scaleUp") or {}, 0, UP_POLICIES)


def down_rules(behavior: Object) -> Rules:
    return _rules(behavior.get("scaleDown") or {}, DOWN_WINDOW, DOWN_POLICIES)


def _rules(stated: Object, window: int, policies: list[Object]) -> Rules:
    seconds = stated.get("stabilizationWindowSeconds")
    return Rules(
        float(window if seconds is None else seconds),
        stated.get("policies") or policies,
        stated.get("selectPolicy") or "Max",
    )


def limit(memory: Memory, behavior: Object, current: int, desired: int, bounds: tuple[int, int], now: float) -> Limited:
    """``desired`` as stabilization, policies and ``bounds`` (least, most) let it be. Remembers the recommendation."""
    up, down = up_rules(behavior), down_rules(behavior)
    steady = _stabilized(memory, up, down, current, desired, now)
    _forget(memory, up, down, now)
    least, most = bounds
    if steady > current:
        return _raised(memory, up, current, steady, most, now, steady != desired)
    if steady < current:
        return _lowered(memory, down, current, steady, least, now, steady != desired)
    held = min(max(steady, least), most)
    reason = "DesiredWithinRange" if held == steady else "TooFewReplicas" if held > steady else "TooManyReplicas"
    return Limited(held, steady != desired, reason)


def _stabilized(memory: Memory, up: Rules, down: Rules, current: int, desired: int, now: float) -> int:
    if not memory.recommended:
        memory.recommended.append((now, current))
    least = min([desired, *(value for at, value in memory.recommended if at > now - up.window)])
    most = max([desired, *(value for at, value in memory.recommended if at > now - down.window)])
    memory.recommended.append((now, desired))
    return min(max(current, least), most)


def _forget(memory: Memory, up: Rules, down: Rules, now: float) -> None:
    window, period = max(up.window, down.window), max(up.longest(), down.longest())
    memory.recommended = [one for one in memory.recommended if one[0] > now - max(window, 1.0)][-MAX_REMEMBERED:]
    memory.changes = [one for one in memory.changes if one.at > now - period][-MAX_REMEMBERED:]


def _raised(memory: Memory, rules: Rules, current: int, steady: int, most: int, now: float, moved: bool) -> Limited:
    allowed = current
    if rules.select != "Disabled":
        choices = []
        for policy in rules.policies:
            start = current - _moved(memory.changes, policy, now)
            share = math.ceil(round(start * (1 + policy["value"] / 100), 9))
            choices.append(start + policy["value"] if policy["type"] == "Pods" else share)
        allowed = max(current, min(choices) if rules.select == "Min" else max(choices))
    if steady <= min(allowed, most):
        return Limited(steady, moved, "DesiredWithinRange")
    return Limited(min(allowed, most), moved, "ScaleUpLimit" if allowed < most else "TooManyReplicas")


def _lowered(memory: Memory, rules: Rules, current: int, steady: int, least: int, now: float, moved: bool) -> Limited:
    allowed = current
    if rules.select != "Disabled":
        choices = []
        for policy in rules.policies:
            start = current - _moved(memory.changes, policy, now)
            share = int(round(start * (1 - policy["value"] / 100), 9))
            choices.append(start - policy["value"] if policy["type"] == "Pods" else share)
        allowed = min(current, max(choices) if rules.select == "Min" else min(choices))
    if steady >= max(allowed, least):
        return Limited(steady, moved, "DesiredWithinRange")
    return Limited(max(allowed, least), moved, "ScaleDownLimit" if allowed > least else "TooFewReplicas")


def _moved(changes: Sequence[Change], policy: Object, now: float) -> int:
    """By how much the count grew (or shrank, below zero) in the policy's period."""
    return sum(change.delta for change in changes if change.at > now - policy["periodSeconds"])
