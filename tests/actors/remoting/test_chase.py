"""Who closes a circle of asks over several nodes is told at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import msgspec
import pytest

from actors import Actor, Ask, AskTimeout, Ref, Refused, System
from actors.asks import CYCLE
from actors.remoting import chase, handshake, peer
from actors.remoting.errors import Violation
from actors.testing import MemoryNetwork
from tests.actors.circle import Member, Pass
from tests.actors.remoting.nodes import SECRET, two_nodes

SOON = 0.5
"""Seconds of the tests' clock: far below every deadline of an ask here."""


class Window(Actor):
    """Passes asks on to ``desk``."""

    def __init__(self, desk: Ref[Any]) -> None:
        self._desk = desk

    async def receive(self, message: Any) -> Any:
        return self.context.forward(self._desk)


class Slow(Ask[list[str]]):
    """Take ``seconds``, then pass it on to ``to``."""

    seconds: float
    to: tuple[Ref[Any], ...] = ()


class Sluggish(Member):
    async def receive(self, message: Any) -> Any:
        if isinstance(message, Slow):
            await asyncio.sleep(message.seconds)
            return await super().receive(Pass(list(message.to))) if message.to else []
        return await super().receive(message)


@asynccontextmanager
async def ring(names: str) -> AsyncIterator[list[System]]:
    """Nodes, each of which is connected with each, and a member on each, named as its node."""
    network = MemoryNetwork()
    systems: list[System] = []
    async with AsyncExitStack() as stack:
        for number, name in enumerate(names):
            system = await stack.enter_async_context(System(name, seed=number, network=network.host(name)))
            await system.listen(f"tcp://{name}:1", SECRET)
            for other in systems:
                await system.connect(f"tcp://{other.name}:1", SECRET)
            await system.spawn(Sluggish, name=name)
            systems.append(system)
        yield systems


async def test_a_circle_over_two_nodes_is_found() -> None:
    """SEMANTICS 8.5, 15.18"""
    async with ring("ab") as (a, b), asyncio.timeout(SOON):
        there = b.ref("a", "a"), b.ref("b")
        assert await a.ref("a").ask(Pass([there[1], there[0]])) == ["b/b", "a/a", "b/b"]


async def test_a_circle_over_four_nodes_is_found() -> None:
    """SEMANTICS 15.18"""
    async with ring("abcd") as systems, asyncio.timeout(SOON):
        a, b, c, d = [system.ref(system.name) for system in systems]
        found = await a.ask(Pass([b, c, d, a]))
        assert found == ["d/d", "a/a", "b/b", "c/c", "d/d"]


async def test_a_circle_that_leads_through_actors_of_the_same_node_is_found() -> None:
    """SEMANTICS 15.18"""
    async with ring("ab") as (a, b), asyncio.timeout(SOON):
        await a.spawn(Member, name="a2")
        await b.spawn(Member, name="b2")
        refs = [a.ref("a2"), b.ref("b"), b.ref("b2"), a.ref("a")]
        assert await a.ref("a").ask(Pass(refs)) == ["b/b2", "a/a", "a/a2", "b/b", "b/b2"]


async def test_the_last_ask_of_a_circle_may_stay_in_its_node() -> None:
    """SEMANTICS 15.18"""
    async with ring("ab") as (a, b), asyncio.timeout(SOON):
        a2 = await a.spawn(Member, name="a2")
        assert await a2.ask(Pass([b.ref("b"), a.ref("a"), a2])) == ["a/a", "a/a2", "b/b", "a/a"]


async def test_asks_that_cross_on_the_wire_do_not_wait_for_their_deadlines() -> None:
    """SEMANTICS 15.18"""
    async with ring("ab") as (a, b), asyncio.timeout(SOON + 1.0):
        answers = await asyncio.gather(
            a.ref("a").ask(Slow(1.0, (b.ref("b"),))), b.ref("b").ask(Slow(1.0, (a.ref("a"),)))
        )
        assert list(answers) == [["a/a", "b/b", "a/a"], ["b/b", "a/a", "b/b"]]


