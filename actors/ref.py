"""Refs: the addresses of actors. All mail is sent here."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from actors import current
from actors.call import PLAIN, encode_call
from actors.errors import AskCycle, Down
from actors.exit import MISSING
from actors.message import Asked, Told

if TYPE_CHECKING:
    from actors.cell import Cell, Watcher
    from actors.codec import Frame
    from actors.system import System

P = TypeVar("P", contravariant=True)
R = TypeVar("R")

DEFAULT_ASK_SECONDS = 5.0
"""How long an ask waits unless it says otherwise."""


class Ref(Generic[P]):
    """The address of an actor, by path. It stays valid across supervised restarts and may be older than its actor.

    ``P`` is what the actor takes, for type checkers: ``Ref[Add | Total]``. Another message, a ``Tell`` that is asked,
    an ``Ask`` that is told and a reply of another type are errors then; ``Ref[Any]`` takes all messages.
    """

    __slots__ = ("_cell", "_system", "path")
    asking: Any = None
    """Whom it waits for, in a chain of those who wait: what is on another node says nothing."""

    def __init__(self, system: System, path: str, cell: Cell | None = None) -> None:
        self._system = system
        self._cell = cell
        self.path = path

    async def tell(self, message: Told[P], *, urgent: bool = False) -> None:
        """Put ``message`` into the mailbox. Waits only when the mailbox is full and its policy is ``wait``.

        Raises ``Unpackable``; ``MailboxFull`` (policy ``fail``); ``AskCycle`` when waiting could never end.
        """
        taken = self._post(message, urgent, True)
        if taken is not True and taken is not False:
            await self._wait_for_room(taken)

    def tell_nowait(self, message: Told[P], *, urgent: bool = False) -> bool:
        """As ``tell`` without ever waiting or raising for a full mailbox. False: not taken."""
        return self._post(message, urgent, False) is True

    def hand(self, message: Any) -> bool:
        """As ``tell_nowait``, for a ``Shared`` message, whose last field is not copied. False: not taken."""
        cell = self._cell
        if cell is None or cell.closed:
            cell = self._find()
        sender = current.actor.get()
        system = self._system
        table = system.envelopes if sender is None else sender.envelopes
        envelope = table.get(type(message)) or self._envelope(message, sender)
        trace = current.current_cause()
        if trace is None and sender is None and system.spans is not None:
            trace = system.spans.current()
        body = system.codec.part(message)
        frame = (envelope, PLAIN if trace is None else encode_call((0, 0.0, trace)), body)
        if cell is None:
            system.dead_letters.publish(self.path, frame, "missing")
            return False
        return cell.put(frame, message, False, False, None) is True

    async def ask(self, message: Asked[P, R], timeout: float = DEFAULT_ASK_SECONDS, *, urgent: bool = False) -> R:
        """Send ``message`` and wait at most ``timeout`` seconds for the reply.

        Raises ``AskTimeout``, ``Refused`` (the handler's), ``Down`` (nobody there, or it died before it answered),
        ``AskCycle``, ``MailboxFull``, ``Unpackable``.
        """
        system = self._system
        sender = current.actor.get()
        cell = self._cell
        if cell is None or cell.closed:
            cell = self._find()
        serial = sender is not None and sender.worker is not None and current.handling(sender)
        if serial:
            last = check_cycle(sender, cell)  # type: ignore[arg-type]
        trace = current.cause.get()
        if trace is None:
            if sender is None:
                if system.spans is not None:
                    trace = system.spans.current()
            elif sender.trace is not None:
                trace = current.current_cause()
        codec = system.codec
        cls: Any = type(message)
        envelope = (system if sender is None else sender).envelopes.get(cls) or self._envelope(message, sender)
        try:
            body = codec.encode_raw(message)
        except Exception as error:
            raise codec.unpackable(message, error) from error
        call = system.asks.open(timeout, trace)
        correlation, header, future, _ = call
        try:
            frame = (envelope, header, body)
            if cell is None:
                system.dead_letters.publish(self.path, frame, "missing")
            else:
                cell.put(frame, message, urgent, True, future)
            if serial:
                sender.asking, sender.asked = cell, correlation  # type: ignore[union-attr]
                if last is not cell:
                    system.follow(sender, cell)  # type: ignore[arg-type]
            status, body = await future
        finally:
            system.asks.close(call)
            if serial:
                sender.asking = None  # type: ignore[union-attr]
        if status == 0:
            decode = codec.replies.get(cls) or codec.reply_decoder(cls)
            reply: R = decode(body)
            return reply
        raise system.asks.error(status, body, self.path, type(message).__qualname__, timeout)

    def _post(self, message: Any, urgent: bool, may_wait: bool) -> asyncio.Future[bool] | bool:
        cell = self._cell
        if cell is None or cell.closed:
            cell = self._find()
        sender = current.actor.get()
        system = self._system
        table = system.envelopes if sender is None else sender.envelopes
        envelope = table.get(type(message))
        if envelope is None:
            envelope = self._envelope(message, sender)
        trace = current.cause.get()
        if trace is None:
            if sender is None:
                if system.spans is not None:
                    trace = system.spans.current()
            elif sender.trace is not None:
                trace = current.current_cause()
        codec = system.codec
        try:
            body = codec.encode_raw(message)
        except Exception as error:
            raise codec.unpackable(message, error) from error
        frame = (envelope, PLAIN if trace is None else encode_call((0, 0.0, trace)), body)
        if cell is None:
            system.dead_letters.publish(self.path, frame, "missing")
            return False
        box = cell.box
        if not urgent and len(box.normal) < box.limit:  # as in Cell.put, without the call
            box.normal.append(frame)
            if not cell.scheduled:
                cell.schedule()
            return True
        return cell.put_with_care(frame, message, urgent, may_wait, None)

    def deliver(self, frame: Frame) -> bool:
        """Put a frame in as it is: a forwarded message, one that came from afar."""
        cell = self._find()
        if cell is None:
            self._system.dead_letters.publish(self.path, frame, "missing")
            return False
        return cell.put(frame, None, False, False, None) is True

    def check_cycle(self, sender: Cell) -> None:
        """Raise ``AskCycle`` when a handler of ``sender`` could wait for this actor for ever."""
        check_cycle(sender, self._find())

    @property
    def node(self) -> str:
        """The name of the system that the actor belongs to."""
        return self._system.name

    @property
    def address(self) -> bytes:
        """What travels in a message: node and path."""
        return f"{self.node}/{self.path}".encode()

    def watch(self, watcher: Watcher) -> None:
        """Have ``watcher`` told once, when the instance that is there now ends; at once when there is none."""
        cell = self._find()
        if cell is None:
            watcher.hear(Down(self, MISSING))
        else:
            cell.watch(watcher)

    def unwatch(self, watcher: Watcher) -> None:
        """Take ``watch`` back."""
        cell = self._find()
        if cell is not None and cell.watchers is not None:
            cell.watchers.pop(watcher, None)

    async def _wait_for_room(self, room: asyncio.Future[bool]) -> None:
        sender = current.actor.get()
        if sender is None or not current.handling(sender):
            await room
            return
        try:
            check_cycle(sender, self._cell)
            sender.asking = self._cell
            await room
        finally:
            sender.asking = None
            if not room.done():
                room.cancel()

    def _find(self) -> Cell | None:
        cell = self._cell
        if cell is None or cell.closed:
            cell = self._system.cells.get(self.path)
            if cell is not None and cell.closed:
                cell = None
            self._cell = cell
        return cell

    def _envelope(self, message: Any, sender: Cell | None) -> bytes:
        table = self._system.envelopes if sender is None else sender.envelopes
        cls = type(message)
        envelope = table.get(cls)
        if envelope is None:
            envelope = table[cls] = self._system.codec.envelope(cls, None if sender is None else sender.path)
        return envelope

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Ref)
            and other.path == self.path
            and other._system is self._system
            and other.node == self.node
        )

    def __hash__(self) -> int:
        return hash(self.path)

    def __repr__(self) -> str:
        return f"Ref({self.path!r})"


def check_cycle(sender: Cell, target: Cell | Ref[Any] | None) -> Cell | Ref[Any] | None:
    """The last of those who wait for each other from ``target`` on. Raises ``AskCycle`` when one is ``sender``."""
    paths = [sender.path]
    last, waits = None, target
    while waits is not None:
        paths.append(waits.path)
        if waits is sender:
            raise AskCycle(paths)
        last, waits = waits, waits.asking
    return last
