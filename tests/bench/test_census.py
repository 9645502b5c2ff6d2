from __future__ import annotations

from typing import Any

import msgspec

from actors import Actor, System
from orchestrator.bench.census import census, reach, weight


class Leaf(msgspec.Struct, frozen=True, gc=False):
    """The collector does not know what it refers to."""

    part: bytes


class Store(Actor):
    def __init__(self, part: bytes) -> None:
        self.held = {"key": Leaf(part)}

    async def receive(self, message: Any) -> None: ...


class Reader(Actor):
    def __init__(self, part: bytes) -> None:
        self.seen = [part]
        self.friends = System

    async def receive(self, message: Any) -> None: ...


def test_what_is_reached_twice_counts_once() -> None:
    part = bytes(1000)
    size, count = reach([[part, part], Leaf(part)], set())
    assert count == 3
    assert size == weight([part, part]) + weight(part) + weight(Leaf(part))


async def test_what_two_actors_hold_counts_for_the_store() -> None:
    part = bytes(100_000)
    async with System("census") as system:
        await system.spawn(Reader, part, name="reader")
        await system.spawn(Store, part, name="store")
        held = census(system)
    assert held["Store"][0] > 100_000
    assert held["Reader"][0] < 10_000
