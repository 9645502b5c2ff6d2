"""What an embedder holds: a whole cluster with the verbs of kubectl, the hands of an operator, and its time.

async with Cluster(nodes=3, clock="virtual") as cluster:
    await cluster.apply("web.yaml")
    await cluster.wait("deployment/web", "Available")
"""

from __future__ import annotations

import asyncio
import builtins
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AbstractContextManager, aclosing, nullcontext
from pathlib import Path
from typing import Any

from actors import Clock
from actors.system import Tap
from actors.testing.loop import DeterministicLoop
from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.errors import StatusError
from orchestrator.apimachinery.quantity import Quantity
from orchestrator.client.client import Client
from orchestrator.client.errors import TransportError
from orchestrator.client.kinds import CUSTOMRESOURCEDEFINITIONS, LEASES, NODES, SERVICEACCOUNTS, Kind
from orchestrator.client.mailbox import MailboxTransport
from orchestrator.collecting import LEISURE
from orchestrator.config import ClusterConfig, ConfigError
from orchestrator.embedding import door, faults, reference, watching
from orchestrator.embedding.blocking import BlockingCluster
from orchestrator.embedding.clock import VirtualClock
from orchestrator.embedding.errors import NotDeterministic, NotServed, TimeIsReal
from orchestrator.embedding.faults import Fault
from orchestrator.embedding.faulty import FAULTS, FaultyCluster
from orchestrator.embedding.fields import Fields, fields
from orchestrator.embedding.goal import Goal, condition, describe, met
from orchestrator.embedding.inquiry import inquire
from orchestrator.embedding.manifests import Manifest, ManifestError, objects
from orchestrator.embedding.members import Seat
from orchestrator.embedding.passing import PassingTransport
from orchestrator.embedding.plan import KillOne, Plan
from orchestrator.embedding.reference import UnknownKind
from orchestrator.embedding.unmet import Evidence, Unmet
from orchestrator.embedding.watching import Seen
from orchestrator.identities import MASTERS
from orchestrator.kubelet.runtime.runtime import Machine
from orchestrator.kubelet.runtime.simulated import DEFAULT_MACHINE
from orchestrator.store.protocol import Range

POLL_SECONDS = 0.05
"""Between two looks at what is waited for, on the cluster's clock."""
FIRST_POLL_SECONDS = 0.005
"""In real time, where most of what is waited for is there in milliseconds."""
LATE = 0.125
"""How much longer than it takes such a wait may take: the looks become rarer by that, down to ``POLL_SECONDS``."""
START_POLL_SECONDS = 0.001
START_SECONDS = 30.0
"""For the nodes to register and the default account to be made."""
QUIET_SECONDS = 1.0
"""Without a write of anything but a heartbeat for so long the cluster has settled."""
RESTART_SECONDS = 10.0
"""How long a verb asks again while the server does not answer."""
INSTANT_SECONDS = 1e-6
"""After an advance the work of its last moment is done: the next moment has come."""
OUT_OF_SERVICE = {"key": "node.kubernetes.io/out-of-service", "value": "nodeshutdown", "effect": "NoExecute"}
"""What tells Kubernetes that the machine of a node is off for good."""
MANAGER = "podium-embedder"
Selection = str | None


