"""Names, groups, routers, streams and topics whose actors are on another node."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from actors import (
    Actor,
    Ask,
    ConsistentHash,
    Down,
    GroupChanged,
    NameTaken,
    Router,
    Subscribe,
    Subscriptions,
    Topic,
)
from actors.testing import MemoryNetwork, Probe
from tests.actors.cast import Counter, Total
from tests.actors.remoting.nodes import Echo, Note, Server, two_nodes


class Push(Ask[int]):
    count: int


class Producer(Actor):
    def __init__(self, to: Any) -> None:
        self.to = to

    async def receive(self, message: Push) -> int:
        stream = self.context.stream(self.to, credit=4, capacity=4)
        for number in range(message.count):
            await stream.push(Note(number))
        await stream.drained()
        return stream.statistics().sent


async def test_a_name_for_an_actor_on_another_node_lasts_until_that_is_out_of_reach() -> None:
    """SEMANTICS 10.6"""
    network = MemoryNetwork()
    async with two_nodes(network) as (a, b):
        await b.spawn(Server, name="server")
        await a.spawn(Counter, name="server")  # of the same path, here
        far = a.ref("server", "b")
        a.register("far", far)
        with pytest.raises(NameTaken):
            a.register("far", a.ref("server"))
        found = a.whereis("far")
        assert found is not None
        assert await found.ask(Echo("hello")) == "hello"
        b.kill("server")
        await asyncio.sleep(5.0)
        assert a.whereis("far") == far, "it was restarted there"
        network.reset("b")
        await asyncio.sleep(0.01)
        assert a.whereis("far") is None
    async with two_nodes(connection=False) as (a, _):
        with pytest.raises(Down):
            a.register("far", a.ref("server", "b"))
        with pytest.raises(Down):
            a.groups.join("servers", a.ref("server", "b"))


async def test_a_member_on_another_node_leaves_when_it_ends_and_when_the_connection_is_lost() -> None:
    """SEMANTICS 12.6"""
    network = MemoryNetwork()
    async with two_nodes(network) as (a, b):
        far = [a.ref((await b.spawn(Server, name=name)).path, "b") for name in ("one", "two")]
        probe = await Probe.spawn(a)
        a.groups.monitor("servers", a.cells[probe.ref.path])
        for ref in far:
            a.groups.join("servers", ref)
        await asyncio.sleep(0.1)
        assert a.groups.members("servers") == tuple(far)
        await b.stop_actor(b.ref("one"))
        await asyncio.sleep(0.1)
        assert a.groups.members("servers") == (far[1],)
        network.reset("b")
        await asyncio.sleep(0.1)
        assert a.groups.members("servers") == ()
        changes = [message for message in probe.messages if isinstance(message, GroupChanged)]
        assert [ref for change in changes for ref in change.joined] == far
        assert [ref for change in changes for ref in change.left] == far


async def test_a_router_in_front_of_members_here_and_there() -> None:
    """SEMANTICS 12.6"""
    async with two_nodes() as (a, b):
        await b.spawn(Counter, name="counter")
        here = await a.spawn(Counter, name="counter")
        a.groups.join("counters", here)
        a.groups.join("counters", a.ref("counter", "b"))
        assert len(a.groups.members("counters")) == 2, "of one path, on two nodes"
        router = await a.spawn(Router, "counters")
        assert [await router.ask(Total()) for _ in range(4)] == [0] * 4
        by_key = await a.spawn(Router, "counters", lambda: ConsistentHash(lambda message: "key"))
        assert await by_key.ask(Total()) == 0


async def test_a_stream_and_a_topic_push_over_a_connection() -> None:
    """SEMANTICS 12.6"""
    network = MemoryNetwork(loss=0.1)
    async with two_nodes(network) as (a, b):
        probe = await Probe.spawn(b, name="probe")
        far = a.ref("probe", "b")
        producer = await a.spawn(Producer, far)
        assert await producer.ask(Push(50), timeout=300.0) == 50
        assert [note.number for note in probe.messages] == list(range(50))
        topic = await a.spawn(Topic)
        await topic.ask(Subscribe(far))
        await topic.tell(Note(99))
        await asyncio.sleep(30.0)
        assert probe.messages[-1] == Note(99)
        network.reset("b")
        await asyncio.sleep(1.0)
        subscriptions: list[Any] = await topic.ask(Subscriptions())
        assert subscriptions == []
