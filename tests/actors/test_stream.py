"""Streams by credit."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from actors import (
    Actor,
    Ask,
    AskCycle,
    Backoff,
    Down,
    Mailbox,
    MailboxFull,
    Ref,
    Stream,
    System,
    Tell,
    Trace,
    Unpackable,
    drop_newest,
    drop_oldest,
    fail,
    keep_latest,
    temporary,
    wait,
)
from actors.mailbox import Overflow
from actors.topic import by_field


class Item(Tell):
    number: int
    fatal: bool = False
    key: str = ""


class Odd(Tell):
    what: Any


class Send(Ask[int]):
    """Push ``count`` items from the handler; the reply is how many were taken."""

    count: int


class Question(Ask[int]):
    pass


class Consumer(Actor):
    def __init__(self, seen: list[Any], seconds: float = 0.1, ask: Ref[Any] | None = None) -> None:
        self.seen, self.seconds, self.asks = seen, seconds, ask

    async def receive(self, message: Any) -> None:
        self.seen.append(message.number)
        if message.fatal:
            raise RuntimeError("as told")
        if self.asks is not None:
            try:
                await self.asks.ask(Question())
            except AskCycle as cycle:
                self.seen.append(cycle)
        await self.context.clock.sleep(self.seconds)


class Producer(Actor):
    """Gives the test its stream."""

    def __init__(
        self, to: Ref[Any], made: list[Stream], overflow: Overflow, credit: int = 2, capacity: int = 3
    ) -> None:
        self.to, self.made, self.overflow, self.credit, self.capacity = to, made, overflow, credit, capacity

    async def start(self) -> None:
        self.made.append(
            self.context.stream(self.to, credit=self.credit, capacity=self.capacity, overflow=self.overflow)
        )

    async def receive(self, message: Any) -> Any:
        match message:
            case Send(count):
                taken = 0
                for number in range(count):
                    await self.made[-1].push(Item(number))
                    taken += 1
                return taken
            case Question():
                return 1
        return None


async def pair(
    system: System, overflow: Overflow, seen: list[Any], *, seconds: float = 0.1, credit: int = 2, capacity: int = 3
) -> tuple[Ref[Any], Stream]:
    made: list[Stream] = []
    consumer = await system.spawn(Consumer, seen, seconds, name="consumer", backoff=Backoff(0.01))
    await system.spawn(Producer, consumer, made, overflow, credit, capacity, name="producer")
    return consumer, made[0]


async def test_no_more_than_the_credit_is_in_the_hands_of_the_consumer() -> None:
    """SEMANTICS 13.1"""
    seen: list[Any] = []
    async with System() as system:
        consumer, stream = await pair(system, wait, seen, credit=4, capacity=100)
        for number in range(50):
            await stream.push(Item(number))
        most = 0
        while stream.statistics().queued:
            mailbox = next(node for node in system.tree().children if node.path == consumer.path).statistics.mailbox
            most = max(most, mailbox)
            await asyncio.sleep(0.03)
        await stream.drained()
        assert seen == list(range(50)), "in order, each once"
        assert 2 <= most <= 4
        assert stream.statistics().sent == 50
        assert stream.statistics().outstanding == 0


async def test_wait_holds_the_pusher_until_there_is_room() -> None:
    """SEMANTICS 13.2"""
    seen: list[Any] = []
    async with System() as system:
        _, stream = await pair(system, wait, seen, seconds=1.0, credit=1, capacity=2)
        for number in range(3):
            await stream.push(Item(number))
        await asyncio.sleep(0.1)
        await stream.push(Item(3))
        assert not stream.offer(Item(99)), "one that does not wait is not taken"
        late, quits, last = [await queue_up(stream, number) for number in (4, 98, 5)]
        assert not late.done()
        quits.cancel()
        await asyncio.gather(late, last)
        await stream.drained()
        assert seen == [0, 1, 2, 3, 4, 5]


async def queue_up(stream: Stream, number: int) -> asyncio.Task[None]:
    task = asyncio.create_task(stream.push(Item(number)))
    await asyncio.sleep(0.01)
    return task


@pytest.mark.parametrize(
    ("overflow", "expected"),
    [(drop_oldest, [0, 4, 5, 6]), (drop_newest, [0, 1, 2, 3]), (keep_latest(by_field("key")), [0, 6, 5])],
)
async def test_a_full_stream_drops_as_its_policy_says(overflow: Overflow, expected: list[int]) -> None:
    """SEMANTICS 13.3"""
    seen: list[Any] = []
    async with System() as system:
        _, stream = await pair(system, overflow, seen, credit=1)
        await stream.push(Item(0))
        await asyncio.sleep(0.05)
        for number in range(1, 7):
            await stream.push(Item(number, key="even" if number % 2 == 0 else "odd"))
        await stream.drained()
        assert sorted(seen) == sorted(expected)
        assert stream.statistics().dropped == 7 - len(expected)


async def test_a_full_stream_fails_as_its_policy_says() -> None:
    """SEMANTICS 13.3"""
    seen: list[Any] = []
    async with System() as system:
        _, stream = await pair(system, fail, seen, credit=1, capacity=1)
        await stream.push(Item(0))
        await asyncio.sleep(0.05)
        await stream.push(Item(1))
        with pytest.raises(MailboxFull, match="consumer is full"):
            await stream.push(Item(2))
        await stream.drained()
        assert seen == [0, 1]


async def test_credit_comes_back_from_a_consumer_that_crashes() -> None:
    """SEMANTICS 13.4"""
    seen: list[Any] = []
    async with System() as system:
        _, stream = await pair(system, wait, seen, credit=3)
        for number in range(30):
            await stream.push(Item(number, fatal=number % 7 == 3))
        await stream.drained()
        assert seen == list(range(30)), "the one in hand is lost, what waits is not"


async def test_credit_comes_back_from_a_consumer_that_hangs() -> None:
    """SEMANTICS 13.4"""
    seen: list[Any] = []
    async with System() as system:
        _, stream = await pair(system, wait, seen, seconds=100.0, credit=1)
        await stream.push(Item(0))
        await stream.push(Item(1))
        await asyncio.sleep(61.0)
        assert stream.statistics().outstanding == 1
        assert stream.statistics().sent == 2


async def test_a_stream_ends_with_its_consumer_and_with_close() -> None:
    """SEMANTICS 13.5"""
    seen: list[Any] = []
    async with System() as system:
        consumer, stream = await pair(system, wait, seen, credit=1, capacity=1)
        for number in range(2):
            await stream.push(Item(number))
        waits = [asyncio.create_task(stream.push(Item(number))) for number in (2, 3)]
        await asyncio.sleep(0.01)
        await system.stop_actor(consumer)
        with pytest.raises(Down):
            await asyncio.gather(*waits)
        with pytest.raises(Down):
            await stream.push(Item(3))
        made: list[Stream] = []
        again = await system.spawn(Consumer, seen, name="consumer", restart=temporary)
        await system.spawn(Producer, again, made, wait)
        await made[0].push(Item(7))
        made[0].close()
        assert not made[0].offer(Item(8))


async def test_a_handler_that_waits_for_its_own_asker_gets_a_cycle() -> None:
    """SEMANTICS 13.6"""
    seen: list[Any] = []
    made: list[Stream] = []
    async with System() as system:
        producer = system.ref("producer")
        consumer = await system.spawn(Consumer, seen, 1.0, producer, name="consumer")
        await system.spawn(Producer, consumer, made, wait, 1, 1, name="producer")
        assert await producer.ask(Send(6), timeout=60.0) == 6
        assert any(isinstance(one, AskCycle) for one in seen)


async def test_what_cannot_be_packed_is_raised_in_the_pusher() -> None:
    """SEMANTICS 1.2"""
    async with System() as system:
        _, stream = await pair(system, wait, [])
        with pytest.raises(Unpackable, match="what"):
            await stream.push(Odd(object()))


async def test_an_idle_stream_owns_no_task_and_a_trace_goes_with_its_message() -> None:
    """SEMANTICS 13.7"""
    traces: list[Any] = []

    async with System(tap=lambda header, frame: traces.append(header.trace)) as system:
        _, stream = await pair(system, wait, [])
        from actors import current

        for number in range(3):
            current.set_cause(Trace(number))
            await stream.push(Item(number))
        current.set_cause(None)
        await stream.drained()
        assert traces == [Trace(0), Trace(1), Trace(2)]
        node = next(node for node in system.tree().children if node.path == "producer")
        assert node.statistics.tasks == 0


async def test_a_consumer_that_fails_when_full_costs_its_message_and_no_more() -> None:
    """SEMANTICS 13.4"""
    seen: list[Any] = []
    made: list[Stream] = []
    async with System() as system:
        consumer = await system.spawn(Consumer, seen, mailbox=Mailbox(1, fail))
        await system.spawn(Producer, consumer, made, wait, 4, 8)
        for number in range(8):
            await made[0].push(Item(number))
        await made[0].drained()
        assert made[0].statistics().dropped + len(seen) <= 8
        assert seen
        assert seen[0] == 0
