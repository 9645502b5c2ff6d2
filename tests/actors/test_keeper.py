"""Supervision carried out: who is restarted, when, how often, and what escalates."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from actors import (
    Actor,
    Backoff,
    DynamicSupervisor,
    Exit,
    Intensity,
    Ref,
    Restart,
    StartFailed,
    Strategy,
    Supervisor,
    System,
    Tell,
    child,
    one_for_all,
    one_for_one,
    permanent,
    rest_for_one,
    temporary,
    transient,
)
from tests.actors.cast import Add, Counter, Crash, Total, Witness

QUICK = Backoff(0.0)


class Leave(Tell):
    pass


class Leaver(Counter):
    async def receive(self, message: Any) -> Any:
        if isinstance(message, Leave):
            self.context.stop()
            return None
        return await super().receive(message)


@pytest.mark.parametrize(
    ("restart", "message", "lives"),
    [
        (permanent, Leave(), True),
        (permanent, Crash(), True),
        (transient, Leave(), False),
        (transient, Crash(), True),
        (temporary, Leave(), False),
        (temporary, Crash(), False),
    ],
)
async def test_the_restart_rule_decides(restart: Restart, message: Tell, lives: bool) -> None:
    """SEMANTICS 6.1"""
    async with System() as system:
        ref = await system.spawn(Leaver, restart=restart)
        await ref.tell(message)
        await system.clock.sleep(1.0)
        assert (system.whereis(ref.path) is not None) is lives


async def test_queued_mail_and_refs_survive_a_restart() -> None:
    """SEMANTICS 6.2"""
    async with System() as system:
        ref = await system.spawn(Counter)
        for message in (Add(1), Crash(), Add(2), Add(3)):
            await ref.tell(message)
        assert await ref.ask(Total()) == 5


class Stillborn(Actor):
    def __init__(self, times: list[float], fail_from: int) -> None:
        self.times = times
        self.fail_from = fail_from

    async def start(self) -> None:
        self.times.append(self.context.clock.monotonic())
        if len(self.times) > self.fail_from:
            raise OSError("disk on fire")

    async def receive(self, message: Any) -> None:
        raise RuntimeError("crash")


async def test_restarts_wait_exponentially_and_a_failed_start_counts() -> None:
    """SEMANTICS 6.3, 6.10"""
    times: list[float] = []
    async with System() as system:
        spec = child(Stillborn, times, 1, backoff=Backoff(1.0, 4.0, jitter=0.0), name="still")
        ref = await system.spawn(spec)
        await ref.tell(Add(1))
        await system.clock.sleep(60.0)
        assert times[:5] == pytest.approx([0, 1, 3, 7, 11])
        assert system.whereis("still") is not None
        assert system.tree().children[0].state == "ended"


def test_jitter_only_adds_and_is_bounded() -> None:
    """SEMANTICS 6.3"""
    import random

    backoff = Backoff(1.0, 8.0, jitter=0.5)
    delays = [backoff.seconds(attempt, random.Random(attempt)) for attempt in range(100)]
    assert all(1.0 <= delay <= 12.0 for delay in delays)
    assert delays[50] >= 8.0


async def test_a_supervisor_past_its_intensity_ends_and_escalates() -> None:
    """SEMANTICS 6.4"""
    async with System() as system:
        inner = Supervisor(
            intensity=Intensity(2, 10.0),
            children=[child(Counter, name="worker", backoff=QUICK), child(Counter, name="other")],
        )
        await system.spawn(
            Supervisor(children=[child(inner, name="inner", backoff=Backoff(1.0, jitter=0.0))]), name="outer"
        )
        other = system.ref("outer/inner/other")
        await other.tell(Add(1))
        await system.idle()
        for _ in range(3):
            await system.ref("outer/inner/worker").tell(Crash())
            await system.clock.sleep(0.1)
        await system.clock.sleep(2.0)
        assert await other.ask(Total()) == 0
        inner_node = system.tree().children[0].children[0]
        assert (inner_node.path, inner_node.statistics.restarts) == ("outer/inner", 1)


async def test_crashes_outside_the_window_do_not_escalate() -> None:
    """SEMANTICS 6.4"""
    async with System() as system:
        tree = Supervisor(intensity=Intensity(1, 5.0), children=[child(Counter, name="worker", backoff=QUICK)])
        await system.spawn(tree, name="top")
        for _ in range(4):
            await system.ref("top/worker").tell(Crash())
            await system.clock.sleep(6.0)
        assert system.tree().children[0].statistics.restarts == 0
        assert system.tree().children[0].children[0].statistics.restarts == 4


class Parent(Counter):
    def __init__(self, exits: list[Exit], default: bool) -> None:
        super().__init__()
        self.exits = exits
        self.default = default

    async def start(self) -> None:
        await self.context.spawn(Counter, name="child", backoff=QUICK)

    async def on_child_exit(self, child: Ref[Any], exit: Exit) -> None:
        self.exits.append(exit)
        if self.default:
            await super().on_child_exit(child, exit)


@pytest.mark.parametrize(("default", "crashes"), [(False, 0), (True, 1)])
async def test_an_actor_hears_of_a_child_that_is_given_up(default: bool, crashes: int) -> None:
    """SEMANTICS 6.5"""
    exits: list[Exit] = []
    async with System() as system:
        await system.spawn(Parent, exits, default, name="parent")
        for _ in range(6):
            await system.ref("parent/child").tell(Crash())
        await system.clock.sleep(0.05)
        assert [exit.reason for exit in exits] == ["intensity"]
        assert system.tree().children[0].statistics.crashes == crashes


@pytest.mark.parametrize(
    ("strategy", "expected"),
    [
        (one_for_one, ["stop b crashed", "start b"]),
        (rest_for_one, ["stop c shutdown", "stop b crashed", "start b", "start c"]),
        (
            one_for_all,
            ["stop c shutdown", "stop b crashed", "stop a shutdown", "start a", "start b", "start c"],
        ),
    ],
)
async def test_the_strategy_decides_who_goes_down_with_a_child(strategy: Strategy, expected: list[str]) -> None:
    """SEMANTICS 6.6, 6.7, 6.8, 6.11"""
    diary: list[str] = []
    async with System() as system:
        children = [child(Witness, name, diary, name=name) for name in ("a", "b", "c")]
        await system.spawn(Supervisor(strategy, children=children), name="top")
        assert diary == ["start a", "start b", "start c"]
        diary.clear()
        await system.ref("top/b").tell(Crash())
        await system.clock.sleep(1.0)
        assert diary == expected


async def test_a_restart_is_logged_and_counted(capsys: Any) -> None:
    """SEMANTICS 6.9, 5.1"""
    async with System() as system:
        ref = await system.spawn(Counter, name="loud")
        await ref.tell(Crash("very special"))
        await system.clock.sleep(1.0)
        assert system.tree().children[0].statistics.restarts == 1
        assert system.statistics().restarts == 1
    lines = capsys.readouterr().out
    assert "event='actor restarts' actor='loud' reason='crashed'" in lines
    assert "count=1" in lines
    assert "Traceback" in lines
    assert "very special" in lines


class Nursery(Counter):
    async def start(self) -> None:
        await self.context.spawn(Counter, name="child")
        self.context.task(self._forever(), "forever")
        self.context.send_every(1.0, Add(1))

    async def _forever(self) -> None:
        await self.context.clock.sleep(1e9)


async def test_tasks_timers_and_children_end_with_their_instance() -> None:
    """SEMANTICS 6.12, 11.2"""
    async with System() as system:
        ref = await system.spawn(Nursery, name="nursery", backoff=Backoff(0.5, jitter=0.0))
        await system.clock.sleep(2.5)
        await ref.tell(Crash())
        await system.clock.sleep(0.1)
        assert system.whereis("nursery/child") is None
        assert system.tree().children[0].statistics.tasks == 0
        await system.clock.sleep(1.9)
        assert await ref.ask(Total()) == 1
        assert system.whereis("nursery/child") is not None


async def test_dynamic_children_share_a_budget_and_restart_alone() -> None:
    """SEMANTICS 6.6"""
    async with System() as system:
        pool = await system.spawn(DynamicSupervisor(), name="pool")
        one = await system.spawn(child(Counter, name="one", backoff=QUICK), parent=pool)
        two = await system.spawn(Counter, parent=pool, name="two")
        await two.tell(Add(2))
        await one.tell(Crash())
        assert await one.ask(Total()) == 0
        assert await two.ask(Total()) == 2
        await system.stop_actor(one)
        assert [ref.path for ref in (one, two) if system.whereis(ref.path)] == ["pool/two"]


async def test_a_supervisor_whose_child_does_not_start_stops_the_others() -> None:
    """SEMANTICS 5.6"""
    diary: list[str] = []
    async with System() as system:
        specs = [child(Witness, "a", diary, name="a"), child(Stillborn, [], 0, name="b")]
        with pytest.raises(StartFailed, match="disk on fire"):
            await system.spawn(Supervisor(children=specs), name="top")
        assert diary == ["start a", "stop a shutdown"]
        assert system.statistics().actors == 0


async def test_a_system_is_not_idle_while_an_instance_is_ended_or_started() -> None:
    """SEMANTICS 11.5"""

    class Slow(Counter):
        async def start(self) -> None:
            await self.context.clock.sleep(1.0)

        async def stop(self, exit: Exit) -> None:
            await self.context.clock.sleep(1.0)

    async with System() as system:
        gone = await system.spawn(Slow, restart=temporary)
        began = system.clock.monotonic()
        await gone.tell(Crash())
        await system.idle()
        assert system.whereis(gone.path) is None
        assert system.clock.monotonic() - began == 1.0, "its stop took that long"
        back = await system.spawn(Slow, backoff=Backoff(100.0, 100.0, jitter=0.0))
        began = system.clock.monotonic()
        await back.tell(Crash())
        await system.idle()
        assert system.clock.monotonic() - began == 1.0, "a back-off is no work"
        await asyncio.sleep(100.5)
        assert system.cells[back.path].state.value == "starting"
        await system.idle()
        assert system.clock.monotonic() - began == 102.0


class Slow(Counter):
    async def stop(self, exit: Exit) -> None:
        await self.context.clock.sleep(4.0)


async def test_a_supervisor_whose_end_is_cut_short_by_the_end_of_its_own_comes_back() -> None:
    """The children of ``lower`` take longer to stop than the end of ``upper`` waits for: none is left half ended."""
    lower = Supervisor(children=[child(Slow, name=f"slow-{number}") for number in range(5)])
    upper = Supervisor(children=[child(lower, name="lower")])
    async with System(seed=1) as system:
        await system.spawn(child(upper, backoff=QUICK), name="upper")
        system.kill("upper/lower")
        await system.clock.sleep(1.0)
        system.kill("upper")
        await system.clock.sleep(60.0)
        assert [await system.ref(f"upper/lower/slow-{number}").ask(Total()) for number in range(5)] == [0] * 5
