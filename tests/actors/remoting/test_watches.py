"""Watches across nodes."""

from __future__ import annotations

import asyncio

from actors import Down, System
from actors.testing import MemoryNetwork
from tests.actors.remoting.nodes import ADDRESS, SECRET, Die, Look, Server, Watcher, two_nodes


async def test_the_end_of_a_watched_actor_is_told_once() -> None:
    """SEMANTICS 15.8"""
    async with two_nodes() as (a, b):
        downs: list[Down] = []
        await b.spawn(Server, name="server")
        watcher = await a.spawn(Watcher, downs)
        server = a.ref("server", "b")
        await watcher.tell(Look(server))
        await watcher.tell(Look(server))
        await asyncio.sleep(0.1)
        await server.tell(Die())
        await asyncio.sleep(1.0)
        await server.tell(Die())
        await asyncio.sleep(1.0)
        assert [(down.ref, down.reason, down.restarting) for down in downs] == [(server, "crashed", True)]


async def test_a_lost_connection_is_the_end_of_what_was_watched() -> None:
    """SEMANTICS 15.8"""
    network = MemoryNetwork()
    async with two_nodes(network) as (a, b):
        downs: list[Down] = []
        await b.spawn(Server, name="server")
        watcher = await a.spawn(Watcher, downs)
        await watcher.tell(Look(a.ref("server", "b")))
        await asyncio.sleep(0.1)
        network.reset("b")
        await asyncio.sleep(0.01)
        assert [down.reason for down in downs] == ["disconnected"]
        assert b.cells["server"].watchers == {}


async def test_watching_without_a_connection_is_answered_at_once() -> None:
    """SEMANTICS 15.8"""
    async with two_nodes(connection=False) as (a, _):
        downs: list[Down] = []
        watcher = await a.spawn(Watcher, downs)
        await watcher.tell(Look(a.ref("server", "b")))
        await a.idle()
        assert [down.reason for down in downs] == ["disconnected"]


async def test_watching_nobody_is_answered() -> None:
    """SEMANTICS 15.8"""
    async with two_nodes() as (a, _):
        downs: list[Down] = []
        watcher = await a.spawn(Watcher, downs)
        await watcher.tell(Look(a.ref("nobody", "b")))
        await asyncio.sleep(0.1)
        assert [down.reason for down in downs] == ["missing"]


async def test_a_node_itself_can_be_watched() -> None:
    network = MemoryNetwork()
    async with two_nodes(network) as (a, _):
        downs: list[Down] = []
        watcher = await a.spawn(Watcher, downs)
        await watcher.tell(Look(a.ref("", "b")))
        await asyncio.sleep(60.0)
        assert downs == []
        network.reset("b")
        await asyncio.sleep(0.01)
        assert [down.reason for down in downs] == ["disconnected"]


async def test_a_node_that_stops_says_so() -> None:
    """SEMANTICS 15.8"""
    network = MemoryNetwork()
    async with System("a", network=network.host("a")) as a:
        downs: list[Down] = []
        watcher = await a.spawn(Watcher, downs)
        async with System("b", network=network.host("b")) as b:
            await b.listen(ADDRESS, SECRET)
            await b.spawn(Server, name="server")
            await a.connect(ADDRESS, SECRET)
            await watcher.tell(Look(a.ref("server", "b")))
            await asyncio.sleep(0.1)
        await asyncio.sleep(0.1)
        assert [down.reason for down in downs] == ["shutdown"]
