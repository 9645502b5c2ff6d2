"""casty: virtual actors above a runtime in Rust; messages are serialized inside of a process too, by their types."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version

import measure
from casty import ActorSystem, Askable, Context, actor


@dataclass(frozen=True)
class Address:
    street: str
    city: str


@dataclass(frozen=True)
class Customer:
    name: str
    mail: str
    address: Address


@dataclass(frozen=True)
class Item:
    sku: str
    count: int
    price: float
    tags: tuple[str, ...]


@dataclass(frozen=True)
class Order:
    id: int
    kind: str
    at: float
    customer: Customer
    items: tuple[Item, ...]
    paid: bool
    note: str


@dataclass(frozen=True)
class Quote(Askable[Order]):
    order: Order


def _order() -> Order:
    message = measure.MESSAGE
    customer = message["customer"]
    return Order(
        message["id"],
        message["kind"],
        message["at"],
        Customer(customer["name"], customer["mail"], Address(**customer["address"])),
        tuple(Item(item["sku"], item["count"], item["price"], tuple(item["tags"])) for item in message["items"]),
        message["paid"],
        message["note"],
    )


ORDER = _order()


@actor(initial=0)
async def counter(ctx: Context[int, Order | Quote]) -> None:
    async for message in ctx.inbox:
        match message:
            case Quote(order):
                message.reply_to.tell(order)


async def tell(watch: measure.Watch) -> None:
    async with ActorSystem() as system:
        ref = system.ref(counter, "one")
        await ref.ask(Quote(ORDER))
        with watch(20_000):
            for number in range(20_000):
                if number % 500 == 499:  # its mailbox is bounded, and tell does not wait
                    await ref.ask(Quote(ORDER))
                else:
                    ref.tell(ORDER)


async def ask(watch: measure.Watch) -> None:
    async with ActorSystem() as system:
        ref = system.ref(counter, "one")
        await ref.ask(Quote(ORDER))
        with watch(5_000):
            for _ in range(5_000):
                await ref.ask(Quote(ORDER))


async def spawn(watch: measure.Watch) -> None:
    """A virtual actor comes to be with its first message."""
    async with ActorSystem() as system:
        with watch(2_000):
            for number in range(2_000):
                await system.ref(counter, f"key-{number}").ask(Quote(ORDER))


async def idle(watch: measure.Watch) -> None:
    async with ActorSystem() as system:
        with watch.weigh(5_000):
            for number in range(5_000):
                await system.ref(counter, f"key-{number}").ask(Quote(ORDER))


if __name__ == "__main__":
    measure.main({"tell": tell, "ask": ask, "spawn": spawn, "idle": idle}, version("casty"))
