"""The composition with links, a disk, machines and a registry that can be made to fail."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, assert_never

import msgspec

from actors import Actor, ActorError, Ask, ChildSpec, Clock, Ref, Refused
from actors.system import Tap
from orchestrator.client.client import Client
from orchestrator.client.protocol import Identity
from orchestrator.cluster import Cluster as Composition
from orchestrator.config import ClusterConfig
from orchestrator.embedding.disk import SimulatedDisk
from orchestrator.embedding.errors import NoSuchNode
from orchestrator.embedding.faults import (
    Ambush,
    ClockSkew,
    Compact,
    CutWatches,
    Delay,
    Drop,
    FailPull,
    Falter,
    Fault,
    FaultActor,
    Heal,
    Kill,
    Lag,
    Late,
    Lost,
    Partition,
    PowerOff,
    PowerOn,
    SlowDisk,
    describe,
)
from orchestrator.embedding.lagging import Lagging
from orchestrator.embedding.links import Links, LinkTransport
from orchestrator.identities import node
from orchestrator.kubelet.runtime.behaviour import Behaviour, Behaviours, Rule
from orchestrator.kubelet.runtime.runtime import Machine
from orchestrator.membership import Way
from orchestrator.pki import Pki
from orchestrator.store import protocol

FAULTS = "faults"
"""The path of the actor that carries faults out; it is not killed."""

MAX_SUFFERED = 100
"""Lines that a failure's report shows; a long run of faults keeps its end."""
FAULT_SECONDS = 600.0
"""Of the cluster's time, for one fault to be carried out: it has no reason to wait."""


class PoweredOff(Actor):
    """Stands where the kubelet of a machine without power was: it does nothing, and whoever asks is refused."""

    async def receive(self, message: Any) -> None:
        if isinstance(message, Ask):
            raise Refused("no-power", f"{self.context.path} has no power")


