"""The runtime of one actor: what outlives its instances (mail, children, counts) and the state it is in."""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Callable
from enum import Enum
from typing import TYPE_CHECKING, Any, Protocol

import structlog

from actors.codec import Frame
from actors.errors import Down, MailboxFull
from actors.exit import CRASHED, KILLED, Exit
from actors.links import part
from actors.mailbox import Box, Policy
from actors.message import Message
from actors.ref import Ref
from actors.statistics import Statistics
from actors.supervision import ChildSpec
from actors.trace import Trace

if TYPE_CHECKING:
    from actors.actor import Actor
    from actors.clock import Handle
    from actors.keeper import Keeper
    from actors.system import System
    from actors.timer import Silence

log = structlog.get_logger("actors")


class State(Enum):
    STARTING = "starting"
    RUNNING = "running"
    ENDED = "ended"
    """The instance is over; its supervisor cleans up, waits for the back-off, or has given up."""
    STOPPING = "stopping"
    DEAD = "dead"


RUNNING = State.RUNNING
Signal = Callable[["Cell"], Any]
"""What overtakes mail: called with the cell in the place of a message; the awaitable it returns is awaited."""


class Watcher(Protocol):
    """Who is told, once, of the end of an instance: an actor's cell, or what keeps books of living actors."""

    def hear(self, down: Down) -> None: ...


