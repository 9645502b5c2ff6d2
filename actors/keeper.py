"""Keeping children: carries out what supervision (the data) says when one of them ends."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

import structlog

from actors import lifecycle
from actors.cell import Cell, State
from actors.errors import StartFailed
from actors.exit import CRASHED, INTENSITY, SHUTDOWN, Exit
from actors.supervision import Intensity, Strategy, affected, one_for_one, restarts_after

if TYPE_CHECKING:
    pass

log = structlog.get_logger("actors")


class Keeper:
    """The children of one actor.

    A ``Supervisor`` has one budget of restarts for all of them and ends when it is used up. The children of any other
    actor have a budget each, and the actor hears of one that is given up by ``on_child_exit``.
    """

    __slots__ = (
        "_busy",
        "_cell",
        "_failed",
        "_history",
        "_intensity",
        "_shared",
        "_strategy",
        "_wake",
        "children",
        "numbers",
    )

    def __init__(
        self, cell: Cell, strategy: Strategy = one_for_one, intensity: Intensity | None = None, shared: bool = False
    ) -> None:
        self._cell = cell
        self._strategy = strategy
        self._intensity = intensity or Intensity()
        self._shared = shared
        self._history: deque[float] = deque()
        self._failed: dict[Cell, None] = {}
        self._busy: asyncio.Task[None] | None = None
        self.children: dict[str, Cell] = {}
        self.numbers: dict[str, int] = {}

    def remove(self, cell: Cell) -> None:
        if self.children.get(cell.name) is cell:
            del self.children[cell.name]

    async def stop_children(self) -> None:
        """Stop all, the youngest first, one after the other."""
        for cell in reversed(list(self.children.values())):
            await lifecycle.stop(cell)

    def ended(self, cell: Cell, exit_: Exit) -> None:
        """A child's instance is over and nobody ordered it."""
        again = restarts_after(cell.spec.restart, exit_) and not cell.ordered
        cell.tell_watchers(exit_, again)
        if self._strategy is one_for_one or not again:
            cell.repair = self._begin(self._repair_one(cell, exit_, again), cell.path)
            return
        self._failed[cell] = None
        if self._busy is None:
            self._busy = cell.repair = self._begin(self._repair_group(), self._cell.path)

    def _begin(self, repair: Coroutine[Any, Any, None], path: str) -> asyncio.Task[None]:
        workers = self._cell.system.workers
        task = self._cell.system.create_task(repair, f"{path}: repair")
        workers.repair_begins()
        task.add_done_callback(lambda _: workers.repair_pauses())
        return task

    async def _repair_one(self, cell: Cell, exit_: Exit, again: bool) -> None:
        """Clean up after the instance, then start the next one, or end the actor."""
        await lifecycle.dismantle(cell, exit_)
        while again and not self._unwanted(cell):
            if self._spend(cell):
                exit_ = await self._give_up(cell, exit_)
                break
            await self._rest([cell])
            if self._unwanted(cell):
                break
            failure = await self._start_again(cell, exit_)
            if failure is None:
                cell.repair = None
                return
            exit_ = failure
        cell.repair = None
        lifecycle.finish(cell, Exit(SHUTDOWN) if cell.ordered else exit_)

    def _unwanted(self, cell: Cell) -> bool:
        """Whether a restart would be in vain: its end was ordered, or its parent is over."""
        return cell.ordered or self._cell.state not in (State.RUNNING, State.STARTING)

    async def _give_up(self, cell: Cell, exit_: Exit) -> Exit:
        intensity = self._intensity
        error = f"more than {intensity.restarts} restarts in {intensity.within:g} s, the last after: {exit_.error}"
        given_up = Exit(INTENSITY, error)
        log.critical("actor given up", actor=cell.path, error=error)
        if self._shared:
            self._cell.end(given_up)
        return given_up

    async def _start_again(self, cell: Cell, exit_: Exit) -> Exit | None:
        """Start the next instance. What went wrong, or None."""
        cell.restarts += 1
        cell.system.restarts += 1
        log.warning("actor restarts", actor=cell.path, reason=exit_.reason, error=exit_.error, count=cell.restarts)
        try:
            await lifecycle.start(cell)
        except StartFailed as failure:
            cell.crashes += 1
            cell.system.crashes += 1
            cell.state = State.ENDED
            cell.interrupted = cell.scheduled = True
            cell.tell_watchers(Exit(CRASHED, failure.error), True)  # whom its start made known is gone again
            cell.started = cell.system.clock.monotonic()  # it did not live long enough to be trusted again
            log.error("actor did not start", actor=cell.path, error=failure.error, exc_info=failure)
            return Exit(CRASHED, failure.error)
        return None

    def _spend(self, cell: Cell) -> bool:
        """Count one restart. True when it is one too many."""
        now = self._cell.system.clock.monotonic()
        if not self._shared and cell.history is None:
            cell.history = deque()
        history = self._history if self._shared else cell.history
        assert history is not None, "a budget is the keeper's or the child's"
        while history and now - history[0] >= self._intensity.within:
            history.popleft()
        if self._intensity.exceeded(history, now):
            return True
        history.append(now)
        return False

    async def _rest(self, cells: list[Cell]) -> None:
        """Wait out the back-off of the first; an order to stop any of them ends it early."""
        cell = cells[0]
        system = self._cell.system
        backoff = cell.spec.backoff
        if system.clock.monotonic() - cell.started >= backoff.reset_seconds:
            cell.attempt = 0
        seconds = backoff.seconds(cell.attempt, system.random)
        cell.attempt += 1
        if seconds <= 0:
            return
        rest: asyncio.Future[None] = system.loop.create_future()
        for cell in cells:
            cell.rest = rest
        system.workers.repair_pauses()
        try:
            await lifecycle.settled(system.clock, seconds, [rest])
        finally:
            system.workers.repair_begins()
        for cell in cells:
            cell.rest = None

    async def _repair_group(self) -> None:
        """Stop whoever goes down together, wait out the longest back-off, start them again in order."""
        try:
            while self._failed:
                failed = list(self._failed)
                self._failed.clear()
                await self._restart_together(failed)
        finally:
            self._busy = None

    async def _restart_together(self, failed: list[Cell]) -> None:
        names = affected(self._strategy, list(self.children), [cell.name for cell in failed])
        cells = [self.children[name] for name in names]
        cause = failed[0].exit or Exit(CRASHED)
        for cell in reversed(cells):
            await self._take_down(cell, cause)
        if self._spend(failed[0]):
            given_up = await self._give_up(failed[0], cause)
            for cell in cells:
                cell.repair = None
                cell.exit = given_up
            return
        await self._rest([failed[0], *(cell for cell in cells if cell is not failed[0])])
        for cell in cells:
            if self._unwanted(cell):
                cell.repair = None
                continue
            failure = await self._start_again(cell, cause)
            if failure is not None:
                cell.exit = failure
                self._failed[cell] = None
                return
            cell.repair = None

    async def _take_down(self, cell: Cell, cause: Exit) -> None:
        """End the instance of ``cell``, that it can be started anew."""
        mine = cell.exit if cell.state is State.ENDED else None
        if cell.state is State.RUNNING:
            cell.state = State.ENDED
            cell.interrupted = cell.scheduled = True
            cell.tell_watchers(Exit(SHUTDOWN, f"its sibling ended: {cause.error}"), True)
        cell.repair = self._busy
        await lifecycle.dismantle(cell, mine or Exit(SHUTDOWN, f"its sibling ended: {cause.error}"))
        self._failed.pop(cell, None)
