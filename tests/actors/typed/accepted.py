"""A user's code that type checkers must accept."""

from __future__ import annotations

from typing import Any, assert_type

from actors import Actor, ActorError, Ask, Context, Ref, System, Tell, ask_many


class Add(Tell):
    amount: int
    note: str = ""


class Total(Ask[int]):
    pass


class Names(Ask[list[str]]):
    prefix: str


class Other(Tell):
    pass


Sums = Ref[Add | Total]
"""The protocol of a counter."""


class Counter(Actor):
    total = 0

    async def receive(self, message: Add | Total | Names) -> Any:
        match message:
            case Add(amount):
                self.total += amount
                return None
            case Total():
                return self.total
            case Names(prefix):
                return [prefix]


async def main() -> None:
    async with System() as system:
        counter: Sums = await system.spawn(Counter)
        await counter.tell(Add(1))
        assert_type(counter.tell_nowait(Add(2, note="again"), urgent=True), bool)
        assert_type(await counter.ask(Total(), timeout=1.0), int)
        adder: Ref[Add] = counter  # who takes more can stand for who takes less
        await adder.tell(Add(3))
        anything: Ref[Any] = counter
        await anything.tell(Other())
        assert_type(await anything.ask(Names("a")), list[str])
        assert_type(await ask_many([counter, anything], Total()), list[int | ActorError])


class Relay(Actor):
    context: Context

    async def receive(self, message: Total) -> Any:
        to: Ref[Total] = self.context.system.ref("counter")
        self.context.send_after(1.0, Add(1))
        return self.context.forward(to)
