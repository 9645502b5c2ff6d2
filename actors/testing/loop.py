"""An asyncio loop in virtual time: no sockets, no threads, and the order of callbacks decided by a seed.

When nothing is ready the clock jumps to the next timer. When there is no timer either, nothing can ever happen again,
which is an error here and a hang elsewhere.
"""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import Coroutine
from typing import Any, NoReturn, TypeVar

T = TypeVar("T")

EPOCH = 1_767_225_600.0
"""Wall time at which a deterministic loop begins: 2026-01-01T00:00:00Z."""


class Deadlock(RuntimeError):
    """Nothing is ready and no timer is set, but the main coroutine has not ended. ``tasks`` is who waits."""

    def __init__(self, tasks: list[str]) -> None:
        super().__init__(tasks)
        self.tasks = tasks

    def __str__(self) -> str:
        return "nothing is ready and no timer is set; waiting: " + (", ".join(self.tasks) or "nobody")


class NotSimulated(RuntimeError):
    """Code asked the deterministic loop for a thread, a socket or a process. ``what`` is the method that it called."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what

    def __str__(self) -> str:
        return f"a deterministic loop has no {self.what}: its timing would show"


class _NoSelector:
    """In the place of I/O: it never blocks, and lets virtual time pass when the loop would have slept."""

    def __init__(self, loop: DeterministicLoop) -> None:
        self._loop = loop

    def select(self, timeout: float | None) -> list[Any]:
        if timeout is None:
            raise Deadlock(self._loop.waiting_tasks())
        if timeout > 0:
            self._loop.advance()
        return []

    def close(self) -> None: ...


class DeterministicLoop(asyncio.BaseEventLoop):
    """``seed`` with ``shuffle`` permutes ready callbacks; without ``shuffle`` they run in asyncio's order."""

    def __init__(self, seed: int = 0, *, shuffle: bool = False, epoch: float = EPOCH) -> None:
        self._now = 0.0
        super().__init__()
        self.seed = seed
        self._epoch = epoch
        self._choice = random.Random(seed) if shuffle else None
        self._selector = _NoSelector(self)

    @property
    def _clock_resolution(self) -> float:
        """To the last bit: a timer that fired early would find its moment not come, and be set again for ever."""
        return math.ulp(self._now)

    @_clock_resolution.setter
    def _clock_resolution(self, seconds: float) -> None: ...

    def time(self) -> float:
        """Virtual seconds since the loop was made."""
        return self._now

    def wall_time(self) -> float:
        """Unix seconds in virtual time."""
        return self._epoch + self._now

    def advance(self) -> None:
        """Jump to the earliest timer."""
        scheduled: list[asyncio.TimerHandle] = self._scheduled  # type: ignore[attr-defined]
        self._now = max(self._now, scheduled[0].when())

    def waiting_tasks(self) -> list[str]:
        """Names of the tasks that have not ended."""
        return sorted(task.get_name() for task in asyncio.all_tasks(self))

    @property
    def shuffled(self) -> bool:
        """Whether its seed permutes ready callbacks."""
        return self._choice is not None

    def timer_names(self) -> list[str]:
        """What each pending timer calls, and when."""
        scheduled: list[asyncio.TimerHandle] = self._scheduled  # type: ignore[attr-defined]
        pending = sorted((handle.when(), handle) for handle in scheduled if not handle.cancelled())
        return [
            f"a timer for {_name(handle._callback)} in {when - self._now:g} s"  # type: ignore[attr-defined]
            for when, handle in pending
        ]

    def timers(self) -> int:
        """Pending timers that were not cancelled."""
        return sum(not handle.cancelled() for handle in self._scheduled)  # type: ignore[attr-defined]

    def _run_once(self) -> None:
        ready = self._ready  # type: ignore[attr-defined]
        if self._choice is not None and len(ready) > 1:
            order = list(ready)
            self._choice.shuffle(order)
            ready.clear()
            ready.extend(order)
        super()._run_once()  # type: ignore[misc]

    def _process_events(self, event_list: list[Any]) -> None: ...

    def _write_to_self(self) -> None: ...

    def call_soon_threadsafe(self, *args: Any, **kwargs: Any) -> NoReturn:  # type: ignore[override]
        """Raises ``NotSimulated``."""
        raise NotSimulated("call_soon_threadsafe")

    def run_in_executor(self, *args: Any, **kwargs: Any) -> NoReturn:  # type: ignore[override]
        """Raises ``NotSimulated``."""
        raise NotSimulated("run_in_executor")

    async def getaddrinfo(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Raises ``NotSimulated``."""
        raise NotSimulated("getaddrinfo")

    async def create_connection(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Raises ``NotSimulated``."""
        raise NotSimulated("create_connection")

    async def create_server(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Raises ``NotSimulated``."""
        raise NotSimulated("create_server")

    async def subprocess_exec(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Raises ``NotSimulated``."""
        raise NotSimulated("subprocess_exec")

    async def subprocess_shell(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Raises ``NotSimulated``."""
        raise NotSimulated("subprocess_shell")

    def close(self) -> None:
        super().close()
        self._selector.close()


def _name(function: Any) -> str:
    return str(getattr(function, "__qualname__", function))


def run(main: Coroutine[Any, Any, T], *, seed: int = 0, shuffle: bool = True) -> T:
    """Run ``main`` to its end on a deterministic loop of its own; the same seed gives the same run."""
    with asyncio.Runner(loop_factory=lambda: DeterministicLoop(seed, shuffle=shuffle)) as runner:
        return runner.run(main)
