"""When pods want to be looked at again: one heap for a kubelet, one timer for its earliest moment."""

from __future__ import annotations

import heapq
from collections.abc import Callable

from actors import Clock, Handle
from orchestrator.kubelet.record import Record

MIN_SECONDS = 0.001
"""A timer for a moment that has come already: rounding must not make it spin."""


class Wakes:
    """Moments that no longer hold are skipped when they come: a pod counts only with its present ``wake_at``."""

    __slots__ = ("_armed", "_clock", "_heap", "_ring", "_timer")

    def __init__(self, clock: Clock, ring: Callable[[], object]) -> None:
        self._clock = clock
        self._ring = ring
        self._heap: list[tuple[float, str]] = []
        self._armed: float | None = None
        self._timer: Handle | None = None

    def note(self, record: Record) -> None:
        if record.wake_at is not None:
            heapq.heappush(self._heap, (record.wake_at, record.uid))
            self._arm()

    def due(self, records: dict[str, Record]) -> list[Record]:
        """The pods whose moment has come; arms the timer for the next."""
        now = self._clock.time()
        self._armed = None
        found: list[Record] = []
        while self._heap and self._heap[0][0] <= now:
            at, uid = heapq.heappop(self._heap)
            record = records.get(uid)
            if record is not None and record.wake_at == at:
                record.wake_at = None
                found.append(record)
        self._arm()
        return found

    def _arm(self) -> None:
        if not self._heap:
            return
        at = self._heap[0][0]
        if self._armed is None or at < self._armed:
            self.stop()
            self._armed = at
            self._timer = self._clock.call_later(max(at - self._clock.time(), MIN_SECONDS), self._ring)

    def stop(self) -> None:
        """Ring no more."""
        if self._timer is not None:
            self._timer.cancel()
