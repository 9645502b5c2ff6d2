"""What a leader knows of another member's log, and how much it may send ahead of the answers."""

from __future__ import annotations

from enum import Enum

MAX_IN_FLIGHT = 64
"""Appends that may be under way to one member. Each holds at most ``Settings.append_bytes``."""
MAX_APPEND_ENTRIES = 1024

NEVER = -1

SNAPSHOT_TIMEOUTS = 10
"""Election timeouts after which a snapshot that was not confirmed counts as lost and is offered again."""


class Pace(Enum):
    PROBE = "probe"
    """One append at a time, until an answer says where the logs agree."""
    STREAM = "stream"
    """Appends follow each other without waiting for answers."""
    SNAPSHOT = "snapshot"
    """It needs what the log no longer has: nothing is sent until the snapshot is there."""


class Progress:
    """Invariant: ``match < next``; in STREAM ``next`` is ahead of what was answered."""

    __slots__ = (
        "_in_flight",
        "_stepped_back",
        "_window",
        "active",
        "asked",
        "awaited",
        "match",
        "next",
        "pace",
        "protocol",
        "read",
        "snapshot",
    )

    def __init__(self, next_index: int) -> None:
        self.match = 0
        self.next = next_index
        self.pace = Pace.PROBE
        self.asked = False
        """In PROBE: whether an append is under way."""
        self.active = True
        """Whether it was heard from since the last quorum check."""
        self.read = 0
        """The latest read round that it confirmed."""
        self.protocol = 0
        """What it said that it speaks; 0: nothing yet."""
        self.snapshot = 0
        self.awaited = 0
        """In SNAPSHOT: election timeouts since it was offered."""
        self._in_flight: list[int] = []
        self._window = MAX_IN_FLIGHT
        # Appends that may be under way: fewer after a refusal, one more with each that is agreed on.
        self._stepped_back = NEVER
        # What ``match`` was when a refusal last ended a stream.

    def paused(self) -> bool:
        if self.pace is Pace.STREAM:
            return len(self._in_flight) >= self._window
        return self.pace is Pace.SNAPSHOT or self.asked

    def sent(self, last: int) -> None:
        """An append that ends at ``last`` is under way."""
        if self.pace is Pace.STREAM:
            self._in_flight.append(last)
            self.next = last + 1
        else:
            self.asked = True

    def agreed(self, index: int) -> bool:
        """It has everything up to ``index``. Whether that is news."""
        news = index > self.match
        if news and self._window < MAX_IN_FLIGHT:
            self._window += 1
        self.match = max(self.match, index)
        self.next = max(self.next, index + 1)
        self._in_flight = [last for last in self._in_flight if last > index]
        if self.pace is Pace.PROBE or (self.pace is Pace.SNAPSHOT and self.match >= self.snapshot):
            self._become(Pace.STREAM)
            self.next = self.match + 1
        return news

    def refused(self, index: int, hint: int) -> bool:
        """It does not agree at ``index``, perhaps at ``hint``. False: an outdated answer, or it may be one.

        One append that came late makes it refuse all that overtook it. If each refusal had the stream sent anew, each
        stream would bring as many refusals again: one is believed until there is news, and the next stream is shorter.
        """
        if self.pace is Pace.STREAM:
            if index <= self.match or self._stepped_back == self.match:
                return False
            self._stepped_back = self.match
            self._window = max(1, self._window // 2)
            self._become(Pace.PROBE)
            self.next = self.match + 1
            return True
        if self.pace is Pace.SNAPSHOT or index != self.next - 1:
            return False
        self.next = max(min(index, hint + 1), self.match + 1)
        self.asked = False
        return True

    def needs_snapshot(self, index: int) -> None:
        self._become(Pace.SNAPSHOT)
        self.snapshot = index
        self.awaited = 0

    def await_snapshot(self) -> None:
        """An election timeout passed. Nobody may have noticed that the snapshot was lost."""
        self.awaited += 1
        if self.awaited >= SNAPSHOT_TIMEOUTS:
            self.snapshot_failed()

    def snapshot_failed(self) -> None:
        if self.pace is Pace.SNAPSHOT:
            self._become(Pace.PROBE)
            self.next = self.match + 1

    def snapshot_sent(self, index: int) -> None:
        if self.pace is Pace.SNAPSHOT and index >= self.snapshot:
            self._become(Pace.PROBE)
            self.next = max(self.match, index) + 1

    def unanswered(self) -> None:
        """A heartbeat was answered: what was lost of a probe may be sent again."""
        self.asked, self._stepped_back = False, NEVER
        if self.pace is Pace.STREAM and self.paused():
            self._in_flight.pop(0)

    def _become(self, pace: Pace) -> None:
        self.pace = pace
        self.asked = False
        self._in_flight = []