class FaultyCluster(Composition):
    """Everything of the composition root, and ``do(fault)``."""

    def __init__(
        self,
        config: ClusterConfig,
        *,
        clock: Clock | None = None,
        seed: int | None = None,
        tap: Tap | None = None,
        pki: Pki | None = None,
        machine: Machine | None = None,
        way: Way | None = None,
        disk: SimulatedDisk | None = None,
    ) -> None:
        super().__init__(config, clock=clock, seed=seed, tap=tap, pki=pki, way=way)
        self.off: set[str] = set()
        """Nodes without power."""
        self.suffered: deque[str] = deque(maxlen=MAX_SUFFERED)
        """The newest faults, a line each: when, what."""
        self._began = 0.0
        self.counts: Counter[str] = Counter()
        """How often each fault was carried out, and how often each thing that follows from one befell somebody."""
        self._machine = machine
        self._faltering: Counter[str] = Counter()
        """How many starts of an actor are yet to fail."""
        self._rules: tuple[Rule, ...] = ()
        self._failing: dict[str, Rule] = {}
        self._disk = disk or (SimulatedDisk() if config.data_dir is None else None)
        if self._disk is not None:
            self.memory = self._disk

    async def _start(self) -> None:
        system = self.system
        self._began = system.clock.monotonic()
        self.links = Links(
            system.clock,
            system.random_for("links"),
            self._lost,
            spawn=system.create_task,
            kill=system.kill,
            counts=self.counts,
        )
        if self._disk is not None:
            self._disk.attach(system.clock, system.random_for("disk"), self.counts)
        if self._machine is not None:
            self.node_factory.world.machine = self._machine
        self._faults = await system.spawn(FaultActor, self._perform, name=FAULTS)
        await super()._start()

    async def _stop(self) -> None:
        await super()._stop()
        await self.node_factory.world.end_plays()

    def client_for(self, identity: Identity) -> Client:
        """A component's client, over its link."""
        return Client(LinkTransport(self.mailboxes.transport(identity), self.links, identity.user))

    async def _spawn_informer(self, make: Callable[[], Actor], name: str) -> Ref[Any]:
        kind = name.removeprefix("informer-")
        return await super()._spawn_informer(
            lambda: Lagging(make(), lambda: self.links.lag(kind), lambda: self._falters(f"informers/{name}")), name
        )

    def _kubelet(self, name: str) -> ChildSpec:
        spec = super()._kubelet(name)
        make: Any = spec.factory

        def powered(*args: Any) -> Actor:
            if name in self.off:
                return PoweredOff()
            return Lagging(make(*args), lambda: self.links.lag(f"{name}/pods"), lambda: self._falters(f"nodes/{name}"))

        return msgspec.structs.replace(spec, factory=powered)

    def _falters(self, path: str) -> bool:
        """Whether the actor at ``path`` may not start this time."""
        if self._faltering[path] <= 0:
            return False
        self._faltering[path] -= 1
        self.counts["start failed"] += 1
        return True

    def _lost(self, lost: Lost) -> None:
        self._faults.tell_nowait(lost)

    def node_names(self) -> list[str]:
        return self._node_names()

    def behave(self, *rules: Rule) -> None:
        """How containers behave from now on: the first rule that matches."""
        self._rules = rules
        self._set_behaviours()

    def _set_behaviours(self) -> None:
        self.node_factory.world.behaviours = Behaviours((*self._failing.values(), *self._rules))

    async def do(self, fault: Fault) -> bool:
        """Have ``fault`` carried out; it has happened when this returns. Raises ``NoSuchNode``.

        False: nothing was there to kill."""
        known = self._node_names()
        for name in _nodes_of(fault):
            if name not in known:
                raise NoSuchNode(name, known)
        message: Ask[bool] = fault
        done = await self._faults.ask(message, timeout=FAULT_SECONDS)
        self.counts[type(fault).__name__] += done
        return done

    def age(self) -> float:
        """Seconds of its time since it was started."""
        return self.system.clock.monotonic() - self._began

    def _perform(self, fault: Fault) -> bool | Awaitable[bool]:
        self.suffered.append(f"{self.age():8.3f} s  {describe(fault)}")
        match fault:
            case Kill(path=path):
                return self.system.kill(path)
            case Falter(path=path, times=times):
                self._faltering[path] = times
                return self.system.kill(path)
            case PowerOff(node=name):
                self.off.add(name)
                self.node_factory.simulated[name].power_off()
                self.system.kill(f"nodes/{name}")
            case PowerOn(node=name):
                self.off.discard(name)
                self.system.kill(f"nodes/{name}")
            case Partition(nodes=names):
                for name in names:
                    self.links.cut(node(name).user)
            case Drop(share=share, who=who):
                self.links.drops[who] = share
            case Delay(seconds=seconds, who=who):
                self.links.delays[who] = seconds
            case Late(share=share, seconds=seconds, who=who):
                self.links.lates[who] = (share, seconds)
            case Lag(seconds=seconds, kind=kind):
                self.links.lags[kind] = seconds
            case CutWatches(resource=resource, silent=silent, who=who):
                return self.links.cut_watches(who, resource, silent=silent)
            case Compact():
                return self._compact()
            case Ambush(path=path, user=user):
                self.links.ambushes[user] = path
            case SlowDisk(seconds=seconds):
                self._set_disk(seconds)
            case FailPull(image=image, message=message):
                self._fail_pull(image, message)
            case ClockSkew(node=name, seconds=seconds):
                self.node_factory.skew(name, seconds)
            case Heal():
                self._heal()
            case _:
                assert_never(fault)
        return True

    async def _compact(self) -> bool:
        try:
            now = await self.store.ask(protocol.Get([]))
            await self.store.ask(protocol.Compact(now.revision))
        except ActorError:
            return False
        return True

    def _set_disk(self, seconds: float) -> None:
        if self._disk is not None:
            self._disk.slow_seconds = seconds

    def _fail_pull(self, image: str, message: str) -> None:
        if image:
            self._failing[image] = Rule(Behaviour(pull_error=message), image=image)
        else:
            self._failing.clear()
        self._set_behaviours()

    def _heal(self) -> None:
        self.links.heal()
        self._faltering.clear()
        self._set_disk(0.0)
        self._fail_pull("", "")
        for name in self._node_names():
            self.node_factory.skew(name, 0.0)


def _nodes_of(fault: Fault) -> Sequence[str]:
    match fault:
        case PowerOff(node=name) | PowerOn(node=name) | ClockSkew(node=name):
            return [name]
        case Partition(nodes=names):
            return names
    return ()
