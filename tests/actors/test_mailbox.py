"""Bounds, policies, priorities and dead letters."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from actors import (
    Actor,
    Ask,
    Down,
    Mailbox,
    MailboxFull,
    Ref,
    Refused,
    System,
    Tell,
    drop_newest,
    drop_oldest,
    fail,
    keep_latest,
    temporary,
)
from actors.dead_letters import LOG_BURST, DeadLetter
from actors.mailbox import DEFAULT_CAPACITY, NO_MAIL
from tests.actors.cast import Add, Counter, Sleep, Total


class Note(Tell):
    key: str
    value: int


class Block(Tell):
    seconds: float = 1.0


class Notes(Actor):
    def __init__(self, seen: list[Any]) -> None:
        self.seen = seen

    async def receive(self, message: Any) -> None:
        match message:
            case Note(key, value):
                self.seen.append((key, value))
            case Block(seconds):
                await self.context.clock.sleep(seconds)
            case Down(ref, reason):
                self.seen.append((ref.path, reason))


async def blocked(system: System, seen: list[Any], mailbox: Mailbox | None = None) -> Ref[Any]:
    """A ``Notes`` whose handler is busy for a second."""
    ref = await system.spawn(Notes, seen, mailbox=mailbox, name="notes")
    await ref.tell(Block())
    await asyncio.sleep(0.01)
    return ref


async def test_a_mailbox_is_bounded_by_default() -> None:
    """SEMANTICS 2.1"""
    async with System() as system:
        ref = await blocked(system, [])
        taken = [ref.tell_nowait(Note("k", n)) for n in range(DEFAULT_CAPACITY + 5)]
        assert taken.count(True) == DEFAULT_CAPACITY == 1024
        assert system.tree().children[0].statistics.mailbox == DEFAULT_CAPACITY


async def test_a_teller_waits_its_turn() -> None:
    """SEMANTICS 2.2"""
    seen: list[Any] = []
    async with System() as system:
        ref = await blocked(system, seen, Mailbox(2))
        tasks = []
        for number in range(5):
            tasks.append(asyncio.create_task(ref.tell(Note("k", number))))
            await asyncio.sleep(0.1)
        assert [task.done() for task in tasks] == [True, True, False, False, False]
        assert ref.tell_nowait(Note("k", 9)) is False
        await asyncio.gather(*tasks)
        await system.idle()
    assert seen == [("k", n) for n in range(5)]


async def test_fail_raises_in_the_sender() -> None:
    """SEMANTICS 2.3"""
    async with System() as system:
        ref = await blocked(system, [], Mailbox(1, fail))
        await ref.tell(Note("k", 1))
        with pytest.raises(MailboxFull, match="notes is full \\(1 messages\\)"):
            await ref.tell(Note("k", 2))
        with pytest.raises(MailboxFull):
            await ref.ask(Total())
        assert ref.tell_nowait(Note("k", 3)) is False


@pytest.mark.parametrize(
    ("mailbox", "expected"),
    [
        (Mailbox(2, drop_oldest), [("b", 3), ("a", 4)]),
        (Mailbox(2, drop_newest), [("a", 1), ("a", 2)]),
        (Mailbox(2, keep_latest(lambda note: getattr(note, "key", None))), [("a", 4), ("b", 3)]),
    ],
)
async def test_dropping_policies_keep_what_they_say(mailbox: Mailbox, expected: list[Any]) -> None:
    """SEMANTICS 2.4, 2.5, 2.6"""
    seen: list[Any] = []
    async with System() as system:
        ref = await blocked(system, seen, mailbox)
        for note in (Note("a", 1), Note("a", 2), Note("b", 3), Note("a", 4)):
            await ref.tell(note)
        await system.idle()
        assert system.statistics().dead_letters == {"dropped": 2}
        assert system.tree().children[0].statistics.dropped == 2
    assert seen == expected


class Flood(Tell):
    to: Ref[Any]
    count: int


class FloodAsk(Ask[None]):
    to: Ref[Any]
    count: int


class Flooder(Counter):
    async def receive(self, message: Any) -> Any:
        if isinstance(message, Flood | FloodAsk):
            for number in range(message.count):
                await message.to.tell(Note("k", number))
                self.total += 1
            return None
        return await super().receive(message)


@pytest.mark.parametrize("mailbox", [Mailbox(1), Mailbox(1, drop_oldest), Mailbox(1, drop_newest)])
async def test_a_full_mailbox_does_not_end_its_sender(mailbox: Mailbox) -> None:
    """SEMANTICS 2.7"""
    async with System() as system:
        ref = await blocked(system, [], mailbox)
        flooder = await system.spawn(Flooder)
        await flooder.tell(Flood(ref, 20))
        assert await flooder.ask(Total()) == 20
        assert system.statistics().crashes == 0


async def test_a_mailbox_that_fails_is_refused_in_the_sender_which_lives_on() -> None:
    """SEMANTICS 2.7"""
    async with System() as system:
        ref = await blocked(system, [], Mailbox(1, fail))
        flooder = await system.spawn(Flooder)
        await flooder.tell(Flood(ref, 20))
        assert await flooder.ask(Total()) == 1
        with pytest.raises(Refused, match=r"mailbox full: the mailbox of .* is full"):
            await flooder.ask(FloodAsk(ref, 1))
        assert system.statistics().crashes == 0


async def test_a_sender_cancelled_while_it_waits_leaves_nothing() -> None:
    """SEMANTICS 2.8"""
    seen: list[Any] = []
    async with System() as system:
        ref = await blocked(system, seen, Mailbox(1))
        await ref.tell(Note("k", 1))
        waiting = asyncio.create_task(ref.tell(Note("k", 2)))
        after = asyncio.create_task(ref.tell(Note("k", 3)))
        await asyncio.sleep(0.1)
        waiting.cancel()
        await after
        await system.idle()
    assert seen == [("k", 1), ("k", 3)]


async def test_dead_letters_are_counted_published_and_logged_at_a_bounded_rate(capsys: Any) -> None:
    """SEMANTICS 2.9"""
    letters: list[DeadLetter] = []
    async with System() as system:
        unsubscribe = system.dead_letters.subscribe(letters.append)
        for _ in range(LOG_BURST * 3):
            await system.ref("nobody").tell(Add(1))
        unsubscribe()
        await system.ref("nobody").tell(Add(1))
        assert system.statistics().dead_letters == {"missing": LOG_BURST * 3 + 1}
    assert len(letters) == LOG_BURST * 3
    assert letters[0].header.receiver == "nobody"
    assert capsys.readouterr().out.count("event='dead letter'") == LOG_BURST


class Fill(Ask[str]):
    to: Ref[Any]
    back: Ref[Any]


class FillBack(Tell):
    to: Ref[Any]


class Filler(Actor):
    async def receive(self, message: Any) -> Any:
        if isinstance(message, Fill):
            for _ in range(3):
                await message.to.tell(FillBack(message.back))
        elif isinstance(message, FillBack):
            for _ in range(3):
                await message.to.tell(Note("k", 1))
        return "done"


async def test_waiting_for_room_in_a_circle_is_refused() -> None:
    """SEMANTICS 2.10"""
    async with System() as system:
        a = await system.spawn(Filler, name="a", mailbox=Mailbox(1))
        b = await system.spawn(Filler, name="b", mailbox=Mailbox(1))
        asking = asyncio.create_task(a.ask(Fill(b, a), timeout=60.0))
        await asyncio.wait([asking], timeout=10.0)
        assert asking.done()
        asking.exception()
        assert system.statistics().crashes >= 1
        assert system.clock.monotonic() < 1.0


async def test_signals_overtake_mail() -> None:
    """SEMANTICS 3.1"""
    seen: list[Any] = []
    async with System() as system:
        counter = await system.spawn(Counter, name="counter", restart=temporary)
        ref = await blocked(system, seen)
        cell = system.cells["notes"]
        system.cells["counter"].watch(cell)
        for number in range(3):
            await ref.tell(Note("k", number))
        system.kill(counter.path)
        await system.clock.sleep(0.5)
        assert seen == []
        await system.idle()
    assert seen == [("counter", "killed"), ("k", 0), ("k", 1), ("k", 2)]


async def test_urgent_mail_goes_first_within_a_bound_of_its_own() -> None:
    """SEMANTICS 3.2"""
    seen: list[Any] = []
    async with System() as system:
        ref = await blocked(system, seen, Mailbox(2))
        for number in range(2):
            assert ref.tell_nowait(Note("normal", number))
        for number in range(2):
            assert ref.tell_nowait(Note("urgent", number), urgent=True)
        assert not ref.tell_nowait(Note("urgent", 9), urgent=True)
        await system.idle()
    assert seen == [("urgent", 0), ("urgent", 1), ("normal", 0), ("normal", 1)]


def test_a_capacity_below_one_is_an_error() -> None:
    with pytest.raises(ValueError, match="at least 1, found 0"):
        Mailbox(0)


async def test_the_sleeper_of_the_cast_answers() -> None:
    async with System() as system:
        assert await (await system.spawn(Counter)).ask(Sleep(1.0)) == "slept"


class Seldom(Actor):
    """Tells the order in which mail came."""

    def __init__(self, seen: list[int]) -> None:
        self._seen = seen

    async def receive(self, message: Any) -> None:
        assert isinstance(message, Note)
        self._seen.append(message.value)
        if message.key == "slow":
            await self.context.clock.sleep(0.5)


async def test_an_actor_that_seldom_has_mail_keeps_no_queue_and_loses_nothing() -> None:
    seen: list[int] = []
    async with System("test") as system:
        ref: Ref[Any] = await system.spawn(Seldom, seen, name="seldom", mailbox=Mailbox(3))
        cell = system.cells["seldom"]
        for first in (10, 20, 30):
            await asyncio.sleep(2.0)
            await ref.tell(Note("alone", first - 1))
            await asyncio.sleep(0.1)
            assert cell.box.normal is NO_MAIL
            assert ref.tell_nowait(Note("slow", first))
            await asyncio.sleep(0.1)
            taken = [ref.tell_nowait(Note("", first + number)) for number in (1, 2, 3, 4)]
            assert taken == [True, True, True, False]
            await ref.tell(Note("", first + 5))
        await asyncio.sleep(2.0)
    assert seen == [first + number for first in (10, 20, 30) for number in (-1, 0, 1, 2, 3, 5)]
    assert not NO_MAIL
