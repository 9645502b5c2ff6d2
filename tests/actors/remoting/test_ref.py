"""Refs reach actors on other nodes as they reach those of the same one."""

from __future__ import annotations

import asyncio

import pytest

from actors import AskTimeout, Down, Refused, System
from actors.remoting.limits import Limits
from actors.testing import MemoryNetwork, Probe
from tests.actors.cast import Add, Counter, Refuse, Sleep, Total
from tests.actors.remoting.nodes import ADDRESS, SECRET, Echo, Greet, Note, Server, WhoAmI, two_nodes


async def test_a_tell_and_an_ask_reach_an_actor_on_another_node() -> None:
    """SEMANTICS 15.1"""
    async with two_nodes() as (a, b):
        await b.spawn(Counter, name="counter")
        counter = a.ref("counter", "b")
        await counter.tell(Add(2))
        await counter.tell(Add(3))
        assert await counter.ask(Total()) == 5


async def test_a_ref_in_a_message_leads_back() -> None:
    """SEMANTICS 15.2"""
    async with two_nodes() as (a, b):
        await b.spawn(Server, name="server")
        probe = await Probe.spawn(a, "probe")
        await a.ref("server", "b").tell(Greet(probe.ref, 7))
        assert (await probe.get(Note)).number == 7
        ref = await a.ref("server", "b").ask(WhoAmI())
        assert (ref.node, ref.path) == ("b", "server")
        assert ref == a.ref("server", "b")
        assert await ref.ask(Echo("hello")) == "hello"


async def test_a_registered_name_is_reached_from_another_node() -> None:
    """SEMANTICS 15.3"""
    async with two_nodes() as (a, b):
        b.register("chat", await b.spawn(Server, name="server"))
        assert await a.ref("chat", "b").ask(Echo("x")) == "x"


async def test_both_directions_of_a_connection_carry_mail() -> None:
    async with two_nodes() as (a, b):
        await a.spawn(Server, name="server")
        assert await b.ref("server", "a").ask(Echo("y")) == "y"


async def test_a_refusal_and_a_timeout_are_those_of_one_node() -> None:
    """SEMANTICS 15.4"""
    async with two_nodes() as (a, b):
        await b.spawn(Counter, name="counter")
        counter = a.ref("counter", "b")
        with pytest.raises(Refused, match="as told"):
            await counter.ask(Refuse("nope"))
        with pytest.raises(AskTimeout):
            await counter.ask(Sleep(10.0), timeout=1.0)
        with pytest.raises(Down) as down:
            await a.ref("nobody", "b").ask(Total())
        assert down.value.reason == "missing"
        await asyncio.sleep(20.0)
        assert b.statistics().asks == 0


async def test_without_a_connection_mail_is_a_dead_letter_and_an_ask_is_down() -> None:
    """SEMANTICS 15.5"""
    async with two_nodes(connection=False) as (a, _):
        ref = a.ref("counter", "b")
        await ref.tell(Add(1))
        assert a.statistics().dead_letters == {"disconnected": 1}
        with pytest.raises(Down) as down:
            await ref.ask(Total())
        assert down.value.reason == "disconnected"


async def test_a_lossy_network_delays_and_loses_nothing() -> None:
    """SEMANTICS 15.6"""
    network = MemoryNetwork(3, loss=0.2, duplication=0.3, delay=(0.0, 0.05))
    async with two_nodes(network, Limits(silence_seconds=60.0)) as (a, b):
        server = Server()
        await b.spawn(lambda: server, name="server")
        for number in range(500):
            await a.ref("server", "b").tell(Note(number))
            if number % 10 == 0:
                await asyncio.sleep(0.01)
        await a.ref("server", "b").ask(Echo(""), timeout=60.0)
        assert [note.number for note in server.notes] == list(range(500))


async def test_a_node_that_listens_later_is_found() -> None:
    network = MemoryNetwork()
    async with System("a", network=network.host("a")) as a:
        dialer = await a.connect(ADDRESS, SECRET, timeout=None)
        await asyncio.sleep(1.0)
        async with System("b", network=network.host("b")) as b:
            await b.listen(ADDRESS, SECRET)
            await b.spawn(Counter, name="counter")
            await dialer.connected(10.0)
            assert await a.ref("counter", dialer.node).ask(Total()) == 0
