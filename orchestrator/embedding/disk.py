"""A disk in memory: durable as long as the cluster's object, as slow as it is told to be."""

from __future__ import annotations

import random
from collections import Counter

from actors import Clock
from orchestrator.raft.entry import Entry, HardState
from orchestrator.store.memory_log import MemoryLog


class SimulatedDisk(MemoryLog):
    """A ``MemoryLog`` whose appends take up to ``slow_seconds`` of the cluster's time."""

    def __init__(self) -> None:
        super().__init__()
        self.slow_seconds = 0.0
        self._clock: Clock | None = None
        self._random = random.Random(0)
        self._counts: Counter[str] = Counter()

    def attach(self, clock: Clock, source: random.Random, counts: Counter[str]) -> None:
        """What its delays are drawn from, waited on and counted by."""
        self._clock, self._random, self._counts = clock, source, counts

    async def append(self, state: HardState, entries: list[Entry]) -> None:
        if self.slow_seconds and self._clock is not None:
            self._counts["append slowed"] += 1
            await self._clock.sleep(self.slow_seconds * self._random.random())
        await super().append(state, entries)
