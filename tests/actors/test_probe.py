"""Probes."""

from __future__ import annotations

import pytest

from actors import Down, System
from actors.testing import Probe
from tests.actors.cast import Add, Counter, Total


async def test_a_probe_gives_its_mail_by_type_and_waits_for_it() -> None:
    async with System() as system:
        probe = await Probe.spawn(system, reply=7)
        await probe.ref.tell(Add(1))
        await probe.ref.tell(Add(2))
        assert await probe.ref.ask(Total()) == 7
        assert await probe.get(Total) == Total()
        assert [await probe.get(Add), await probe.get(Add)] == [Add(1), Add(2)]
        with pytest.raises(TimeoutError, match=r"expected a Add within 3 s, got \[\]"):
            await probe.get(Add, seconds=3.0)


async def test_a_probe_says_when_mail_came_that_should_not_have() -> None:
    async with System() as system:
        probe = await Probe.spawn(system)
        await probe.nothing(60.0)
        await probe.ref.tell(Add(1))
        with pytest.raises(AssertionError, match="expected no mail for 1 s"):
            await probe.nothing()


async def test_a_probe_watches() -> None:
    async with System() as system:
        probe = await Probe.spawn(system)
        counter = await system.spawn(Counter)
        await probe.watch(counter)
        await system.stop_actor(counter)
        assert (await probe.get(Down)).reason == "shutdown"
