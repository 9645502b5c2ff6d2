"""What a coroutine that plays a container holds: its logs, its readiness, what it answers and uses."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from actors import Clock

MAX_LINES = 10_000
"""Log lines that are kept of one container; the oldest go first."""


class Stage:
    """One attempt of one container. What is assigned here is what probes, metrics and callers see from then on.

    ``stopping`` is set by the stop signal; a play that does not end within the grace period is killed.
    """

    def __init__(self, clock: Clock, pod: str, name: str, image: str, arguments: tuple[str, ...]) -> None:
        self.clock = clock
        self.pod = pod
        """Namespace and name."""
        self.name = name
        self.image = image
        self.arguments = arguments
        self.env: dict[str, str] = {}
        self.ready = True
        self.healthy = True
        self.cpu_millis = 1.0
        self.memory_bytes = 16 * 1024 * 1024
        self.http: dict[str, tuple[int, str]] = {}
        self.commands: Callable[[list[str]], tuple[int, str]] | None = None
        self.stopping = asyncio.Event()
        self.lines: deque[tuple[float, str]] = deque(maxlen=MAX_LINES)

    def log(self, line: str) -> None:
        """Write a line to the container's log, at this moment."""
        self.lines.append((self.clock.time(), line))

    async def sleep(self, seconds: float) -> None:
        """Let the cluster's time pass."""
        await self.clock.sleep(seconds)
