"""The cast of one process: makes components with their clients, informers and recorders, wherever the process is.

In the daemon's process the API server is an actor beside them; in a worker process it is one on another node, and the
informers are the worker's own. A component does not see the difference.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable
from contextlib import suppress
from functools import cached_property
from ipaddress import ip_address
from typing import Any

from actors import Actor, ActorError, Ref, System
from orchestrator.api.usage import Measure, Usage
from orchestrator.apimachinery.encoded import Object
from orchestrator.apiserver.config import ServerConfig
from orchestrator.apiserver.http.door import HttpDoor
from orchestrator.client.client import Client
from orchestrator.client.informers import Informers, Spawn
from orchestrator.client.protocol import Identity
from orchestrator.client.recorder import Recorder
from orchestrator.config import ClusterConfig
from orchestrator.controllers.registry import CONTROLLERS
from orchestrator.identities import MASTERS, component, node
from orchestrator.metrics import MeasureNow
from orchestrator.network import Network
from orchestrator.nodes import NodeFactory
from orchestrator.placement import KUBELET_PREFIX, controller_part
from orchestrator.report import ReportNow

MEASURE_SECONDS = 15.0
"""How long whoever asks for usage waits for the figures of all nodes."""
REPORT_SECONDS = 15.0

Make = Callable[[], Actor]


class Cast:
    """``home`` is the node where the API server and the writers of events are; ``client_for`` gives clients of it."""

    def __init__(
        self,
        system: System,
        config: ClusterConfig,
        *,
        home: str,
        client_for: Callable[[Identity], Client],
        spawn_informer: Spawn,
        certificate: str = "",
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._system = system
        self._config = config
        self._home = home
        self._certificate = certificate
        self._tls = tls
        self.network = Network(config)
        self.nodes = NodeFactory(config, system.clock, system.random_for("nodes"), self.network.nameservers)
        self._spawn_informer = spawn_informer
        self.client_for = client_for
        self.server_config = ServerConfig(
            service_cidr=config.service_cidr,
            cluster_domain=config.cluster_domain,
            advertise_address=_advertised(config),
            advertise_port=config.listen[1] if config.listen else 6443,
            several=bool(config.member or config.etcd_endpoints),
        )
        self._makers: dict[str, Make | None] = {}
        self._recorders: dict[str, Recorder] = {}

    def maker(self, part: str) -> Make | None:
        """The factory of a component by the name that ``--place`` knows it by; a kubelet is ``kubelet/NODE``.

        None: this cluster has none. What belongs to a component and outlives its restarts is made once.
        """
        if part not in self._makers:
            self._makers[part] = self._maker(part)
        return self._makers[part]

    @cached_property
    def client(self) -> Client:
        """The administrator's."""
        return self.client_for(MASTERS)

    @cached_property
    def informers(self) -> Informers:
        """One of each kind for all components of the process."""
        return Informers(self.client, self._spawn_informer)

    @cached_property
    def measure(self) -> Measure:
        """What asks for the usage of pods and nodes; it holds a ref and nothing of the cast."""
        collector = self._ref("metrics/collector")

        async def ask() -> Usage:
            """Nothing is known while nobody answers."""
            try:
                return await collector.ask(MeasureNow(), MEASURE_SECONDS)
            except ActorError:
                return Usage({}, {})

        return ask

    def _maker(self, part: str) -> Make | None:
        match part:
            case "scheduler":
                return self._scheduler()
            case "proxy":
                return self.network.proxy(self.informers, self.recorder("proxy"))
            case "dns":
                return self.network.dns(self.informers)
            case "door":
                return self._door()
            case _ if part.startswith(KUBELET_PREFIX):
                name = part.removeprefix(KUBELET_PREFIX)
                return self.nodes.make(name, self.client_for(node(name)), self.recorder("kubelets"))
        return self._controller(part)

    def _scheduler(self) -> Make:
        client = self.client_for(component("system:kube-scheduler"))
        recorder = self.recorder("scheduler")
        from orchestrator.scheduler.actor import Scheduler  # the API answers before its scheduler is there

        return lambda: Scheduler(client, self.informers, recorder, self._config.scheduler)

    def _controller(self, part: str) -> Make:
        [entry] = [entry for entry in CONTROLLERS if controller_part(entry.name) == part]
        client = self.client_for(entry.identity)
        recorder = self.recorder("controllers")
        known: dict[str, Any] = {
            "certificate": self._certificate,
            "base_path": str(self.nodes.claims_folder),
            "remove_directory": self.nodes.remove_claim,
            "measure": self.measure,
        }
        options = {name: known[name] for name in entry.options}
        return lambda: entry.controller(client, self.informers, recorder, **options)

    def _door(self) -> Make | None:
        if self._config.listen is None:
            return None
        host, port = self._config.listen
        return lambda: HttpDoor(
            self._ref("server/apiserver"),
            self.server_config,
            host=host,
            port=port,
            tls=self._tls,
            report=self._ask_report,
        )

    async def _ask_report(self) -> Object:
        report: Object = await self._ref("report").ask(ReportNow(), REPORT_SECONDS)
        return report

    def recorder(self, name: str) -> Recorder:
        """One for all who write by this writer."""
        if name not in self._recorders:
            self._recorders[name] = Recorder(self._ref(f"events/{name}"))
        return self._recorders[name]

    def _ref(self, path: str) -> Ref[Any]:
        return self._system.ref(path, self._home)


def _advertised(config: ClusterConfig) -> str:
    """By which address the API server is reached: where it listens, if that is one."""
    with suppress(ValueError):
        address = ip_address(config.listen[0] if config.listen else "")
        if not address.is_unspecified:
            return str(address)
    return "127.0.0.1"
