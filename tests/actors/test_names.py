"""Registered names."""

from __future__ import annotations

import asyncio

import pytest

from actors import Backoff, Down, NameTaken, System, temporary
from tests.actors.cast import Counter, Crash, Total


async def test_a_name_survives_every_restart_of_its_actor() -> None:
    """SEMANTICS 10.4"""
    async with System() as system:
        ref = await system.spawn(Counter, backoff=Backoff(0.01))
        system.register("counter", ref)
        for _ in range(3):
            await ref.tell(Crash())
            await asyncio.sleep(1.0)
            assert system.whereis("counter") == ref
        await system.stop_actor(ref)
        assert system.whereis("counter") is None
        assert system.names.all() == {}


async def test_a_name_is_free_when_its_actor_ended_for_good() -> None:
    """SEMANTICS 10.4"""
    async with System() as system:
        first = await system.spawn(Counter, restart=temporary, backoff=Backoff(0.01))
        second = await system.spawn(Counter)
        system.register("counter", first)
        with pytest.raises(NameTaken):
            system.register("counter", second)
        await first.tell(Crash())
        await system.idle()
        await asyncio.sleep(0.1)
        system.register("counter", second)
        assert system.whereis("counter") == second


async def test_a_name_can_be_taken_away_and_an_actor_can_have_two() -> None:
    """SEMANTICS 10.5"""
    async with System() as system:
        ref = await system.spawn(Counter)
        system.register("one", ref)
        system.register("two", ref)
        system.register("two", ref)
        assert system.names.of(ref) == ("one", "two")
        assert system.unregister("one")
        assert not system.unregister("one")
        assert system.names.of(ref) == ("two",)
        found = system.whereis("two")
        assert found is not None
        assert await found.ask(Total()) == 0


async def test_nobody_cannot_have_a_name() -> None:
    """SEMANTICS 10.5"""
    async with System() as system:
        with pytest.raises(Down):
            system.register("ghost", system.ref("nowhere"))
