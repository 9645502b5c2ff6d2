"""How the composition root makes one control plane of several: the store's group over the actors' remoting.

Member N of the store is the node ``podium-N``. Every member runs a whole control plane over its own copy of the store;
of the scheduler and of the controllers one of all works, elected by Lease. Its nodes are called ``node-N-1``,
``node-N-2`` and so on, so that whoever is asked about a node knows which member to ask.
"""

from __future__ import annotations

import re
from pathlib import Path
from sys import intern
from typing import Any, NamedTuple

from actors import Actor, AskTimeout, Backoff, Down, Ref, Refused, System, Tell, Unpackable
from actors.remoting.errors import FrameTooLarge
from actors.remoting.network import Network
from actors.remoting.security import Security, Tls
from orchestrator.config import ClusterConfig
from orchestrator.raft.settings import Settings
from orchestrator.store.group import ELECTION_TICKS, HEARTBEAT_TICKS, TICK_SECONDS, FromMember, Group, MemberLost
from orchestrator.store.protocol import Get

STORE = "server/store"
QUORUM_SECONDS = 300.0
"""How long a member waits for the others at its start."""
ASK_SECONDS = 5.0
DIAL = Backoff(initial=0.05, maximum=0.5, factor=2.0, jitter=0.5)
"""A member that is back is found soon: until then the group does not bear the loss of another."""
LOOK_SECONDS = 0.2
"""After the loss of a member it is looked for again as often."""
NODE = re.compile(r"node-(\d+)-\d+")


class Way(NamedTuple):
    """How members reach each other where it is not over sockets with the certificates of their disks."""

    network: Network
    security: Security
    tick_seconds: float


def system_name(member: int) -> str:
    """The name of a member's system among the others; 0: it is alone."""
    return f"podium-{member}" if member else "podium"


def store_name(config: ClusterConfig) -> str:
    """What the store of this process calls itself."""
    return f"member-{config.member}" if config.member else "local"


def node_names(config: ClusterConfig) -> list[str]:
    """The nodes that this process runs."""
    place = f"node-{config.member}" if config.member else "node"
    return [intern(f"{place}-{number + 1}") for number in range(config.nodes)]


def node_ref(system: System, config: ClusterConfig, name: str) -> Ref[Any]:
    """The kubelet of the node ``name``, wherever it runs."""
    found = NODE.fullmatch(name) if config.member else None
    return system.ref(f"nodes/{name}", node=system_name(int(found[1])) if found else None)


class _Look(Tell):
    member: int


class Quorum(Actor):
    """Is started once the store answers: who reads it may be started then."""

    def __init__(self, store: Ref[Any]) -> None:
        self._store = store

    async def start(self) -> None:
        """Raises ``Refused`` when no majority of the members came up in time."""
        deadline = self.context.clock.monotonic() + QUORUM_SECONDS
        while True:
            try:
                await self._store.ask(Get([]), ASK_SECONDS)
                return
            except (Refused, AskTimeout, Down):
                if self.context.clock.monotonic() > deadline:
                    raise
                await self.context.clock.sleep(0.2)

    async def receive(self, message: Any) -> None:
        """It has done its work."""


class Lookout(Actor):
    """Tells the store of a member whose process has died, or whose store has: faster than its silence would."""

    def __init__(self, store: Ref[Any], config: ClusterConfig) -> None:
        self._store = store
        self._others = [member for member in config.members if member != config.member]
        self._members: dict[bytes, int] = {}

    async def start(self) -> None:
        for member in self._others:
            self._look(member)

    async def receive(self, message: Any) -> None:
        match message:
            case Down(ref=ref):
                member = self._members[ref.address]
                self._store.tell_nowait(MemberLost(member))
                self.context.send_after(LOOK_SECONDS, _Look(member))
            case _Look(member=member):
                self._look(member)

    def _look(self, member: int) -> None:
        """Without a connection the answer is there at once."""
        ref = self.context.system.ref(STORE, node=system_name(member))
        self._members[ref.address] = member
        self.context.watch(ref)


class Links:
    """The store's way to the other members. What cannot be sent is lost: the core sends again what it needs to."""

    def __init__(self, system: System) -> None:
        self._system = system
        self._stores: dict[int, Ref[Any]] = {}

    def send(self, to: int, frame: bytes) -> None:
        store = self._stores.get(to)
        if store is None:
            store = self._stores[to] = self._system.ref(STORE, node=system_name(to))
        try:
            # Before what clients ask: a leader that is busy must not look as if it were gone.
            store.tell_nowait(FromMember(frame), urgent=True)
        except (FrameTooLarge, Unpackable):
            return


def group(system: System, config: ClusterConfig, way: Way | None = None) -> Group | None:
    """None for a cluster of one member."""
    if not config.member:
        return None
    jitter = system.random_for(f"jitter of member {config.member}").randrange
    founders = () if config.joins else tuple(sorted(config.members))
    settings = Settings(config.member, founders, jitter, ELECTION_TICKS, HEARTBEAT_TICKS)
    return Group(settings, Links(system), way.tick_seconds if way else TICK_SECONDS)


async def connect(system: System, config: ClusterConfig, way: Way | None = None) -> None:
    """Be reached, and keep a connection to every member; those that are not there yet are dialled until they are."""
    if not config.member:
        return
    if way is None:
        assert config.data_dir is not None, "a member keeps its log on a disk"
        security: Security = tls(config.data_dir / "pki", config.member)
    else:
        security = way.security
    await system.listen(config.members[config.member], security)
    for member, address in sorted(config.members.items()):
        if member < config.member:
            await system.connect(address, security, timeout=None, backoff=DIAL)


def tls(folder: Path, member: int) -> Tls:
    """Where ``pki.prepare_member`` has put them."""
    name = system_name(member)
    return Tls(folder / f"{name}.crt", folder / f"{name}.key", folder / "ca.crt")
