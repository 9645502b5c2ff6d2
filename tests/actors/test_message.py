"""Messages, frames and what travels in them."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import Enum
from typing import Any

import msgpack
import pytest

from actors import Actor, Ask, Header, Ref, Refused, System, Tell, Trace, Unpackable
from tests.actors.cast import Add, Counter, Crash, Total


class Colour(Enum):
    RED = "red"


class Rich(Ask[list[Any]]):
    when: datetime
    colour: Colour
    friend: Ref[Any]
    friends: list[Ref[Any]]
    blob: bytes
    anything: Any = None


class Old(Ask[int]):
    number: int
    added_later: int = 7


class Echo(Actor):
    async def receive(self, message: Any) -> Any:
        match message:
            case Rich():
                return [message.when, message.colour.value, message.friend, message.friends, message.blob]
            case Old():
                return message.number + message.added_later
        return None


class Keep(Tell):
    items: list[int]


class Keeper(Actor):
    def __init__(self, kept: list[list[int]]) -> None:
        self.kept = kept

    async def receive(self, message: Any) -> None:
        if isinstance(message, Keep):
            self.kept.append(message.items)


async def test_sender_and_receiver_share_no_object() -> None:
    """SEMANTICS 1.1"""
    kept: list[list[int]] = []
    items = [1, 2]
    async with System() as system:
        ref = await system.spawn(Keeper, kept)
        await ref.tell(Keep(items))
        items.append(3)
        await system.idle()
    assert kept == [[1, 2]]


async def test_what_cannot_be_packed_raises_in_the_sender_and_names_the_field() -> None:
    """SEMANTICS 1.2"""
    async with System() as system:
        ref = await system.spawn(Counter)
        with pytest.raises(Unpackable, match=r"Add\.amount") as caught:
            await ref.tell(Add(object()))  # type: ignore[arg-type]
        assert caught.value.field == "amount"


async def test_refs_times_enums_and_bytes_travel_in_any_field() -> None:
    """SEMANTICS 1.4"""
    when = datetime(2026, 1, 2, tzinfo=UTC)
    async with System() as system:
        ref = await system.spawn(Echo)
        other = system.ref("not/yet")
        reply = await ref.ask(Rich(when, Colour.RED, ref, [other], b"\x00\xff", {"deep": other}))
    assert reply == [when, "red", ref, [other], b"\x00\xff"]


async def test_unknown_fields_are_ignored_and_missing_ones_take_their_defaults() -> None:
    """SEMANTICS 1.3"""
    async with System() as system:
        codec = system.codec
        body = msgpack.packb({"number": 1, "from_the_future": "x"})
        assert codec.decoder(Old)(body) == Old(1, 7)


async def test_a_body_that_does_not_fit_becomes_a_dead_letter_and_refuses_the_asker() -> None:
    """SEMANTICS 1.7"""
    async with System() as system:
        ref = await system.spawn(Counter)
        await ref.tell(Add("three"))  # type: ignore[arg-type]
        with pytest.raises(Refused) as caught:
            await ref.ask(Old("x"))  # type: ignore[arg-type]
        assert caught.value.code == "undecodable"
        assert await ref.ask(Total()) == 0
        assert system.statistics().dead_letters == {"undecodable": 2}


async def test_a_frame_of_an_unknown_type_becomes_a_dead_letter() -> None:
    """SEMANTICS 1.7"""
    async with System() as system:
        ref = await system.spawn(Counter)
        ref.deliver((msgpack.packb(("no.such.Type", None)), msgpack.packb(None), b"\x80"))
        assert await ref.ask(Total()) == 0
        assert system.statistics().dead_letters == {"unknown type": 1}


async def test_the_message_in_hand_at_a_crash_is_not_handled_again() -> None:
    """SEMANTICS 1.5"""
    async with System() as system:
        ref = await system.spawn(Counter)
        await ref.tell(Crash())
        await ref.tell(Add(1))
        assert await ref.ask(Total()) == 1
        assert system.statistics().crashes == 1


async def test_messages_of_one_sender_keep_their_order() -> None:
    """SEMANTICS 1.6"""
    kept: list[list[int]] = []
    async with System() as system:
        ref = await system.spawn(Keeper, kept)
        for number in range(3000):
            await ref.tell(Keep([number]))
        await system.idle()
    assert kept == [[number] for number in range(3000)]


class Go(Ask[None]):
    to: Ref[Any]


class Starter(Actor):
    async def receive(self, message: Any) -> Any:
        match message:
            case Go(to):
                await to.tell(Add(1))
                self.context.send_after(1.0, Add(2), to)
                self.context.task(self._later(to), "tell later")
        return None

    async def _later(self, to: Ref[Any]) -> None:
        await self.context.clock.sleep(2.0)
        await to.tell(Add(3))


async def test_the_cause_travels_through_handlers_timers_and_tasks() -> None:
    """SEMANTICS 1.8"""
    seen: list[Header] = []
    cause = Trace("request-1", "test", "default/web", 4)
    async with System(tap=lambda header, size: seen.append(header)) as system:
        counter = await system.spawn(Counter, name="counter")
        starter = await system.spawn(Starter, name="starter")
        from actors import current

        current.set_cause(cause)
        await starter.ask(Go(counter))
        current.set_cause(None)
        await system.clock.sleep(3.0)
        await counter.tell(Add(9))
    to_counter = [header for header in seen if header.receiver == "counter"]
    assert [header.trace for header in to_counter] == [cause, cause, cause, None]
    assert to_counter[0].sender == "starter"
