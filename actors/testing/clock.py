"""A clock that is moved by hand, for any loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from actors.testing.loop import EPOCH

SETTLE_ROUNDS = 20
"""Turns of the loop given to what a timer woke, before the next timer fires."""


class SimulatedClock:
    """A clock moved by hand, for any loop: time passes only in ``advance``."""

    def __init__(self, epoch: float = EPOCH) -> None:
        self._epoch = epoch
        self._now = 0.0
        self._count = 0
        self._pending: dict[_Pending, None] = {}

    def time(self) -> float:
        """Unix seconds."""
        return self._epoch + self._now

    def monotonic(self) -> float:
        """Seconds that were let pass."""
        return self._now

    async def sleep(self, seconds: float) -> None:
        """Wait until ``seconds`` were let pass."""
        done = asyncio.get_running_loop().create_future()
        handle = self.call_later(seconds, lambda: None if done.done() else done.set_result(None))
        try:
            await done
        finally:
            handle.cancel()

    def call_later(self, seconds: float, function: Callable[[], object]) -> _Pending:
        """Call ``function`` when ``seconds`` were let pass."""
        self._count += 1
        pending = _Pending(self, self._now + seconds, self._count, function)
        self._pending[pending] = None
        return pending

    def cancel(self, pending: _Pending) -> None:
        """Forget a pending call."""
        self._pending.pop(pending, None)

    async def advance(self, seconds: float) -> None:
        """Let ``seconds`` pass: timers fire in order, and what they wake runs between them."""
        end = self._now + seconds
        while (due := min(self._pending, key=_Pending.order, default=None)) is not None and due.when <= end:
            self._now = max(self._now, due.when)
            self.cancel(due)
            due.function()
            await self._settle()
        self._now = end
        await self._settle()

    async def _settle(self) -> None:
        for _ in range(SETTLE_ROUNDS):
            await asyncio.sleep(0)


class _Pending:
    """A call that waits for its moment."""

    __slots__ = ("_clock", "_number", "function", "when")

    def __init__(self, clock: SimulatedClock, when: float, number: int, function: Callable[[], object]) -> None:
        self._clock = clock
        self._number = number
        self.when = when
        self.function = function

    def order(self) -> tuple[float, int]:
        return self.when, self._number

    def cancel(self) -> None:
        self._clock.cancel(self)
