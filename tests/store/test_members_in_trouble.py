"""Groups of real store actors through kills, stops and partitions, by a seed: what clients saw has an order."""

from __future__ import annotations

import asyncio
import random

import pytest

from actors import ActorError, System
from actors.testing import run
from orchestrator.store.protocol import Batch, Change, Get
from tests.store.checks import Violation, registers
from tests.store.group import Members
from tests.store.simulation.clients import KEYS, Operation

SEEDS = 25
TROUBLE_SECONDS = 12.0
CLIENTS = 3


class Trouble:
    """One seed's group, its clients and what happens to it."""

    def __init__(self, system: System, seed: int) -> None:
        self.random = random.Random(seed)
        self.members = Members(system, self.random.choice([3, 3, 5]))
        self.operations: list[Operation] = []
        self._system = system
        self._over = False
        self._down: set[int] = set()

    async def live(self) -> None:
        await self.members.start_all()
        clients = [asyncio.create_task(self._client(number)) for number in range(CLIENTS)]
        end = self._now() + TROUBLE_SECONDS
        while self._now() < end:
            await self._system.clock.sleep(0.1 + self.random.random())
            await self._harm()
        self.members.cut.clear()
        for number in sorted(self._down):
            await self.members.start(number)
        self._over = True
        await asyncio.gather(*clients)
        await self.members.leader()
        for number in self.members.numbers:
            await self._read(CLIENTS, number, KEYS[0])

    def _now(self) -> float:
        return self._system.clock.monotonic()

    async def _harm(self) -> None:
        draw, number = self.random, self.random.choice(self.members.numbers)
        match draw.choice(["stop", "start", "start", "isolate", "heal", "kill"]):
            case "stop" if number not in self._down:
                self._down.add(number)
                await self.members.stop(number)
            case "start" if self._down:
                back = min(self._down)
                self._down.discard(back)
                await self.members.start(back)
            case "isolate":
                self.members.isolate(number)
            case "heal":
                self.members.cut.clear()
            case "kill":
                self._system.kill(self.members.ref(number).path)  # its supervisor starts it again

    async def _client(self, number: int) -> None:
        count = 0
        while not self._over:
            key, at = self.random.choice(KEYS), self.random.choice(self.members.numbers)
            if self.random.random() < 0.5:
                await self._read(number, at, key)
            else:
                count += 1
                await self._write(number, at, key, b"%d.%d" % (number, count))
            await self._system.clock.sleep(self.random.random() * 0.1)

    async def _write(self, client: int, at: int, key: str, value: bytes) -> None:
        operation = Operation(client, "write", (key,), (value,), (None,), self._now())
        self.operations.append(operation)
        try:
            reply = await self.members.ref(at).ask(Batch([Change(key, (value,))]), timeout=3.0)
        except ActorError:
            return
        operation.ended = self._now()
        operation.results = [(result.outcome.name, result.revision, None) for result in reply.results]

    async def _read(self, client: int, at: int, key: str) -> None:
        operation = Operation(client, "read", (key,), (None,), (None,), self._now())
        self.operations.append(operation)
        try:
            value = (await self.members.ref(at).ask(Get([key]), timeout=3.0)).values[0]
        except ActorError:
            return
        operation.ended = self._now()
        operation.results = [("READ", value.mod_revision if value else 0, value.parts[0] if value else None)]


async def live(seed: int) -> Trouble:
    async with System(seed=seed) as system:
        trouble = Trouble(system, seed)
        await trouble.live()
        return trouble


@pytest.mark.slow
@pytest.mark.real_loop
def test_what_clients_of_a_group_in_trouble_saw_has_an_order() -> None:
    answered = 0
    for seed in range(SEEDS):
        trouble = run(live(seed), seed=seed)
        try:
            registers.check(trouble.operations)
        except Violation as error:
            raise AssertionError(f"seed {seed}: {error}") from error
        answered += sum(operation.ended is not None for operation in trouble.operations)
    assert answered > 100 * SEEDS
