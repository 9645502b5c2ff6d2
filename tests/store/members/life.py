"""One run: three members, clients and watchers, one fault, and what must hold afterwards."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass
from pathlib import Path

from tests.store.checks import Violation
from tests.store.members import truth
from tests.store.members.clients import PREFIX, Client, milliseconds
from tests.store.members.door import encoded, revision_of
from tests.store.members.faults import Kind
from tests.store.members.trio import NUMBERS, Trio
from tests.store.members.watchers import Watcher
from tests.store.simulation.clients import Operation

CLIENTS = 6
BEFORE_SECONDS = 0.5, 1.0
AFTER_SECONDS = 0.7
SERVICE_SECONDS = 20.0
"""After everything is healed each member must take a write, and tell every watcher of it, within."""
PREFIXES = PREFIX, PREFIX, "k/0", "k/1"
"""What is watched."""
MARKER = -1
"""Who writes what every watcher sees, among the clients."""


@dataclass(frozen=True, slots=True)
class Lived:
    """``recovery``: seconds from the fault to the first answer to a write that was asked after it; None for none."""

    kind: str
    operations: int
    unknown: int
    writes: int
    recovery: float | None
    undecided: int

    def line(self) -> str:
        recovery = f"served again after {self.recovery:.2f} s" if self.recovery is not None else "not served meanwhile"
        return (
            f"{self.kind}: {self.operations} operations, {self.unknown} without an answer,"
            f" {self.writes} writes acknowledged, {recovery}"
        )


async def live(seed: int, kind: Kind, folder: Path, authority: Path) -> Lived:
    """Raises ``Violation``."""
    trio = Trio(seed, folder, authority, disks=kind.disk)
    try:
        await trio.open()
        return await _Life(seed, kind, trio).live()
    finally:
        trio.close()


class _Life:
    def __init__(self, seed: int, kind: Kind, trio: Trio) -> None:
        self._draw = random.Random(f"life {seed}")
        self._kind = kind
        self._trio = trio
        self._count = 0
        hosts = [trio.hosts[number] for number in NUMBERS]
        self._operations: list[Operation] = []
        self._clients = [
            Client(number, self._order(hosts), self._some(), self._operations) for number in range(CLIENTS)
        ]
        self._watchers = [Watcher(self._order(hosts), prefix) for prefix in PREFIXES]

    def _order(self, hosts: list[str]) -> list[str]:
        return self._draw.sample(hosts, len(hosts))

    def _some(self) -> random.Random:
        return random.Random(self._draw.getrandbits(64))

    async def live(self) -> Lived:
        trio, draw = self._trio, self._draw
        await self._served()
        async with asyncio.TaskGroup() as tasks:
            watching = [tasks.create_task(watcher.run()) for watcher in self._watchers]
            running = [tasks.create_task(client.run()) for client in self._clients]
            await asyncio.sleep(draw.uniform(*BEFORE_SECONDS))
            leader = await trio.leader()
            others = [number for number in NUMBERS if number != leader]
            began = milliseconds()
            await self._kind.fault(trio, leader if self._kind.leader else draw.choice(others), draw)
            trio.heal()
            await asyncio.sleep(AFTER_SECONDS)
            for client in self._clients:
                client.stopped = True
            await asyncio.wait(running)
            revision = await self._served()
            await self._all_told(revision)
            for task in watching:
                task.cancel()
        return await self._checked(began, revision)

    async def _served(self) -> int:
        """Every member takes a write; the revision of the last one."""
        revision = 0
        for number in NUMBERS:
            try:
                async with asyncio.timeout(SERVICE_SECONDS):
                    while True:
                        if revision := await self._mark(number):
                            break
                        await asyncio.sleep(0.05)
            except TimeoutError as error:
                said = self._trio.processes[number].said()
                raise Violation(f"member {number} took no write for {SERVICE_SECONDS} s; it {said}") from error
        return revision

    async def _mark(self, member: int) -> int:
        """A write that every watcher sees; its revision, 0 when it had no answer."""
        self._count += 1
        keys = tuple(dict.fromkeys(prefix if prefix != PREFIX else f"{PREFIX}0" for prefix in PREFIXES))
        values = tuple(f"mark {self._count} of {key}".encode() for key in keys)
        operation = Operation(MARKER, "txn", keys, values, (None,) * len(keys), milliseconds())
        self._operations.append(operation)
        pairs = [
            {"key": encoded(key.encode()), "value": encoded(value)} for key, value in zip(keys, values, strict=True)
        ]
        answer = await self._trio.ask(member, "kv/txn", {"success": [{"request_put": pair} for pair in pairs]})
        if answer is None:
            return 0
        operation.ended, operation.revision = milliseconds(), revision_of(answer)
        operation.results = [("DONE", operation.revision, None)] * len(keys)
        return operation.revision

    async def _all_told(self, revision: int) -> None:
        for number, watcher in enumerate(self._watchers):
            try:
                async with asyncio.timeout(SERVICE_SECONDS):
                    await watcher.reached(revision)
            except TimeoutError as error:
                raise Violation(
                    f"watcher {number}, which began {watcher.begun} times, was told up to {watcher.stretch.end} of"
                    f" {revision} after {SERVICE_SECONDS} s"
                ) from error

    async def _checked(self, began: float, revision: int) -> Lived:
        models = [await truth.told(self._trio.hosts[number], PREFIX, revision) for number in NUMBERS]
        for watcher in self._watchers:
            watcher.cut(revision)
        refused = [value for client in self._clients for value in client.refused]
        undecided = truth.check(self._operations, refused, self._watchers, models)
        answered = [operation for operation in self._operations if operation.ended is not None]
        writes = [operation for operation in answered if operation.what != "read"]
        ends = [operation.ended for operation in writes if operation.ended is not None and operation.began > began]
        return Lived(
            self._kind.name,
            len(self._operations),
            len(self._operations) - len(answered),
            len(writes),
            (min(ends) - began) / 1000 if ends else None,
            undecided,
        )
