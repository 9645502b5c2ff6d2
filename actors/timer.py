"""Timers of an actor, by the system's clock."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from actors import current
from actors.message import Tell
from actors.ref import Ref

if TYPE_CHECKING:
    from actors.cell import Cell
    from actors.clock import Handle


class Timer:
    """Tells a message later, once or again and again. The message is told as the actor's own, with the cause of its making."""

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
        self._handle = cell.system.clock.call_later(seconds, self._fire)

    def cancel(self) -> None:
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
            clock = self._cell.system.clock
            self._handle = clock.call_later(max(0.0, self._due - clock.monotonic()), self._fire)
        context = self._cell.system.context.copy()
        context.run(current.actor.set, self._cell)
        context.run(current.cause.set, self._trace)
        context.run(self._to.tell_nowait, self._message)