class Cluster(FaultyCluster):
    """A cluster of ``nodes`` simulated machines of ``cpu`` and ``memory`` (quantities).

    State is in memory, or in ``data_dir`` for the next start to find. ``serve`` opens an HTTPS door on the loopback.
    ``clock`` is "real", "virtual" (time jumps while a method that waits is under way; with ``serve`` only in
    ``advance``, ``wait`` and ``settle``), or a ``Clock``; on a deterministic loop time is the loop's. ``seed`` is for
    deterministic loops alone: elsewhere it raises ``NotDeterministic``. ``namespace`` is where names are looked for
    that say none. ``seat`` makes it one of the control planes of ``Members``.
    """

    def __init__(
        self,
        nodes: int = 1,
        *,
        runtime: str = "simulated",
        data_dir: str | Path | None = None,
        serve: bool = False,
        clock: str | Clock = "real",
        seed: int | None = None,
        cpu: str = "",
        memory: str = "",
        namespace: str = "default",
        tap: Tap | None = None,
        seat: Seat | None = None,
    ) -> None:
        seat = seat or Seat()
        config = ClusterConfig(
            data_dir=Path(data_dir) if data_dir is not None else None,
            listen=(door.HOST, door.free_port()) if serve else None,
            nodes=nodes,
            runtime=runtime,
            member=seat.member,
            members=dict(seat.members),
        )
        loop = _running()
        self._injected = _chosen(clock, loop, config)
        super().__init__(
            config,
            clock=self._injected,
            seed=_seed(seed, loop),
            tap=tap,
            pki=door.keys(config) if serve else None,
            machine=_machine(cpu, memory),
            way=seat.way,
            disk=seat.disk,
        )
        self.namespace = namespace
        self.folder: Path | None = None
        """Where relative paths of manifests are looked for first."""
        self.replay = ""
        """The command that runs this again; failures end with it."""

    @classmethod
    def start(cls, nodes: int = 1, **options: Any) -> BlockingCluster:
        """For code without a loop: the same cluster in a thread of its own, started."""
        return BlockingCluster(lambda: cls(nodes, **options), serve=options.get("serve", False))

    async def __aenter__(self) -> Cluster:
        with self._passing():
            await super().__aenter__()
        return self

    async def _stop(self) -> None:
        try:
            with self._passing():
                await super()._stop()
        finally:
            if isinstance(self._injected, VirtualClock):
                LEISURE.end()

    async def _start(self) -> None:
        if isinstance(self._injected, VirtualClock):
            LEISURE.begin()
        await super()._start()
        own = MailboxTransport(self.api, MASTERS)
        self.client = Client(PassingTransport(own, self._asking))
        await self._until_usable()

    async def _until_usable(self) -> None:
        """Every node is registered and a pod may be made in the default namespace."""
        clock = self.system.clock
        end = clock.monotonic() + START_SECONDS
        while not await self._usable() and clock.monotonic() < end:
            await clock.sleep(START_POLL_SECONDS)

    async def _usable(self) -> bool:
        if not (await self.client.list(SERVICEACCOUNTS, "default")).items:
            return False
        nodes = (await self.client.list(NODES)).objects()
        ready = [held for held in nodes if (condition(held, "Ready") or {}).get("status") == "True"]
        return len(ready) >= self.config.nodes

    def _passing(self) -> AbstractContextManager[None]:
        """Virtual time passes within; real time passes anyway."""
        clock = self._injected
        return clock.passing() if isinstance(clock, VirtualClock) else nullcontext()

    def _asking(self) -> AbstractContextManager[None]:
        """The same for what does not ask for time: a served cluster's stands still for it."""
        return nullcontext() if self.config.listen is not None else self._passing()

    # What kubectl does

    async def apply(self, manifest: Manifest, *, namespace: str = "") -> builtins.list[Fields]:
        """Server-side apply of every object in YAML text, a file or folder of it, or objects as they are.

        Raises ``StatusError`` for what the server refuses, ``ManifestError`` for what cannot be read.
        """
        found = list(objects(manifest, self.folder))
        if not found:
            raise ManifestError(str(manifest), "there is no object in it")
        return [await self._apply_one(obj, namespace or self.namespace) for obj in found]

    async def _apply_one(self, obj: Object, namespace: str) -> Fields:
        kind = reference.kind_of_object(obj) or await self._custom(obj["kind"].lower(), obj["apiVersion"])
        if kind.namespaced:
            obj = {**obj, "metadata": {"namespace": namespace, **obj["metadata"]}}
        clock = self.system.clock
        end = clock.monotonic() + RESTART_SECONDS
        with self._asking():
            while True:  # applying twice is applying once
                try:
                    return _as_fields(await self.client.apply(kind, obj, manager=MANAGER))
                except TransportError:
                    if clock.monotonic() >= end:
                        raise
                    await clock.sleep(POLL_SECONDS)

    async def get(self, what: str, name: str = "", *, namespace: str = "") -> Fields:
        """``get("deployment/web")`` or ``get("deployment", "web")``. Raises ``StatusError`` (404: it is not there)."""
        kind, name = await self._one(what, name)
        return _as_fields(await self.client.get(kind, name, namespace or self.namespace))

    async def find(self, what: str, name: str = "", *, namespace: str = "") -> Fields | None:
        """As ``get``; None when it is not there."""
        try:
            return await self.get(what, name, namespace=namespace)
        except StatusError as refusal:
            if refusal.code == 404:
                return None
            raise

    async def list(
        self, what: str, *, namespace: Selection = "", selector: str = "", fields: str = "", **labels: str
    ) -> builtins.list[Fields]:
        """The objects of a kind; ``labels`` by name (``app="web"``), or any ``selector``. Namespace None: all."""
        kind = await self.kind(what)
        place = (namespace or self.namespace) if namespace is not None else None
        chosen = _selector(selector, labels)
        found = await self.client.list(kind, place if kind.namespaced else None, labels=chosen, fields=fields)
        return [_as_fields(obj) for obj in found.objects()]

    async def delete(
        self, what: str, name: str = "", *, namespace: str = "", propagation: str = "", grace_seconds: int | None = None
    ) -> None:
        """Have it deleted; ``wait(what, "deleted")`` waits for the end. Raises ``StatusError``."""
        kind, name = await self._one(what, name)
        options: dict[str, Any] = {"propagation": propagation} if propagation else {}
        if grace_seconds is not None:
            options["grace_seconds"] = grace_seconds
        await self.client.delete(kind, name, namespace or self.namespace, **options)

    async def watch(
        self, what: str, *, namespace: Selection = "", selector: str = "", revision: int = 0, **labels: str
    ) -> AsyncGenerator[Seen, None]:
        """Every change from now on, or after ``revision``, in order."""
        kind = await self.kind(what)
        place = (namespace or self.namespace) if namespace is not None and kind.namespaced else ""
        chosen = _selector(selector, labels)
        changes = watching.watch(
            self.system, self.client, kind, namespace=place, labels=chosen, revision=revision, clock=self.system.clock
        )
        with self._asking():
            async with aclosing(changes):
                async for seen in changes:
                    yield seen

    async def wait(
        self, what: str, goal: Goal = "Ready", *, namespace: str = "", timeout: float = 60.0
    ) -> Fields | None:
        """The object as soon as it meets ``goal``, within ``timeout`` seconds of the cluster's time; None when deleted.

        ``goal``: a condition ("Available", "Ready=False"), "phase=Running", "exists", "deleted", or a function of the
        object. Raises ``Unmet``, which says what was missing.
        """
        kind, name = await self._one(what, "")
        clock, holds = self.system.clock, met(goal)
        began = clock.monotonic()
        end = began + timeout
        first = POLL_SECONDS if self.virtual else FIRST_POLL_SECONDS
        with self._passing():
            while True:
                found = await self._look(kind, name, namespace or self.namespace)
                if holds(found):
                    return found
                now = clock.monotonic()
                if now >= end:
                    break
                await clock.sleep(min(max(first, LATE * (now - began)), POLL_SECONDS))
            evidence = await inquire(self.client, self.store, kind, found)
        raise Unmet(reference.title(kind, name), describe(goal), timeout, evidence, self.replay)

    async def _look(self, kind: Kind, name: str, namespace: str) -> Fields | None:
        try:
            return _as_fields(await self.client.get(kind, name, namespace))
        except TransportError:
            return None
        except StatusError as refusal:
            if refusal.code == 404 or refusal.code >= 500:
                return None
            raise

    def kubeconfig(self) -> str:
        """The kubeconfig of an administrator, as text. Raises ``NotServed``."""
        if self.pki is None:
            raise NotServed
        return self.pki.kubeconfig

    async def kind(self, word: str) -> Kind:
        """The kind that ``word`` names, built in or defined in this cluster. Raises ``UnknownKind``."""
        return reference.built_in(word) or await self._custom(word.lower())

    async def _custom(self, word: str, api_version: str = "") -> Kind:
        definitions = (await self.client.list(CUSTOMRESOURCEDEFINITIONS)).objects()
        group = api_version.partition("/")[0]
        found = reference.custom(definitions).get(f"{word}.{group}" if group else word)
        if found is None:
            raise UnknownKind(f"{word} of {api_version}" if api_version else word)
        return found

    async def _one(self, what: str, name: str) -> tuple[Kind, str]:
        word, _, rest = what.partition("/")
        if not (name or rest):
            raise ValueError(f"expected a kind and a name such as deployment/web, found {what!r}")
        return await self.kind(word), name or rest

    # Its time

    @property
    def virtual(self) -> bool:
        """Whether its time jumps."""
        return isinstance(self._injected, VirtualClock) or isinstance(_running(), DeterministicLoop)

    async def advance(
        self, seconds: float = 0.0, *, minutes: float = 0.0, hours: float = 0.0, days: float = 0.0
    ) -> None:
        """Let so much time pass, and all that falls due in it happen. Raises ``TimeIsReal``."""
        if not self.virtual:
            raise TimeIsReal("advance()")
        total = seconds + 60.0 * minutes + 3600.0 * hours + 86_400.0 * days
        with self._passing():
            await self.system.clock.sleep(total)
            await self.system.clock.sleep(INSTANT_SECONDS)

    async def pause(self, seconds: float) -> None:
        """Wait so long, in whatever time the cluster lives."""
        with self._passing():
            await self.system.clock.sleep(seconds)

    async def settle(self, *, quiet: float = QUIET_SECONDS, timeout: float = 600.0) -> None:
        """Until nobody wrote anything but heartbeats for ``quiet`` seconds. Raises ``Unmet``."""
        clock = self.system.clock
        end = clock.monotonic() + timeout
        before: dict[str, int] = {}
        with self._passing():
            while (now := await self.written()) != before:
                if clock.monotonic() >= end:
                    raise Unmet("the cluster", "to settle", timeout, Evidence(None), self.replay)
                before = now
                await clock.sleep(quiet)

    async def written(self) -> dict[str, int]:
        """The revision of everything that is stored, but for heartbeats."""
        reply = await self.store.ask(Range(""))
        return {value.key: value.mod_revision for value in reply.values if not value.key.startswith(LEASES.prefix)}

    # What befalls it

    async def do(self, fault: Fault) -> bool:
        with self._passing():
            return await super().do(fault)

    async def kill(self, what: str) -> bool:
        """End the actor at a path as a crash would, or take a machine away for good. False: nothing ran there.

        A node that was killed is marked out-of-service, as an operator marks a machine that will not come back: its
        pods are let go. ``power_off`` cuts the power and tells nobody.
        """
        if what in self.system.cells:
            return await self.do(faults.Kill(what))
        await self.do(faults.PowerOff(what))
        await self._set_taints(what, lambda taints: [*taints, OUT_OF_SERVICE])
        return True

    async def power_off(self, node: str) -> None:
        """Cut a machine's power: its kubelet and its containers are gone, its Node and its Pods stay as they are."""
        await self.do(faults.PowerOff(node))

    async def revive(self, node: str) -> None:
        """Give a machine its power back, and its Node back to the scheduler."""
        await self.do(faults.PowerOn(node))
        await self._set_taints(node, lambda taints: [one for one in taints if one["key"] != OUT_OF_SERVICE["key"]])

    async def _set_taints(self, name: str, change: Callable[[Sequence[Object]], Sequence[Object]]) -> None:
        node = await self.client.get(NODES, name)
        before = node.get("spec", {}).get("taints") or []
        after = change(before)
        if list(after) != list(before):
            await self.client.update(NODES, {**node, "spec": {**node.get("spec", {}), "taints": list(after)}})

    async def partition(self, nodes: str | Sequence[str]) -> None:
        """Cut nodes off the API server until ``heal()``; what runs there goes on."""
        await self.do(faults.Partition((nodes,) if isinstance(nodes, str) else tuple(nodes)))

    async def drop(self, share: float, who: str = "*") -> None:
        """Lose this share of requests, or their answers, of users that match ``who`` (``system:node:*``)."""
        await self.do(faults.Drop(share, who))

    async def delay(self, seconds: float, who: str = "*") -> None:
        """Have requests of users that match ``who`` take up to ``seconds`` longer."""
        await self.do(faults.Delay(seconds, who))

    async def slow_disk(self, seconds: float) -> None:
        """Have each append to the log take up to ``seconds``."""
        await self.do(faults.SlowDisk(seconds))

    async def fail_pull(self, image: str, message: str = "manifest unknown") -> None:
        """Have pulls of images that fit the shell pattern fail."""
        await self.do(faults.FailPull(image, message))

    async def clock_skew(self, node: str, seconds: float) -> None:
        """Set a node's clock ahead (or behind) by ``seconds``."""
        await self.do(faults.ClockSkew(node, seconds))

    async def suffer(self, plan: Plan) -> builtins.list[str]:
        """Have each fault of ``plan`` happen at its moment; in the end all is well again and machines have power.

        Lines that say what happened when. Raises ``ValueError`` for a kind of fault that there is not.
        """
        clock = self.system.clock
        began, told = clock.monotonic(), []

        async def strike(fault: Fault) -> None:
            told.append(f"{clock.monotonic() - began:7.3f} s  {faults.describe(fault)}")
            await self.do(fault)

        with self._passing():
            for step in plan.steps(self.node_names()):
                await clock.sleep(max(began + step.at - clock.monotonic(), 0.0))
                await strike(
                    faults.Kill(self._victim(step.fault.share)) if isinstance(step.fault, KillOne) else step.fault
                )
            for node in sorted(self.off):
                await strike(faults.PowerOn(node))
            await strike(faults.Heal())
        return told

    def _victim(self, share: float) -> str:
        """The actor at this share of all that run; the one that carries faults out is spared."""
        paths = [path for path in self.system.cells if path and path != FAULTS]
        return paths[int(share * len(paths))]

    async def heal(self) -> None:
        """Undo every fault but lost power."""
        await self.do(faults.Heal())


