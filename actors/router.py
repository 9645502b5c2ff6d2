"""Routers: one address in front of a group, whose members share the mail."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from actors.actor import Actor
from actors.errors import AskCycle, MailboxFull, Refused
from actors.message import Ask, Message
from actors.ref import Ref
from actors.ring import Key, Ring

NO_MEMBERS = "no members"
"""The code with which a router refuses when its group is empty."""


class Choice(Protocol):
    """Which member gets a message. ``members`` is never empty."""

    def choose(self, members: Sequence[Ref[Any]], message: Message) -> Ref[Any]:
        """One of ``members``, of which there is at least one, for ``message``."""
        ...


class RoundRobin:
    """Each in turn, in the order of joining."""

    def __init__(self) -> None:
        self._next = 0

    def choose(self, members: Sequence[Ref[Any]], message: Message) -> Ref[Any]:
        """The member after the one that was chosen last."""
        chosen = members[self._next % len(members)]
        self._next = (self._next + 1) % len(members)
        return chosen


class ConsistentHash:
    """The same key to the same member, as long as that is one; few keys move when members come or go."""

    def __init__(self, key: Callable[[Any], Key]) -> None:
        self._key = key
        self._paths: list[str] = []
        self._ring = Ring(())

    def choose(self, members: Sequence[Ref[Any]], message: Message) -> Ref[Any]:
        """The member whose place on the ring is the next after that of the message's key."""
        paths = [f"{ref.node}/{ref.path}" for ref in members]
        if paths != self._paths:
            self._paths, self._ring = paths, Ring(paths)
        return members[paths.index(self._ring.find(self._key(message)))]


class Router(Actor):
    """Passes each message on to the member of ``group`` that a ``choice()`` of its own chooses.

    An ask is answered by the member. A tell waits for room in the member's mailbox, if that says so: then the router,
    and in the end who sends to it, go at the member's pace. An empty group is refused.
    """

    def __init__(self, group: str, choice: Callable[[], Choice] = RoundRobin) -> None:
        self._group = group
        self._choice = choice()

    async def receive(self, message: Any) -> Any:
        members = self.context.system.groups.members(self._group)
        if not members:
            raise Refused(NO_MEMBERS, f"the group {self._group!r} is empty")
        to = self._choice.choose(members, message)
        if not isinstance(message, Ask):
            try:
                return await to.tell(message)
            except (MailboxFull, AskCycle):
                pass  # full and not to be waited for: it becomes the member's dead letter
        return self.context.forward(to)
