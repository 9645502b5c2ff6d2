"""A whole cluster on simulated nodes, with what a test does to it: apply, wait, settle, kill, take a node away."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from actors import Clock, Node
from actors.system import Tap
from orchestrator.api import yamltext
from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.errors import StatusError
from orchestrator.client.errors import TransportError
from orchestrator.client.kinds import LEASES, Kind, kind_for
from orchestrator.cluster import Cluster
from orchestrator.config import ClusterConfig
from orchestrator.kubelet.runtime.behaviour import Behaviours, Rule
from orchestrator.store.protocol import Range
from orchestrator.testing.record import Recording

POLL_SECONDS = 0.05
"""Between two looks at the object that is waited for, on the cluster's clock."""
RESTART_SECONDS = 10.0
"""How long ``apply`` asks again while the server does not answer."""
QUIET_SECONDS = 1.0
"""Without a write of anything but a heartbeat for so long the cluster has settled."""

Condition = Callable[[Object | None], bool]


class Unmet(AssertionError):
    """A condition did not come true in time. ``last`` is the object as it was seen last."""

    def __init__(self, what: str, seconds: float, last: Object | None) -> None:
        super().__init__(f"{what}: expected the condition within {seconds:g} s, found {last}")
        self.last = last


class SimulatedCluster(Cluster):
    """``async with SimulatedCluster(nodes=3, seed=1) as cluster``; on a deterministic loop its time is virtual."""

    def __init__(
        self,
        nodes: int = 3,
        *,
        seed: int | None = None,
        clock: Clock | None = None,
        tap: Tap | None = None,
        recording: Recording | None = None,
    ) -> None:
        config = ClusterConfig(nodes=nodes, runtime="simulated")
        super().__init__(config, clock=clock, seed=seed, tap=recording.note if recording is not None else tap)
        if recording is not None:
            recording.now = lambda: self.system.clock.monotonic()

    async def __aenter__(self) -> SimulatedCluster:
        await super().__aenter__()
        return self

    # What a user does

    async def apply(self, text: str, *, namespace: str = "default") -> list[Object]:
        """Server-side apply of each YAML document, in order. Raises ``StatusError``."""
        return [await self.apply_object(document, namespace=namespace) for document in yamltext.documents(text)]

    async def apply_object(self, obj: Object, *, namespace: str = "default") -> Object:
        kind = kind_for(obj["apiVersion"], obj["kind"])
        if kind is None:
            raise LookupError(f"expected a built-in kind, found {obj['apiVersion']} {obj['kind']}")
        if kind.namespaced:
            obj = {**obj, "metadata": {"namespace": namespace, **obj["metadata"]}}
        clock = self.system.clock
        end = clock.monotonic() + RESTART_SECONDS
        while True:  # applying twice is applying once
            try:
                return await self.client.apply(kind, obj, manager="test")
            except TransportError:
                if clock.monotonic() >= end:
                    raise
                await clock.sleep(POLL_SECONDS)

    async def get(self, kind: Kind, name: str, namespace: str = "default") -> Object | None:
        """The object, or None when it is not there. Raises ``TransportError`` when the server does not answer."""
        try:
            return await self.client.get(kind, name, namespace if kind.namespaced else "")
        except StatusError as refusal:
            if refusal.code == 404:
                return None
            raise

    async def objects(self, kind: Kind, namespace: str | None = None, *, labels: str = "") -> list[Object]:
        return (await self.client.list(kind, namespace, labels=labels)).objects()

    async def wait(
        self, kind: Kind, name: str, condition: Condition, *, namespace: str = "default", seconds: float = 60.0
    ) -> Object | None:
        """The object once ``condition`` holds of it (None: it is not there). Raises ``Unmet``."""
        clock = self.system.clock
        end = clock.monotonic() + seconds
        last: Object | None = None
        while True:
            try:
                last = await self.get(kind, name, namespace)
                if condition(last):
                    return last
            except (TransportError, StatusError) as failure:
                if isinstance(failure, StatusError) and failure.code < 500:
                    raise
            if clock.monotonic() >= end:
                raise Unmet(f"{kind.label} {namespace}/{name}", seconds, last)
            await clock.sleep(POLL_SECONDS)

    async def settle(self, *, seconds: float = 600.0) -> None:
        """Until nobody wrote anything but heartbeats for ``QUIET_SECONDS``. Raises ``Unmet``."""
        clock = self.system.clock
        end = clock.monotonic() + seconds
        before: Sequence[Any] = ()
        while (now := await self._picture()) != before:
            if clock.monotonic() >= end:
                raise Unmet("the cluster", seconds, None)
            before = now
            await clock.sleep(QUIET_SECONDS)

    async def _picture(self) -> Sequence[Any]:
        reply = await self.store.ask(Range(""))
        return [(value.key, value.mod_revision) for value in reply.values if not value.key.startswith(LEASES.prefix)]

    # What befalls a cluster

    def paths(self) -> list[str]:
        """Every actor of the tree, parents before their children."""
        found: list[str] = []
        _collect(self.system.tree(), found)
        return found

    def kill(self, path: str) -> bool:
        """End the actor at ``path`` as a crash would. False when none runs there now."""
        return self.system.kill(path)

    async def remove_node(self, name: str) -> None:
        """The machine is gone: its kubelet never comes back, its Node object stays."""
        await self.system.stop_actor(self.system.ref(f"nodes/{name}"))

    def behave(self, *rules: Rule) -> None:
        """How containers behave from now on, the first rule that matches."""
        self.node_factory.world.behaviours = Behaviours(rules)


def _collect(node: Node, found: list[str]) -> None:
    if node.path:
        found.append(node.path)
    for child in node.children:
        _collect(child, found)
