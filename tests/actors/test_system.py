"""Names, paths, timers and what the system shows of itself."""

from __future__ import annotations

from typing import Any

import pytest

from actors import Actor, Ask, NameTaken, ReceiveTimeout, System, Tell
from actors.testing import SimulatedClock, run
from tests.actors.cast import Add, Counter, Total


async def test_a_path_names_one_living_actor() -> None:
    """SEMANTICS 10.1"""
    async with System() as system:
        ref = await system.spawn(Counter, name="one")
        with pytest.raises(NameTaken, match="'one'"):
            await system.spawn(Counter, name="one")
        await system.stop_actor(ref)
        assert (await system.spawn(Counter, name="one")) == ref


async def test_a_ref_may_be_older_than_its_actor() -> None:
    """SEMANTICS 10.2"""
    async with System() as system:
        early = system.ref("later")
        await system.spawn(Counter, name="later")
        await early.tell(Add(2))
        assert await early.ask(Total()) == 2


async def test_a_registered_name_is_found_while_its_actor_lives() -> None:
    """SEMANTICS 10.3"""
    async with System() as system:
        ref = await system.spawn(Counter)
        system.register("scheduler", ref)
        assert system.whereis("scheduler") == ref
        with pytest.raises(NameTaken):
            system.register("scheduler", await system.spawn(Counter))
        await system.stop_actor(ref)
        assert system.whereis("scheduler") is None


class Ring(Tell):
    pass


class Silent(Tell):
    seconds: float


class Draw(Ask[float]):
    pass


class Alarm(Actor):
    def __init__(self, heard: list[tuple[str, float]]) -> None:
        self.heard = heard

    async def receive(self, message: Any) -> Any:
        now = round(self.context.clock.monotonic(), 6)
        match message:
            case Ring():
                self.heard.append(("ring", now))
                await self.context.clock.sleep(0.3)
            case ReceiveTimeout():
                self.heard.append(("silence", now))
            case Silent(seconds):
                self.context.receive_timeout(seconds)
            case Add(amount):
                self.timer = self.context.send_every(amount, Ring())
                self.context.send_after(0.5, Ring())
            case Total():
                self.timer.cancel()
                return len(self.heard)
            case Draw():
                return self.context.random.random()
        return None


async def test_timers_fire_by_the_clock_without_drift_and_end_when_cancelled() -> None:
    """SEMANTICS 11.1, 11.2"""
    heard: list[tuple[str, float]] = []
    async with System() as system:
        ref = await system.spawn(Alarm, heard)
        await ref.tell(Add(1))
        await system.clock.sleep(3.5)
        await ref.ask(Total())
        await system.clock.sleep(3.0)
    assert heard == [("ring", t) for t in (0.5, 1.0, 2.0, 3.0)]


async def test_silence_is_reported_after_silence_only() -> None:
    """SEMANTICS 11.3"""
    heard: list[tuple[str, float]] = []
    async with System() as system:
        ref = await system.spawn(Alarm, heard)
        await ref.tell(Silent(1.0))
        await system.clock.sleep(0.8)
        await ref.tell(Ring())
        await system.clock.sleep(2.0)
    assert heard == [("ring", 0.8), ("silence", 2.1)]


@pytest.mark.real_loop
async def test_a_clock_moved_by_hand_drives_timers_on_any_loop() -> None:
    """SEMANTICS 11.1"""
    heard: list[tuple[str, float]] = []
    clock = SimulatedClock()
    async with System(clock=clock) as system:
        ref = await system.spawn(Alarm, heard)
        await ref.tell(Add(1))
        await system.idle()
        await clock.advance(2.0)
        assert heard == [("ring", 0.5), ("ring", 1.0), ("ring", 2.0)]
        await clock.advance(1.0)
        await clock.advance(0.5)


def test_seeded_randomness_depends_on_seed_and_path_only() -> None:
    """SEMANTICS 11.4"""

    async def draw(names: list[str]) -> dict[str, float]:
        async with System(seed=7) as system:
            return {name: await (await system.spawn(Alarm, [], name=name)).ask(Draw()) for name in names}

    first = run(draw(["a", "b"]))
    assert run(draw(["b", "a"]), seed=5) == first
    assert first["a"] != first["b"]


def test_who_takes_the_place_of_another_does_not_draw_what_that_one_drew() -> None:
    """SEMANTICS 11.4"""

    async def draw() -> list[float]:
        async with System(seed=7) as system:
            drawn = []
            for _ in range(3):
                ref = await system.spawn(Alarm, [], name="a")
                drawn.append(await ref.ask(Draw()))
                await system.stop_actor(ref)
            return drawn

    first = run(draw())
    assert len(set(first)) == 3
    assert run(draw(), seed=5) == first


async def test_the_tree_shows_every_actor() -> None:
    async with System() as system:
        ref = await system.spawn(Counter, name="counter")
        await ref.tell(Add(1))
        await system.idle()
        node = system.tree().children[0]
        assert (node.path, node.kind, node.state, node.statistics.handled) == ("counter", "Counter", "running", 1)
        assert (node.statistics.mailbox, node.statistics.restarts) == (0, 0)


async def test_an_idle_system_has_no_task_per_actor() -> None:
    import asyncio

    async with System() as system:
        for _ in range(100):
            await (await system.spawn(Counter)).tell(Add(1))
        await system.idle()
        assert len(asyncio.all_tasks()) < 5
