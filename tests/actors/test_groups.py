"""Process groups."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from actors import Actor, Ask, Backoff, Down, Exit, GroupChanged, Groups, Ref, System, temporary
from actors.testing import Probe
from tests.actors.cast import Counter, Crash, Sleep


class Join(Ask[None]):
    group: str


class Leave(Ask[None]):
    group: str


class Worker(Actor):
    """Joins ``group`` when it starts."""

    def __init__(self, group: str) -> None:
        self.group = group

    async def start(self) -> None:
        self.context.join(self.group)

    async def receive(self, message: Any) -> Any:
        match message:
            case Join(group):
                self.context.join(group)
            case Leave(group):
                self.context.leave(group)
            case Crash():
                raise RuntimeError("as told")
            case Sleep(seconds):
                await self.context.clock.sleep(seconds)
                return "slept"
        return None


class Monitor(Actor):
    """Keeps the membership as the signals tell it; writes each signal down."""

    def __init__(self, group: str, view: list[Ref[Any]], seen: list[GroupChanged]) -> None:
        self.group, self.view, self.seen = group, view, seen

    async def start(self) -> None:
        self.view[:] = self.context.monitor(self.group)

    async def receive(self, message: Any) -> Any:
        match message:
            case GroupChanged(_, left, joined):
                self.seen.append(message)
                for ref in left:
                    self.view.remove(ref)
                self.view.extend(joined)
            case Sleep(seconds):
                await self.context.clock.sleep(seconds)
                return "slept"
            case Leave(group):
                self.context.demonitor(group)
            case Crash():
                raise RuntimeError("as told")
        return None


def paths(groups: Groups, group: str) -> list[str]:
    return [ref.path for ref in groups.members(group)]


async def test_members_are_known_in_the_order_of_joining_until_they_leave() -> None:
    """SEMANTICS 12.1"""
    async with System() as system:
        one = await system.spawn(Worker, "w", name="one")
        two = await system.spawn(Worker, "w", name="two")
        assert paths(system.groups, "w") == ["one", "two"]
        await one.ask(Join("w"))
        await one.ask(Join("x"))
        assert paths(system.groups, "w") == ["one", "two"], "joining twice is joining once"
        assert system.groups.of(one) == ("w", "x")
        assert system.groups.names() == ("w", "x")
        await one.ask(Leave("w"))
        await two.ask(Leave("none"))
        assert paths(system.groups, "w") == ["two"]


async def test_a_member_leaves_at_the_moment_its_instance_ends_and_its_successor_joins_anew() -> None:
    """SEMANTICS 12.2"""
    async with System() as system:
        one = await system.spawn(Worker, "w", name="one", backoff=Backoff(1.0))
        await one.ask(Join("extra"))
        system.kill("one")
        assert paths(system.groups, "w") == []
        await asyncio.sleep(5.0)
        assert paths(system.groups, "w") == ["one"], "its start joined again"
        assert paths(system.groups, "extra") == [], "nobody joined again"
        system.kill("one")
        assert paths(system.groups, "w") == [], "the second end counts as the first did"


async def test_a_member_whose_stop_was_ordered_leaves_before_it_is_done() -> None:
    """SEMANTICS 12.2"""
    async with System() as system:
        one = await system.spawn(Worker, "w", name="one")
        asking = asyncio.create_task(one.ask(Sleep(3.0)))
        await asyncio.sleep(1.0)
        stopping = asyncio.create_task(system.stop_actor(one))
        await asyncio.sleep(1.0)
        assert not stopping.done()
        assert paths(system.groups, "w") == []
        await stopping
        await asking


async def test_who_joined_in_a_start_that_failed_is_no_member() -> None:
    """SEMANTICS 12.2"""
    fails = [False]

    class Shaky(Worker):
        async def start(self) -> None:
            await super().start()
            if fails[0]:
                raise RuntimeError("no")

    async with System() as system:
        await system.spawn(Shaky, "w", name="shaky", backoff=Backoff(1.0, factor=1.0))
        fails[0] = True
        system.kill("shaky")
        await asyncio.sleep(1.5)
        assert system.statistics().crashes == 2
        assert paths(system.groups, "w") == []


async def test_only_a_running_instance_can_join() -> None:
    """SEMANTICS 12.3"""
    async with System() as system:
        with pytest.raises(Down):
            system.groups.join("w", system.ref("nobody"))
        one = await system.spawn(Worker, "w", name="one", backoff=Backoff(1.0))
        system.kill("one")
        with pytest.raises(Down):
            system.groups.join("w", one)
        plain = await system.spawn(Counter)
        system.groups.join("w", plain)
        assert paths(system.groups, "w") == [plain.path], "somebody else may do it"


async def test_a_monitor_that_applies_each_change_knows_the_members() -> None:
    """SEMANTICS 12.4"""
    view: list[Ref[Any]] = []
    seen: list[GroupChanged] = []
    async with System() as system:
        one = await system.spawn(Worker, "w", name="one", restart=temporary)
        await system.spawn(Monitor, "w", view, seen)
        assert [ref.path for ref in view] == ["one"]
        two = await system.spawn(Worker, "w", name="two")
        await system.idle()
        assert seen[-1] == GroupChanged("w", (), (two,))
        await one.tell(Crash())
        await system.idle()
        assert seen[-1] == GroupChanged("w", (one,), ())
        assert view == list(system.groups.members("w"))


async def test_changes_that_a_busy_monitor_missed_are_one_signal_with_the_net_of_them() -> None:
    """SEMANTICS 12.4"""
    view: list[Ref[Any]] = []
    seen: list[GroupChanged] = []
    async with System() as system:
        one = await system.spawn(Worker, "w", name="one")
        watcher = await system.spawn(Monitor, "w", view, seen)
        asking = asyncio.create_task(watcher.ask(Sleep(1.0)))
        await asyncio.sleep(0.1)
        for _ in range(100):
            await one.ask(Leave("w"))
            await one.ask(Join("w"))
        gone = await system.spawn(Worker, "w", name="gone")
        await system.stop_actor(gone)
        await asking
        await system.idle()
        assert seen == [GroupChanged("w", (one,), (one,))]
        assert view == [one]


async def test_a_monitor_hears_nothing_after_demonitor_or_in_its_next_instance() -> None:
    """SEMANTICS 12.5"""
    view: list[Ref[Any]] = []
    seen: list[GroupChanged] = []
    async with System() as system:
        monitor = await system.spawn(Monitor, "w", view, seen)
        await monitor.ask(Leave("w"))
        await system.spawn(Worker, "w")
        await system.idle()
        assert seen == []
        other = await system.spawn(Once, seen, backoff=Backoff(0.01))
        await other.tell(Crash())
        await asyncio.sleep(1.0)
        await system.spawn(Worker, "w")
        await system.idle()
        assert seen == []


class Once(Actor):
    """Monitors in its first instance only."""

    lives = 0

    def __init__(self, seen: list[GroupChanged]) -> None:
        self.seen = seen

    async def start(self) -> None:
        Once.lives += 1
        if Once.lives == 1:
            self.context.monitor("w")

    async def receive(self, message: Any) -> Any:
        match message:
            case GroupChanged():
                self.seen.append(message)
            case Crash():
                raise RuntimeError("as told")
        return None

    async def stop(self, exit: Exit) -> None:
        assert exit.reason


async def test_a_probe_may_be_a_member() -> None:
    """SEMANTICS 12.1"""
    async with System() as system:
        probe = await Probe.spawn(system)
        system.groups.join("w", probe.ref)
        assert system.groups.members("w") == (probe.ref,)
