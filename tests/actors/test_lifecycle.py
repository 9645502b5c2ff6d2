"""Starting, crashing and stopping, in every unpleasant way."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from actors import Actor, Backoff, Down, Exit, Ref, StartFailed, System, Tell, child, temporary
from actors.lifecycle import CANCEL_GRACE_SECONDS
from actors.testing import DeterministicLoop, Probe
from tests.actors.cast import Add, Counter, Crash, Sleep, Total, Witness


class BadMaker(Actor):
    def __init__(self) -> None:
        raise ValueError("no such thing")


class BadStarter(Actor):
    async def start(self) -> None:
        await self.context.spawn(Counter, name="orphan")
        raise ValueError("not today")


@pytest.mark.parametrize("kind", [BadMaker, BadStarter])
async def test_what_does_not_start_leaves_nothing_behind(kind: type[Actor]) -> None:
    """SEMANTICS 5.6"""
    async with System() as system:
        with pytest.raises(StartFailed, match="ValueError"):
            await system.spawn(kind, name="bad")
        assert system.statistics().actors == 0
        await system.spawn(Counter, name="bad")


class Clinging(Actor):
    def __init__(self, parent: Ref[Any]) -> None:
        self.parent = parent

    async def start(self) -> None:
        await self.parent.ask(Total())


class Careless(Counter):
    async def receive(self, message: Any) -> Any:
        if isinstance(message, Add):
            await self.context.spawn(Clinging, self.context.ref)
            return None
        return await super().receive(message)


async def test_a_child_that_asks_its_parent_while_it_starts_fails_at_once() -> None:
    """SEMANTICS 8.5"""
    async with System() as system:
        ref = await system.spawn(Careless, name="careless", restart=temporary)
        probe = await Probe.spawn(system)
        await probe.watch(ref)
        await system.idle()
        await ref.tell(Add(1))
        assert "AskCycle" in (await probe.get(Down)).message
        assert system.clock.monotonic() == 0


class Exiter(Counter):
    async def receive(self, message: Any) -> Any:
        if isinstance(message, Crash):
            raise {"exit": SystemExit(3), "cancel": asyncio.CancelledError(), "interrupt": KeyboardInterrupt()}[
                message.text
            ]
        return await super().receive(message)


async def test_system_exit_is_a_crash_of_the_actor() -> None:
    """SEMANTICS 5.3"""
    async with System() as system:
        ref = await system.spawn(Exiter)
        await ref.tell(Crash("exit"))
        assert await ref.ask(Total()) == 0
        assert system.statistics().crashes == 1


async def test_a_cancelled_handler_ends_the_instance() -> None:
    """SEMANTICS 5.4"""
    async with System() as system:
        ref = await system.spawn(Exiter, name="exiter")
        probe = await Probe.spawn(system)
        await probe.watch(ref)
        await system.idle()
        await ref.tell(Crash("cancel"))
        assert (await probe.get(Down)).reason == "cancelled"
        assert await ref.ask(Total()) == 0


def test_a_keyboard_interrupt_leaves_the_loop() -> None:
    """SEMANTICS 5.7"""
    crashes: list[int] = []

    async def main() -> None:
        async with System() as system:
            ref = await system.spawn(Exiter)
            await ref.tell(Crash("interrupt"))
            try:
                await system.clock.sleep(1.0)
            finally:
                crashes.append(system.statistics().crashes)

    with asyncio.Runner(loop_factory=DeterministicLoop) as runner, pytest.raises(KeyboardInterrupt):
        runner.run(main())
    assert crashes == [1]


class Tasker(Counter):
    async def start(self) -> None:
        self.context.task(self._work(), "work")

    async def _work(self) -> None:
        await self.context.clock.sleep(1.0)
        raise OSError("lost the disk")


async def test_the_crash_of_an_owned_task_is_the_actors() -> None:
    """SEMANTICS 5.5"""
    async with System() as system:
        ref = await system.spawn(Tasker, restart=temporary)
        await system.clock.sleep(2.0)
        assert system.whereis(ref.path) is None
        assert system.statistics().crashes == 1


async def test_a_stop_lets_the_handler_end_and_the_mail_become_dead_letters() -> None:
    """SEMANTICS 7.1"""
    async with System() as system:
        ref = await system.spawn(Counter)
        slow = asyncio.create_task(ref.ask(Sleep(2.0)))
        await asyncio.sleep(0.1)
        await ref.tell(Add(1))
        await system.stop_actor(ref)
        assert await slow == "slept"
        assert system.statistics().dead_letters == {"stopped": 1}
        assert system.clock.monotonic() == pytest.approx(2.0)


class Family(Witness):
    async def start(self) -> None:
        await super().start()
        for name in ("first", "second"):
            await self.context.spawn(child(Witness, name, self.diary, name=name))


async def test_children_stop_before_their_parent_the_youngest_first() -> None:
    """SEMANTICS 7.2"""
    diary: list[str] = []
    async with System() as system:
        await system.spawn(Family, "parent", diary)
        diary.clear()
    assert diary == ["stop second shutdown", "stop first shutdown", "stop parent shutdown"]


class Stubborn(Actor):
    def __init__(self, polite: bool) -> None:
        self.polite = polite
        self.ignored = 0

    async def receive(self, message: Any) -> None:
        while True:
            try:
                await asyncio.sleep(1000.0)
            except asyncio.CancelledError:
                self.ignored += 1
                if self.polite or self.ignored > 1:
                    raise


@pytest.mark.parametrize(("polite", "seconds"), [(True, 5.0), (False, 5.0 + CANCEL_GRACE_SECONDS)])
async def test_a_handler_that_never_ends_is_cancelled_or_abandoned(polite: bool, seconds: float) -> None:
    """SEMANTICS 7.3"""
    async with System() as system:
        ref = await system.spawn(Stubborn, polite, stop_seconds=5.0)
        await ref.tell(Add(1))
        await asyncio.sleep(0.1)
        began = system.clock.monotonic()
        await system.stop_actor(ref)
        assert system.clock.monotonic() - began == pytest.approx(seconds)
        assert await (await system.spawn(Counter)).ask(Total()) == 0


async def test_stop_is_called_once_after_a_crash_too() -> None:
    """SEMANTICS 7.4"""
    diary: list[str] = []
    async with System() as system:
        ref = await system.spawn(Witness, "w", diary)
        await ref.tell(Crash())
        await system.clock.sleep(1.0)
    assert diary == ["start w", "stop w crashed", "start w", "stop w shutdown"]


class SlowStop(Counter):
    async def stop(self, exit: Exit) -> None:
        await asyncio.sleep(1000.0)


async def test_a_stop_that_takes_too_long_is_cancelled() -> None:
    """SEMANTICS 7.5"""
    async with System() as system:
        ref = await system.spawn(SlowStop, stop_seconds=2.0)
        await system.stop_actor(ref)
        assert system.clock.monotonic() == pytest.approx(2.0)


async def test_a_system_stops_within_its_own_deadline() -> None:
    """SEMANTICS 7.6"""
    system = System(stop_seconds=3.0)
    async with system:
        for _ in range(10):
            await system.spawn(SlowStop, stop_seconds=2.0)
    assert system.clock.monotonic() == pytest.approx(3.0)


class Quit(Tell):
    pass


class Quitter(Counter):
    async def receive(self, message: Any) -> Any:
        if isinstance(message, Quit):
            self.context.stop()
            self.total = 99
            await self.context.clock.sleep(1.0)
            return None
        return await super().receive(message)


async def test_an_actor_stops_itself_after_its_handler() -> None:
    """SEMANTICS 7.7"""
    async with System() as system:
        ref = await system.spawn(Quitter, restart=temporary)
        probe = await Probe.spawn(system)
        await probe.watch(ref)
        await system.idle()
        await ref.tell(Quit())
        assert (await probe.get(Down)).reason == "normal"
        await system.clock.sleep(2.0)
        with pytest.raises(Down):
            await ref.ask(Total())


async def test_a_watcher_is_told_once_for_each_watch() -> None:
    """SEMANTICS 9.1, 9.3"""
    async with System() as system:
        ref = await system.spawn(Counter, name="watched", backoff=Backoff(0.1))
        probe = await Probe.spawn(system)
        await probe.watch(ref)
        await system.idle()
        await ref.tell(Crash())
        down = await probe.get(Down)
        assert (down.ref, down.reason, down.restarting) == (ref, "crashed", True)
        await system.clock.sleep(1.0)
        await ref.tell(Crash())
        await system.clock.sleep(1.0)
        assert not probe.messages
        await probe.watch(ref)
        await system.idle()
        await system.stop_actor(ref)
        down = await probe.get(Down)
        assert (down.reason, down.restarting) == ("shutdown", False)


async def test_watching_nobody_is_answered_at_once() -> None:
    """SEMANTICS 9.2"""
    async with System() as system:
        probe = await Probe.spawn(system)
        await probe.watch(system.ref("nobody"))
        assert (await probe.get(Down)).reason == "missing"
        assert system.clock.monotonic() == 0
