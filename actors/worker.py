"""Workers: the few tasks in which all handlers of a system run. An idle actor has no task.

An actor with mail is *ready*. A worker takes ready actors one after the other and lets each handle a batch. When a
handler is suspended its worker is suspended with it; so whoever finds more ready actors than it can promise to serve
wakes another worker. This is the one receive loop of the library: only here the exception of a handler is caught, and
only to report an exit.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Any

import structlog

from actors import current
from actors.asks import OK
from actors.call import PLAIN, decode_call, read_call
from actors.cell import RUNNING, Cell
from actors.codec import Frame
from actors.errors import MailboxFull, Refused
from actors.exit import CANCELLED, CRASHED, KILLED, Exit
from actors.message import type_name
from actors.owned import ELSEWHERE, Later, start_later

if TYPE_CHECKING:
    from actors.system import System

BATCH = 64
"""Messages that an actor handles before the next ready actor has its turn."""
BUDGET = 512
"""Messages that are handled before the loop runs everything else."""
TURN_SECONDS = 0.01
"""For so long messages are handled before the loop runs everything else: an outside request waits a few such turns."""
SELDOM_SECONDS = 1.0
"""An actor that had nothing to do for longer gives its queue back when it is idle again."""
MAX_IDLE_WORKERS = 32
"""Parked tasks kept for the next burst."""
log = structlog.get_logger("actors")


class Workers:
    """The pool of one system."""

    def __init__(self, system: System) -> None:
        self._system = system
        self._ready: deque[Cell] = deque()
        self._parked: list[asyncio.Future[None]] = []
        self._tasks: dict[asyncio.Task[None], None] = {}
        self._waiters: list[asyncio.Future[None]] = []
        self._armed = False  # a worker is about to run
        self._stopped = False
        self._repairs = 0
        self._count = 0

    def __len__(self) -> int:
        return len(self._tasks)

    def schedule(self, cell: Cell) -> None:
        self._ready.append(cell)
        if not self._armed:
            self._wake()

    def idle(self) -> bool:
        """Whether no actor is ready, no handler runs and no instance is being ended or started anew."""
        return not self._ready and len(self._tasks) == len(self._parked) and not self._repairs

    async def until_idle(self) -> None:
        """Wait until no actor has mail that it could handle now, no handler runs, and no restart is under way."""
        while not self.idle():
            waiter = self._system.loop.create_future()
            self._waiters.append(waiter)
            await waiter

    def _tell_idle(self) -> None:
        if self._waiters and self.idle():
            for waiter in self._waiters:
                if not waiter.done():
                    waiter.set_result(None)
            self._waiters.clear()

    def repair_begins(self) -> None:
        """Work of a keeper goes on: while it does, the system is not idle."""
        self._repairs += 1

    def repair_pauses(self) -> None:
        """It is done, or rests until a back-off is over."""
        self._repairs -= 1
        self._tell_idle()

    async def stop(self) -> None:
        self._stopped = True
        tasks = [task for task in self._tasks if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _wake(self) -> None:
        self._armed = True
        while self._parked:
            future = self._parked.pop()
            if not future.done():
                future.set_result(None)
                return
        if self._stopped:
            return
        self._count += 1
        task = self._system.create_task(self._work(), f"actors worker {self._count}")
        self._tasks[task] = None
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        del self._tasks[task]
        if self._ready and not self._stopped:
            self._wake()
        self._tell_idle()

    async def _work(self) -> None:
        ready = self._ready
        task = asyncio.current_task()
        assert task is not None, "workers are tasks"
        monotonic = self._system.clock.monotonic
        while not self._stopped:
            self._armed = False
            handled, ends = 0, monotonic() + TURN_SECONDS
            while ready:
                cell = ready.popleft()
                if ready and not self._armed:
                    self._wake()
                handled += await self._activate(cell, task)
                if handled >= BUDGET or cell.rested >= ends:
                    if self._armed:
                        break  # the other worker goes on: two at once would make one long turn
                    await asyncio.sleep(0)
                    handled, ends = 0, monotonic() + TURN_SECONDS
            if len(self._parked) >= MAX_IDLE_WORKERS:
                return
            parked: asyncio.Future[None] = asyncio.Future(loop=self._system.loop)
            self._parked.append(parked)
            if self._waiters:
                self._tell_idle()
            await parked

    async def _activate(self, cell: Cell, task: asyncio.Task[Any]) -> int:
        """Let ``cell`` handle a batch of its mail. Returns how many messages it handled."""
        monotonic = self._system.clock.monotonic
        if current.actor.get() is not cell:
            current.actor.set(cell)
        cell.worker = task
        begun = monotonic()
        seldom = begun - cell.rested > SELDOM_SECONDS
        before = cell.handled
        try:
            await self._handle_batch(cell)
        except BaseException as error:
            if cell.worker is task:
                self._uncancel(cell, task)
                self._failed(cell, cell.frame, error)
            if isinstance(error, KeyboardInterrupt) or task.cancelling():
                raise
        finally:
            if cell.worker is task:  # otherwise it was abandoned: its cell is not this task's any more
                if cell.cancelled:
                    self._uncancel(cell, task)
                cell.rested = monotonic()
                cell.busy += cell.rested - begun
                self._leave(cell, seldom)
        return cell.handled - before + 1

    def _uncancel(self, cell: Cell, task: asyncio.Task[Any]) -> None:
        """The cancellation of a handler is done: it was not meant for the worker."""
        if cell.cancelled:
            cell.cancelled = False
            task.uncancel()

    def _leave(self, cell: Cell, seldom: bool) -> None:
        cell.worker = cell.asking = cell.trace = cell.frame = None
        if cell.box.waiting:
            cell.box.admit_waiting()
        if cell.quiet is not None and not cell.quiet.done():
            cell.quiet.set_result(None)
        if cell.state is RUNNING:
            if cell.signals or ((cell.box.normal or cell.box.urgent) and not cell.paused()):
                self._ready.append(cell)
                if not self._armed:
                    self._wake()
            else:
                cell.scheduled = False
                if seldom:
                    cell.box.rest()

    async def _handle_batch(self, cell: Cell) -> None:
        codec = self._system.codec
        routes = codec.routes
        box = cell.box
        normal = box.normal
        for _ in range(BATCH):
            if cell.interrupted and not await self._attend(cell):
                return
            if box.urgent:
                frame = box.urgent.popleft()
            elif normal:
                frame = normal.popleft()
            else:
                return
            cell.frame = frame
            envelope, call, body = frame
            route = routes.get(envelope) or codec.route(envelope)
            try:
                message = route.decode(body)  # type: ignore[misc]
            except Exception as error:
                self._system.undecodable(cell, frame, route, error)
                continue
            cell.handled += 1
            if call is not PLAIN:
                await self._handle_call(cell, call, frame, message)
                continue
            cell.trace = None
            try:
                result = await cell.receive(message)
                if result.__class__ is Later:
                    start_later(cell, result, 0, frame)
            except (Refused, MailboxFull) as refusal:
                log.warning("refused a tell", actor=cell.path, message=route.type_name, refusal=str(refusal))

    async def _handle_call(self, cell: Cell, call: bytes, frame: Frame, message: Any) -> None:
        system = self._system
        correlation, deadline, trace = decode_call(call)
        if correlation and deadline <= system.clock.monotonic():
            system.dead_letters.publish(cell.path, frame, "expired")
            return
        cell.trace = trace
        try:
            if trace is None or system.spans is None:
                result = await cell.receive(message)
            else:
                with system.spans.handling(cell.path, type_name(type(message)), trace) as cell.trace:
                    result = await cell.receive(message)
        except Refused as refusal:
            system.refuse(correlation, refusal)
            return
        except MailboxFull as full:
            system.refuse(correlation, Refused("mailbox full", str(full)))
            return
        if result.__class__ is Later:
            start_later(cell, result, correlation, frame)
        elif correlation and result is not ELSEWHERE:
            body = system.codec.encode_value(result)
            if not system.asks.answer(correlation, OK, body):
                system.dead_letters.publish(cell.path, frame, "late")

    async def _attend(self, cell: Cell) -> bool:
        """Handle signals. Whether mail may follow."""
        cell.frame = None  # a signal is no message that could be put aside or passed on
        while cell.state is RUNNING and cell.signals:
            result = cell.signals.popleft()(cell)
            if result is not None:
                await result
        cell.interrupted = cell.state is not RUNNING or cell.paused()
        return not cell.interrupted

    def _failed(self, cell: Cell, frame: Frame | None, error: BaseException) -> None:
        """A handler raised: the message it had in hand is lost, its asker is told, the instance ends."""
        if isinstance(error, asyncio.CancelledError):
            exit_ = Exit(KILLED if cell.state is not RUNNING else CANCELLED, "its handler was cancelled")
        else:
            exit_ = Exit(CRASHED, f"{type(error).__name__}: {error}")
        if frame is not None:
            correlation, _, _ = read_call(frame[1])
            if correlation:
                self._system.answer_down(correlation, cell, cell.exit or exit_)
        cell.end(exit_, error)
