"""A group of real store actors in one system, over transports that lose nothing unless they are told to."""

from __future__ import annotations

from typing import Any

from actors import Ref, System, child
from orchestrator.raft.settings import Settings
from orchestrator.store.group import ELECTION_TICKS, HEARTBEAT_TICKS, FromMember, Group
from orchestrator.store.log import Log
from orchestrator.store.memory_log import MemoryLog
from orchestrator.store.protocol import StatusReply, StoreStatus
from orchestrator.store.store import Store

LEAD_SECONDS = 10.0


class Mail:
    """One member's way to the others. ``cut``: pairs (from, to) that do not reach each other."""

    def __init__(self, system: System, member: int, cut: set[tuple[int, int]]) -> None:
        self._system = system
        self._member = member
        self._cut = cut

    def send(self, to: int, frame: bytes) -> None:
        if (self._member, to) not in self._cut:
            self._system.ref(f"store-{to}").tell_nowait(FromMember(frame))


class Members:
    """Members 1 to ``size``; ``logs`` survive their lives."""

    def __init__(self, system: System, size: int = 3, logs: dict[int, Log] | None = None) -> None:
        self.system = system
        self.cut: set[tuple[int, int]] = set()
        self.numbers = tuple(range(1, size + 1))
        self._logs = logs or {number: MemoryLog() for number in self.numbers}

    def ref(self, number: int) -> Ref[Any]:
        return self.system.ref(f"store-{number}")

    async def join(self, number: int) -> None:
        """A member that nobody knows yet."""
        self._logs[number] = MemoryLog()
        await self.start(number, ())
        self.numbers = (*self.numbers, number)

    async def start(self, number: int, founders: tuple[int, ...] | None = None) -> None:
        voters = self.numbers if founders is None else founders
        settings = Settings(
            number, voters, self.system.random_for(f"jitter-{number}").randrange, ELECTION_TICKS, HEARTBEAT_TICKS
        )
        group = Group(settings, Mail(self.system, number, self.cut))
        log, name = self._logs[number], group.name(number)
        await self.system.spawn(child(lambda: Store(log, member=name, group=group), name=f"store-{number}"))

    async def start_all(self) -> None:
        for number in self.numbers:
            await self.start(number)

    async def stop(self, number: int) -> None:
        await self.system.stop_actor(self.ref(number))

    async def restart(self) -> None:
        for number in self.numbers:
            await self.stop(number)
        await self.start_all()

    async def status(self, number: int) -> StatusReply:
        return await self.ref(number).ask(StoreStatus())

    async def leader(self, among: tuple[int, ...] = ()) -> int:
        """Who leads, once somebody does."""
        for _ in range(int(LEAD_SECONDS / 0.05)):
            for number in among or self.numbers:
                status = await self.status(number)
                if status.leader == status.member:
                    return number
            await self.system.clock.sleep(0.05)
        raise AssertionError(f"nobody leads after {LEAD_SECONDS} s")

    def isolate(self, number: int) -> None:
        for other in self.numbers:
            self.cut |= {(number, other), (other, number)}
