"""The actors of the exploration: they work, crash, fail to start, ask, stream, watch and belong to groups."""

from __future__ import annotations

import asyncio
from typing import Any

from actors import Actor, Ask, Down, Exit, GroupChanged, Ref, Stream, System, Tell
from actors.exit import KILLED
from tests.actors.ledger import Ledger
from tests.actors.scene import FAST

GROUP = "labour"
CHORE_SECONDS = 100_000.0
"""Longer than any run."""


class Step(Tell):
    sender: int
    number: int
    fatal: bool


class Question(Ask[int]):
    number: int
    seconds: float


class Tick(Tell):
    pass


class Item(Tell):
    number: int
    fatal: bool


class Push(Tell):
    number: int
    fatal: bool


class Drain(Ask[bool]):
    pass


class Look(Tell):
    at: Ref[Any]


class Mail(Tell):
    pass


class Job(Ask[int]):
    number: int
    crash: bool


class Pass(Tell):
    number: int


class Parcel(Tell):
    number: int


class Receipt(Tell):
    number: int


class Recorded(Actor):
    """Its starts and stops are in the ledger."""

    ledger: Ledger

    async def start(self) -> None:
        self.ledger.starts[self.context.path] += 1

    async def stop(self, exit: Exit) -> None:
        self.ledger.stops[self.context.path] += 1
        if self.ledger.stopping:
            self.ledger.last_stops.append(self.context.path)


class Hand(Recorded):
    """The child of a labourer."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger


class Labourer(Recorded):
    """Has a child, a timer, a task and a membership; its start may fail, but for the first."""

    chore: asyncio.Task[None] | None = None

    def __init__(self, ledger: Ledger, fragile: float) -> None:
        self.ledger = ledger
        self.fragile = fragile

    async def start(self) -> None:
        await super().start()
        chance = self.context.random
        await self.context.spawn(Hand, self.ledger, name="hand")
        self.context.join(GROUP)
        self.context.send_after(chance.uniform(0.0, 1.0), Tick())
        self.chore = self.context.task(self.context.clock.sleep(CHORE_SECONDS), "chore")
        if self.ledger.starts[self.context.path] > 1 and chance.random() < self.fragile:
            raise RuntimeError("a start that fails, as the seed wants it")

    async def receive(self, message: Any) -> Any:
        match message:
            case Step(sender, number, fatal):
                self.ledger.handled.append((self.context.path, sender, number))
                await self._work(fatal)
            case Item(number, fatal):
                self.ledger.streamed.append(number)
                await self._work(fatal)
            case Question(number, seconds):
                if seconds:
                    await self.context.clock.sleep(seconds)
                self.ledger.answered += 1
                return number
        return None

    async def stop(self, exit: Exit) -> None:
        await super().stop(exit)
        self.ledger.objects(
            self.chore is None or self.chore.done(), f"a task of {self.context.path} outlives its instance"
        )

    async def _work(self, fatal: bool) -> None:
        if fatal:
            raise RuntimeError("a crash, as the seed wants it")
        seconds = self.context.random.choice((0.0, 0.0, 0.0, 0.005))
        if seconds:
            await self.context.clock.sleep(seconds)


class Producer(Recorded):
    """Streams to one labourer."""

    def __init__(self, ledger: Ledger, to: Ref[Any]) -> None:
        self.ledger = ledger
        self.to = to

    async def start(self) -> None:
        await super().start()
        self.stream: Stream = self.context.stream(self.to, credit=3, capacity=4)

    async def receive(self, message: Any) -> Any:
        match message:
            case Push(number, fatal):
                self.ledger.pushed.append(number)
                await self.stream.push(Item(number, fatal))
            case Drain():
                return self.context.later(self._drain())
        return None

    async def _drain(self) -> bool:
        await self.stream.drained()
        return True


class Watcher(Recorded):
    """Is told of each end exactly once, and before the mail that waited when it came."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.begun = 0
        self.expected: dict[str, int] = {}  # how many handlers had begun when the watched one ended

    async def receive(self, message: Any) -> None:
        match message:
            case Down(ref, reason):
                self.ledger.downs[ref.path] += 1
                self.ledger.objects(reason == KILLED, f"{ref.path} was killed, and its end is told as {reason}")
                begun = self.expected.pop(ref.path, None)
                self.ledger.objects(begun is not None, f"the end of {ref.path} was told twice, or to who had not asked")
                self.ledger.objects(begun == self.begun, f"mail overtook the end of {ref.path}: {begun}, {self.begun}")
            case Look(at):
                self.begun += 1
                self.ledger.watches[at.path] += 1
                self.context.watch(at)
            case Mail():
                self.begun += 1
                await self.context.clock.sleep(0.002)


