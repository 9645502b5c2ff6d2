"""The cluster of a story: one control plane, or three over one log, on machines that may go and come back."""

from __future__ import annotations

import asyncio
from collections import Counter

from actors import Clock
from actors.clock import LoopClock
from actors.remoting.security import Secret
from actors.system import Tap
from actors.testing.network import MemoryNetwork
from orchestrator.embedding import faults
from orchestrator.embedding.cluster import Cluster
from orchestrator.embedding.disk import SimulatedDisk
from orchestrator.embedding.faults import Fault
from orchestrator.embedding.members import Seat
from orchestrator.kubelet.runtime.behaviour import Behaviour, Rule
from orchestrator.kubelet.runtime.simulated import SimulatedRuntime
from orchestrator.membership import Way, system_name
from orchestrator.testing.swarm.story import NODE_CPU, Story, dealt

SECRET = Secret(b"the members of a swarm's cluster")
TICK_SECONDS = 0.2
"""Of the members' clocks: coarser than in production, where a member has nothing but one cluster to live through."""
SEEDS = 8
"""Seeds of members lie so far apart."""


class World:
    """``members`` are the control planes that run, by number; of one, 0. ``door`` is the one that the user asks."""

    def __init__(self, story: Story, tap: Tap | None = None) -> None:
        self._story = story
        self._tap = tap
        self._numbers = list(range(1, story.members + 1)) if story.members > 1 else [0]
        self._network = MemoryNetwork(story.seed)
        self._disks = {number: SimulatedDisk() for number in self._numbers}
        self._lives = Counter[int]()
        self._rising: set[asyncio.Task[None]] = set()
        self._severed = 0
        self._door = 0
        self._ended: Counter[str] = Counter()
        self.members: dict[int, Cluster] = {}

    async def __aenter__(self) -> World:
        self.clock: Clock = LoopClock(asyncio.get_running_loop())
        await asyncio.gather(*map(self._rise, self._numbers))
        return self

    async def __aexit__(self, *error: object) -> None:
        for task in self._rising:
            task.cancel()
        await asyncio.gather(*self._rising, return_exceptions=True)
        await asyncio.gather(*map(self._end, list(self.members)))

    # Who is asked

    @property
    def door(self) -> Cluster:
        running = sorted(self.members)
        return self.members[running[self._door % len(running)]]

    def turn(self) -> None:
        """Ask another one from now on."""
        self._door += 1

    def actors(self) -> list[tuple[int, str]]:
        """Every actor that a fault may end, by member and path."""
        return [
            (number, path)
            for number, member in sorted(self.members.items())
            for path in member.system.cells
            if path and path != "faults"
        ]

    def runtimes(self) -> dict[str, SimulatedRuntime]:
        return {name: held for member in self.members.values() for name, held in member.node_factory.simulated.items()}

    def logs(self) -> list[SimulatedDisk]:
        return list(self._disks.values())

    def leaders(self, part: str) -> list[int]:
        """The members that run a part of which one of all works."""
        path = f"control-plane/{part}/leader"
        return [number for number, member in sorted(self.members.items()) if path in member.system.cells]

    def counts(self) -> Counter[str]:
        """How often each fault was carried out and befell somebody."""
        return sum((member.counts for member in self.members.values()), self._ended)

    # What befalls it

    async def do(self, fault: Fault) -> None:
        """On the machine that it names, else everywhere."""
        for member in list(self.members.values()):
            if (one := _part(fault, member.node_names())) is not None:
                await member.do(one)

    async def kill(self, number: int, path: str) -> None:
        if number in self.members:
            await self.members[number].do(faults.Kill(path))

    async def ambush(self, number: int, path: str, user: str) -> None:
        await self.members[number].do(faults.Ambush(path, user))

    def whole(self) -> bool:
        """Whether no member is away, so that one may be."""
        return len(self.members) == len(self._numbers) and not self._severed

    async def lose(self, number: int) -> None:
        """The machine of a member is gone, with its nodes; its disk is kept."""
        self._sever(number)
        self._network.reset(system_name(number))
        member = self.members.pop(number)
        for runtime in member.node_factory.simulated.values():
            runtime.power_off()
        self._ended += member.counts
        self._ended["member lost"] += 1
        await member.__aexit__(None, None, None)
        self._mend()

    def sever(self, number: int) -> None:
        """A member and the others do not reach each other."""
        self._sever(number)
        self._ended["member severed"] += 1

    def heal(self) -> None:
        """All members reach each other, and those that are gone come back."""
        self._mend()
        rising = {task.get_name() for task in self._rising}
        for number in self._numbers:
            if number not in self.members and str(number) not in rising:
                task = asyncio.ensure_future(self._rise(number))
                task.set_name(str(number))
                self._rising.add(task)
                task.add_done_callback(self._rising.discard)

    async def risen(self) -> None:
        """Wait for all that come back."""
        await asyncio.gather(*self._rising)

    def _sever(self, number: int) -> None:
        self._severed = number
        others = [system_name(other) for other in self._numbers if other != number]
        self._network.partition([system_name(number)], others)

    def _mend(self) -> None:
        self._severed = 0
        self._network.heal()

    async def _rise(self, number: int) -> None:
        life = self._lives[number]
        self._lives[number] += 1
        seed = (self._story.seed * SEEDS + number) * SEEDS + life
        nodes = dealt(self._story.nodes, len(self._numbers), number)
        member = Cluster(nodes, cpu=NODE_CPU, tap=self._tap, seat=self._seat(number), seed=seed if number else None)
        await member.__aenter__()
        start = self._story.start_seconds
        member.behave(
            Rule(Behaviour(run_seconds=2.0, start_seconds=start), label="batch.kubernetes.io/job-name"),
            Rule(Behaviour(start_seconds=start, jitter_seconds=start)),
        )
        self.members[number] = member

    def _seat(self, number: int) -> Seat:
        if not number:
            return Seat(disk=self._disks[0])
        members = {each: f"tcp://{system_name(each)}:1" for each in self._numbers}
        way = Way(self._network.host(system_name(number)), SECRET, TICK_SECONDS)
        return Seat(number, members, way, self._disks[number])

    async def _end(self, number: int) -> None:
        await self.members[number].__aexit__(None, None, None)


def _part(fault: Fault, here: list[str]) -> Fault | None:
    """What of ``fault`` is for a member with these nodes."""
    match fault:
        case faults.PowerOff(node=name) | faults.PowerOn(node=name) | faults.ClockSkew(node=name):
            return fault if name in here else None
        case faults.Partition(nodes=names):
            mine = tuple(name for name in names if name in here)
            return faults.Partition(mine) if mine else None
    return fault
