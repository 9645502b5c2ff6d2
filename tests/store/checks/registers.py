"""Linearizability of each key as a register, by search (Wing and Gong, with Lowe's memory): revisions are not trusted.

An operation without an answer may have happened at any time after it began, or never. Its value is only considered if
somebody saw it: one that nobody saw can as well not have happened.
"""

from __future__ import annotations

from dataclasses import dataclass

from tests.store.checks import Violation
from tests.store.simulation.clients import Operation

MAX_STEPS = 20_000
"""Of the search on one key; beyond it the key counts as not decided. The order of revisions is checked besides."""
FOREVER = float("inf")


@dataclass(frozen=True, slots=True)
class Step:
    """``writes``: what it leaves (None: nothing there), ``expects``: what must stand; ``ANY`` for no condition."""

    began: float
    ended: float
    expects: object
    writes: object


ANY = object()
SAME = object()


def check(operations: list[Operation]) -> int:
    """Raises ``Violation``; how many keys were not decided."""
    undecided = 0
    for key in sorted({key for operation in operations for key in operation.keys}):
        steps = _steps(operations, key)
        found = _search(steps)
        if found is False:
            raise Violation(f"no order of the {len(steps)} operations on {key} explains what clients saw")
        undecided += found is None
    return undecided


def _steps(operations: list[Operation], key: str) -> list[Step]:
    values = {0: None} | {
        revision: value
        for operation in operations
        for name, value, (outcome, revision, read) in zip(
            operation.keys, operation.values, operation.results, strict=False
        )
        if name == key and operation.what != "read" and outcome == "DONE" and revision
    }
    seen: set[bytes | None] = {
        result[2]
        for operation in operations
        for name, result in zip(operation.keys, operation.results, strict=False)
        if name == key and operation.what == "read"
    }
    steps = []
    for operation in operations:
        if key not in operation.keys:
            continue
        place = operation.keys.index(key)
        step = _answered(operation, place) if operation.ended is not None else _unknown(operation, place, seen, values)
        if step is not None:
            steps.append(step)
    return steps


def _answered(operation: Operation, place: int) -> Step | None:
    assert operation.ended is not None
    outcome, revision, value = operation.results[place]
    if operation.what == "read":
        return Step(operation.began, operation.ended, value, SAME)
    if outcome != "DONE" or not revision:
        return None  # a refusal is checked by the model
    return Step(operation.began, operation.ended, ANY, operation.values[place])


def _unknown(operation: Operation, place: int, seen: set[bytes | None], values: dict[int, bytes | None]) -> Step | None:
    value = operation.values[place]
    if operation.what == "read" or value not in seen:
        return None
    return Step(operation.began, FOREVER, ANY, value)


def _search(steps: list[Step]) -> bool | None:
    """Whether some order fits; None when the search was given up."""
    steps = sorted(steps, key=lambda step: step.began)
    must = sum(1 << place for place, step in enumerate(steps) if step.ended < FOREVER)
    stack: list[tuple[int, object]] = [(0, None)]
    known: set[tuple[int, object]] = {(0, None)}
    visited = 0
    while stack:
        done, state = stack.pop()
        if done & must == must:
            return True
        visited += 1
        if visited > MAX_STEPS:
            return None
        limit = FOREVER
        candidates = []
        for place, step in enumerate(steps):
            if step.began > limit:
                break
            if not done >> place & 1:
                candidates.append(place)
                limit = min(limit, step.ended)
        for place in reversed(candidates):
            step = steps[place]
            if step.began > limit or (step.expects is not ANY and step.expects != state):
                continue
            after = (done | 1 << place, state if step.writes is SAME else step.writes)
            if after not in known:
                known.add(after)
                stack.append(after)
    return False
