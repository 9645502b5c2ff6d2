"""Blocking work, in threads and processes, and the watchdog over the loop."""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import structlog

from actors import Actor, Ask, AskTimeout, BlockingPool, Hold, Holds, Mailbox, Refused, Run, System, Tell, Watchdog
from actors.asks import TIMEOUT
from actors.blocking import Where, run
from actors.testing import Probe
from actors.watchdog import BEAT_SECONDS, REPORT_WINDOW_SECONDS

running = 0
most = 0
lock = threading.Lock()


def work(seconds: float = 0.02) -> int:
    global running, most
    with lock:
        running += 1
        most = max(most, running)
    time.sleep(seconds)
    with lock:
        running -= 1
    return threading.get_ident()


def divide(one: int, other: int) -> float:
    return one / other


def die() -> None:
    os._exit(7)


@pytest.mark.real_loop
async def test_no_more_than_the_workers_run_at_once_and_never_in_the_thread_of_the_loop() -> None:
    """SEMANTICS 18.1"""
    global most
    most = 0
    async with System() as system:
        pool = await system.spawn(BlockingPool, 3)
        threads = await asyncio.gather(*(pool.ask(run(work)) for _ in range(9)))
        assert most <= 3
        assert threading.get_ident() not in threads


@pytest.mark.real_loop
async def test_what_the_function_raises_is_refused_and_the_pool_lives_on() -> None:
    """SEMANTICS 18.2"""
    async with System() as system:
        pool = await system.spawn(BlockingPool)
        with pytest.raises(Refused, match="ZeroDivisionError"):
            await pool.ask(run(divide, 1, 0))
        assert await pool.ask(run(divide, 1, 2)) == 0.5
        with pytest.raises(Refused, match="nothing at tests"):
            await pool.ask(Run("tests.actors.test_blocking:nowhere"))
        with pytest.raises(ValueError, match="expected a function of a module"):
            run(lambda: None)


release = threading.Event()
calls = 0


def hold() -> None:
    assert release.wait(30.0), "the test lets it go"


def called() -> None:
    global calls
    calls += 1


@pytest.mark.real_loop
async def test_a_job_that_nobody_waits_for_any_more_is_given_up() -> None:
    """SEMANTICS 18.3"""
    release.clear()
    async with System() as system:
        pool = await system.spawn(BlockingPool, 1, later=2, mailbox=Mailbox(1))
        with pytest.raises(AskTimeout):
            await pool.ask(run(hold), timeout=0.05)
        jobs = [asyncio.create_task(pool.ask(run(called), timeout=0.02)) for _ in range(4)]
        results = await asyncio.gather(*jobs, return_exceptions=True)
        assert all(isinstance(result, AskTimeout) for result in results), "the abandoned thread still has the worker"
        release.set()
        assert await pool.ask(run(divide, 1, 2), timeout=30.0) == 0.5
        assert calls == 0, "none of them was begun"


@pytest.mark.real_loop
async def test_a_job_that_is_given_up_says_nothing_to_its_asker(monkeypatch: pytest.MonkeyPatch) -> None:
    """SEMANTICS 8.2: what it said could be there before the asker's own clock has rung."""
    release.clear()
    async with System() as system:
        said: list[int] = []
        answer = system.asks.answer

        def heard(correlation: int, status: int, body: bytes) -> bool:
            said.append(status)
            return answer(correlation, status, body)

        monkeypatch.setattr(system.asks, "answer", heard)
        pool = await system.spawn(BlockingPool, 1)
        with pytest.raises(AskTimeout):
            await pool.ask(run(hold), timeout=0.05)
        cell = system.cell_of(pool)
        assert cell is not None
        for task in list(cell.tasks or ()):
            await asyncio.wait([task])
        await asyncio.sleep(0)
        assert said == [TIMEOUT]
        release.set()


@pytest.mark.slow
@pytest.mark.real_loop
async def test_processes_compute_and_a_process_that_dies_is_refused() -> None:
    """SEMANTICS 18.2"""
    async with System() as system:
        pool = await system.spawn(BlockingPool, 1, Where.PROCESS)
        assert await pool.ask(run(os.getpid), timeout=60.0) != os.getpid()
        with pytest.raises(Refused, match="crashed"):
            await pool.ask(run(die), timeout=60.0)
        assert await pool.ask(run(divide, 1, 4), timeout=60.0) == 0.25


