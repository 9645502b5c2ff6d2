"""What the acts of the exploration share: one run's system, cast and chance."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable

from actors import Backoff, System
from actors.testing import MemoryNetwork
from tests.actors.ledger import Ledger, Violation

LABOURERS = 3
FAST = Backoff(0.01, 0.1)


class Scene:
    """One run: its system, its cast, its chance."""

    def __init__(self, system: System, seed: int, network: MemoryNetwork) -> None:
        self.system = system
        self.network = network
        self.seed = seed
        self.ledger = Ledger()
        self.troupe = [f"top/w{number}" for number in range(LABOURERS)]
        self.refs = [system.ref(path) for path in self.troupe]
        self.view: list[str] = []

    def chance(self, act: str) -> random.Random:
        return random.Random(f"{self.seed}/{act}")

    def alive(self, path: str) -> bool:
        cell = self.system.cells.get(path)
        return cell is not None and cell.state.value == "running"

    async def until_alive(self, path: str) -> None:
        await self.until(lambda: self.alive(path))

    async def until(self, true: Callable[[], bool], step: float = 0.01) -> None:
        while not true():  # noqa: ASYNC110  (what is waited for is in the system, not in an event)
            await asyncio.sleep(step)

    def kill(self, path: str) -> None:
        if not self.system.kill(path):
            raise Violation(f"{path} runs and cannot be killed")
