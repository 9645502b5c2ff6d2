"""Worker pools."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from actors import (
    Actor,
    Ask,
    AskTimeout,
    Backoff,
    Intensity,
    Mailbox,
    MailboxFull,
    Pool,
    PoolSize,
    PoolStatus,
    Ref,
    Refused,
    System,
    Tell,
    child,
    fail,
)


class Square(Ask[int]):
    number: int
    seconds: float = 1.0


class Note(Tell):
    number: int


class Break(Ask[None]):
    pass


class No(Ask[None]):
    pass


class Worker(Actor):
    def __init__(self, notes: list[int] | None = None, dies_after: float | None = None) -> None:
        self.notes = notes if notes is not None else []
        self.dies_after = dies_after

    async def start(self) -> None:
        if self.dies_after is not None:
            self.context.task(self._die(self.dies_after), "die")

    async def _die(self, seconds: float) -> None:
        await self.context.clock.sleep(seconds)
        raise RuntimeError("tired")

    async def receive(self, message: Any) -> Any:
        match message:
            case Square(number, seconds):
                await self.context.clock.sleep(seconds)
                return number * number
            case Note(number):
                self.notes.append(number)
                await self.context.clock.sleep(1.0)
            case Break():
                raise RuntimeError("as told")
            case No():
                raise Refused("no", "as told")
        return None


async def make(system: System, size: PoolSize, *args: Any, **options: Any) -> Ref[Any]:
    return await system.spawn(Pool, child(Worker, *args), size, name="pool", **options)


async def test_a_pool_grows_with_its_queue_up_to_its_maximum() -> None:
    """SEMANTICS 16.1"""
    async with System() as system:
        pool = await make(system, PoolSize(1, 4))
        assert (await pool.ask(PoolStatus())).workers == 1
        jobs = [asyncio.create_task(pool.ask(Square(number), timeout=60.0)) for number in range(12)]
        await asyncio.sleep(0.5)
        status = await pool.ask(PoolStatus())
        assert (status.workers, status.idle, status.queued) == (4, 0, 8)
        assert await asyncio.gather(*jobs) == [number * number for number in range(12)]
        assert system.clock.monotonic() == pytest.approx(3.0, abs=0.1)


async def test_a_worker_has_one_job_at_a_time() -> None:
    """SEMANTICS 16.1"""
    async with System() as system:
        pool = await make(system, PoolSize(2, 2))
        jobs = [asyncio.create_task(pool.ask(Square(1), timeout=60.0)) for _ in range(6)]
        await asyncio.sleep(0.5)
        workers = next(node for node in system.tree().children if node.path == "pool").children
        assert [worker.statistics.mailbox for worker in workers] == [0, 0]
        await asyncio.gather(*jobs)


async def test_an_idle_worker_above_the_minimum_is_stopped() -> None:
    """SEMANTICS 16.2"""
    async with System() as system:
        pool = await make(system, PoolSize(1, 8, idle_seconds=10.0))
        await asyncio.gather(*(pool.ask(Square(1), timeout=60.0) for _ in range(8)))
        assert (await pool.ask(PoolStatus())).workers == 8
        await asyncio.sleep(9.0)
        assert (await pool.ask(PoolStatus())).workers == 8
        await asyncio.sleep(2.0)
        assert (await pool.ask(PoolStatus())).workers == 1
        assert await pool.ask(Square(5)) == 25


async def test_a_pool_may_shrink_to_nothing_and_come_back() -> None:
    """SEMANTICS 16.2"""
    async with System() as system:
        pool = await make(system, PoolSize(0, 2, idle_seconds=1.0))
        assert await pool.ask(Square(3)) == 9
        await asyncio.sleep(5.0)
        assert (await pool.ask(PoolStatus())).workers == 0
        assert await pool.ask(Square(4)) == 16


async def test_jobs_begin_in_the_order_in_which_they_came_tells_too() -> None:
    """SEMANTICS 16.3"""
    notes: list[int] = []
    async with System() as system:
        pool = await make(system, PoolSize(1, 1), notes)
        for number in range(10):
            await pool.tell(Note(number))
        await asyncio.sleep(20.0)
        assert notes == list(range(10))


async def test_a_job_that_crashes_its_worker_is_refused_and_the_worker_replaced() -> None:
    """SEMANTICS 16.4"""
    async with System() as system:
        pool = await make(system, PoolSize(1, 2))
        for _ in range(20):
            with pytest.raises(Refused, match="crashed"):
                await pool.ask(Break())
        assert await pool.ask(Square(2)) == 4
        status = await pool.ask(PoolStatus())
        assert (status.workers, status.idle) == (1, 1)
        with pytest.raises(Refused, match="no"):
            await pool.ask(No())
        assert system.whereis("pool") is not None


async def test_a_worker_that_is_not_done_in_time_is_killed() -> None:
    """SEMANTICS 16.4"""
    async with System() as system:
        pool = await make(system, PoolSize(1, 1, job_seconds=5.0))
        with pytest.raises(Refused, match="AskTimeout"):
            await pool.ask(Square(1, 1000.0), timeout=60.0)
        assert system.clock.monotonic() == pytest.approx(5.0, abs=0.1)
        assert await pool.ask(Square(2)) == 4
        with pytest.raises(AskTimeout):
            await pool.ask(Square(1, 4.0), timeout=1.0)


async def test_workers_that_die_without_a_job_take_the_pool_with_them_past_the_intensity() -> None:
    """SEMANTICS 16.5"""
    async with System() as system:
        size = PoolSize(1, 1, intensity=Intensity(3, 10.0))
        await make(system, size, None, 1.0, backoff=Backoff(100.0))
        await asyncio.sleep(3.5)
        assert system.restarts == 0
        assert system.crashes == 3
        await asyncio.sleep(1.0)
        tree = next(node for node in system.tree().children if node.path == "pool")
        assert tree.state == "ended", "the fourth was one too many: it waits for its own restart"


async def test_the_queue_has_a_bound_and_the_mailbox_decides_past_it() -> None:
    """SEMANTICS 16.3"""
    async with System() as system:
        pool = await make(system, PoolSize(1, 1), later=3, mailbox=Mailbox(2, fail))
        jobs = []
        for _ in range(10):
            jobs.append(asyncio.create_task(pool.ask(Square(1), timeout=60.0)))
            await asyncio.sleep(0.01)
        results = await asyncio.gather(*jobs, return_exceptions=True)
        assert results.count(1) == 5
        assert sum(isinstance(result, MailboxFull) for result in results) == 5


async def test_sizes_that_make_no_sense_are_told() -> None:
    with pytest.raises(ValueError, match="expected 0 <= minimum <= maximum, found 3 and 2"):
        PoolSize(3, 2)
