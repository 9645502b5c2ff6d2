"""Handlers: one at a time, fair, with replies that come later."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from actors import Actor, Ask, Down, Ref, Refused, System, Tell, temporary
from actors.clock import LoopClock
from actors.context import STASH_CAPACITY
from actors.worker import BATCH, TURN_SECONDS
from tests.actors.cast import Add, Counter, Crash, Refuse, Sleep, Total


class Enter(Tell):
    seconds: float


class Door(Actor):
    def __init__(self, inside: list[int]) -> None:
        self.inside = inside
        self.count = 0

    async def receive(self, message: Any) -> None:
        if isinstance(message, Enter):
            self.count += 1
            self.inside.append(self.count)
            await self.context.clock.sleep(message.seconds)
            self.count -= 1


async def test_a_handler_is_never_re_entered() -> None:
    """SEMANTICS 4.1"""
    inside: list[int] = []
    async with System() as system:
        door = await system.spawn(Door, inside)
        for _ in range(5):
            await door.tell(Enter(0.1))
        await system.idle()
        assert system.clock.monotonic() == pytest.approx(0.5)
    assert inside == [1] * 5


class Write(Tell):
    text: str


class Writer(Actor):
    def __init__(self, book: list[str]) -> None:
        self.book = book

    async def receive(self, message: Any) -> None:
        if isinstance(message, Write):
            self.book.append(message.text)


async def test_a_busy_actor_lets_others_have_their_turn() -> None:
    """SEMANTICS 4.2"""
    book: list[str] = []
    async with System() as system:
        busy = await system.spawn(Writer, book)
        quiet = await system.spawn(Writer, book)
        for _ in range(BATCH * 4):
            await busy.tell(Write("busy"))
        await quiet.tell(Write("quiet"))
        await system.idle()
    assert book.index("quiet") == BATCH


async def test_a_suspended_handler_holds_up_nobody_else() -> None:
    """SEMANTICS 4.2"""
    async with System() as system:
        refs = [await system.spawn(Counter) for _ in range(50)]
        answers = await asyncio.gather(*(ref.ask(Sleep(1.0)) for ref in refs))
        assert answers == ["slept"] * 50
        assert system.clock.monotonic() == pytest.approx(1.0)


class Laborious(LoopClock):
    """A clock of a machine on which work takes time."""

    def __init__(self) -> None:
        super().__init__()
        self.worked = 0.0
        self.monotonic = lambda: self.worked


class Worker(Actor):
    def __init__(self, clock: Laborious, turns: list[int]) -> None:
        self.clock = clock
        self.turns = turns

    async def receive(self, message: Any) -> None:
        self.clock.worked += TURN_SECONDS / 4
        self.turns[-1] += 1


async def test_many_busy_actors_let_the_loop_have_its_turn_together() -> None:
    """SEMANTICS 4.2"""
    clock, turns = Laborious(), [0]
    loop = asyncio.get_running_loop()

    def turn() -> None:
        turns.append(0)
        if sum(turns) < 40:
            loop.call_soon(turn)

    async with System(clock=clock) as system:
        refs = [await system.spawn(Worker, clock, turns) for _ in range(40)]
        for ref in refs:
            await ref.tell(Write("a"))
        loop.call_soon(turn)
        await system.idle()
    assert sum(turns) == 40
    assert max(turns) <= 2 * 5, "a callback that runs once in each turn has at most two of the actors' before it"


class Slow(Ask[str]):
    seconds: float
    fail: str = ""


class Kitchen(Actor):
    async def receive(self, message: Any) -> Any:
        if isinstance(message, Slow):
            return self.context.later(self._cook(message))
        if isinstance(message, Crash):
            raise RuntimeError(message.text)
        return 42 if isinstance(message, Total) else None

    async def _cook(self, message: Slow) -> str:
        await self.context.clock.sleep(message.seconds)
        if message.fail == "refuse":
            raise Refused("burnt")
        if message.fail:
            raise ValueError(message.fail)
        return "dish"


async def test_later_frees_the_actor_up_to_its_bound() -> None:
    """SEMANTICS 4.3"""
    async with System() as system:
        kitchen = await system.spawn(Kitchen, later=2)
        tasks = [asyncio.create_task(kitchen.ask(Slow(1.0))) for _ in range(2)]
        await asyncio.sleep(0.1)
        total = asyncio.create_task(kitchen.ask(Total()))
        await asyncio.sleep(0.5)
        assert not total.done()
        assert await asyncio.gather(*tasks) == ["dish", "dish"]
        assert await total == 42
        third = asyncio.create_task(kitchen.ask(Slow(1.0)))
        await asyncio.sleep(0.1)
        assert await kitchen.ask(Total()) == 42
        assert not third.done()
        await third


async def test_later_works_for_a_tell_too() -> None:
    """SEMANTICS 4.3"""
    notes: list[str] = []

    class Background(Actor):
        async def receive(self, message: Any) -> Any:
            return self.context.later(self._work())

        async def _work(self) -> None:
            await self.context.clock.sleep(1.0)
            notes.append("worked")

    async with System() as system:
        ref = await system.spawn(Background, later=2)
        for _ in range(3):
            await ref.tell(Add(1))
        await asyncio.sleep(1.5)
        assert notes == ["worked"] * 2, "the third is past the bound"
        await asyncio.sleep(1.0)
        assert notes == ["worked"] * 3


class Waiter(Actor):
    """Replies come when somebody serves."""

    def __init__(self, orders: list[asyncio.Future[str]]) -> None:
        self._orders = orders

    async def receive(self, message: Any) -> Any:
        self._orders.append(self.context.system.loop.create_future())
        return self.context.later(self._orders[-1])


async def test_the_reply_of_a_later_may_be_a_future_that_others_fill() -> None:
    """SEMANTICS 4.3, 4.4"""
    orders: list[asyncio.Future[str]] = []
    async with System() as system:
        waiter = await system.spawn(Waiter, orders, later=3)
        asks = []
        for _ in range(4):
            asks.append(asyncio.create_task(waiter.ask(Slow(0.0))))
            await asyncio.sleep(0.1)  # tasks made in one turn may begin in any order
        assert len(orders) == 3, "the fourth is past the bound"
        orders[1].set_result("dish")
        orders[2].set_exception(ValueError("no oven"))
        assert await asks[1] == "dish"
        with pytest.raises(Refused, match="crashed: ValueError: no oven"):
            await asks[2]
        await asyncio.sleep(0.1)
        assert len(orders) == 4
        for left in (orders[0], orders[3]):
            left.set_result("late")
        assert [await asks[0], await asks[3]] == ["late", "late"]
        assert system.tree().children[0].statistics.restarts == 0


async def test_a_future_of_a_later_ends_with_the_instance() -> None:
    """SEMANTICS 8.4"""
    orders: list[asyncio.Future[str]] = []
    async with System() as system:
        waiter = await system.spawn(Waiter, orders)
        ask = asyncio.create_task(waiter.ask(Slow(0.0)))
        await asyncio.sleep(0.1)
        await system.stop_actor(waiter)
        with pytest.raises(Down):
            await ask
        assert orders[0].cancelled()


async def test_a_signal_is_no_message_to_put_aside() -> None:
    """SEMANTICS 4.6"""
    seen: list[Any] = []

    class Stasher(Actor):
        async def receive(self, message: Any) -> Any:
            match message:
                case Down():
                    with pytest.raises(RuntimeError, match="nothing to stash"):
                        self.context.stash()
                case Add(amount):
                    seen.append(amount)
                    self.context.watch(self.context.system.ref("nobody"))
            return None

    async with System() as system:
        ref = await system.spawn(Stasher)
        await ref.tell(Add(1))
        await ref.tell(Add(2))
        await system.idle()
        assert seen == [1, 2]
        assert system.statistics().crashes == 0


async def test_a_crash_of_a_later_is_a_refusal() -> None:
    """SEMANTICS 4.4"""
    async with System() as system:
        kitchen = await system.spawn(Kitchen)
        with pytest.raises(Refused, match="crashed: ValueError: no oven"):
            await kitchen.ask(Slow(0.1, "no oven"))
        with pytest.raises(Refused, match="burnt"):
            await kitchen.ask(Slow(0.1, "refuse"))
        assert await kitchen.ask(Total()) == 42
        statistics = system.tree().children[0].statistics
        assert (statistics.crashes, statistics.restarts) == (1, 0)


async def test_the_askers_of_laters_hear_of_a_crash() -> None:
    """SEMANTICS 8.4"""
    async with System() as system:
        kitchen = await system.spawn(Kitchen)
        dish = asyncio.create_task(kitchen.ask(Slow(3.0)))
        await asyncio.sleep(0.1)
        await kitchen.tell(Crash())
        with pytest.raises(Down):
            await dish
        assert system.clock.monotonic() < 1.0


class Switch(Actor):
    async def receive(self, message: Any) -> Any:
        if isinstance(message, Add):
            self.context.become(self._other)
        if isinstance(message, Crash):
            raise RuntimeError
        return 1

    async def _other(self, message: Any) -> Any:
        if isinstance(message, Crash):
            raise RuntimeError
        return 2


async def test_become_lasts_as_long_as_the_instance() -> None:
    """SEMANTICS 4.5"""
    async with System() as system:
        ref = await system.spawn(Switch)
        assert await ref.ask(Total()) == 1
        await ref.tell(Add(1))
        assert await ref.ask(Total()) == 2
        await ref.tell(Crash())
        assert await ref.ask(Total()) == 1


class Open(Tell):
    pass


class Stasher(Actor):
    opened = False

    def __init__(self, book: list[Any]) -> None:
        self.book = book

    async def receive(self, message: Any) -> Any:
        match message:
            case Open():
                self.opened = True
                self.context.unstash()
            case Crash():
                raise RuntimeError
            case Total() if self.opened:
                return len(self.book)
            case _ if not self.opened:
                return self.context.stash()
            case Write(text):
                self.book.append(text)
        return None


async def test_stashed_mail_is_handled_before_other_mail() -> None:
    """SEMANTICS 4.6"""
    book: list[Any] = []
    async with System() as system:
        ref = await system.spawn(Stasher, book)
        await ref.tell(Write("1"))
        total = asyncio.create_task(ref.ask(Total()))
        await asyncio.sleep(0.1)
        await ref.tell(Write("2"))
        await ref.tell(Open())
        await ref.tell(Write("3"))
        assert await total == 1
        await system.idle()
    assert book == ["1", "2", "3"]


async def test_a_stash_survives_a_restart() -> None:
    """SEMANTICS 4.6"""
    book: list[Any] = []
    async with System() as system:
        ref = await system.spawn(Stasher, book)
        for text in ("1", "2"):
            await ref.tell(Write(text))
        await ref.tell(Crash())
        await ref.tell(Open())
        await system.clock.sleep(1.0)
        await system.idle()
        assert book == ["1", "2"]
        assert system.statistics().restarts == 1


async def test_a_stash_is_bounded() -> None:
    """SEMANTICS 4.6"""
    async with System() as system:
        ref = await system.spawn(Stasher, [], restart=temporary)
        for _ in range(STASH_CAPACITY + 1):
            await ref.tell(Write("x"))
        await system.idle()
        assert system.statistics().crashes == 1


class Front(Actor):
    def __init__(self, behind: Ref[Any]) -> None:
        self.behind = behind

    async def receive(self, message: Any) -> Any:
        return self.context.forward(self.behind)


async def test_a_forwarded_ask_is_answered_by_the_one_behind() -> None:
    """SEMANTICS 4.7"""
    async with System() as system:
        counter = await system.spawn(Counter)
        front = await system.spawn(Front, counter)
        await front.tell(Add(4))
        assert await front.ask(Total()) == 4
        with pytest.raises(Refused):
            await front.ask(Refuse())


class Piper(Actor):
    async def receive(self, message: Any) -> None:
        if isinstance(message, Open):
            self.context.pipe_to(self._fetch(), self.context.ref)
        elif isinstance(message, Add):
            self.context.cause = None
            self.got = message.amount
            self.context.stop()

    async def _fetch(self) -> Add:
        await self.context.clock.sleep(1.0)
        return Add(5)


async def test_what_is_piped_arrives_as_a_message() -> None:
    """SEMANTICS 7.7"""
    async with System() as system:
        ref = await system.spawn(Piper, restart=temporary)
        await ref.tell(Open())
        await system.clock.sleep(2.0)
        assert system.whereis(ref.path) is None


@pytest.mark.real_loop
async def test_blocking_work_runs_in_a_thread() -> None:
    """SEMANTICS 4.1"""
    import threading

    async with System() as system:
        name = await system.blocking(lambda: threading.current_thread().name)
    assert name != threading.current_thread().name
