"""What the log says in the end, as each member tells it, and whether what everybody saw agrees with it."""

from __future__ import annotations

import asyncio

from tests.store.checks import Violation, clients, registers, watching
from tests.store.checks.model import Model
from tests.store.members.watchers import Watcher
from tests.store.simulation.clients import Operation

TELL_SECONDS = 15.0


async def told(host: str, prefix: str, revision: int) -> Model:
    """All changes up to ``revision``, from one member."""
    watcher = Watcher([host], prefix)
    watching = asyncio.get_running_loop().create_task(watcher.run())
    try:
        async with asyncio.timeout(TELL_SECONDS):
            await watcher.reached(revision)
    except TimeoutError as error:
        seen = watcher.stretch.end
        raise Violation(f"a watch from the first revision came to {seen} of {revision} in {TELL_SECONDS} s") from error
    finally:
        watching.cancel()
    model = Model()
    model.events = [event for event in watcher.stretch.events if event[0] <= revision]
    for at, key, _ in model.events:
        model.values.setdefault(at, {})[key] = watcher.values[at, key]
    return model


def check(operations: list[Operation], refused: list[bytes], watchers: list[Watcher], models: list[Model]) -> int:
    """Raises ``Violation``; how many keys were not decided by search."""
    model = models[0]
    for number, other in enumerate(models[1:], 2):
        if (other.events, other.values) != (model.events, model.values):
            raise Violation(f"members 1 and {number} tell another history: {_difference(model, other)}")
    clients.check(operations, model)
    _check_compared(operations, model)
    _check_once(model, refused)
    for number, watcher in enumerate(watchers):
        watching.check(number, [watcher.stretch], model.events)
        wrong = [at for at, value in watcher.values.items() if model.values[at[0]][at[1]] != value]
        if wrong:
            raise Violation(f"watcher {number}: another value than others saw at {wrong[0]}")
    return registers.check(operations)


def _check_compared(operations: list[Operation], model: Model) -> None:
    """A put that was to find a key as it was seen found it so."""
    stood: dict[tuple[str, int], int] = {}
    last: dict[str, int] = {}
    for revision, key, deleted in model.events:
        stood[key, revision] = last.get(key, 0)
        last[key] = 0 if deleted else revision
    for operation in operations:
        for key, expected, result in zip(operation.keys, operation.expected, operation.results, strict=False):
            if expected is not None and result[0] == "DONE" and stood[key, result[1]] != expected:
                raise Violation(
                    f"client {operation.client} put {key} at revision {result[1]} over {expected}:"
                    f" {stood[key, result[1]]} stood there"
                )


def _check_once(model: Model, refused: list[bytes]) -> None:
    """No write took place twice, and none that was said not to have happened."""
    seen: dict[bytes, int] = {}
    for revision, changes in model.values.items():
        for value in changes.values():
            if value is not None and seen.setdefault(value, revision) != revision:
                raise Violation(f"{value[:20]!r} was written at revision {seen[value]} and again at {revision}")
    for value in refused:
        if value in seen:
            raise Violation(f"{value[:20]!r} was refused, and stands at revision {seen[value]}")


def _difference(one: Model, other: Model) -> str:
    for left, right in zip(one.events, other.events, strict=False):
        if left != right:
            return f"{left} and {right}"
    return f"{len(one.events)} and {len(other.events)} changes, or other values"
