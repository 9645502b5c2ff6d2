"""Which keys want work: each once, never two workers on one, failed ones later and later.

The queue holds no tasks: whoever owns it pops keys and says when each is done.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, Protocol

import msgspec

MAX_KEYS = 1_000_000
"""Keys that may wait at once; one more is refused, and the owner must look at everything again."""
MAX_CAUSES = 8
"""Causes kept for a key that was added many times; the first is the parent of what its work writes."""
BACKOFF_FIRST_SECONDS = 0.005
BACKOFF_MAX_SECONDS = 1000.0
"""The delay doubles from the first to the largest, as in client-go's ItemExponentialFailureRateLimiter."""


class Timed(Protocol):
    """The part of a clock that the queue needs."""

    def monotonic(self) -> float: ...

    def call_later(self, seconds: float, function: Callable[[], None]) -> Any: ...


class Item(msgspec.Struct, frozen=True):
    key: str
    causes: tuple[int, ...]
    """Revisions of the changes that asked for the work, oldest first; empty for a timer."""


class QueueStatistics(msgspec.Struct, frozen=True):
    waiting: int
    delayed: int
    working: int
    failing: int
    added: int
    refused: int


class WorkQueue:
    """``wake`` is called when a key becomes ready; then ``pop`` until it gives None, and ``done`` for each."""

    def __init__(self, clock: Timed, wake: Callable[[], None], *, capacity: int = MAX_KEYS) -> None:
        self._clock = clock
        self._wake = wake
        self._capacity = capacity
        self._ready: deque[str] = deque()
        self._dirty: dict[str, list[int]] = {}
        """Keys that want work, with their causes. A key in work and dirty becomes ready when it is done."""
        self._working: set[str] = set()
        self._delayed: dict[str, tuple[float, Any]] = {}
        self._put_off: dict[str, dict[int, None]] = {}
        """The causes of work that was delayed: the first to do the work has them."""
        self._failures: dict[str, int] = {}
        self._added = 0
        self._refused = 0

    def add(self, key: str, causes: Iterable[int] = ()) -> bool:
        """Want work on ``key``. False when the queue is full."""
        held = self._dirty.get(key)
        if held is None:
            if len(self._dirty) >= self._capacity:
                self._refused += 1
                return False
            self._dirty[key] = held = []
            self._added += 1
            if key not in self._working:
                self._ready.append(key)
                self._wake()
        room = MAX_CAUSES - len(held)
        if room > 0:
            held.extend(list(causes)[:room])
        return True

    def add_after(self, key: str, seconds: float, causes: Iterable[int] = ()) -> None:
        """Want work on ``key`` in so many seconds; of several delays for one key the shortest holds."""
        if seconds <= 0:
            self.add(key, causes)
            return
        for cause in causes:
            held_causes = self._put_off.setdefault(key, {})
            if len(held_causes) < MAX_CAUSES:
                held_causes[cause] = None
        due = self._clock.monotonic() + seconds
        held = self._delayed.get(key)
        if held is not None:
            if held[0] <= due:
                return
            held[1].cancel()
        handle = self._clock.call_later(seconds, lambda: self._due(key))
        self._delayed[key] = (due, handle)

    def retry(self, key: str, causes: Iterable[int] = ()) -> float:
        """Want work on ``key`` after its back-off, which doubles with each failure. Returns the delay."""
        failures = self._failures.get(key, 0)
        self._failures[key] = failures + 1
        seconds = min(BACKOFF_FIRST_SECONDS * 2.0 ** min(failures, 40), BACKOFF_MAX_SECONDS)
        self.add_after(key, seconds, causes)
        return seconds

    def forget(self, key: str) -> None:
        """``key`` succeeded: its next failure starts at the first delay again."""
        self._failures.pop(key, None)

    def failures(self, key: str) -> int:
        return self._failures.get(key, 0)

    def pop(self) -> Item | None:
        if not self._ready:
            return None
        key = self._ready.popleft()
        self._working.add(key)
        causes = dict.fromkeys([*self._put_off.pop(key, ()), *self._dirty.pop(key)])
        return Item(key, tuple(causes)[:MAX_CAUSES])

    def done(self, key: str) -> None:
        """The work on ``key`` has ended; if it was added meanwhile it is ready again."""
        self._working.discard(key)
        if key in self._dirty:
            self._ready.append(key)
            self._wake()

    def close(self) -> None:
        """Cancel all delays."""
        for _, handle in self._delayed.values():
            handle.cancel()
        self._delayed.clear()

    def __len__(self) -> int:
        return len(self._ready)

    def statistics(self) -> QueueStatistics:
        return QueueStatistics(
            waiting=len(self._dirty),
            delayed=len(self._delayed),
            working=len(self._working),
            failing=len(self._failures),
            added=self._added,
            refused=self._refused,
        )

    def _due(self, key: str) -> None:
        self._delayed.pop(key, None)
        self.add(key)
