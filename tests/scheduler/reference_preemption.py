"""Preemption of the slow, obvious scheduler: for each node, who would have to go, and what that costs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.scheduler import reference
from tests.scheduler.reference import World, capacity, labels, requests, selector_matches

Object = dict[str, Any]
HOPELESS = (
    "node(s) didn't satisfy plugin(s) [NodeAffinity]",
    "node(s) were unschedulable",
    "node(s) had untolerated taint(s)",
    "node(s) didn't match Pod's node affinity/selector",
    "node(s) didn't find available persistent volumes to bind",
    "node(s) didn't match PersistentVolume's node affinity",
    "node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)",
    "node(s) had no available volume zone",
    "node(s) didn't match pod topology spread constraints (missing required label)",
    "node(s) didn't match pod affinity rules",
)
"""Reasons that no pod's leaving changes."""


def priority(pod: Object) -> int:
    found: int = pod["spec"].get("priority", 0)
    return found


def started(pod: Object) -> int:
    found: int = pod["started"]
    return found


def hopeless(pod: Object, node: Object, reasons: list[str]) -> bool:
    if any(reason in HOPELESS for reason in reasons):
        return True
    short = [reason.removeprefix("Insufficient ") for reason in reasons if reason.startswith("Insufficient ")]
    return any(requests(pod, name) > capacity(node, name) for name in short)


def candidates(world: World, pod: Object, budgets: list[Object]) -> dict[str, tuple[list[str], tuple[float, ...]]]:
    """By node: the uids of those who would have to go, and the cost; the lowest is best."""
    found: dict[str, tuple[list[str], tuple[float, ...]]] = {}
    for node in world.nodes:
        if hopeless(pod, node, reference.refuses(world, pod, node)):
            continue
        lower = [other for other in world.on(node) if priority(other) < priority(pod)]
        victims, broken = victims_on(world, pod, node, lower, budgets)
        if victims:
            highest = max(map(priority, victims))
            first = min(started(other) for other in victims if priority(other) == highest)
            total = sum(priority(other) + 2**31 for other in victims)
            cost = (broken, highest, total, len(victims), -first)
            found[node["metadata"]["name"]] = (sorted(other["metadata"]["uid"] for other in victims), cost)
    return found


def victims_on(
    world: World, pod: Object, node: Object, lower: list[Object], budgets: list[Object]
) -> tuple[list[Object], int]:
    """All lower pods go; then they come back one by one, the important ones first, as long as the pod fits."""
    without = replace(world, pods=[other for other in world.pods if other not in lower])
    if not lower or reference.refuses(without, pod, node):
        return [], 0
    lower = sorted(lower, key=lambda other: (-priority(other), started(other)))
    left = [budget["allowed"] for budget in budgets]
    breaking = []
    for other in lower:
        breaks = False
        for index, budget in enumerate(budgets):
            same = budget["namespace"] == other["metadata"]["namespace"]
            if same and selector_matches(budget["selector"], labels(other)):
                left[index] -= 1
                breaks = breaks or left[index] < 0
        if breaks:
            breaking.append(other)
    victims = []
    for other in breaking + [each for each in lower if each not in breaking]:
        without.pods.append(other)
        if reference.refuses(without, pod, node):
            without.pods.remove(other)
            victims.append(other)
    return victims, sum(other in breaking for other in victims)
