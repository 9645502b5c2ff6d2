"""Virtual time on an ordinary loop: it stands, it jumps, and nothing that falls due is passed over."""

from __future__ import annotations

import asyncio
import time

import pytest

from orchestrator import Cluster
from orchestrator.embedding import VirtualClock
from tests.embedding.manifests import POD, WEB

pytestmark = pytest.mark.real_loop


async def test_time_stands_still_while_nobody_waits() -> None:
    clock = VirtualClock()
    fired: list[float] = []
    clock.call_later(1.0, lambda: fired.append(clock.monotonic()))
    await asyncio.sleep(0.01)
    assert fired == []
    with clock.passing():
        await clock.sleep(2.0)
    assert fired == [1.0]
    assert clock.monotonic() == 2.0


async def test_what_a_timer_wakes_is_done_before_the_next_one_fires() -> None:
    clock = VirtualClock()
    order: list[str] = []

    async def chain(name: str) -> None:
        for step in range(500):  # no fewer than the end of a whole cluster takes
            await asyncio.sleep(0)
            order.append(f"{name}{step}")

    tasks: list[asyncio.Task[None]] = []
    for number, name in enumerate("ab"):
        clock.call_later(number + 1.0, lambda name=name: tasks.append(asyncio.ensure_future(chain(name))))  # type: ignore[misc]
    with clock.passing():
        await clock.sleep(3.0)
    assert order == [f"{name}{step}" for name in "ab" for step in range(500)]


async def test_what_falls_due_within_a_rounding_is_one_moment_and_each_sees_its_own_time() -> None:
    clock = VirtualClock()
    seen: list[float] = []
    for when in (1.0, 1.0 + 3e-7, 2.0):
        clock.call_later(when, lambda: seen.append(clock.monotonic()))
    with clock.passing():
        await clock.sleep(3.0)
    assert seen == [1.0, 1.0 + 3e-7, 2.0]
    assert clock.jumps == 3


async def test_a_cancelled_timer_does_not_fire_nor_stay() -> None:
    clock = VirtualClock()
    for _ in range(1000):
        clock.call_later(5.0, lambda: pytest.fail("it was cancelled")).cancel()
    with clock.passing():
        await clock.sleep(10.0)
    assert clock.jumps == 1


async def test_a_day_of_a_cluster_passes_at_once() -> None:
    async with Cluster(nodes=1, clock="virtual") as cluster:
        began, clock = time.process_time(), cluster.system.clock
        before = clock.time()
        await cluster.advance(hours=2)
        assert clock.time() - before == pytest.approx(7200.0)
        assert time.process_time() - began < 5.0


async def test_a_served_cluster_s_time_moves_only_when_it_is_told_to() -> None:
    async with Cluster(nodes=1, clock="virtual", serve=True) as cluster:
        before = cluster.system.clock.monotonic()
        await cluster.apply(POD)
        await asyncio.sleep(0.05)
        assert cluster.system.clock.monotonic() == before
        await cluster.advance(minutes=1)
        assert cluster.system.clock.monotonic() == pytest.approx(before + 60.0)
        assert (await cluster.get("pod/one")).status.phase == "Running"


async def test_a_crash_in_the_middle_of_a_request_takes_virtual_time_and_no_real_time() -> None:
    async with Cluster(nodes=2, clock="virtual") as cluster:
        began = time.monotonic()
        for _ in range(5):
            await cluster.kill("server")
            await cluster.apply(WEB)
        await cluster.wait("deployment/web", "Available")
        assert time.monotonic() - began < 30.0  # far below the deadlines of five requests, far above a busy machine
