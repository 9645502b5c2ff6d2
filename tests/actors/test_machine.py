"""State machines."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import pytest

from actors import Ask, Backoff, Mailbox, Refused, StateMachine, StateTimeout, System, Tell, drop_newest
from actors.machine import IllegalTransition


class Code(Tell):
    digits: str


class Push(Tell):
    pass


class Where(Ask[str]):
    pass


class Leap(Ask[None]):
    to: str


class Crash(Tell):
    pass


class Door(StateMachine):
    """A door with a code lock: open for five seconds, locked again ten seconds after it closed."""

    initial = "locked"
    transitions: ClassVar[Mapping[str, Sequence[str]]] = {
        "locked": ("closed",),
        "closed": ("open", "locked"),
        "open": ("closed", "open"),
    }

    def __init__(self, diary: list[str]) -> None:
        self.diary = diary

    async def enter(self, old: str, new: str) -> None:
        self.diary.append(f"{old}>{new}")

    async def locked(self, message: Any) -> Any:
        match message:
            case Code("1234"):
                self.to("closed", timeout=10.0)
            case Push():
                return self.postpone()
            case Where():
                return "locked"
            case Leap(to):
                self.to(to)
            case Crash():
                raise RuntimeError("as told")
        return None

    async def closed(self, message: Any) -> Any:
        match message:
            case Push():
                self.to("open", timeout=5.0)
            case StateTimeout():
                self.to("locked")
            case Where():
                return "closed"
            case Leap(to):
                self.to(to)
                raise Refused("changed its mind")
        return None

    async def open(self, message: Any) -> Any:
        match message:
            case StateTimeout():
                self.to("closed", timeout=10.0)
            case Where():
                return "open"
            case Push():
                self.to("open", timeout=5.0)
        return None


async def test_each_state_handles_its_messages_and_the_table_says_where_it_may_go() -> None:
    """SEMANTICS 17.1"""
    diary: list[str] = []
    async with System() as system:
        door = await system.spawn(Door, diary)
        assert await door.ask(Where()) == "locked"
        await door.tell(Code("1234"))
        assert await door.ask(Where()) == "closed"
        await door.tell(Push())
        assert await door.ask(Where()) == "open"
        assert diary == [">locked", "locked>closed", "closed>open"]


async def test_a_state_times_out_and_a_transition_ends_its_timeout() -> None:
    """SEMANTICS 17.2"""
    async with System() as system:
        door = await system.spawn(Door, [])
        await door.tell(Code("1234"))
        await asyncio.sleep(9.0)
        await door.tell(Push())
        await asyncio.sleep(4.0)
        assert await door.ask(Where()) == "open", "the timeout of closed is void"
        await door.tell(Push())
        await asyncio.sleep(4.0)
        assert await door.ask(Where()) == "open", "a transition to itself begins anew"
        await asyncio.sleep(2.0)
        assert await door.ask(Where()) == "closed"
        await asyncio.sleep(20.0)
        assert await door.ask(Where()) == "locked"


async def test_a_full_mailbox_does_not_swallow_a_timeout() -> None:
    """SEMANTICS 17.2"""
    diary: list[str] = []
    async with System() as system:
        door = await system.spawn(Slow, diary, mailbox=Mailbox(1, drop_newest))
        await door.tell(Code("1234"))
        await asyncio.sleep(9.0)
        for _ in range(3):
            await door.tell(Push())
        await asyncio.sleep(15.0)
        assert "closed>locked" in diary


class Slow(Door):
    async def closed(self, message: Any) -> Any:
        if isinstance(message, StateTimeout):
            self.to("locked")
        else:
            await self.context.clock.sleep(3.0)


async def test_a_postponed_message_is_handled_after_the_next_transition_before_newer_mail() -> None:
    """SEMANTICS 17.3"""
    diary: list[str] = []
    async with System() as system:
        door = await system.spawn(Door, diary)
        await door.tell(Push())
        assert await door.ask(Where()) == "locked"
        await door.tell(Code("1234"))
        assert await door.ask(Where()) == "open"


async def test_an_illegal_transition_is_a_crash_that_says_what_was_allowed() -> None:
    """SEMANTICS 17.1"""
    async with System() as system:
        door = await system.spawn(Door, [], backoff=Backoff(0.01))
        with pytest.raises(Exception, match="Door goes from 'locked' to closed, not to 'open'"):
            await door.ask(Leap("open"))
        assert str(IllegalTransition("Door", "a", "b", ())) == "Door goes from 'a' to nowhere, not to 'b'"


async def test_who_refuses_goes_nowhere_and_a_restart_begins_anew() -> None:
    """SEMANTICS 17.4"""
    async with System() as system:
        door = await system.spawn(Door, [], backoff=Backoff(0.01))
        await door.tell(Code("1234"))
        with pytest.raises(Refused, match="changed its mind"):
            await door.ask(Leap("open"))
        assert await door.ask(Where()) == "closed"
        system.kill(door.path)
        assert await door.ask(Where()) == "locked"


async def test_enter_may_go_on() -> None:
    """SEMANTICS 17.4"""
    diary: list[str] = []
    async with System() as system:
        await system.spawn(Hasty, diary)
        assert diary == [">locked", "locked>closed", "closed>open"]


class Hasty(Door):
    async def enter(self, old: str, new: str) -> None:
        await super().enter(old, new)
        if new != "open":
            self.to("closed" if new == "locked" else "open")


async def test_a_machine_that_never_rests_crashes() -> None:
    """SEMANTICS 17.4"""
    async with System() as system:
        with pytest.raises(Exception, match="at most 100 transitions in a row"):
            await system.spawn(Restless, [])


class Restless(Door):
    async def enter(self, old: str, new: str) -> None:
        self.to({"locked": "closed", "closed": "locked"}[new])


def test_a_state_without_a_method_is_told_when_the_class_is_made() -> None:
    """SEMANTICS 17.1"""
    with pytest.raises(TypeError, match="expected an async method 'ajar'"):

        class _Broken(StateMachine):
            initial = "ajar"
            transitions: ClassVar[Mapping[str, Sequence[str]]] = {"ajar": ()}
