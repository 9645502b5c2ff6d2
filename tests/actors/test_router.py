"""Routers."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

import pytest

from actors import (
    Actor,
    Ask,
    AskCycle,
    Backoff,
    ConsistentHash,
    Down,
    Mailbox,
    MailboxFull,
    Ref,
    Refused,
    Router,
    System,
    Tell,
    fail,
)


class Job(Tell):
    key: str
    number: int = 0
    seconds: float = 0.0


class Who(Ask[str]):
    key: str = ""


class Nested(Ask[str]):
    """Ask the router from inside of a member."""

    router: Ref[Any]
    seconds: float


class Member(Actor):
    def __init__(self, seen: list[tuple[str, int]]) -> None:
        self.seen = seen

    async def start(self) -> None:
        self.context.join("members")

    async def receive(self, message: Any) -> Any:
        match message:
            case Job(_, number, seconds):
                self.seen.append((self.context.path, number))
                await self.context.clock.sleep(seconds)
            case Who():
                return self.context.path
            case Nested(router, seconds):
                await self.context.clock.sleep(seconds)
                try:
                    return await router.ask(Who())
                except AskCycle:
                    return "cycle"
        return None


async def cast(system: System, count: int = 3, mailbox: Mailbox | None = None) -> list[tuple[str, int]]:
    seen: list[tuple[str, int]] = []
    for number in range(count):
        await system.spawn(Member, seen, name=f"m{number}", backoff=Backoff(10.0), mailbox=mailbox)
    return seen


async def test_round_robin_gives_each_member_its_turn() -> None:
    """SEMANTICS 19.1"""
    async with System() as system:
        await cast(system)
        router = await system.spawn(Router, "members")
        assert [await router.ask(Who()) for _ in range(6)] == ["m0", "m1", "m2"] * 2


async def test_a_member_that_is_down_gets_nothing_until_it_is_back() -> None:
    """SEMANTICS 19.1"""
    async with System() as system:
        await cast(system)
        router = await system.spawn(Router, "members")
        system.kill("m1")
        assert {await router.ask(Who()) for _ in range(6)} == {"m0", "m2"}
        await asyncio.sleep(20.0)
        assert {await router.ask(Who()) for _ in range(6)} == {"m0", "m1", "m2"}


async def test_the_same_key_goes_to_the_same_member() -> None:
    """SEMANTICS 19.2"""
    async with System() as system:
        await cast(system, 5)
        router = await system.spawn(Router, "members", lambda: ConsistentHash(lambda message: message.key))
        keys = [f"key-{number}" for number in range(20)]
        before = {key: await router.ask(Who(key)) for key in keys}
        assert before == {key: await router.ask(Who(key)) for key in keys}
        gone = before["key-0"]
        system.kill(gone)
        after = {key: await router.ask(Who(key)) for key in keys}
        assert {key for key in keys if before[key] != after[key]} == {key for key in keys if before[key] == gone}


async def test_an_empty_group_is_refused() -> None:
    """SEMANTICS 19.3"""
    async with System() as system:
        router = await system.spawn(Router, "nobody")
        with pytest.raises(Refused, match="no members"):
            await router.ask(Who())
        await router.tell(Job("a"))
        await system.idle()
        assert system.statistics().crashes == 0


async def test_mail_of_one_sender_for_one_member_stays_in_order_and_waits_for_room() -> None:
    """SEMANTICS 19.4"""
    async with System() as system:
        seen = await cast(system, 1, Mailbox(2))
        router = await system.spawn(Router, "members", mailbox=Mailbox(2))
        for number in range(20):
            await router.tell(Job("a", number, 0.1))
        await asyncio.sleep(5.0)
        assert seen == [("m0", number) for number in range(20)]


async def test_a_full_member_that_fails_costs_its_mail_and_not_the_router() -> None:
    """SEMANTICS 19.4"""
    async with System() as system:
        seen = await cast(system, 1, Mailbox(1, fail))
        router = await system.spawn(Router, "members")
        for number in range(10):
            await router.tell(Job("a", number, 1.0))
        with pytest.raises(MailboxFull):
            await router.ask(Who())
        await asyncio.sleep(30.0)
        assert system.statistics().crashes == 0
        assert system.statistics().dead_letters["full"] + len(seen) == 11


async def test_a_member_that_asks_its_router_while_that_waits_for_it_gets_a_cycle() -> None:
    """SEMANTICS 19.4"""
    async with System() as system:
        await cast(system, 1, Mailbox(1))
        router = await system.spawn(Router, "members")
        nested = asyncio.create_task(system.ref("m0").ask(Nested(router, 1.0)))
        await asyncio.sleep(0.1)
        for number in range(3):
            await router.tell(Job("a", number))
        assert await nested == "cycle"


async def test_an_ask_whose_member_dies_is_told_so() -> None:
    """SEMANTICS 19.1"""
    async with System() as system:
        await cast(system, 1)
        router = await system.spawn(partial(Router, "members"))
        slow = asyncio.create_task(router.ask(Nested(system.ref("nowhere"), 5.0), timeout=20.0))
        await asyncio.sleep(1.0)
        system.kill("m0")
        with pytest.raises(Down):
            await slow
