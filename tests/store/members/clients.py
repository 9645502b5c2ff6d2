"""Clients that put, compare, delete and read, one thing after the other, and remember what they were answered.

What fails is not tried again: the next request is a new one, to another member if this one did not answer.
"""

from __future__ import annotations

import asyncio
import random
import time

from tests.store.members.door import (
    FIRST_REVISION,
    Door,
    Json,
    NotDone,
    Unknown,
    decoded,
    encoded,
    revision_of,
    span,
)
from tests.store.simulation.clients import Operation

PREFIX = "k/"
KEYS = tuple(f"{PREFIX}{number}" for number in range(6))
PATIENCE_SECONDS = 3.0
THINK_SECONDS = 0.03


def milliseconds() -> float:
    return time.monotonic() * 1000


class Client:
    """``operations`` is shared by all. ``refused``: values of writes that a member said have not happened."""

    def __init__(self, number: int, hosts: list[str], draw: random.Random, operations: list[Operation]) -> None:
        self._number = number
        self._doors = [Door(host) for host in hosts]
        self._draw = draw
        self._operations = operations
        self._count = 0
        self._known: dict[str, int] = {}
        self.refused: list[bytes] = []
        self.stopped = False

    async def run(self) -> None:
        draw = self._draw
        kinds = [self._put] * 5 + [self._get] * 3 + [self._compared] * 2 + [self._list, self._delete, self._put_two]
        while not self.stopped:
            await draw.choice(kinds)()
            await asyncio.sleep(draw.random() * THINK_SECONDS)
        for door in self._doors:
            door.close()

    # What it does

    async def _put(self) -> None:
        key, value = self._draw.choice(KEYS), self._fresh()
        operation = self._begin("write", (key,), (value,))
        answer = await self._call(operation, "kv/put", _pair(key, value))
        if answer is not None:
            self._done(operation, answer)

    async def _put_two(self) -> None:
        keys, values = tuple(self._draw.sample(KEYS, 2)), (self._fresh(), self._fresh())
        operation = self._begin("txn", keys, values)
        puts = [{"request_put": _pair(key, value)} for key, value in zip(keys, values, strict=True)]
        answer = await self._call(operation, "kv/txn", {"success": puts})
        if answer is not None:
            self._done(operation, answer)

    async def _compared(self) -> None:
        """Put if the key is as it was seen last, else read it."""
        key, value = self._draw.choice(KEYS), self._fresh()
        known = self._known.get(key, 0)
        operation = self._begin("write", (key,), (value,), (known,))
        compare = {"key": encoded(key.encode()), "target": "MOD", "result": "EQUAL"}
        compare["mod_revision"] = str(known + FIRST_REVISION if known else 0)
        put, read = {"request_put": _pair(key, value)}, {"request_range": {"key": encoded(key.encode())}}
        answer = await self._call(operation, "kv/txn", {"compare": [compare], "success": [put], "failure": [read]})
        if answer is None:
            return
        if answer.get("succeeded"):
            self._done(operation, answer)
            return
        self.refused.append(value)
        operation.what, operation.values, operation.expected = "read", (None,), (None,)
        self._read(operation, answer, answer["responses"][0]["response_range"])

    async def _delete(self) -> None:
        key = self._draw.choice(KEYS)
        operation = self._begin("write", (key,), (None,))
        answer = await self._call(operation, "kv/deleterange", {"key": encoded(key.encode())})
        if answer is None:
            return
        if answer.get("deleted"):
            self._done(operation, answer)
        else:
            operation.what = "read"
            self._read(operation, answer, {})

    async def _get(self) -> None:
        key = self._draw.choice(KEYS)
        operation = self._begin("read", (key,), (None,))
        answer = await self._call(operation, "kv/range", {"key": encoded(key.encode())})
        if answer is not None:
            self._read(operation, answer, answer)

    async def _list(self) -> None:
        operation = self._begin("read", KEYS, (None,) * len(KEYS))
        answer = await self._call(operation, "kv/range", span(PREFIX))
        if answer is not None:
            self._read(operation, answer, answer)

    # What came of it

    def _fresh(self) -> bytes:
        self._count += 1
        return b"%d.%d." % (self._number, self._count) + b"x" * self._draw.choice([0, 100, 1000])

    def _begin(
        self,
        what: str,
        keys: tuple[str, ...],
        values: tuple[bytes | None, ...],
        expected: tuple[int | None, ...] | None = None,
    ) -> Operation:
        operation = Operation(self._number, what, keys, values, expected or (None,) * len(keys), milliseconds())
        self._operations.append(operation)
        return operation

    async def _call(self, operation: Operation, path: str, body: Json) -> Json | None:
        """None: no answer, and the next request goes to another member."""
        try:
            return await self._doors[0].call(path, body, PATIENCE_SECONDS)
        except Unknown:
            pass
        except NotDone:
            self.refused += [value for value in operation.values if value is not None]
        self._doors.append(self._doors.pop(0))
        return None

    def _done(self, operation: Operation, answer: Json) -> None:
        operation.ended = milliseconds()
        operation.revision = revision_of(answer)
        operation.results = [("DONE", operation.revision, None)] * len(operation.keys)
        self._known.update(dict.fromkeys(operation.keys, operation.revision))

    def _read(self, operation: Operation, answer: Json, found: Json) -> None:
        operation.ended = milliseconds()
        operation.revision = revision_of(answer)
        values = {decoded(one["key"]).decode(): one for one in found.get("kvs", [])}
        for key in operation.keys:
            value = values.get(key)
            revision = int(value["mod_revision"]) - FIRST_REVISION if value else 0
            operation.results.append(("READ", revision, decoded(value.get("value", "")) if value else None))
            self._known[key] = revision


def _pair(key: str, value: bytes) -> Json:
    return {"key": encoded(key.encode()), "value": encoded(value)}