async def test_a_circle_is_found_behind_an_actor_that_passes_asks_on() -> None:
    """SEMANTICS 8.9, 15.18"""
    async with ring("ab") as (a, b), asyncio.timeout(SOON):
        window = await a.spawn(lambda: Window(a.ref("b", "b")), name="window")
        assert await a.ref("a").ask(Pass([window, a.ref("a")])) == ["b/b", "a/a", "b/b"]
        far = await b.spawn(lambda: Window(b.ref("a", "a")), name="window")
        assert await a.ref("a").ask(Pass([b.ref("b"), far])) == ["b/b", "a/a", "b/b"]


async def test_a_circle_is_found_where_an_ask_from_afar_is_passed_on() -> None:
    """SEMANTICS 8.9, 15.18"""
    async with ring("ab") as (a, b), asyncio.timeout(SOON):
        window = await b.spawn(lambda: Window(b.ref("b")), name="window")
        assert await a.ref("a").ask(Pass([window, a.ref("a")])) == ["b/b", "a/a", "b/b"]
        assert await b.ref("b").ask(Pass([a.ref("a"), window])) == ["a/a", "b/b", "a/a"]


async def test_a_circle_within_a_node_is_found_behind_an_actor_that_passes_asks_on() -> None:
    """SEMANTICS 8.9"""
    async with System() as system, asyncio.timeout(SOON):
        a, b = await system.spawn(Member, name="a"), await system.spawn(Member, name="b")
        window = await system.spawn(lambda: Window(b), name="window")
        assert await a.ask(Pass([window, a])) == ["b", "a", "b"]
        assert await b.ask(Pass([a, window])) == ["local/a", "local/b", "local/a"]


async def test_who_waits_for_one_that_is_only_slow_is_in_no_circle() -> None:
    async with ring("abc") as (a, b, c):
        slow = asyncio.ensure_future(a.ref("a").ask(Slow(0.0, (b.ref("b"),))))
        b.ref("b").tell_nowait(Slow(3.0))  # type: ignore[arg-type]
        await asyncio.sleep(0.1)
        with pytest.raises(AskTimeout):
            await c.ref("c").ask(Slow(0.0, (a.ref("a"),)), timeout=1.0)
        await asyncio.gather(slow, return_exceptions=True)


async def test_a_peer_without_chases_waits_for_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    """SEMANTICS 15.11"""
    monkeypatch.setattr(handshake, "HIGHEST_VERSION", 1)
    monkeypatch.setattr(peer, "HIGHEST_VERSION", 1)
    async with ring("ab") as (a, b):
        with pytest.raises(AskTimeout):
            await a.ref("a").ask(Pass([b.ref("b"), a.ref("a")]), timeout=1.0)
        await asyncio.sleep(10.0)


async def test_an_older_peer_reads_a_circle_as_a_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peer, "HIGHEST_VERSION", 1)
    async with two_nodes() as (a, b):

        class Silent(Actor):
            async def receive(self, message: Any) -> Any:
                b.asks.answer(next(iter(b.asks.waiting)), CYCLE, b.codec.encode_value(["x/x", "y/y", "x/x"]))
                return self.context.later(asyncio.sleep(0), "nothing")

        await b.spawn(Silent, name="silent")
        with pytest.raises(Refused, match="x/x -> y/y -> x/x") as refused:
            await a.ref("silent", "b").ask(Pass([]))
        assert refused.value.code == "cycle"


@pytest.mark.parametrize("data", [b"", b"\xc1", msgspec.msgpack.encode(["x"]), b"\xff" * 100])
async def test_a_chase_that_is_none_ends_the_connection(data: bytes) -> None:
    async with two_nodes() as (_, b):
        with pytest.raises(Violation, match="expected a chase"):
            chase.take(b, b.remoting.peers["a"], data)
