"""The watchdog: says who holds the loop, and where, while it is held.

A thread asks the loop for a sign of life again and again. When that is late, the loop is held: the thread looks at
the stack of the loop's thread and at the task that runs, and reports. It costs the loop one callback each 10 ms.
"""

from __future__ import annotations

import asyncio
import sys
import threading
import time
import traceback
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

import msgspec
import structlog

from actors.actor import Actor
from actors.exit import Exit
from actors.message import Ask, Tell
from actors.ref import Ref

if TYPE_CHECKING:
    from actors.system import System

HOLD_SECONDS = 0.05
"""Longer than that nobody may hold the loop."""
BEAT_SECONDS = 0.01
"""Between two signs of life; whoever holds the loop longer than ``HOLD_SECONDS`` misses one by all but that."""
REPORT_WINDOW_SECONDS = 10.0
"""One place in the code is reported once in that time; the rest is counted."""
MAX_PLACES = 256
"""Places remembered for that."""
STACK_LINES = 30
"""Innermost frames in a report."""

log = structlog.get_logger("actors")


class Hold(Tell):
    """Somebody held the loop. ``actor`` is a path, or the name of a task that is no actor's."""

    actor: str
    seconds: float
    stack: list[str]


class HoldStatistics(msgspec.Struct, frozen=True):
    """What a watchdog has seen so far."""

    holds: int
    reported: int
    longest_seconds: float
    watching: bool
    """False on a loop in virtual time, where nobody can be late."""


class Holds(Ask[HoldStatistics]):
    """To a watchdog: what it has seen."""


class Watchdog(Actor):
    """Logs each place that holds the loop for ``seconds``, and tells ``report`` a ``Hold`` when the loop is free again.

    A hold longer than ``seconds`` is always seen, one shorter than ``seconds`` less 10 ms never. It does nothing on a
    loop that has a time of its own.
    """

    def __init__(self, seconds: float = HOLD_SECONDS, report: Ref[Any] | None = None) -> None:
        if seconds <= BEAT_SECONDS:
            raise ValueError(f"expected more than {BEAT_SECONDS} seconds, found {seconds}")
        self._seconds = seconds
        self._report = report
        self._sampler: _Sampler | None = None

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        if hasattr(loop, "wall_time"):
            return
        self._sampler = _Sampler(self.context.system, loop, self._seconds, self._report)
        self._sampler.start()

    async def receive(self, message: Any) -> HoldStatistics | None:
        match message:
            case Holds():
                return HoldStatistics(0, 0, 0.0, False) if self._sampler is None else self._sampler.statistics()
        return None

    async def stop(self, exit: Exit) -> None:
        if self._sampler is not None:
            self._sampler.stop()


class _Sampler(threading.Thread):
    def __init__(
        self, system: System, loop: asyncio.AbstractEventLoop, seconds: float, report: Ref[Any] | None
    ) -> None:
        super().__init__(name="actors watchdog", daemon=True)
        self._system = system
        self._loop = loop
        self._late = seconds - BEAT_SECONDS
        self._report = report
        self._loop_thread = threading.get_ident()
        self._over = threading.Event()
        self._places: OrderedDict[str, float] = OrderedDict()  # when each was reported last
        self._holds = self._reported = 0
        self._longest = 0.0

    def stop(self) -> None:
        self._over.set()

    def statistics(self) -> HoldStatistics:
        return HoldStatistics(self._holds, self._reported, self._longest, True)

    def run(self) -> None:
        while not self._over.wait(BEAT_SECONDS):
            beat = threading.Event()
            asked = time.monotonic()
            try:
                self._loop.call_soon_threadsafe(beat.set)
            except RuntimeError:
                return  # the loop is closed
            if not beat.wait(self._late):
                self._held(beat, asked)

    def _held(self, beat: threading.Event, asked: float) -> None:
        task = asyncio.current_task(self._loop)
        if task is None or self._over.is_set():
            return  # nobody holds it: it sleeps, and the machine is slow to wake it
        actor, stack = self._actor(task), self._stack()
        place = stack[-1] if stack else actor
        self._holds += 1
        news = self._is_news(place)
        if news:
            self._reported += 1
            log.warning("the loop is held", actor=actor, over_seconds=self._late, stack="".join(stack))
        while not beat.wait(self._late):
            if self._over.is_set():
                return
        seconds = time.monotonic() - asked
        self._longest = max(self._longest, seconds)
        if news and self._report is not None:
            self._tell(Hold(actor, seconds, stack))

    def _tell(self, hold: Hold) -> None:
        assert self._report is not None, "only called with somebody to tell"
        try:
            self._loop.call_soon_threadsafe(self._report.tell_nowait, hold)
        except RuntimeError:
            pass  # the loop is closed: nobody is there to be told

    def _stack(self) -> list[str]:
        frame = sys._current_frames().get(self._loop_thread)
        return traceback.format_stack(frame)[-STACK_LINES:] if frame is not None else []

    def _actor(self, task: asyncio.Task[Any]) -> str:
        for cell in list(self._system.cells.values()):
            if cell.worker is task:
                return cell.path
        return task.get_name()  # an actor's own task has its path in its name

    def _is_news(self, place: str) -> bool:
        now = time.monotonic()
        if now - self._places.get(place, -REPORT_WINDOW_SECONDS) < REPORT_WINDOW_SECONDS:
            return False
        self._places[place] = now
        self._places.move_to_end(place)
        if len(self._places) > MAX_PLACES:
            self._places.popitem(last=False)
        return True
