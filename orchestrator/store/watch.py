"""Watches: from committed records to frames for the subscribers, in order, without gap or duplicate.

All that one commit changed goes to a watcher in one ``Changes`` frame (or a few, when it is large). A watcher that has
no credit left keeps its events here, up to a bound; beyond it the watch is ended as slow and nobody else notices. How a
frame reaches a subscriber is the owner's business: it passes ``send``. What a mailbox does not take, for it is full, or
the way to it is, is sent again a moment later.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

from actors import Ref
from orchestrator.store.audience import Audience, Audiences, Filter
from orchestrator.store.history import Record
from orchestrator.store.protocol import Changes, Event, Refusal, Watch, WatchEnded, encoded_events
from orchestrator.store.views import View

MAX_BUFFERED_EVENTS = 16_384
"""Events that wait for one watcher's credit. They share their bytes with the store, so this bounds time, not memory."""
MAX_FRAME_EVENTS = 1_024
"""Events in one frame: a receiver decodes that many in some milliseconds."""
MAX_FRAME_BYTES = 4 << 20
"""Bytes of parts in one frame (a single larger event travels alone)."""

AGAIN_SECONDS = 0.05
"""Until what was not taken is sent again; doubled while it is not."""
MAX_AGAIN_SECONDS = 1.6

Send = Callable[[Ref[Any], Changes | WatchEnded], bool]
"""Passes a frame on without waiting; False when the subscriber's mailbox did not take it."""

NOTHING = encoded_events([])
"""The events of a frame that only moves the revision on."""


def by_mail(subscriber: Ref[Any], message: Changes | WatchEnded) -> bool:
    """The ``Send`` of a store: frames are handed over, so that all who are sent a batch hold the same bytes."""
    return subscriber.hand(message) if isinstance(message, Changes) else subscriber.tell_nowait(message)


class Watcher:
    """One watch and what waits for it."""

    __slots__ = (
        "audience",
        "credit",
        "end",
        "idle",
        "number",
        "progress",
        "revision",
        "subscriber",
        "tag",
        "waiting",
    )

    def __init__(self, number: int, watch: Watch, revision: int) -> None:
        self.number = number
        self.subscriber = watch.subscriber
        self.tag = watch.tag
        self.credit = watch.credit
        self.progress = watch.progress
        self.idle = True
        """Whether nothing was sent since the last round of progress frames."""
        self.revision = revision
        """Everything up to here was sent or waits."""
        self.waiting: deque[Event] | None = None
        """None for nothing: an empty one is a kilobyte."""
        self.audience: Audience[Watcher] | None = None
        self.end: WatchEnded | None = None
        """That it is over, when the subscriber could not be told."""


