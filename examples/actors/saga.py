"""A saga with supervision: ``python -m examples.actors.saga``.

An order reserves goods, charges a card and ships. Each step has a step back; when one fails, those done are undone in
reverse. The services crash now and then, as services do: they are restarted, and since each step bears the order's
number and is done once however often it is asked for, a saga asks again and nothing is lost or charged twice.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import structlog

from actors import (
    Actor,
    Ask,
    AskTimeout,
    Backoff,
    Down,
    Intensity,
    Ref,
    Refused,
    StateMachine,
    Supervisor,
    System,
    Tell,
    child,
    one_for_one,
    temporary,
)

ORDERS = 40
STOCK = 30
STEPS = ("stock", "card", "carrier")


class Do(Ask[None]):
    order: int


class Undo(Ask[None]):
    order: int


class Ledger(Ask[list[int]]):
    """Which orders a service has done and not undone."""


class Run(Ask[str]):
    """Answered with the outcome when the saga has come to its end."""


class Go(Tell):
    pass


class Service(Actor):
    """Does its step once for each order. What is done is kept in ``done``, which stands for its database."""

    def __init__(self, done: dict[int, None], capacity: int, broken: tuple[int, ...] = ()) -> None:
        self.done, self.capacity, self.broken = done, capacity, broken

    async def receive(self, message: Do | Undo | Ledger) -> Any:
        match message:
            case Do(order):
                self.stumble()
                if order in self.broken or (order not in self.done and len(self.done) >= self.capacity):
                    raise Refused("cannot", f"{self.context.path} cannot do order {order}")
                self.done[order] = None
                self.stumble()  # done, and the asker will not know
            case Undo(order):
                self.stumble()
                self.done.pop(order, None)
            case Ledger():
                return sorted(self.done)
        return None

    def stumble(self) -> None:
        if self.context.random.random() < 0.1:
            raise ConnectionError("the service fell over")


class Saga(StateMachine):
    """Forward through the steps; after a refusal backward through those that were done."""

    initial = "forward"
    transitions: ClassVar[Mapping[str, Sequence[str]]] = {
        "forward": ("forward", "backward", "finished"),
        "backward": ("backward", "finished"),
        "finished": (),
    }

    def __init__(self, order: int) -> None:
        self.order = order
        self.step = 0
        self.outcome = "shipped"

    async def forward(self, message: Run | Go) -> Any:
        if isinstance(message, Run):
            if self.step == 0:
                self.context.ref.tell_nowait(Go())
            return self.postpone()
        try:
            await self.insist(Do(self.order))
        except Refused as refusal:
            self.outcome = f"cancelled: {refusal.message}"
            self.to("backward")
        else:
            self.step += 1
            self.to("forward" if self.step < len(STEPS) else "finished")
        self.context.ref.tell_nowait(Go())
        return None

    async def backward(self, message: Run | Go) -> Any:
        if isinstance(message, Run):
            return self.postpone()
        if self.step == 0:
            self.to("finished")
            return None
        self.step -= 1
        await self.insist(Undo(self.order))
        self.to("backward")
        self.context.ref.tell_nowait(Go())
        return None

    async def finished(self, message: Run | Go) -> Any:
        if isinstance(message, Run):
            self.context.stop()
            return self.outcome
        return None

    async def insist(self, message: Do | Undo) -> None:
        """Ask the service of this step until it has answered, done or refused."""
        service: Ref[Any] = self.context.system.ref(f"services/{STEPS[self.step]}")
        while True:
            try:
                return await service.ask(message)
            except (Down, AskTimeout):
                await self.context.clock.sleep(0.01)


def services(books: dict[str, dict[int, None]]) -> Supervisor:
    often = Intensity(restarts=1000, within=1.0)
    specs = {"stock": (STOCK,), "card": (ORDERS, (7, 19)), "carrier": (ORDERS, (11,))}
    children = [
        child(Service, books[name], *specs[name], name=name, backoff=Backoff(0.001, 0.01, reset_seconds=0.1))
        for name in STEPS
    ]
    return Supervisor(one_for_one, often, children)


async def main(seed: int = 7) -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    books: dict[str, dict[int, None]] = {name: {} for name in STEPS}
    async with System("shop", seed=seed) as system:
        await system.spawn(services(books), name="services")
        sagas = [await system.spawn(Saga, order, restart=temporary) for order in range(ORDERS)]
        outcomes = await asyncio.gather(*(saga.ask(Run(), timeout=60.0) for saga in sagas))
        shipped = [order for order, outcome in enumerate(outcomes) if outcome == "shipped"]
        ledgers = [sorted(books[name]) for name in STEPS]
        crashes = system.statistics().crashes
    if ledgers != [shipped] * len(STEPS):
        raise RuntimeError(f"expected all services to have done {shipped}, found {ledgers}")
    print(f"stock, card and carrier agree, after {crashes} crashes: {len(shipped)} of {ORDERS} orders shipped")


if __name__ == "__main__":
    asyncio.run(main())
