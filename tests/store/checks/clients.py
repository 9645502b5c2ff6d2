"""What clients were answered, against the model: the right thing, and in an order that real time allows."""

from __future__ import annotations

from bisect import bisect_right

from tests.store.checks import Violation
from tests.store.checks.model import Model
from tests.store.simulation.clients import Operation


def check(operations: list[Operation], model: Model) -> None:
    """Every answer is what the model says at its revision; an operation sees all that ended before it began."""
    history = _history(model)
    answered = [operation for operation in operations if operation.ended is not None]
    for operation in answered:
        if operation.what == "read":
            _check_read(operation, history)
        else:
            _check_write(operation, model)
    _check_order(answered)


def _history(model: Model) -> dict[str, tuple[list[int], list[bytes | None]]]:
    history: dict[str, tuple[list[int], list[bytes | None]]] = {}
    for revision in sorted(model.values):
        for key, value in model.values[revision].items():
            revisions, values = history.setdefault(key, ([], []))
            revisions.append(revision)
            values.append(value)
    return history


def _check_read(read: Operation, history: dict[str, tuple[list[int], list[bytes | None]]]) -> None:
    for key, (_, revision, value) in zip(read.keys, read.results, strict=True):
        revisions, values = history.get(key, ([], []))
        position = bisect_right(revisions, read.revision) - 1
        stood = values[position] if position >= 0 else None
        since = revisions[position] if position >= 0 and stood is not None else 0
        if (revision, value) != (since, stood):
            raise Violation(
                f"client {read.client} read {key} = {value!r} of {revision} at revision {read.revision}, where"
                f" {stood!r} of {since} stood"
            )


def _check_write(write: Operation, model: Model) -> None:
    """A refused change stands in the model too; one that is done is there with its revision and value."""
    for key, value, (outcome, revision, _) in zip(write.keys, write.values, write.results, strict=True):
        done = outcome == "DONE" and revision > 0
        if done and model.values.get(revision, {}).get(key, b"nothing") != value:
            raise Violation(f"client {write.client} wrote {key} = {value!r} at revision {revision}: it is not there")


def _check_order(answered: list[Operation]) -> None:
    """Revisions never go back in real time, and a write that began later has a later one."""
    by_begin = sorted(answered, key=lambda operation: operation.began)
    by_end = sorted(answered, key=lambda operation: operation.ended or 0.0)
    position, newest = 0, 0
    for operation in by_begin:
        while position < len(by_end) and (by_end[position].ended or 0.0) < operation.began:
            newest = max(newest, _point(by_end[position]))
            position += 1
        if operation.revision < newest:
            raise Violation(
                f"client {operation.client}: a {operation.what} that began at {operation.began:.0f} ms is at revision"
                f" {operation.revision}, revision {newest} was answered before"
            )
        for outcome, revision, _ in operation.results:
            if operation.what != "read" and outcome == "DONE" and 0 < revision <= newest:
                raise Violation(
                    f"client {operation.client}: a write that began at {operation.began:.0f} ms got revision"
                    f" {revision}, revision {newest} was answered before"
                )


def _point(operation: Operation) -> int:
    return operation.revision
