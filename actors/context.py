"""What an actor may do besides returning a value."""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

import structlog

from actors import current, lifecycle
from actors.call import PLAIN, decode_call, read_call
from actors.cell import State
from actors.clock import Clock
from actors.errors import MailboxFull, StashFull
from actors.exit import LINKED, NORMAL, Exit
from actors.links import link, unlink
from actors.mailbox import Overflow, wait
from actors.message import Tell
from actors.owned import ELSEWHERE, Later, start_background
from actors.ref import Ref
from actors.statistics import Statistics
from actors.stream import CAPACITY, CREDIT, Stream
from actors.supervision import ChildSpec, DynamicSupervisor, Supervisor
from actors.timer import Alarm, Silence, Timer
from actors.trace import Trace

if TYPE_CHECKING:
    from actors.cell import Cell
    from actors.system import System

T = TypeVar("T")

STASH_CAPACITY = 1024
"""Messages an actor can put aside: as many as a mailbox holds by default."""


class Context:
    """An actor's hold on the system. Made for each instance; of no use after the instance has ended."""

    __slots__ = ("_cell",)

    def __init__(self, cell: Cell) -> None:
        self._cell = cell

    @property
    def ref(self) -> Ref[Any]:
        """The actor's own address."""
        return self._cell.ref

    @property
    def path(self) -> str:
        """The actor's own path."""
        return self._cell.path

    @property
    def system(self) -> System:
        """The system in which the actor lives."""
        return self._cell.system

    @property
    def clock(self) -> Clock:
        """The system's clock: the only time an actor should know."""
        return self._cell.system.clock

    @property
    def random(self) -> random.Random:
        """The system's; in a seeded one a source of its own, by the seed, the path and how many had the path before."""
        cell = self._cell
        if cell.source is None:
            cell.source = cell.system.random_for(cell.path)
        return cell.source

    @property
    def log(self) -> Any:
        """A structlog logger with the actor's path, and in a handler its message's correlation and trace."""
        cell = self._cell
        bound: dict[str, Any] = {"actor": cell.path}
        frame = cell.frame
        if frame is not None and frame[1] is not PLAIN and current.handling(cell):
            correlation = decode_call(frame[1])[0]
            if correlation:
                bound["correlation"] = correlation
        trace = current.current_cause()
        if trace is not None:
            bound["trace"] = trace.traceparent or trace.id
        return structlog.get_logger("actors").bind(**bound)

    def statistics(self) -> Statistics:
        """This actor's figures as they are now, across its restarts."""
        return self._cell.statistics()

    @property
    def cause(self) -> Trace | None:
        """The trace that frames sent from here carry: that of the message being handled, unless it is set."""
        return current.current_cause()

    @cause.setter
    def cause(self, trace: Trace | None) -> None:
        current.set_cause(trace)

    @property
    def children(self) -> tuple[Ref[Any], ...]:
        """The living children, the eldest first."""
        keeper = self._cell.keeper
        return tuple(cell.ref for cell in keeper.children.values()) if keeper else ()

    async def spawn(
        self,
        what: Callable[..., Any] | ChildSpec | Supervisor | DynamicSupervisor,
        *args: Any,
        name: str | None = None,
        **options: Any,
    ) -> Ref[Any]:
        """Start a child; returns when its ``start`` is done. ``options`` are those of ``child``.

        Raises ``StartFailed`` and ``NameTaken``.
        """
        return await self._cell.system.spawn_under(self._cell, what, args, name, options)

    def later(self, reply: Coroutine[Any, Any, Any] | asyncio.Future[Any], name: str = "reply") -> Later:
        """``return self.context.later(...)``: an owned task gives the reply, the actor takes its next message.

        A future needs no task: whoever fills it gives the reply; it is cancelled when the instance ends. An exception
        in either, other than ``Refused``, reaches the asker as ``Refused("crashed")`` and the log.
        """
        return Later(reply, name)

    def task(self, coroutine: Coroutine[Any, Any, Any], name: str) -> asyncio.Task[Any]:
        """An owned background task: cancelled when the instance ends; its crash is the actor's crash."""
        return start_background(self._cell, coroutine, name)

    def watch(self, ref: Ref[Any]) -> None:
        """Receive ``Down(ref, reason)`` once, when the instance at ``ref`` ends; at once when there is none."""
        ref.watch(self._cell)

    def unwatch(self, ref: Ref[Any]) -> None:
        """Take ``watch`` back; nothing happens when it is not watched."""
        ref.unwatch(self._cell)

    def join(self, group: str) -> None:
        """Be a member of ``group`` until ``leave`` or the end of this instance."""
        self._cell.system.groups.join(group, self._cell.ref)

    def leave(self, group: str) -> None:
        """Leave ``group``; nothing happens when it is not a member."""
        self._cell.system.groups.leave(group, self._cell.ref)

    def monitor(self, group: str) -> tuple[Ref[Any], ...]:
        """The members of ``group`` now; from now on receive ``GroupChanged`` until ``demonitor``."""
        return self._cell.system.groups.monitor(group, self._cell)

    def demonitor(self, group: str) -> None:
        """Take ``monitor`` back: no more ``GroupChanged`` of ``group``."""
        self._cell.system.groups.demonitor(group, self._cell.ref)

    def stream(
        self, to: Ref[Any], *, credit: int = CREDIT, capacity: int = CAPACITY, overflow: Overflow = wait
    ) -> Stream:
        """A stream to ``to`` that lives as long as this instance: ``await stream.push(message)``."""
        return Stream(self._cell, to, credit, capacity, overflow)

    def link(self, ref: Ref[Any]) -> None:
        """End together with the instance at ``ref``: when one of the two ends abnormally, so does the other.

        Linking to an actor that is not there ends this instance at once. Raises ``ValueError`` for an actor of another
        node: watch it.
        """
        if ref.node != self.system.name:
            raise ValueError(
                f"expected an actor of the node {self.system.name!r} to link to, found one of {ref.node!r}"
            )
        target = self.system.cell_of(ref)
        if target is None or target.closed or target.state is State.ENDED:
            self._cell.end(Exit(LINKED, f"it was linked to {ref.path}, which is not there"))
        else:
            link(self._cell, target)

    def unlink(self, ref: Ref[Any]) -> None:
        """Take a link back, whoever made it."""
        target = self.system.cell_of(ref)
        if target is not None:
            unlink(self._cell, target)

    def send_after(self, seconds: float, message: Tell, to: Ref[Any] | None = None) -> Timer:
        """Tell ``message`` to this actor (or ``to``) after ``seconds``; forgotten when the instance ends."""
        return Timer(self._cell, to or self._cell.ref, message, seconds, None)

    def send_every(
        self, seconds: float, message: Tell, to: Ref[Any] | None = None, *, first: float | None = None
    ) -> Timer:
        """Tell ``message`` every ``seconds``, the first time after ``first`` (None: ``seconds``), without drift."""
        return Timer(self._cell, to or self._cell.ref, message, seconds if first is None else first, seconds)

    def signal_after(self, seconds: float, message: Tell) -> Alarm:
        """Receive ``message`` after ``seconds`` as a signal: ahead of all mail, whatever the mailbox holds."""
        return Alarm(self._cell, seconds, message)

    @property
    def deadline(self) -> float | None:
        """When the asker of the message being handled gives up, by the clock's ``monotonic``; None for a tell."""
        frame = self._cell.frame
        if frame is None:
            return None
        correlation, deadline, _ = read_call(frame[1])
        return deadline if correlation else None

    async def blocking(self, function: Callable[..., T], *args: Any) -> T:
        """Run ``function(*args)`` in a thread of the system's bounded pool."""
        return await self._cell.system.blocking(function, *args)

    def forward(self, to: Ref[Any]) -> Any:
        """``return self.context.forward(to)``: pass the message on as it came; ``to`` answers the asker."""
        frame = self._cell.frame
        if frame is None:
            raise RuntimeError("expected to be in the handler of a message: there is nothing to forward")
        to.deliver(frame)
        if frame[1] != PLAIN:
            self._cell.system.forwarded(frame, self._cell, to)
        return ELSEWHERE

    def pipe_to(self, coroutine: Coroutine[Any, Any, Tell], to: Ref[Any], name: str = "pipe") -> None:
        """Tell ``to`` the message that ``coroutine`` returns, when it does; it runs as an owned task.

        A mailbox that is full under the policy ``fail`` does not take it: that is logged.
        """

        async def pipe() -> None:
            message = await coroutine
            try:
                await to.tell(message)
            except MailboxFull as full:
                self.log.warning("a piped message was not taken", reason=str(full))

        self.task(pipe(), name)

    def stash(self) -> Any:
        """``return self.context.stash()``: put the message aside until ``unstash``. Raises ``StashFull``."""
        cell = self._cell
        if cell.frame is None:
            raise RuntimeError("expected to be in the handler of a message: there is nothing to stash")
        if cell.stash is None:
            cell.stash = deque()
        if len(cell.stash) >= STASH_CAPACITY:
            raise StashFull(cell.path, STASH_CAPACITY)
        cell.stash.append(cell.frame)
        return ELSEWHERE

    def unstash(self) -> None:
        """Handle what was put aside before all other mail, in the order in which it came."""
        self._cell.unstash()

    def receive_timeout(self, seconds: float | None) -> None:
        """Receive ``ReceiveTimeout`` each time no message came for ``seconds``; None ends that."""
        cell = self._cell
        if cell.silence is not None:
            cell.silence.cancel()
        cell.silence = None if seconds is None else Silence(cell, seconds)

    def become(self, receive: Callable[[Any], Awaitable[Any]]) -> None:
        """Handle the next messages with ``receive``, until the instance ends or becomes something else."""
        self._cell.receive = receive

    def stop(self) -> None:
        """End this actor normally, after the handler that runs now."""
        self._cell.end(Exit(NORMAL))

    def end(self, exit: Exit) -> None:
        """End this instance with ``exit``, after the handler that runs now; its supervisor acts as on any end."""
        self._cell.end(exit)

    async def stop_child(self, ref: Ref[Any]) -> None:
        """End a child for good. Returns when it is dead."""
        cell = self._cell.system.cell_of(ref)
        if cell is not None and cell.parent is self._cell:
            await lifecycle.stop(cell)
