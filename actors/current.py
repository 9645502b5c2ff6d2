"""Who is running: the actor and the cause of the code that executes now."""

from __future__ import annotations

import asyncio
from contextvars import ContextVar
from typing import TYPE_CHECKING

from actors.trace import Trace

if TYPE_CHECKING:
    from actors.cell import Cell

actor: ContextVar[Cell | None] = ContextVar("actors.current.actor", default=None)
"""The actor whose handler, hook or owned task runs; tasks that it starts inherit it."""
cause: ContextVar[Trace | None] = ContextVar("actors.current.cause", default=None)
"""The cause in an owned task or outside of actors. A handler's cause is in its cell, since workers are shared."""


def handling(cell: Cell) -> bool:
    """Whether the running task is the one in which ``cell`` handles its mail, one message at a time."""
    return cell.worker is not None and cell.worker is asyncio.current_task(cell.system.loop)


def current_cause() -> Trace | None:
    trace = cause.get()
    if trace is None:
        cell = actor.get()
        if cell is not None and cell.trace is not None and handling(cell):
            return cell.trace
    return trace


def set_cause(trace: Trace | None) -> None:
    cell = actor.get()
    if cell is not None and handling(cell):
        cell.trace = trace
    else:
        cause.set(trace)
