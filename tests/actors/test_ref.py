"""Asks, and how each can fail."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from actors import (
    ActorError,
    AskTimeout,
    Backoff,
    Down,
    Ref,
    Refused,
    System,
    ask_many,
    temporary,
)
from tests.actors.cast import Add, Counter, Crash, CrashAsk, Refuse, Relay, Sleep, Total
from tests.actors.circle import Member, Pass


async def test_an_ask_returns_what_the_handler_returns() -> None:
    """SEMANTICS 8.1"""
    async with System() as system:
        counter = await system.spawn(Counter)
        await counter.tell(Add(3))
        assert await counter.ask(Total()) == 3


async def test_an_ask_without_a_reply_in_time_raises_and_the_late_reply_is_dropped() -> None:
    """SEMANTICS 8.2"""
    async with System() as system:
        counter = await system.spawn(Counter)
        began = system.clock.monotonic()
        with pytest.raises(AskTimeout, match=r"counter-1 did not answer Sleep within 1 s"):
            await counter.ask(Sleep(3.0), timeout=1.0)
        assert system.clock.monotonic() - began == pytest.approx(1.0)
        await system.clock.sleep(5.0)
        assert system.statistics().dead_letters == {"late": 1}
        assert system.statistics().asks == 0


async def test_an_ask_of_nobody_is_down_at_once() -> None:
    """SEMANTICS 8.3"""
    async with System() as system:
        with pytest.raises(Down) as caught:
            await system.ref("no/body").ask(Total())
        assert (caught.value.ref.path, caught.value.reason) == ("no/body", "missing")
        assert system.clock.monotonic() == 0


@pytest.mark.parametrize("restart", [{}, {"restart": temporary}])
async def test_an_ask_whose_receiver_dies_is_down_at_once(restart: dict[str, Any]) -> None:
    """SEMANTICS 8.4"""
    async with System() as system:
        counter = await system.spawn(Counter, **restart)
        with pytest.raises(Down, match="asked to crash") as caught:
            await counter.ask(CrashAsk())
        assert caught.value.reason == "crashed"
        assert system.clock.monotonic() == 0


async def test_asks_that_wait_in_the_mailbox_of_an_actor_that_ends_are_down() -> None:
    """SEMANTICS 8.4"""
    async with System() as system:
        counter = await system.spawn(Counter, restart=temporary)
        slow = asyncio.create_task(counter.ask(Sleep(1.0)))
        await asyncio.sleep(0.1)
        waiting = asyncio.create_task(counter.ask(Total()))
        await asyncio.sleep(0.4)
        system.kill("counter-1")
        for task in (slow, waiting):
            with pytest.raises(Down):
                await task
        assert system.clock.monotonic() == 0.5


async def test_a_circle_of_asks_fails_at_once() -> None:
    """SEMANTICS 8.5"""

    async with System() as system:
        first = await system.spawn(Counter, name="first")
        with pytest.raises(Down, match="AskCycle"):
            await first.ask(Relay(first))
        assert system.clock.monotonic() == 0


async def test_a_circle_through_others_names_its_members() -> None:
    """SEMANTICS 8.5"""
    async with System() as system:
        names = ["a", "b", "c"]
        for name in names:
            await system.spawn(Member, name=name)
        refs = [system.ref(name) for name in ("b", "c", "a")]
        assert await system.ref("a").ask(Pass(refs)) == ["c", "a", "b", "c"]
        assert system.clock.monotonic() == 0


async def test_an_ask_waits_for_an_actor_that_restarts() -> None:
    """SEMANTICS 8.6"""
    async with System() as system:
        counter = await system.spawn(Counter, backoff=Backoff(2.0, jitter=0.0))
        await counter.tell(Crash())
        await system.clock.sleep(0.1)
        with pytest.raises(AskTimeout):
            await counter.ask(Total(), timeout=1.0)
        assert await counter.ask(Total(), timeout=5.0) == 0
        assert system.clock.monotonic() == pytest.approx(2.0)


async def test_an_ask_past_its_deadline_is_not_handled() -> None:
    """SEMANTICS 8.7"""
    async with System() as system:
        counter = await system.spawn(Counter)
        slow = asyncio.create_task(counter.ask(Sleep(2.0)))
        await asyncio.sleep(0.1)
        with pytest.raises(AskTimeout):
            await counter.ask(Total(), timeout=1.0)
        await slow
        await system.idle()
        assert system.statistics().dead_letters == {"expired": 1}


async def test_ask_many_answers_in_order_with_failures_as_values() -> None:
    """SEMANTICS 8.8"""
    async with System() as system:
        refs: list[Ref[Any]] = [await system.spawn(Counter) for _ in range(2)]
        await refs[1].tell(Add(2))
        answers = await ask_many([*refs, system.ref("nobody")], Total())
    assert answers[:2] == [0, 2]
    assert isinstance(answers[2], ActorError)


async def test_a_refusal_reaches_the_asker_and_the_actor_lives_on() -> None:
    """SEMANTICS 5.2"""
    async with System() as system:
        counter = await system.spawn(Counter)
        await counter.tell(Add(1))
        with pytest.raises(Refused) as caught:
            await counter.ask(Refuse("quota"))
        assert (caught.value.code, caught.value.message, caught.value.detail) == ("quota", "as told", {"why": 1})
        assert await counter.ask(Total()) == 1


async def test_a_cancelled_ask_leaves_no_slot() -> None:
    """SEMANTICS 8.2"""
    async with System() as system:
        counter = await system.spawn(Counter)
        task = asyncio.create_task(counter.ask(Sleep(1.0)))
        await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert system.statistics().asks == 0
        assert await counter.ask(Total()) == 0
