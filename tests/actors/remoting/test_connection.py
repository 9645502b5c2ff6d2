"""What happens when connections break, and when two nodes do not want each other."""

from __future__ import annotations

import asyncio

import pytest
from msgspec import structs

from actors import Down, System
from actors.remoting import wire
from actors.remoting.errors import PeerRefused, Unreachable, Violation
from actors.remoting.handshake import Handshake
from actors.remoting.security import Secret, SecretProver
from actors.testing import MemoryNetwork
from tests.actors.cast import Counter, Sleep, Total
from tests.actors.remoting.nodes import ADDRESS, SECRET, Note, Server, two_nodes


async def test_asks_under_way_end_with_the_connection() -> None:
    """SEMANTICS 15.7"""
    network = MemoryNetwork()
    async with two_nodes(network) as (a, b):
        await b.spawn(Counter, name="counter")
        asking = asyncio.create_task(a.ref("counter", "b").ask(Sleep(3.0), timeout=30.0))
        await asyncio.sleep(1.0)
        began = asyncio.get_running_loop().time()
        network.reset("b")
        with pytest.raises(Down) as down:
            await asking
        assert down.value.reason == "disconnected"
        assert asyncio.get_running_loop().time() - began < 0.1


async def test_mail_that_has_not_left_becomes_dead_letters() -> None:
    """SEMANTICS 15.7"""
    network = MemoryNetwork()
    async with two_nodes(network) as (a, b):
        await b.spawn(Server, name="server")
        network.partition("a", "b")
        big = "x" * 100_000
        for number in range(60):
            assert a.ref("server", "b").tell_nowait(Note(number, big))
        await asyncio.sleep(60.0)
        assert a.statistics().dead_letters["disconnected"] >= 18


async def test_a_broken_connection_is_dialled_again() -> None:
    """SEMANTICS 15.9"""
    network = MemoryNetwork()
    async with two_nodes(network) as (a, b):
        await b.spawn(Counter, name="counter")
        for _ in range(3):
            network.reset("b")
            await asyncio.sleep(1.0)
            assert await a.ref("counter", "b").ask(Total()) == 0


async def test_a_partition_is_noticed_by_silence_and_healed_by_dialling() -> None:
    """SEMANTICS 15.9"""
    network = MemoryNetwork()
    async with two_nodes(network) as (a, b):
        await b.spawn(Counter, name="counter")
        network.partition("a", "b")
        await asyncio.sleep(a.remoting.limits.silence_seconds + 0.1)
        assert not a.remoting.peers
        assert not b.remoting.peers
        await asyncio.sleep(30.0)
        network.heal()
        await asyncio.sleep(15.0)
        assert await a.ref("counter", "b").ask(Total()) == 0
        assert network.connections() == 1


async def test_nodes_that_dial_each_other_at_once_keep_one_connection() -> None:
    network = MemoryNetwork()
    async with System("a", network=network.host("a")) as a, System("b", network=network.host("b")) as b:
        await a.listen("tcp://a:1", SECRET)
        await b.listen(ADDRESS, SECRET)
        await asyncio.gather(a.connect(ADDRESS, SECRET), b.connect("tcp://a:1", SECRET))
        await asyncio.sleep(5.0)
        assert network.connections() == 1
        await b.spawn(Counter, name="counter")
        await a.spawn(Counter, name="counter")
        assert await a.ref("counter", "b").ask(Total()) == 0
        assert await b.ref("counter", "a").ask(Total()) == 0


async def test_a_wrong_secret_is_refused_and_said() -> None:
    """SEMANTICS 15.10"""
    async with two_nodes(connection=False) as (a, b):
        with pytest.raises(PeerRefused, match="shared secret") as refused:
            await a.connect(ADDRESS, Secret(b"another secret altogether"))
        assert refused.value.code == "secret"
        assert not b.remoting.peers
        assert b.remoting.refusals == {"secret": 1}


async def test_a_version_that_is_not_spoken_is_refused_and_said() -> None:
    """SEMANTICS 15.11"""
    async with two_nodes(connection=False) as (a, b):
        old = structs.replace(a.remoting.new_hello("secret"), lowest=7, highest=9)
        prover = SecretProver(SECRET)
        dialer, acceptor = (
            Handshake(old, prover, dialer=True),
            Handshake(b.remoting.new_hello("secret"), prover, dialer=False),
        )
        with pytest.raises(Violation, match="expected protocol version 1 to 2, found 7 to 9") as refused:
            acceptor.receive(wire.HELLO, dialer.begin()[5:])
        assert refused.value.code == "version"


async def test_a_node_of_the_same_name_is_refused() -> None:
    network = MemoryNetwork()
    async with System("b", network=network.host("b")) as b, System("b", network=network.host("c")) as other:
        await b.listen(ADDRESS, SECRET)
        with pytest.raises(PeerRefused) as refused:
            await other.connect(ADDRESS, SECRET)
        assert refused.value.code == "name"


async def test_nobody_listening_is_unreachable() -> None:
    network = MemoryNetwork()
    async with System("a", network=network.host("a")) as a:
        with pytest.raises(Unreachable, match="nobody listens"):
            await a.connect("tcp://nowhere:1", SECRET, timeout=3.0)