@pytest.mark.slow
@pytest.mark.real_loop
async def test_the_process_of_a_job_that_is_given_up_is_killed() -> None:
    """SEMANTICS 18.3"""
    async with System() as system:
        pool = await system.spawn(BlockingPool, 1, Where.PROCESS)
        await pool.ask(run(divide, 1, 2), timeout=60.0)
        with pytest.raises(AskTimeout):
            await pool.ask(run(time.sleep, 60.0), timeout=0.2)
        assert await pool.ask(run(divide, 1, 2), timeout=30.0) == 0.5, "the only worker is free again"


def test_a_pool_without_workers_makes_no_sense() -> None:
    with pytest.raises(ValueError, match="at least 1 worker"):
        BlockingPool(0)


class Stare(Ask[None]):
    """Hold the loop."""

    seconds: float


class Busy(Tell):
    pass


class Rude(Actor):
    async def receive(self, message: Any) -> None:
        match message:
            case Stare(seconds):
                stare(seconds)
            case Busy():
                self.context.task(self._busy(), "busy")

    async def _busy(self) -> None:
        gape()


async def hold_by(actor: str, probe: Probe, provoke: Callable[[], Awaitable[Any]]) -> Hold:
    """The report on ``actor``. On a busy machine others may be late too, the thread that watches among them: then
    ``provoke`` is done again."""
    while True:
        await provoke()
        with contextlib.suppress(TimeoutError):
            while (hold := await probe.get(Hold, 1.0)).actor != actor:
                pass
            return hold


def stares(logs: Any) -> list[Any]:
    """What was reported of ``stare``."""
    return [entry for entry in logs if entry["event"] == "the loop is held" and "in stare" in entry["stack"]]


def stare(seconds: float) -> None:
    time.sleep(seconds)


def gape() -> None:
    time.sleep(0.12)


@pytest.mark.real_loop
async def test_a_handler_that_holds_the_loop_is_reported_with_its_stack() -> None:
    """SEMANTICS 18.4"""
    with structlog.testing.capture_logs() as logs:
        async with System() as system:
            probe = await Probe.spawn(system)
            await system.spawn(Watchdog, 0.05, probe.ref, name="watchdog")
            rude = await system.spawn(Rude, name="rude")
            hold = await hold_by("rude", probe, lambda: rude.ask(Stare(0.12)))
            assert 0.05 <= hold.seconds < 5.0
            assert "in stare" in "".join(hold.stack)
            assert [entry for entry in logs if entry["event"] == "the loop is held" and entry["actor"] == "rude"]
            assert await hold_by("rude: busy", probe, lambda: rude.tell(Busy())), "an owned task is named too"


@pytest.mark.real_loop
async def test_a_place_is_reported_once_in_a_while_and_counted_always() -> None:
    """SEMANTICS 18.5"""
    with structlog.testing.capture_logs() as logs:
        async with System() as system:
            watchdog = await system.spawn(Watchdog, 0.05)
            rude = await system.spawn(Rude)
            began = time.monotonic()
            # On a busy machine the thread that watches may itself come too late to see a hold.
            while (statistics := await watchdog.ask(Holds())).holds < 3 or not stares(logs):
                await rude.ask(Stare(0.15))
            assert statistics.longest_seconds >= 0.05
            windows = 1 + (time.monotonic() - began) // REPORT_WINDOW_SECONDS
    assert len(stares(logs)) <= windows
    for thread in threading.enumerate():
        if thread.name == "actors watchdog":
            thread.join(5.0)
            assert not thread.is_alive()


async def test_nobody_is_late_in_virtual_time() -> None:
    """SEMANTICS 18.5"""
    before = set(threading.enumerate())  # one of an earlier test may be about to end
    async with System() as system:
        watchdog = await system.spawn(Watchdog)
        assert not (await watchdog.ask(Holds())).watching
        assert not [thread for thread in set(threading.enumerate()) - before if thread.name == "actors watchdog"]


def test_a_watchdog_cannot_see_what_is_shorter_than_its_beat() -> None:
    with pytest.raises(ValueError, match="expected more than"):
        Watchdog(BEAT_SECONDS)
