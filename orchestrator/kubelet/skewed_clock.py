"""A node's own clock, which may be ahead of the others' or behind."""

from __future__ import annotations

from collections.abc import Callable

from actors import Clock
from actors.clock import Handle


class SkewedClock:
    """``clock`` with its wall time off by ``skew_seconds``; what is measured between two moments is right."""

    __slots__ = ("_clock", "skew_seconds")

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.skew_seconds = 0.0

    def time(self) -> float:
        return self._clock.time() + self.skew_seconds

    def monotonic(self) -> float:
        return self._clock.monotonic()

    async def sleep(self, seconds: float) -> None:
        await self._clock.sleep(seconds)

    def call_later(self, seconds: float, function: Callable[[], object]) -> Handle:
        return self._clock.call_later(seconds, function)
