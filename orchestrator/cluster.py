"""The composition root: the whole supervision tree on one screen, for the daemon, the benchmark and embedders alike.

    async with Cluster(ClusterConfig(nodes=3, runtime="simulated")) as cluster:
        await cluster.client.list(PODS)

State is in memory unless ``data_dir`` is set; no HTTPS door is opened unless ``listen`` is set.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from actors import (
    Actor,
    ChildSpec,
    Clock,
    Mailbox,
    Ref,
    Supervisor,
    System,
    child,
    drop_oldest,
    one_for_one,
    rest_for_one,
)
from actors.remoting.placement import Placed
from actors.remoting.process import NodeProcess
from actors.system import Tap
from orchestrator import membership
from orchestrator.apimachinery import interned
from orchestrator.apimachinery.errors import StatusError
from orchestrator.apiserver.server import ApiServer
from orchestrator.cast import Cast
from orchestrator.client.client import Client
from orchestrator.client.election import Election
from orchestrator.client.kinds import STORAGECLASSES
from orchestrator.client.protocol import Identity
from orchestrator.client.recorder import EventWriter
from orchestrator.config import ClusterConfig, document
from orchestrator.controllers.registry import CONTROLLERS
from orchestrator.identities import MASTERS
from orchestrator.mailboxes import Mailboxes
from orchestrator.metrics import Metrics
from orchestrator.pki import Pki
from orchestrator.placement import KUBELET_PREFIX, controller_part, workers
from orchestrator.report import Report, Reporter
from orchestrator.specs import RESTART_BACKOFF, RESTARTS, group, member_spec
from orchestrator.store.log import Log
from orchestrator.store.memory_log import MemoryLog
from orchestrator.store.sealing import SealedLog, load_keys
from orchestrator.store.sqlite_log import SqliteLog
from orchestrator.store.store import Store

if TYPE_CHECKING:
    from orchestrator.controllers.controller import Controller

SERVER_MAILBOX = Mailbox(capacity=16_384)
"""Requests and frames of every component of the process wait here."""
SERVER_LATER = 4096
"""Requests that one server has under way."""
EVENTS_MAILBOX = Mailbox(capacity=8192, overflow=drop_oldest)
"""Events are lossy by design."""
EVENT_SOURCES = {
    "scheduler": "default-scheduler",
    "controllers": "controller-manager",
    "kubelets": "kubelet",
    "proxy": "kube-proxy",
}
"""The writers of events and the component that each names."""


class Cluster:
    """A whole Kubernetes: ``client`` speaks to it as an administrator, ``system`` is its cast."""

    def __init__(
        self,
        config: ClusterConfig | None = None,
        *,
        clock: Clock | None = None,
        seed: int | None = None,
        tap: Tap | None = None,
        pki: Pki | None = None,
        way: membership.Way | None = None,
        opening: Callable[[], object] = lambda: None,
    ) -> None:
        """``opening`` is called before the door opens, when the log is known to be ours."""
        self._opening = opening
        self.config = config or ClusterConfig(runtime="simulated")
        self.pki = pki
        self._way = way
        self.system = System(
            membership.system_name(self.config.member),
            clock=clock,
            seed=seed,
            tap=tap,
            intensity=RESTARTS,
            network=way.network if way else None,
        )
        self.memory = MemoryLog() if self.config.data_dir is None else None
        self._informer_specs: list[ChildSpec] = []
        """What was asked for so far: a restarted supervisor of informers starts them all."""

    async def __aenter__(self) -> Cluster:
        await self.system.__aenter__()
        self.store, self.api = self.system.ref("server/store"), self.system.ref("server/apiserver")
        self.mailboxes = Mailboxes(self.api)
        self.cast = Cast(
            self.system,
            self.config,
            home=self.system.name,
            client_for=self.client_for,
            spawn_informer=self._spawn_informer,
            certificate=self.pki.ca_certificate if self.pki else "",
            tls=self.pki.tls if self.pki else None,
        )
        self.network, self.node_factory = self.cast.network, self.cast.nodes
        try:
            await self._start()
        except BaseException:
            self.node_factory.keep_containers = True
            await self._stop()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._stop()

    async def _stop(self) -> None:
        await self.system.stop()
        await self.network.release()
        await self.node_factory.release()
        interned.forget()

    async def _start(self) -> None:
        """First the truth, then who reads it, then who acts on it."""
        system = self.system
        self.client, self.informers = self.cast.client, self.cast.informers
        await membership.connect(system, self.config, self._way)
        await system.spawn(self._server(), name="server")
        await system.spawn(Supervisor(one_for_one, RESTARTS, self._informer_specs), name="informers")
        await system.spawn(self._events(), name="events")
        if self.config.listen is not None:
            await system.spawn(self._reporter(), name="report")
        await self._open(placed=False)
        await self._storage_class()
        await self.network.prepare()
        await self.node_factory.prepare()
        await system.spawn(self._workers(), name="workers")
        await self._open(placed=True)
        await system.spawn(self._control_plane(), name="control-plane")
        await system.spawn(self._network(), name="network")
        await system.spawn(self._nodes(), name="nodes")
        await system.spawn(self._metrics(), name="metrics")
        if self.config.data_dir is not None:
            await system.spawn(self._gateway(self.config.data_dir))

    async def _open(self, *, placed: bool) -> None:
        """The door, as soon as there is something behind it; one of a worker process when that is there."""
        if self.config.listen is not None and placed is ("door" in self.config.place):
            self._opening()
            await self.system.spawn(self._member("door", "door"))

    async def _storage_class(self) -> None:
        """A cluster without any StorageClass gets one, so that claims are served without further ado."""
        if not (await self.client.list(STORAGECLASSES)).items:
            from orchestrator.controllers.volume_provisioner import default_class

            try:
                await self.client.create(STORAGECLASSES, default_class())
            except StatusError as refused:
                if refused.code != 409:  # another member was faster
                    raise

    # The tree

    def _server(self) -> Supervisor:
        """What is true, and the only way to it: a store that fails takes the server's view of it along."""
        parts = [
            child(self._make_store, name="store", mailbox=SERVER_MAILBOX, backoff=RESTART_BACKOFF, later=SERVER_LATER),
            child(
                lambda: ApiServer(
                    self.store,
                    self.cast.server_config,
                    tokens=self.pki.tokens if self.pki else None,
                    nodes=self._node,
                    client_ca=self.pki.ca_certificate if self.pki else "",
                    measure=self.cast.measure,
                ),
                name="apiserver",
                mailbox=SERVER_MAILBOX,
                backoff=RESTART_BACKOFF,
                later=SERVER_LATER,
            ),
        ]
        if self.config.member:
            parts.insert(1, child(lambda: membership.Quorum(self.store), name="quorum", backoff=RESTART_BACKOFF))
            parts.append(member_spec(lambda: membership.Lookout(self.store, self.config), "lookout"))
        return group(rest_for_one, *parts)

    def _make_store(self) -> Actor:
        if self.config.etcd_endpoints:
            from orchestrator.store.etcd.store import EtcdStore  # with a client of HTTP, which few clusters need

            return EtcdStore(self.config.etcd_endpoints)
        name, several = membership.store_name(self.config), membership.group(self.system, self.config, self._way)
        return Store(self._log(), member=name, group=several)

    def _events(self) -> Supervisor:
        """One writer of events for each kind of component."""
        return group(one_for_one, *(self._event_writer(name) for name in EVENT_SOURCES))

    def _workers(self) -> Supervisor:
        """The processes in which components are placed."""
        return group(one_for_one, *map(self._worker, workers(self.config.place.values())))

    def _control_plane(self) -> Supervisor:
        each = (self._member(controller_part(entry.name), entry.name) for entry in CONTROLLERS)
        parts = [("kube-controller-manager", child(group(one_for_one, *each), name="controllers"))]
        parts.append(("kube-scheduler", self._member("scheduler", "scheduler")))
        return group(one_for_one, *(self._elected(name, part) if self.config.member else part for name, part in parts))

    def _elected(self, name: str, part: ChildSpec) -> ChildSpec:
        """Of all members one runs it."""
        client, identity = self.client_for(MASTERS), self.system.name
        return child(lambda: Election(client, "kube-system", name, identity, part), name=part.name)

    def _nodes(self) -> Supervisor:
        return group(one_for_one, *map(self._kubelet, self._node_names()))

    def _node_names(self) -> list[str]:
        return membership.node_names(self.config)

    def _network(self) -> Supervisor:
        """Services and their names, where pods have addresses that can be reached."""
        parts = [part for part in ("proxy", "dns") if self.cast.maker(part) is not None]
        return group(one_for_one, *(self._member(part, part) for part in parts))

    # The cast

    def _member(self, part: str, name: str) -> ChildSpec:
        """A component, here or by its stand-in for the one in its worker process."""
        one = f"{KUBELET_PREFIX}{name}" if part == "kubelets" else part
        make = self.cast.maker(one)  # of a placed kubelet too: its containers are stopped from here in the end
        assert make is not None, "only what the cluster has is kept"
        process = self.config.place.get(part)
        if process is None:
            return member_spec(make, name)
        return member_spec(Placed, name, self._node_of(process), "orchestrator.worker:member", one)

    def _kubelet(self, name: str) -> ChildSpec:
        return self._member("kubelets", name)

    def _worker(self, name: str) -> ChildSpec:
        placed = [part for part, process in self.config.place.items() if process == name]
        listen = self.config.listen
        facts = {
            "kernel": self.config.kernel,
            "reachable": self.network.reachable,
            "certificate": self.pki.ca_certificate if self.pki else "",
            "url": f"https://{listen[0]}:{listen[1]}" if listen and self.pki else "",
            "door": "door" in placed,
            "kubelets": "kubelets" in placed,
        }
        settings = document(replace(self.config, runtime=self.node_factory.runtime))
        args = [self.system.name, settings, facts]
        process = self._node_of(name)
        return member_spec(lambda: NodeProcess(process, setup="orchestrator.worker:set_up", args=args), name)

    def _node_of(self, process: str) -> str:
        """A worker process' name among the nodes of all members."""
        return f"{self.system.name}-{process}"

    def _metrics(self) -> Supervisor:
        config, find = self.config, self._node
        return group(
            one_for_one, member_spec(lambda: Metrics(lambda: membership.node_names(config), find), "collector")
        )

    @cached_property
    def _node(self) -> Callable[[str], Ref[Any]]:
        """What finds the kubelet of a node; it holds nothing of the cluster but the system."""
        system, config = self.system, self.config
        return lambda name: membership.node_ref(system, config, name)

    def _reporter(self) -> ChildSpec:
        report = Report(self.system, self.store, self.client, self.system.clock)
        return member_spec(lambda: Reporter(report), "report")

    def _gateway(self, data_dir: Path) -> ChildSpec:
        """etcd's JSON on a socket file, for ``podium store`` and whoever may read the log itself."""
        from orchestrator.store.gateway.door import Gateway  # the last to start

        path = str(data_dir / "store" / "gateway.sock")
        return child(lambda: Gateway(self.store, path=path), name="gateway", mailbox=SERVER_MAILBOX)

    def _event_writer(self, name: str) -> ChildSpec:
        client = self.client_for(MASTERS)
        return child(
            lambda: EventWriter(client, EVENT_SOURCES[name]), name=name, mailbox=EVENTS_MAILBOX, backoff=RESTART_BACKOFF
        )

    async def _spawn_informer(self, make: Callable[[], Actor], name: str) -> Ref[Any]:
        spec = member_spec(make, name)
        ref = await self.system.spawn(spec, parent=self.system.ref("informers"))
        self._informer_specs.append(spec)
        return ref

    async def run(self, controller: type[Controller], name: str = "") -> Ref[Any]:
        """A controller of the embedder's own, beside those of Kubernetes; it asks as an administrator."""
        client, recorder = self.client_for(MASTERS), self.cast.recorder("controllers")
        spec = member_spec(lambda: controller(client, self.informers, recorder), name or controller.__name__.lower())
        return await self.system.spawn(spec)

    def client_for(self, identity: Identity) -> Client:
        """A client by mailbox that asks in the name of ``identity``."""
        return Client(self.mailboxes.transport(identity))

    def _log(self) -> Log:
        if self.memory is not None:
            return self.memory
        assert self.config.data_dir is not None
        keys = load_keys(self.config.encryption_keys) if self.config.encryption_keys else None
        return SealedLog(SqliteLog(self.config.data_dir / "store" / "log.sqlite"), keys)
