"""Timers of an actor, by the system's clock."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from actors import current
from actors.message import Tell
from actors.ref import Ref

if TYPE_CHECKING:
    from actors.cell import Cell
    from actors.clock import Handle


class ReceiveTimeout(Tell):
    """No message came for as long as ``context.receive_timeout`` said."""


def _later(cell: Cell, seconds: float, function: Callable[[], object]) -> Handle:
    """Have it called in nobody's name: a handle keeps the context that it was made in."""
    return cell.system.context.run(cell.system.clock.call_later, seconds, function)


class Silence:
    """Watches how long an actor has had nothing to do."""

    __slots__ = ("_cell", "_handle", "_seconds", "_since")

    def __init__(self, cell: Cell, seconds: float) -> None:
        if seconds <= 0:
            raise ValueError(f"expected a timeout above 0 seconds, found {seconds}")
        self._cell = cell
        self._seconds = seconds
        self._since = cell.system.clock.monotonic()
        self._handle = _later(cell, seconds, self._fire)
        if cell.timers is None:
            cell.timers = {}
        cell.timers[self] = None

    def cancel(self) -> None:
        self._handle.cancel()
        if self._cell.timers is not None:
            self._cell.timers.pop(self, None)

    def _fire(self) -> None:
        cell = self._cell
        now = cell.system.clock.monotonic()
        self._since = max(self._since, now if cell.worker is not None else cell.rested)
        left = self._since + self._seconds - now
        if left <= 0:
            self._since, left = now, self._seconds
            cell.signal(lambda cell: cell.receive(ReceiveTimeout()))
        self._handle = _later(cell, left, self._fire)


class Alarm:
    """Delivers one message as a signal: ahead of mail, and a full mailbox cannot lose it."""

    __slots__ = ("_cell", "_handle", "_message", "_trace")

    def __init__(self, cell: Cell, seconds: float, message: Tell) -> None:
        self._cell = cell
        self._message = message
        self._trace = current.current_cause()
        if cell.timers is None:
            cell.timers = {}
        cell.timers[self] = None
        self._handle = _later(cell, seconds, self._fire)

    def cancel(self) -> None:
        self._handle.cancel()
        if self._cell.timers is not None:
            self._cell.timers.pop(self, None)

    def _fire(self) -> None:
        self.cancel()
        self._cell.signal(self._deliver)

    def _deliver(self, cell: Cell) -> Any:
        cell.trace = self._trace
        return cell.receive(self._message)


class Timer:
    """Tells a message later, once or again and again: as the actor's own, with the cause that made the timer."""

    __slots__ = ("_cell", "_due", "_every", "_handle", "_message", "_to", "_trace")

    def __init__(self, cell: Cell, to: Ref[Any], message: Tell, seconds: float, every: float | None) -> None:
        if every is not None and every <= 0:
            raise ValueError(f"expected an interval above 0 seconds, found {every}")
        cell.system.codec.encode(message)  # what cannot be packed is raised here, not when the time has come
        self._cell = cell
        self._to = to
        self._message = message
        self._every = every
        self._trace = current.current_cause()
        self._due = cell.system.clock.monotonic() + seconds
        self._handle: Handle | None = None
        if cell.timers is None:
            cell.timers = {}
        cell.timers[self] = None
        self._handle = _later(cell, seconds, self._fire)

    def cancel(self) -> None:
        """It never fires any more; once too often does no harm."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None
        if self._cell.timers is not None:
            self._cell.timers.pop(self, None)

    def _fire(self) -> None:
        if self._handle is None:
            return
        if self._every is None:
            self.cancel()
        else:
            self._due += self._every
            now = self._cell.system.clock.monotonic()
            self._handle = _later(self._cell, max(0.0, self._due - now), self._fire)
        context = self._cell.system.context.copy()
        context.run(current.actor.set, self._cell)
        context.run(current.cause.set, self._trace)
        context.run(self._to.tell_nowait, self._message)
