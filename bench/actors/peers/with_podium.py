"""Podium's actors: MessagePack mailboxes with bounds, under supervision. The message typed, and as an untyped dict."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[3]))

import measure
import msgspec

from actors import Actor, Ask, Ref, System, Tell
from bench.actors import remote
from orchestrator.apimachinery.encoded import Encoded, encode


class Address(msgspec.Struct, frozen=True):
    street: str
    city: str


class Customer(msgspec.Struct, frozen=True):
    name: str
    mail: str
    address: Address


class Item(msgspec.Struct, frozen=True):
    sku: str
    count: int
    price: float
    tags: list[str]


class Order(Tell):
    id: int
    kind: str
    at: float
    customer: Customer
    items: list[Item]
    paid: bool
    note: str


class Parcel(Tell):
    body: dict[str, Any]


class Reading(Tell):
    sensor: int
    place: str
    value: float
    valid: bool
    unit: str


class Changed(Tell):
    object: Encoded


class Place(Ask[dict[str, Any]]):
    body: dict[str, Any]


class Bill(msgspec.Struct, frozen=True):
    id: int
    kind: str
    at: float
    customer: Customer
    items: list[Item]
    paid: bool
    note: str


class Quote(Ask[Bill]):
    body: Bill


ORDER = msgspec.convert(measure.MESSAGE, Order)
QUOTE = Quote(msgspec.convert(measure.MESSAGE, Bill))
ENVIRONMENT = [{"name": f"V{number}", "value": "x" * 40} for number in range(20)]
POD = encode(
    {
        "metadata": {"name": "web", "namespace": "default", "labels": {"app": "web"}},
        "spec": {"containers": [{"name": "web", "image": "registry.example/web:1.27", "env": ENVIRONMENT}]},
        "status": {"phase": "Running", "podIP": "10.0.0.7"},
    }
)
"""1.3 KB in three parts."""


class Counter(Actor):
    def __init__(self) -> None:
        self.count = 0

    async def receive(self, message: Any) -> None:
        self.count += 1


class Clerk(Actor):
    """Answers with what it is asked."""

    async def receive(self, message: Any) -> Any:
        return message.body


async def _tell(watch: measure.Watch, message: Tell, count: int) -> None:
    async with System() as system:
        ref: Ref[Any] = await system.spawn(Counter)
        with watch(count):
            for _ in range(count):
                await ref.tell(message)
            await system.idle()
        assert ref._cell.actor.count == count  # type: ignore[union-attr]


async def tell(watch: measure.Watch) -> None:
    await _tell(watch, Parcel(measure.MESSAGE), 40_000)


async def tell_typed(watch: measure.Watch) -> None:
    await _tell(watch, ORDER, 40_000)


async def tell_small(watch: measure.Watch) -> None:
    await _tell(watch, Reading(**measure.SMALL), 80_000)


async def tell_encoded(watch: measure.Watch) -> None:
    await _tell(watch, Changed(POD), 80_000)


async def _ask(watch: measure.Watch, message: Ask[Any], count: int) -> None:
    async with System() as system:
        ref: Ref[Any] = await system.spawn(Clerk)
        with watch(count):
            for _ in range(count):
                await ref.ask(message)


async def ask(watch: measure.Watch) -> None:
    await _ask(watch, Place(measure.MESSAGE), 8_000)


async def ask_typed(watch: measure.Watch) -> None:
    await _ask(watch, QUOTE, 8_000)


async def spawn(watch: measure.Watch) -> None:
    async with System() as system:
        with watch(10_000):
            for _ in range(10_000):
                await system.spawn(Counter)


async def idle(watch: measure.Watch) -> None:
    """Each actor has handled a message."""
    async with System() as system:
        with watch.weigh(20_000):
            refs = [await system.spawn(Counter) for _ in range(20_000)]
            for ref in refs:
                await ref.tell(Reading(**measure.SMALL))
            await system.idle()


async def million(watch: measure.Watch) -> None:
    """A million actors that have handled a message each, alive at once; the rate is that of spawning and telling."""
    async with System() as system:
        with watch.weigh(1_000_000), watch(1_000_000):
            refs = []
            for _ in range(1_000_000):
                refs.append(ref := await system.spawn(Counter))
                await ref.tell(Reading(**measure.SMALL))
                if len(refs) % 1000 == 0:
                    await asyncio.sleep(0)
            await system.idle()
            assert system.statistics().actors == 1_000_000, system.statistics()


if __name__ == "__main__":
    measure.main(
        {
            "tell": tell,
            "tell_typed": tell_typed,
            "tell_small": tell_small,
            "tell_encoded": tell_encoded,
            "ask": ask,
            "ask_typed": ask_typed,
            "spawn": spawn,
            "idle": idle,
            "million": million,
            **remote.CASES,
        },
        "this tree",
    )