class Watches:
    """See the module. ``again``: ``retry`` is to be called in so many seconds."""

    def __init__(self, send: Send, again: Callable[[float], None]) -> None:
        self._send = send
        self._again = again
        self._again_seconds = AGAIN_SECONDS
        self._stalled: dict[int, Watcher] = {}
        # Who did not take a frame, by number.
        self._audiences: Audiences[Watcher] = Audiences()
        self._watchers: dict[int, Watcher] = {}
        self._numbers = 0

    def __len__(self) -> int:
        return len(self._watchers)

    def open(self, watch: Watch, revision: int, missed: Iterable[Record]) -> int:
        """Begin a watch at the store's ``revision``; ``missed`` are the records that it asks for from before."""
        self._numbers += 1
        number = self._numbers
        watcher = self._watchers[number] = Watcher(number, watch, revision)
        prefix = "" if watch.key else watch.prefix
        filter = Filter(prefix, watch.key, tuple(sorted(watch.fields.items())), watch.previous)
        watcher.audience = self._audiences.join(filter, number, watcher)
        for record in missed:
            key = record.value.key
            if key == watch.key or (not watch.key and key.startswith(prefix)):
                event = View(record).event(watch.fields, watch.previous)
                if event is not None:
                    self._wait(watcher, [event])
        self._drain(watcher)
        return number

    def close(self, number: int) -> None:
        """Forget a watch; nothing more is sent for it."""
        self._stalled.pop(number, None)
        watcher = self._watchers.pop(number, None)
        if watcher is not None and watcher.audience is not None:
            self._audiences.leave(watcher.audience, number)

    def close_subscriber(self, subscriber: Ref[Any]) -> None:
        """Forget the watches of a subscriber that is gone."""
        known = (*self._watchers.values(), *self._stalled.values())
        for watcher in [watcher for watcher in known if watcher.subscriber == subscriber]:
            self.close(watcher.number)

    def end_all(self, reason: Refusal, message: str) -> None:
        for watcher in list(self._watchers.values()):
            self._end(watcher, reason, message)

    def credit(self, number: int, frames: int, revision: int) -> None:
        """Credit of 0 asks for progress up to the store's ``revision``."""
        watcher = self._watchers.get(number)
        if watcher is None:
            return
        watcher.credit += frames
        if frames == 0 and not watcher.waiting and watcher.credit > 0:
            self._frame(watcher, NOTHING, revision)
        self._drain(watcher)

    def publish(self, records: list[Record], revision: int) -> None:
        """Tell the watchers what one commit changed."""
        found: dict[Filter, tuple[Audience[Watcher], list[Event]]] = {}
        for record in records:
            view = View(record)
            for audience in self._audiences.find(record):
                event = view.event(audience.wanted, audience.filter.previous)
                if event is not None:
                    entry = found.get(audience.filter)
                    if entry is None:
                        entry = found[audience.filter] = (audience, [])
                    entry[1].append(event)
        for audience, events in found.values():
            self._tell(audience, events, revision)

    def advance(self, revision: int) -> None:
        """A round of progress: who wants it and was sent nothing since the last round is told the revision."""
        for watcher in list(self._watchers.values()):
            if watcher.waiting:
                self._drain(watcher)
            elif watcher.progress and watcher.idle and watcher.credit > 0:
                watcher.revision = revision
                self._frame(watcher, NOTHING, revision)
            watcher.idle = True

    def retry(self) -> None:
        """Send again what was not taken."""
        stalled, self._stalled = self._stalled, {}
        self._again_seconds = min(2 * self._again_seconds, MAX_AGAIN_SECONDS)
        for watcher in stalled.values():
            if watcher.end is not None:
                self._say_end(watcher, watcher.end)
            else:
                self._drain(watcher)
        if not self._stalled:
            self._again_seconds = AGAIN_SECONDS

    def _tell(self, audience: Audience[Watcher], events: list[Event], revision: int) -> None:
        small = len(events) <= MAX_FRAME_EVENTS and _parts_bytes(events) <= MAX_FRAME_BYTES
        shared = encoded_events(events) if small else NOTHING
        for watcher in list(audience.members.values()):
            watcher.revision = revision
            if small and not watcher.waiting and watcher.credit > 0 and self._frame(watcher, shared, revision):
                continue
            self._wait(watcher, events)
            self._drain(watcher)

    def _wait(self, watcher: Watcher, events: list[Event]) -> None:
        if watcher.waiting is None:
            watcher.waiting = deque(events)
        else:
            watcher.waiting.extend(events)

    def _drain(self, watcher: Watcher) -> None:
        """Send what waits, as far as the credit goes."""
        waiting = watcher.waiting
        if waiting is None:
            return
        while waiting and watcher.credit > 0:
            events = _next_frame(waiting)
            revision = _frame_revision(events, waiting, watcher.revision)
            if not self._frame(watcher, encoded_events(events), revision):
                waiting.extendleft(reversed(events))
                self._stall(watcher)
                break
        if not waiting:
            watcher.waiting = None
        elif len(waiting) > MAX_BUFFERED_EVENTS:
            message = f"{len(waiting)} events wait for credit, {MAX_BUFFERED_EVENTS} may: resume from the last frame"
            self._end(watcher, Refusal.SLOW, message)

    def _frame(self, watcher: Watcher, encoded: memoryview, revision: int) -> bool:
        if not self._send(watcher.subscriber, Changes(watcher.number, watcher.tag, revision, encoded)):
            return False
        watcher.credit -= 1
        watcher.idle = False
        return True

    def _end(self, watcher: Watcher, reason: Refusal, message: str) -> None:
        self.close(watcher.number)
        self._say_end(watcher, WatchEnded(watcher.number, watcher.tag, reason, message))

    def _say_end(self, watcher: Watcher, end: WatchEnded) -> None:
        if not self._send(watcher.subscriber, end):
            watcher.end = end
            self._stall(watcher)

    def _stall(self, watcher: Watcher) -> None:
        if not self._stalled:
            self._again(self._again_seconds)
        self._stalled[watcher.number] = watcher


def _next_frame(waiting: deque[Event]) -> list[Event]:
    """Take the first events off ``waiting``, as many as a frame may hold, at least one."""
    events: list[Event] = []
    size = 0
    while waiting and len(events) < MAX_FRAME_EVENTS:
        size += _event_bytes(waiting[0])
        if events and size > MAX_FRAME_BYTES:
            break
        events.append(waiting.popleft())
    return events


def _frame_revision(events: list[Event], waiting: deque[Event], revision: int) -> int:
    """All changes up to which revision a frame completes: a transaction's events may be cut in two."""
    if not waiting:
        return revision
    last = events[-1].value.mod_revision
    return last - 1 if waiting[0].value.mod_revision == last else last


def _parts_bytes(events: list[Event]) -> int:
    return sum(map(_event_bytes, events))


def _event_bytes(event: Event) -> int:
    size = sum(map(len, event.value.parts))
    return size if event.previous is None else size + sum(map(len, event.previous.parts))