class Cell:
    __slots__ = (
        "actor",
        "asked",
        "asking",
        "attempt",
        "box",
        "busy",
        "cancelled",
        "closed",
        "crashes",
        "dead",
        "envelopes",
        "exit",
        "frame",
        "handled",
        "history",
        "interrupted",
        "keeper",
        "laters",
        "links",
        "name",
        "ordered",
        "parent",
        "path",
        "quiet",
        "receive",
        "ref",
        "repair",
        "rest",
        "restarts",
        "rested",
        "scheduled",
        "signals",
        "silence",
        "source",
        "spec",
        "started",
        "stash",
        "state",
        "system",
        "tasks",
        "timers",
        "trace",
        "watchers",
        "worker",
    )

    def __init__(self, system: System, parent: Cell | None, name: str, path: str, spec: ChildSpec) -> None:
        self.system = system
        self.parent = parent
        self.name = name
        self.path = path
        self.spec = spec
        self.box = Box(spec.mailbox, system.tap is not None)
        self.ref: Ref[Any] = Ref(system, path, self)
        self.state = State.STARTING
        self.closed = False  # takes no more mail
        self.scheduled = True  # is in the ready queue, or must not be put there
        self.interrupted = False  # something comes before the next message
        self.worker: asyncio.Task[Any] | None = None  # the task that runs a handler now
        self.asking: Cell | Ref[Any] | None = None  # whom the handler waits for; a ref: on another node
        self.asked = 0  # the correlation of the ask for which it does
        self.actor: Actor | None = None
        self.receive: Callable[[Any], Any] = _nobody
        self.trace: Trace | None = None
        self.envelopes: dict[type[Message], bytes] = {}
        self.signals: deque[Signal] | None = None
        self.keeper: Keeper | None = None
        self.watchers: dict[Watcher, None] | None = None
        self.links: dict[Cell, None] | None = None
        self.tasks: dict[asyncio.Future[Any], None] | None = None
        self.timers: dict[Handle, None] | None = None
        self.source: random.Random | None = None
        self.quiet: asyncio.Future[None] | None = None  # set when the handler has ended
        self.rest: asyncio.Future[None] | None = None  # the wait before a restart
        self.repair: asyncio.Task[None] | None = None
        self.exit: Exit | None = None
        self.history: deque[float] | None = None
        self.ordered = False  # its end was ordered: no restart
        self.laters = 0
        self.attempt = 0
        self.restarts = 0
        self.crashes = 0
        self.handled = 0
        self.busy = 0.0
        self.started = 0.0
        self.rested = 0.0  # when it last ended a batch
        self.silence: Silence | None = None
        self.stash: deque[Frame] | None = None
        self.frame: Frame | None = None  # the frame being handled
        self.cancelled = False  # its handler was cancelled by the library
        self.dead: asyncio.Future[None] | None = None

    # Mail

    def put(
        self, frame: Frame, message: Any, urgent: bool, may_wait: bool, asker: asyncio.Future[Any] | None
    ) -> asyncio.Future[bool] | bool:
        """Take mail in. A future: it waits for room. False: not taken."""
        box = self.box
        if not urgent and len(box.normal) < box.limit:
            box.normal.append(frame)
            if not self.scheduled:
                self.scheduled = True
                self.system.workers.schedule(self)
            return True
        return self.put_with_care(frame, message, urgent, may_wait, asker)

    def put_with_care(
        self, frame: Frame, message: Any, urgent: bool, may_wait: bool, asker: asyncio.Future[Any] | None
    ) -> asyncio.Future[bool] | bool:
        """As ``put``, where it cannot simply be appended: under a tap, urgent, or when the mailbox may be full."""
        if self.system.tap is not None:
            self.system.observe(self.path, frame)
        box = self.box
        if message is None and box.overflow.key is not None:
            message = self.system.codec.decode(frame)
        verdict = box.offer(frame, message, urgent)
        if verdict is Policy.WAIT:
            if not may_wait:
                box.dropped += 1
                self.system.dead_letters.publish(self.path, frame, "full")
                return False
            room = self.system.loop.create_future()
            box.wait_for_room(frame, urgent, room, asker)
            return room
        if verdict is Policy.FAIL:
            box.dropped += 1
            if may_wait and asker is None:
                raise MailboxFull(self.path, box.capacity)
            self.system.dead_letters.publish(self.path, frame, "full")
            return False
        self.schedule()
        if isinstance(verdict, tuple):
            self.system.dead_letters.publish(self.path, verdict, "dropped")
        return verdict is not frame

    def stand_in_line(self, frame: Frame, urgent: bool, room: Any, asker: Any) -> None:
        """Have mail from afar wait for room, whoever waits for it: ``room`` is told as a future is, without a task."""
        if self.system.tap is not None:
            self.system.observe(self.path, frame)
        self.box.wait_for_room(frame, urgent, room, asker)

    def unstash(self) -> None:
        """Put what was put aside back in front of the mail."""
        stash, self.stash = self.stash, None
        if stash:
            self.box.put_back(stash)
            if self.state is RUNNING:
                self.schedule()

    def schedule(self) -> None:
        """Have the mail handled, unless that is under way."""
        if not self.scheduled:
            self.scheduled = True
            self.system.workers.schedule(self)

    def signal(self, signal: Signal) -> None:
        """Deliver ``signal`` ahead of all mail."""
        if self.state in (State.STOPPING, State.DEAD):
            return
        if self.signals is None:
            self.signals = deque()
        self.signals.append(signal)
        self.interrupted = True
        self.schedule()

    # State

    def ready(self) -> None:
        """The instance has started: mail is handled from now on."""
        self.state = RUNNING
        self.started = self.system.clock.monotonic()
        self.interrupted = bool(self.signals)
        self.scheduled = False
        if self.interrupted or len(self.box):
            self.schedule()

    def end(self, exit_: Exit, error: BaseException | None = None) -> None:
        """The instance is over, by itself or by force: stop handling and leave the rest to the parent's keeper."""
        if self.state is State.STARTING:
            self.exit = self.exit or exit_
            return
        if self.state is not RUNNING:
            return
        self.state = State.ENDED
        self.exit = exit_
        self.interrupted = self.scheduled = True
        if exit_.reason in (CRASHED, KILLED) or exit_.abnormal:
            self.crashes += 1
            self.system.crashes += 1
            log.error("actor crashed", actor=self.path, reason=exit_.reason, error=exit_.error, exc_info=error)
        self.cancel_handler()
        keeper = self.parent and self.parent.keeper
        assert keeper, "only a child can end"
        keeper.ended(self, exit_)

    def cancel_handler(self) -> None:
        """Interrupt the handler that is suspended now; one that calls this itself ends by itself."""
        if self.worker is not None and self.worker is not asyncio.current_task():
            self.cancelled = True
            self.worker.cancel()

    def paused(self) -> bool:
        """Whether so many replies are in the making that mail must wait."""
        return self.laters >= self.spec.later

    def resume(self) -> None:
        """Take mail again after a pause."""
        if self.state is RUNNING:
            self.interrupted = bool(self.signals)
            if self.interrupted or len(self.box):
                self.schedule()

    def dead_now(self) -> bool:
        return self.state is State.DEAD

    async def gone(self) -> None:
        """Wait until it is dead."""
        if self.state is not State.DEAD:
            if self.dead is None:
                self.dead = self.system.loop.create_future()
            await asyncio.shield(self.dead)

    # Watchers

    def hear(self, down: Down) -> None:
        """Hear that what it watched has ended."""
        self.signal(lambda cell: cell.receive(down))

    def watch(self, watcher: Watcher) -> None:
        if self.watchers is None:
            self.watchers = {}
        self.watchers[watcher] = None

    def tell_watchers(self, exit_: Exit, restarting: bool) -> None:
        """Tell each watcher once, and who is linked; who wants to hear of the next instance watches again."""
        watchers, self.watchers = self.watchers, None
        for watcher in watchers or ():
            watcher.hear(Down(self.ref, exit_.reason, exit_.error, restarting))
        if self.links is not None:
            part(self, exit_)

    # Facts

    def statistics(self) -> Statistics:
        return Statistics(
            mailbox=len(self.box),
            handled=self.handled,
            restarts=self.restarts,
            crashes=self.crashes,
            dropped=self.box.dropped,
            busy_seconds=self.busy,
            tasks=len(self.tasks or ()),
        )


async def _nobody(message: Any) -> None:
    raise AssertionError("a cell without an instance handles no mail")
