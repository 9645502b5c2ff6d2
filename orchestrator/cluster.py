"""The composition root: the whole supervision tree on one screen, for the daemon, the benchmark and embedders alike.

    async with Cluster(ClusterConfig(nodes=3, runtime="simulated")) as cluster:
        await cluster.client.list(PODS)

State is in memory unless ``data_dir`` is set; no HTTPS door is opened unless ``listen`` is set.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

from actors import (
    ActorError,
    Backoff,
    ChildSpec,
    Clock,
    Intensity,
    Mailbox,
    Ref,
    Supervisor,
    System,
    child,
    drop_oldest,
    one_for_one,
    rest_for_one,
)
from actors.system import Tap
from orchestrator import membership
from orchestrator.api.usage import Usage
from orchestrator.apimachinery.errors import StatusError
from orchestrator.apiserver.config import ServerConfig
from orchestrator.apiserver.http.door import HttpDoor
from orchestrator.apiserver.server import ApiServer
from orchestrator.client.client import Client
from orchestrator.client.election import Election
from orchestrator.client.informer import Informer
from orchestrator.client.informers import Informers
from orchestrator.client.kinds import STORAGECLASSES
from orchestrator.client.mailbox import MailboxTransport
from orchestrator.client.protocol import Identity
from orchestrator.client.recorder import EventWriter, Recorder
from orchestrator.config import ClusterConfig
from orchestrator.controllers.registry import CONTROLLERS, Registered
from orchestrator.controllers.volume_provisioner import default_class
from orchestrator.identities import MASTERS, component, node
from orchestrator.metrics import MeasureNow, Metrics
from orchestrator.network import Network
from orchestrator.nodes import NodeFactory
from orchestrator.pki import Pki
from orchestrator.report import Report
from orchestrator.scheduler.actor import Scheduler
from orchestrator.store.etcd.store import EtcdStore
from orchestrator.store.gateway.door import Gateway
from orchestrator.store.log import Log
from orchestrator.store.memory_log import MemoryLog
from orchestrator.store.sealing import SealedLog, load_keys
from orchestrator.store.sqlite_log import SqliteLog
from orchestrator.store.store import Store

RESTARTS = Intensity(restarts=100, within=10.0)
"""Components restart alone and with back-off; only a storm of crashes brings the cluster down."""
SERVER_MAILBOX = Mailbox(capacity=16_384)
"""Requests and frames of every component of the process wait here."""
SERVER_LATER = 4096
"""Requests that one server has under way."""
WATCHER_MAILBOX = Mailbox(capacity=4096)
"""A watcher's credit bounds its frames far below this."""
EVENTS_MAILBOX = Mailbox(capacity=8192, overflow=drop_oldest)
"""Events are lossy by design."""
EVENT_SOURCES = {
    "scheduler": "default-scheduler",
    "controllers": "controller-manager",
    "kubelets": "kubelet",
    "proxy": "kube-proxy",
}
"""The writers of events and the component that each names."""
MEASURE_SECONDS = 15.0
"""How long whoever asks for usage waits for the figures of all nodes."""
RESTART_BACKOFF = Backoff(initial=0.05, maximum=10.0)


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
    ) -> None:
        self.config = config or ClusterConfig(runtime="simulated")
        self.pki = pki
        self.system = System(
            membership.system_name(self.config.member), clock=clock, seed=seed, tap=tap, intensity=RESTARTS
        )
        self.memory = MemoryLog() if self.config.data_dir is None else None
        self._informer_specs: list[ChildSpec] = []
        """What was asked for so far: a restarted supervisor of informers starts them all."""

    async def __aenter__(self) -> Cluster:
        await self.system.__aenter__()
        self.network = Network(self.config)
        self.node_factory = NodeFactory(
            self.config, self.system.clock, self.system.random_for("nodes"), self.network.nameservers
        )
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

    async def _start(self) -> None:
        """First the truth, then who reads it, then who acts on it."""
        system = self.system
        self.store, self.api = system.ref("server/store"), system.ref("server/apiserver")
        self.client = self.client_for(MASTERS)
        self.informers = Informers(self.client, self._spawn_informer)
        self.server_config = ServerConfig(
            service_cidr=self.config.service_cidr,
            cluster_domain=self.config.cluster_domain,
            advertise_port=self.config.listen[1] if self.config.listen else 6443,
        )
        await membership.connect(system, self.config)
        await system.spawn(self._server(), name="server")
        await system.spawn(Supervisor(one_for_one, RESTARTS, self._informer_specs), name="informers")
        await system.spawn(self._events(), name="events")
        await self._storage_class()
        await system.spawn(self._control_plane(), name="control-plane")
        await self.network.prepare()
        await self.node_factory.prepare()
        await system.spawn(self._network(), name="network")
        await system.spawn(self._nodes(), name="nodes")
        await system.spawn(self._metrics(), name="metrics")
        if self.config.listen is not None:
            await system.spawn(self._door(), name="door")
        if self.config.data_dir is not None:
            await system.spawn(self._gateway(self.config.data_dir))

    async def _storage_class(self) -> None:
        """A cluster without any StorageClass gets one, so that claims are served without further ado."""
        if not (await self.client.list(STORAGECLASSES)).items:
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
                    self.server_config,
                    tokens=self.pki.tokens if self.pki else None,
                    nodes=self._node,
                    client_ca=self.pki.ca_certificate if self.pki else "",
                    measure=self._measure,
                ),
                name="apiserver",
                mailbox=SERVER_MAILBOX,
                backoff=RESTART_BACKOFF,
                later=SERVER_LATER,
            ),
        ]
        if self.config.member:
            parts.insert(1, child(lambda: membership.Quorum(self.store), name="quorum", backoff=RESTART_BACKOFF))
        return _group(rest_for_one, *parts)

    def _make_store(self) -> Store | EtcdStore:
        if self.config.etcd_endpoints:
            return EtcdStore(self.config.etcd_endpoints)
        name = f"member-{self.config.member}" if self.config.member else "local"
        return Store(self._log(), member=name, group=membership.group(self.system, self.config))

    def _events(self) -> Supervisor:
        """One writer of events for each kind of component."""
        return _group(one_for_one, *(self._event_writer(name) for name in EVENT_SOURCES))

    def _control_plane(self) -> Supervisor:
        controllers = _group(one_for_one, *(self._controller(entry) for entry in CONTROLLERS))
        parts = [("kube-controller-manager", child(controllers, name="controllers"))]
        parts.append(("kube-scheduler", self._scheduler()))
        return _group(one_for_one, *(self._elected(name, part) if self.config.member else part for name, part in parts))

    def _elected(self, name: str, part: ChildSpec) -> ChildSpec:
        """Of all members one runs it."""
        client, identity = self.client_for(MASTERS), self.system.name
        return child(lambda: Election(client, "kube-system", name, identity, part), name=part.name)

    def _nodes(self) -> Supervisor:
        return _group(one_for_one, *(self._kubelet(name) for name in self._node_names()))

    def _node_names(self) -> list[str]:
        return membership.node_names(self.config)

    def _network(self) -> Supervisor:
        """Services and their names, where pods have addresses that can be reached."""
        make = self.network.proxy(self.informers, self._recorder("proxy"))
        names = self.network.dns(self.informers)
        members = [_member(make, "proxy")] if make else []
        return _group(one_for_one, *members, *([_member(names, "dns")] if names else []))

    # The cast

    def _scheduler(self) -> ChildSpec:
        client = self.client_for(component("system:kube-scheduler"))
        recorder = self._recorder("scheduler")
        return _member(lambda: Scheduler(client, self.informers, recorder, self.config.scheduler), "scheduler")

    def _controller(self, entry: Registered) -> ChildSpec:
        client = self.client_for(entry.identity)
        recorder = self._recorder("controllers")
        known: dict[str, Any] = {
            "certificate": self.pki.ca_certificate if self.pki else "",
            "base_path": str(self.node_factory.claims_folder),
            "remove_directory": self.node_factory.remove_claim,
            "measure": self._measure,
        }
        options = {name: known[name] for name in entry.options}
        return _member(lambda: entry.controller(client, self.informers, recorder, **options), entry.name)

    def _kubelet(self, name: str) -> ChildSpec:
        parts = self.node_factory.make(name, self.client_for(node(name)), self._recorder("kubelets"))
        return _member(parts, name)

    def _metrics(self) -> Supervisor:
        return _group(one_for_one, _member(lambda: Metrics(self._node_names, self._node), "collector"))

    def _node(self, name: str) -> Ref[Any]:
        return membership.node_ref(self.system, self.config, name)

    async def _measure(self) -> Usage:
        """Nothing is known while nobody answers."""
        try:
            return await self.system.ref("metrics/collector").ask(MeasureNow(), MEASURE_SECONDS)
        except ActorError:
            return Usage({}, {})

    def _door(self) -> ChildSpec:
        assert self.config.listen is not None
        host, port = self.config.listen
        tls = self.pki.tls if self.pki else None
        report = Report(self.system, self.store, self.client, self.system.clock)
        return _member(
            lambda: HttpDoor(self.api, self.server_config, host=host, port=port, tls=tls, report=report), "door"
        )

    def _gateway(self, data_dir: Path) -> ChildSpec:
        """etcd's JSON on a socket file, for ``podium store`` and whoever may read the log itself."""
        path = str(data_dir / "store" / "gateway.sock")
        return child(lambda: Gateway(self.store, path=path), name="gateway", mailbox=SERVER_MAILBOX)

    def _event_writer(self, name: str) -> ChildSpec:
        client = self.client_for(MASTERS)
        return child(
            lambda: EventWriter(client, EVENT_SOURCES[name]), name=name, mailbox=EVENTS_MAILBOX, backoff=RESTART_BACKOFF
        )

    def _recorder(self, name: str) -> Recorder:
        return Recorder(self.system.ref(f"events/{name}"))

    async def _spawn_informer(self, make: Callable[[], Informer], name: str) -> Ref[Any]:
        spec = _member(make, name)
        ref = await self.system.spawn(spec, parent=self.system.ref("informers"))
        self._informer_specs.append(spec)
        return ref

    def client_for(self, identity: Identity) -> Client:
        """A client by mailbox that asks in the name of ``identity``."""
        return Client(MailboxTransport(self.api, identity))

    def _log(self) -> Log:
        if self.memory is not None:
            return self.memory
        assert self.config.data_dir is not None
        keys = load_keys(self.config.encryption_keys) if self.config.encryption_keys else None
        return SealedLog(SqliteLog(self.config.data_dir / "store" / "log.sqlite"), keys)


def _group(strategy: Any, *children: ChildSpec) -> Supervisor:
    return Supervisor(strategy=strategy, intensity=RESTARTS, children=children)


def _member(make: Callable[[], Any], name: str) -> ChildSpec:
    return child(make, name=name, mailbox=WATCHER_MAILBOX, backoff=RESTART_BACKOFF)