class Monitor(Recorded):
    """Keeps the members of the group as it is told of them."""

    def __init__(self, ledger: Ledger, view: list[str]) -> None:
        self.ledger = ledger
        self.view = view

    async def start(self) -> None:
        await super().start()
        self.view[:] = [ref.path for ref in self.context.monitor(GROUP)]

    async def receive(self, message: Any) -> None:
        if isinstance(message, GroupChanged):
            for ref in message.left:
                self.ledger.objects(ref.path in self.view, f"{ref.path} left a group that it was not in")
                self.view.remove(ref.path)
            self.view.extend(ref.path for ref in message.joined)


class Stillborn(Actor):
    """Does everything that leaves traces, then fails to start."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger

    async def start(self) -> None:
        context = self.context
        await context.spawn(Hand, self.ledger, name="hand")
        context.join(GROUP)
        context.system.register("stillborn", context.ref)
        context.task(asyncio.sleep(3600.0), "leak")
        context.send_every(3600.0, Tick())
        raise RuntimeError("as it must be")


class Link(Actor):
    """Loses, doubles and delays what goes through it."""

    def __init__(self) -> None:
        self.to: Ref[Any] | None = None

    async def receive(self, message: Any) -> None:
        to = self.context.system.ref("receiver" if isinstance(message, Parcel) else "courier")
        chance = self.context.random
        for _ in range(chance.choice((0, 1, 1, 2))):
            self.context.send_after(chance.uniform(0.0, 0.02), message, to)


class Courier(Actor):
    """Sends numbers over the link, each again and again until its receipt comes."""

    def __init__(self, count: int) -> None:
        self.open = dict.fromkeys(range(count))

    async def start(self) -> None:
        self.context.send_every(0.05, Tick())

    async def receive(self, message: Any) -> None:
        match message:
            case Tick():
                if not self.open:
                    self.context.stop()
                for number in self.open:
                    await self.context.system.ref("link").tell(Parcel(number))
            case Receipt(number):
                self.open.pop(number, None)


class Receiver(Actor):
    """Takes each number once, in order, whatever the link does."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger

    async def receive(self, message: Any) -> None:
        if isinstance(message, Parcel):
            if message.number == len(self.ledger.delivered):
                self.ledger.delivered.append(message.number)
            if message.number < len(self.ledger.delivered):
                await self.context.system.ref("link").tell(Receipt(message.number))


class Parent(Actor):
    """Has two children and is no supervisor: each has a budget of its own."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger

    async def start(self) -> None:
        for name in ("a", "b"):
            await self.context.spawn(Hand, self.ledger, name=name, backoff=FAST)


class Sibling(Recorded):
    """Says when it began."""

    def __init__(self, ledger: Ledger, began: list[tuple[str, float]]) -> None:
        self.ledger = ledger
        self.began = began

    async def start(self) -> None:
        await super().start()
        self.began.append((self.context.path.rpartition("/")[2], self.context.clock.monotonic()))


class Turnstile(Actor):
    """Is busy for a while with each mail, and writes down who passed."""

    def __init__(self, passed: list[int]) -> None:
        self.passed = passed

    async def receive(self, message: Any) -> None:
        match message:
            case Mail():
                await self.context.clock.sleep(0.02)
            case Pass(number) | Question(number):
                self.passed.append(number)


class Jobber(Actor):
    """A worker of a pool."""

    async def receive(self, message: Job) -> int:
        await self.context.clock.sleep(self.context.random.choice((0.0, 0.01)))
        if message.crash:
            raise RuntimeError("a job that crashes, as the seed wants it")
        return message.number


class Reader(Actor):
    """Reads what a topic sends, and crashes over some of it."""

    def __init__(self, seen: list[int]) -> None:
        self.seen = seen

    async def receive(self, message: Item) -> None:
        self.seen.append(message.number)
        if message.fatal:
            raise RuntimeError("an item that crashes its reader, as the seed wants it")


class Nosy(Recorded):
    """Watches nobody, and takes its time to start."""

    def __init__(self, ledger: Ledger, heard: list[str]) -> None:
        self.ledger = ledger
        self.heard = heard

    async def start(self) -> None:
        await super().start()
        self.context.watch(self.context.system.ref("nobody"))
        await self.context.clock.sleep(0.01)

    async def receive(self, message: Any) -> None:
        if isinstance(message, Down):
            self.heard.append(message.ref.path)


def instance(system: System, path: str) -> Any:
    """The running instance at ``path``, for what a test must know of it at this very moment."""
    return system.cells[path].actor
