"""Tasks that an actor owns: they end with the instance, and none of their exceptions is lost."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from functools import partial
from typing import TYPE_CHECKING, Any

import structlog

from actors import current
from actors.asks import OK
from actors.codec import Frame
from actors.errors import Refused
from actors.exit import CRASHED, KILLED, Exit
from actors.trace import Trace

if TYPE_CHECKING:
    from actors.cell import Cell

log = structlog.get_logger("actors")


ELSEWHERE = object()
"""A handler's return value: the message was passed on or put aside, the reply comes from elsewhere."""


class Later:
    """What a handler returns when an owned task, or a future that somebody else fills, gives the reply."""

    __slots__ = ("name", "reply")

    def __init__(self, reply: Coroutine[Any, Any, Any] | asyncio.Future[Any], name: str) -> None:
        self.reply = reply
        self.name = name


def start_task(cell: Cell, coroutine: Coroutine[Any, Any, Any], name: str, trace: Trace | None) -> asyncio.Task[Any]:
    """Run ``coroutine`` as the actor's, under ``trace``, until the instance ends."""
    context = cell.system.context.copy()
    context.run(current.actor.set, cell)
    if trace is not None:
        context.run(current.cause.set, trace)
    task = cell.system.loop.create_task(coroutine, name=f"{cell.path}: {name}", context=context)
    _own(cell, task)
    return task


def _own(cell: Cell, work: asyncio.Future[Any]) -> None:
    if cell.tasks is None:
        cell.tasks = {}
    cell.tasks[work] = None


def start_background(cell: Cell, coroutine: Coroutine[Any, Any, Any], name: str) -> asyncio.Task[Any]:
    """An owned task whose crash is the actor's crash."""
    task = start_task(cell, coroutine, name, current.current_cause())
    task.add_done_callback(partial(_background_ended, cell))
    return task


def start_later(cell: Cell, later: Later, correlation: int, frame: Frame) -> None:
    """Have the reply to ``frame`` made meanwhile; at the bound the actor takes no more mail until one is there."""
    cell.laters += 1
    cell.interrupted = cell.interrupted or cell.paused()
    work = later.reply
    if isinstance(work, asyncio.Future):
        _own(cell, work)
    else:
        work = start_task(cell, work, later.name, cell.trace)
    work.add_done_callback(partial(_later_ended, cell, correlation, frame))


def _background_ended(cell: Cell, task: asyncio.Task[Any]) -> None:
    if not _release(cell, task) or task.cancelled():
        return
    error = task.exception()
    if error is not None:
        cell.end(Exit(CRASHED, f"{type(error).__name__}: {error} (in the task {task.get_name()!r})"), error)


def _later_ended(cell: Cell, correlation: int, frame: Frame, task: asyncio.Future[Any]) -> None:
    _release(cell, task)
    cell.laters -= 1
    if task.cancelled():
        if correlation:
            cell.system.answer_down(correlation, cell, cell.exit or Exit(KILLED, "the task of the reply was cancelled"))
    else:
        _give_reply(cell, correlation, frame, task)
    if not cell.paused():
        cell.resume()


def _give_reply(cell: Cell, correlation: int, frame: Frame, task: asyncio.Future[Any]) -> None:
    system = cell.system
    error = task.exception()
    if error is None and task.result() is ELSEWHERE:
        return
    try:
        body = b"" if error is not None else system.codec.encode_value(task.result())
    except TypeError as unpackable:
        error = unpackable
    if isinstance(error, Refused):
        system.refuse(correlation, error)
    elif error is not None:
        cell.crashes += 1
        log.error("the task of a reply crashed", actor=cell.path, task=name_of(task), exc_info=error)
        system.refuse(correlation, Refused("crashed", f"{type(error).__name__}: {error}"))
    elif correlation and not system.asks.answer(correlation, OK, body):
        system.dead_letters.publish(cell.path, frame, "late")


def name_of(work: asyncio.Future[Any]) -> str:
    return work.get_name() if isinstance(work, asyncio.Task) else "a future"


def _release(cell: Cell, task: asyncio.Future[Any]) -> bool:
    """Forget an ended task. False when it was of an instance that is over."""
    if cell.tasks is None or task not in cell.tasks:
        return False
    del cell.tasks[task]
    return True
