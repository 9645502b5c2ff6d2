"""Starting and ending the instances of an actor, step by step, each step with its deadline."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable
from typing import TYPE_CHECKING, Any

import structlog

from actors import current
from actors.actor import Actor
from actors.cell import Cell, State
from actors.errors import StartFailed
from actors.exit import CRASHED, SHUTDOWN, Exit
from actors.owned import name_of

if TYPE_CHECKING:
    from actors.clock import Clock

CANCEL_GRACE_SECONDS = 1.0
"""What cancelled code may take to clean up before it is abandoned."""

log = structlog.get_logger("actors")


async def start(cell: Cell) -> None:
    """Make an instance and start it, in the calling task. Raises ``StartFailed``; then nothing of it is left."""
    cell.state = State.STARTING
    cell.exit = None
    token = current.actor.set(cell)
    cell.worker = asyncio.current_task()
    try:
        actor = cell.actor = cell.system.make(cell)
        cell.receive = actor.receive
        if type(actor).start is not Actor.start:
            await actor.start()
        early = cell.exit
        if early is not None:
            raise RuntimeError(f"it ended while it started: {early.reason} {early.error}")
    except BaseException as error:
        cell.worker = None
        current.actor.reset(token)
        await dismantle(cell, Exit(CRASHED, f"{type(error).__name__}: {error}"))
        if isinstance(error, asyncio.CancelledError | KeyboardInterrupt):
            raise
        raise StartFailed(cell.path, f"{type(error).__name__}: {error}") from error
    cell.worker = cell.trace = cell.asking = None
    current.actor.reset(token)
    cell.ready()


async def dismantle(cell: Cell, exit_: Exit) -> None:
    """End the instance: its handler, timers, tasks, children (the youngest first), and at last its ``stop`` hook."""
    cell.exit = cell.exit or exit_
    await _quiesce(cell)
    for timer in list(cell.timers or ()):
        timer.cancel()
    cell.timers = cell.silence = None
    await _cancel_tasks(cell)
    if cell.keeper is not None:
        await cell.keeper.stop_children()
        cell.keeper = None
    actor, cell.actor = cell.actor, None
    cell.signals = None
    cell.unstash()
    if actor is not None and type(actor).stop is not Actor.stop:
        await _run_stop(cell, actor, exit_)
    await _cancel_tasks(cell)  # what the hook itself began
    cell.laters = 0


async def stop(cell: Cell, exit_: Exit | None = None) -> None:
    """End ``cell`` for good, whatever it is doing. Returns when it is dead."""
    cell.ordered = True
    if cell.state is State.DEAD:
        return
    if cell.state is State.STOPPING:
        await cell.gone()
        return
    if cell.repair is not None and cell.repair is not asyncio.current_task():
        await _end_repair(cell, cell.repair)
        if cell.dead_now():
            return
    exit_ = exit_ or Exit(SHUTDOWN)
    if cell.state is State.ENDED:
        exit_ = cell.exit or exit_
    cell.state = State.STOPPING
    cell.closed = cell.interrupted = cell.scheduled = True
    cell.system.groups.forget(cell.ref)
    try:
        await dismantle(cell, exit_)
    except BaseException:  # who ordered it is cut short, but others wait for the end by now
        if cell.system.running:
            cell.system.create_task(_end(cell, exit_), f"{cell.path}: end")
        raise
    finish(cell, exit_)


async def _end(cell: Cell, exit_: Exit) -> None:
    """What is left to do of an end that was begun."""
    await dismantle(cell, exit_)
    finish(cell, exit_)


async def _end_repair(cell: Cell, repair: asyncio.Task[None]) -> None:
    """Let a restart that is under way come to its end, or cancel it: its back-off is cut short."""
    if cell.rest is not None and not cell.rest.done():
        cell.rest.set_result(None)
    clock = cell.system.clock
    if not await settled(clock, cell.spec.stop_seconds + CANCEL_GRACE_SECONDS, [repair]):
        repair.cancel()
        await settled(clock, CANCEL_GRACE_SECONDS, [repair])
    cell.repair = None


def finish(cell: Cell, exit_: Exit) -> None:
    """Nothing of the actor is left but its name: take that away too."""
    cell.state = State.DEAD
    cell.closed = cell.interrupted = cell.scheduled = True
    cell.exit = exit_
    system = cell.system
    system.forget(cell)
    for frame in cell.box.drain():
        system.dead_letters.publish(cell.path, frame, "stopped")
    cell.tell_watchers(exit_, False)
    if cell.parent is not None and cell.parent.keeper is not None:
        cell.parent.keeper.remove(cell)
        if not cell.ordered:
            ref = cell.ref
            cell.parent.signal(lambda parent: parent.actor and parent.actor.on_child_exit(ref, exit_))
    if cell.dead is not None and not cell.dead.done():
        cell.dead.set_result(None)


async def _quiesce(cell: Cell) -> None:
    """Wait for the handler that runs; past the deadline cancel it, past the grace go on without it."""
    worker = cell.worker
    if worker is None or worker is asyncio.current_task():
        return
    clock = cell.system.clock
    cell.quiet = cell.system.loop.create_future()
    if await settled(clock, cell.spec.stop_seconds, [cell.quiet]):
        return
    log.warning("handler cancelled", actor=cell.path, after_seconds=cell.spec.stop_seconds)
    cell.cancel_handler()
    if not await settled(clock, CANCEL_GRACE_SECONDS, [cell.quiet]):
        log.error("handler ignores its cancellation and is abandoned", actor=cell.path)
        cell.worker = None
    cell.quiet = None


async def _cancel_tasks(cell: Cell) -> None:
    tasks = [task for task in cell.tasks or () if task is not asyncio.current_task()]
    if not tasks:
        return
    for task in tasks:
        task.cancel()
    if not await settled(cell.system.clock, CANCEL_GRACE_SECONDS, tasks):
        names = [name_of(task) for task in tasks if not task.done()]
        log.error("tasks ignore their cancellation and are abandoned", actor=cell.path, tasks=names)


async def _run_stop(cell: Cell, actor: Actor, exit_: Exit) -> None:
    system = cell.system
    context = system.context.copy()
    context.run(current.actor.set, cell)
    task = system.loop.create_task(_as_coroutine(actor.stop(exit_)), name=f"{cell.path}: stop", context=context)
    try:
        if not await settled(system.clock, cell.spec.stop_seconds, [task]):
            log.error("stop took too long and is cancelled", actor=cell.path, after_seconds=cell.spec.stop_seconds)
            task.cancel()
            await settled(system.clock, CANCEL_GRACE_SECONDS, [task])
    except asyncio.CancelledError:
        task.cancel()
        raise
    if task.done() and not task.cancelled() and task.exception() is not None:
        log.error("stop crashed", actor=cell.path, exc_info=task.exception())


async def _as_coroutine(awaitable: Awaitable[Any]) -> None:
    await awaitable


async def settled(clock: Clock, seconds: float, futures: Iterable[asyncio.Future[Any]]) -> bool:
    """Wait until all ``futures`` are done, at most ``seconds``. None is cancelled, no exception is raised."""
    pending = [future for future in futures if not future.done()]
    if not pending:
        return True
    done = asyncio.get_running_loop().create_future()

    def one_done(_: object) -> None:
        if not done.done() and all(future.done() for future in pending):
            done.set_result(True)

    def time_up() -> None:
        if not done.done():
            done.set_result(False)

    for future in pending:
        future.add_done_callback(one_done)
    timer = clock.call_later(seconds, time_up)
    try:
        return bool(await done)
    finally:
        timer.cancel()
        for future in pending:
            future.remove_done_callback(one_done)
