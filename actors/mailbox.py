"""Mailboxes: how much mail an actor keeps, and what happens to the mail that is too much."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Iterator
from enum import Enum
from typing import Any, Final

import msgspec

from actors.codec import Frame
from actors.message import Message

DEFAULT_CAPACITY = 1024
"""Messages a mailbox holds unless its spec says otherwise."""


class Policy(Enum):
    """What becomes of mail for a full mailbox."""

    WAIT = "wait"
    """The sender waits its turn (``tell_nowait`` is not taken)."""
    FAIL = "fail"
    """The sender gets ``MailboxFull``."""
    DROP_OLDEST = "drop_oldest"
    DROP_NEWEST = "drop_newest"
    KEEP_LATEST = "keep_latest"
    """New mail replaces the mail of the same key; without such the oldest is dropped."""


class Overflow(msgspec.Struct, frozen=True):
    policy: Policy
    key: Callable[[Message], Any] | None = None


wait: Final = Overflow(Policy.WAIT)
fail: Final = Overflow(Policy.FAIL)
drop_oldest: Final = Overflow(Policy.DROP_OLDEST)
drop_newest: Final = Overflow(Policy.DROP_NEWEST)


def keep_latest(key: Callable[[Message], Any]) -> Overflow:
    """Of messages with the same ``key(message)`` only the latest waits, at the place of the first."""
    return Overflow(Policy.KEEP_LATEST, key)


class Mailbox(msgspec.Struct, frozen=True):
    """A mailbox's bound and policy. ``capacity`` counts user messages of both priorities."""

    capacity: int = DEFAULT_CAPACITY
    overflow: Overflow = wait

    def __post_init__(self) -> None:
        if self.capacity < 1:
            raise ValueError(f"expected a capacity of at least 1, found {self.capacity}")


NO_MAIL: Final[deque[Any]] = deque(maxlen=0)
"""The queue of actors that seldom have mail: one of its own would weigh as much as all else that is kept of each."""


class Box:
    """The mail of one actor. It outlives the actor's instances. Each of the two priorities has the full capacity."""

    __slots__ = ("capacity", "dropped", "limit", "normal", "open_limit", "overflow", "urgent", "waiting")

    def __init__(self, spec: Mailbox, observed: bool = False) -> None:
        self.capacity = spec.capacity
        self.overflow = spec.overflow
        keyed = spec.overflow.policy is Policy.KEEP_LATEST
        self.normal: deque[Frame] = KeyedQueue() if keyed else NO_MAIL
        self.open_limit = 0 if keyed or observed else spec.capacity
        self.limit = 0  # below it normal mail is simply appended; 0: it must be put with care
        self.urgent: deque[Frame] | None = None
        self.waiting: deque[Waiting] | None = None
        self.dropped = 0

    def __len__(self) -> int:
        return len(self.normal) + (len(self.urgent) if self.urgent else 0)

    def offer(self, frame: Frame, message: Message, urgent: bool) -> Frame | Policy | None:
        """Take ``frame`` in, or say what stands against it: the frame that was dropped for it, WAIT or FAIL."""
        queue = self._queue(urgent)
        if isinstance(queue, KeyedQueue):
            assert self.overflow.key is not None, "keep_latest has a key"
            return self._count(queue.put(self.overflow.key(message), frame, self.capacity))
        if len(queue) < self.capacity and not self.waiting:
            queue.append(frame)
            return None
        policy = self.overflow.policy
        if policy is Policy.DROP_NEWEST:
            return self._count(frame)
        if policy in (Policy.DROP_OLDEST, Policy.KEEP_LATEST):
            oldest = queue.popleft()
            queue.append(frame)
            return self._count(oldest)
        return policy

    def full(self, urgent: bool) -> bool:
        """Whether mail must be dropped, refused or wait."""
        return bool(self.waiting) or len(self._queue(urgent)) >= self.capacity

    def rest(self) -> None:
        """All mail is handled, and it may be long until more comes."""
        if not self.normal and not isinstance(self.normal, KeyedQueue):
            self.normal = NO_MAIL
            self.limit = 0

    def _set_limit(self) -> None:
        self.limit = 0 if self.waiting or self.normal is NO_MAIL else self.open_limit

    def _count(self, dropped: Frame | None) -> Frame | None:
        if dropped is not None:
            self.dropped += 1
        return dropped

    def _queue(self, urgent: bool) -> deque[Frame]:
        if not urgent:
            if self.normal is NO_MAIL:
                self.normal = deque()
                self._set_limit()
            return self.normal
        if self.urgent is None:
            self.urgent = deque()
        return self.urgent

    def wait_for_room(
        self, frame: Frame, urgent: bool, room: asyncio.Future[bool], asker: asyncio.Future[Any] | None
    ) -> None:
        """Stand in line. The line moves in order; who gave up (its future is done) is left out."""
        if self.waiting is None:
            self.waiting = deque()
        self.waiting.append((frame, urgent, room, asker))
        self.limit = 0

    def admit_waiting(self) -> None:
        """Take in what waits, first come first served, as far as there is room."""
        waiting = self.waiting
        while waiting:
            frame, urgent, room, asker = waiting[0]
            queue = self._queue(urgent)
            gone = room.cancelled() or (asker is not None and asker.done())
            if not gone and len(queue) >= self.capacity:
                return
            waiting.popleft()
            if not gone:
                queue.append(frame)
                room.set_result(True)
        self.waiting = None
        self._set_limit()

    def put_back(self, frames: Iterable[Frame]) -> None:
        """In front of everything, in the given order, past the capacity: they were in before."""
        self._queue(False).extendleft(reversed(list(frames)))

    def drain(self) -> Iterator[Frame]:
        """Take out everything; senders that wait are told that it was not taken."""
        while self.urgent:
            yield self.urgent.popleft()
        while self.normal:
            yield self.normal.popleft()
        waiting, self.waiting = self.waiting, None
        for frame, _, room, _ in waiting or ():
            if not room.done():
                room.set_result(False)
                yield frame


Waiting = tuple[Frame, bool, "asyncio.Future[bool]", "asyncio.Future[Any] | None"]


class KeyedQueue(deque[Frame]):
    """A queue in which new mail takes the place of the mail of the same key."""

    def __init__(self) -> None:
        super().__init__()
        self._frames: OrderedDict[Any, Frame] = OrderedDict()

    def __len__(self) -> int:
        return len(self._frames)

    def __bool__(self) -> bool:
        return bool(self._frames)

    def popleft(self) -> Frame:
        return self._frames.popitem(last=False)[1]

    def extendleft(self, frames: Iterable[Frame]) -> None:
        """What was taken out before goes first; it has no key any more."""
        for frame in frames:
            key = object()
            self._frames[key] = frame
            self._frames.move_to_end(key, last=False)

    def put(self, key: Any, frame: Frame, capacity: int) -> Frame | None:
        """What was dropped for ``frame``: the one it replaces, or the oldest of a full queue."""
        if key in self._frames:
            dropped = self._frames[key]
            self._frames[key] = frame
            return dropped
        dropped_oldest = self.popleft() if len(self._frames) >= capacity else None
        self._frames[key] = frame
        return dropped_oldest
