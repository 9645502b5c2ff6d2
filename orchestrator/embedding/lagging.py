"""An actor behind a slow watch: what it is told comes late, in the order in which it was sent."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from actors import Actor, Tell
from orchestrator.store.protocol import Changes, WatchEnded


class Due(Tell):
    """The oldest frame that is held has arrived."""


class Lagging(Actor):
    """``inner``, told each frame of its watch ``lag()`` seconds later. The server's credit bounds what is held.

    It does not start when it ``falters()``."""

    def __init__(self, inner: Actor, lag: Callable[[], float], falters: Callable[[], bool]) -> None:
        self._inner = inner
        self._lag = lag
        self._falters = falters
        self._held: deque[Changes | WatchEnded] = deque()
        self._last = 0.0
        """When the youngest that is held arrives."""

    async def start(self) -> None:
        if self._falters():
            raise RuntimeError(f"{self.context.path} was told not to start")
        self._inner.context = self.context
        await self._inner.start()

    async def receive(self, message: Any) -> Any:
        match message:
            case Due():
                return await self._inner.receive(self._held.popleft())
            case Changes() | WatchEnded():
                seconds = self._lag()
                if seconds > 0.0 or self._held:
                    self._hold(message, seconds)
                    return None
        return await self._inner.receive(message)

    async def stop(self, exit: Any) -> None:
        await self._inner.stop(exit)

    def _hold(self, message: Changes | WatchEnded, seconds: float) -> None:
        now = self.context.clock.monotonic()
        self._last = max(self._last, now + seconds)
        self._held.append(message)
        self.context.send_after(self._last - now, Due())