def _as_fields(obj: Object) -> Fields:
    held = fields(obj)
    assert isinstance(held, Fields), "an object is a mapping"
    return held


def _selector(selector: str, labels: dict[str, str]) -> str:
    return ",".join([*([selector] if selector else []), *(f"{name}={value}" for name, value in labels.items())])


def _running() -> Any:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def _seed(seed: int | None, loop: Any) -> int | None:
    if isinstance(loop, DeterministicLoop):
        return loop.seed if seed is None else seed
    if seed is not None:
        raise NotDeterministic(seed, type(loop).__name__ if loop is not None else "no loop")
    return None


def _chosen(clock: str | Clock, loop: Any, config: ClusterConfig) -> Clock | None:
    """The clock to inject; None is the loop's own, which on a deterministic loop is virtual anyway."""
    if not isinstance(clock, str):
        return clock
    if clock not in ("real", "virtual"):
        raise ConfigError("clock", f'expected "real", "virtual" or a Clock, found {clock!r}')
    if clock == "real" or isinstance(loop, DeterministicLoop):
        return None
    if config.data_dir is not None or config.runtime != "simulated":
        raise ConfigError("clock", "virtual time needs the simulated disk and runtime: no data_dir, no real containers")
    return VirtualClock()


def _machine(cpu: str, memory: str) -> Machine | None:
    if not cpu and not memory:
        return None
    standard = DEFAULT_MACHINE
    return Machine(
        cpu_millis=Quantity.parse(cpu).milli() if cpu else standard.cpu_millis,
        memory_bytes=Quantity.parse(memory).value() if memory else standard.memory_bytes,
        storage_bytes=standard.storage_bytes,
        runtime_version=standard.runtime_version,
    )
