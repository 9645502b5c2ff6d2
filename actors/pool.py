"""Worker pools: one address in front of workers that come with the work and go without it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any, cast

import msgspec

from actors.actor import Actor
from actors.cell import State
from actors.errors import AskTimeout, Escalated
from actors.exit import Exit
from actors.message import Ask, Message, Tell
from actors.ref import Ref
from actors.supervision import ChildSpec, Intensity, child, temporary

MIN_SECONDS = 0.001
"""A timer for a moment that has come but for its last bit: rounding must not stop time."""


class PoolSize(msgspec.Struct, frozen=True):
    """How many workers a pool keeps: one is added while jobs wait, and stopped when it was idle for long enough."""

    minimum: int = 1
    maximum: int = 8
    idle_seconds: float = 30.0
    job_seconds: float = 60.0
    """A worker that is not done by then is killed."""
    intensity: Intensity = Intensity()
    """More workers than that ending without a job in hand: the pool crashes."""

    def __post_init__(self) -> None:
        if not 0 <= self.minimum <= self.maximum or self.maximum < 1:
            raise ValueError(f"expected 0 <= minimum <= maximum, found {self.minimum} and {self.maximum}")


class PoolStatistics(msgspec.Struct, frozen=True):
    """What a pool can say of itself."""

    workers: int
    """Those that are starting included."""
    idle: int
    queued: int
    """Jobs that wait for a worker."""
    done: int


class PoolStatus(Ask[PoolStatistics]):
    """To a pool: how it stands."""


class Shrink(Tell):
    """To the pool by itself: a worker may have been idle for long enough."""


class Pool(Actor):
    """Gives each message to a worker of its own choice, one at a time; what the worker returns is the reply.

    ``worker`` makes the workers; they are never restarted but replaced. Jobs that wait are as many as the ``later`` of
    the pool's own spec says (default 256); past that the pool takes no more mail and its mailbox's policy decides.
    A job whose worker crashed is refused ("crashed") and not tried again.
    """

    def __init__(self, worker: Callable[..., Any] | ChildSpec, size: PoolSize | None = None) -> None:
        spec = worker if isinstance(worker, ChildSpec) else child(worker)
        self._spec = msgspec.structs.replace(spec, restart=temporary, name=None)
        self._size = size or PoolSize()
        self._idle: list[tuple[Ref[Any], float]] = []  # and since when; the last is taken first
        self._queue: deque[asyncio.Future[Ref[Any]]] = deque()
        self._deaths: deque[float] = deque()
        self._workers = self._done = 0
        self._armed = False

    async def start(self) -> None:
        while self._workers < self._size.minimum:
            self._workers += 1
            self._free(await self.context.spawn(self._spec))

    async def receive(self, message: Any) -> Any:
        match message:
            case Shrink():
                await self._shrink()
            case PoolStatus():
                queued = sum(not claim.done() for claim in self._queue)
                return PoolStatistics(self._workers, len(self._idle), queued, self._done)
            case _:
                return self.context.later(self._job(message, self._claim()), "job")
        return None

    async def on_child_exit(self, child: Ref[Any], exit: Exit) -> None:
        """A worker is gone. One that ended without a job to blame counts, or a pool could replace for ever."""
        self._workers -= 1
        now = self.context.clock.monotonic()
        if any(ref == child for ref, _ in self._idle):
            self._idle = [(ref, since) for ref, since in self._idle if ref != child]
            if self._size.intensity.exceeded(self._deaths, now):
                raise Escalated(child.path, f"workers end without a job, the last by: {exit.error}")
            self._deaths.append(now)
            if len(self._deaths) > self._size.intensity.restarts:
                self._deaths.popleft()
        while self._workers < self._size.minimum or (self._queue and self._workers < self._size.maximum):
            self._grow()

    def _claim(self) -> asyncio.Future[Ref[Any]]:
        """The next free worker, first come first served."""
        claim: asyncio.Future[Ref[Any]] = self.context.system.loop.create_future()
        if self._idle:
            claim.set_result(self._idle.pop()[0])
        else:
            self._queue.append(claim)
            if self._workers < self._size.maximum:
                self._grow()
        return claim

    def _grow(self) -> None:
        self._workers += 1
        self.context.task(self._add(), "a worker starts")

    async def _add(self) -> None:
        self._free(await self.context.spawn(self._spec))

    async def _job(self, message: Message, claim: asyncio.Future[Ref[Any]]) -> Any:
        worker = await claim
        try:
            reply = await worker.ask(cast("Ask[Any]", message), self._size.job_seconds)
        except AskTimeout:
            self.context.system.kill(worker.path)
            raise
        finally:
            self._done += 1
            cell = self.context.system.cells.get(worker.path)
            if cell is not None and cell.state is State.RUNNING:
                self._free(worker)
        return reply

    def _free(self, worker: Ref[Any]) -> None:
        while self._queue:
            claim = self._queue.popleft()
            if not claim.done():
                claim.set_result(worker)
                return
        self._idle.append((worker, self.context.clock.monotonic()))
        self._arm()

    def _arm(self) -> None:
        """See to it that somebody looks when the longest idle worker will have been idle for long enough."""
        if self._armed or not self._idle or self._workers <= self._size.minimum:
            return
        self._armed = True
        _, since = self._idle[0]
        left = since + self._size.idle_seconds - self.context.clock.monotonic()
        self.context.signal_after(max(MIN_SECONDS, left), Shrink())

    async def _shrink(self) -> None:
        self._armed = False
        now = self.context.clock.monotonic()
        idle_seconds = self._size.idle_seconds
        while self._idle and self._workers > self._size.minimum and self._idle[0][1] + idle_seconds <= now:
            worker, _ = self._idle.pop(0)
            self._workers -= 1
            await self.context.stop_child(worker)
        self._arm()
