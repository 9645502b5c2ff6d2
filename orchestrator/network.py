"""How the composition root makes the cluster's network: reachable Service addresses, the proxy and DNS.

Clusters of simulated nodes have none of it. Only a daemon that is allowed to (``config.kernel``) changes the kernel.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from orchestrator.client.informers import Informers
from orchestrator.client.recorder import Recorder
from orchestrator.config import ClusterConfig
from orchestrator.dns.resolv import nameservers
from orchestrator.proxy.addresses import LoopbackAddresses, RoutedAddresses, ServiceAddresses

if TYPE_CHECKING:
    from orchestrator.dns.server import DnsServer
    from orchestrator.proxy.actor import Proxy

DNS_HOST_NUMBER = 10
"""Cluster DNS answers at the tenth address of the service range, as kubeadm has it."""
DNS_PORT = 53
UNPRIVILEGED_DNS_PORT = 5353
RESOLV_CONF = Path("/etc/resolv.conf")

log = structlog.get_logger("network")


class Network:
    """One for the cluster; ``prepare`` before the proxy starts, ``release`` after it stopped."""

    def __init__(self, config: ClusterConfig) -> None:
        self._config = config
        self._real = config.runtime != "simulated"
        self._dns_address = str(ipaddress.ip_network(config.service_cidr)[DNS_HOST_NUMBER])
        loopback = ipaddress.ip_network(config.service_cidr)[0].is_loopback
        routed = config.kernel and self._real and not loopback
        self._addresses: ServiceAddresses = (
            RoutedAddresses(config.service_cidr, str(config.data_dir))
            if routed
            else LoopbackAddresses(config.service_cidr)
        )
        self._reachable = routed or loopback

    @property
    def nameservers(self) -> tuple[str, ...]:
        """What containers ask: the cluster's DNS where it listens on the port that resolvers use."""
        return (self._dns_address,) if self._real and self._reachable and self._privileged else ()

    @property
    def _privileged(self) -> bool:
        return os.geteuid() == 0

    async def prepare(self) -> None:
        try:
            await self._addresses.prepare()
        except OSError as error:
            self._reachable = False
            log.warning("cluster addresses are not reachable from this machine", reason=str(error))

    @property
    def reachable(self) -> bool:
        """Whether this machine's programs and pods can use cluster addresses; known after ``prepare``."""
        return self._reachable

    def assume(self, reachable: bool) -> None:
        """In a worker process: what ``prepare`` found in the daemon's."""
        self._reachable = reachable

    async def release(self) -> None:
        if self._reachable:
            await self._addresses.release()

    def proxy(self, informers: Informers, recorder: Recorder) -> Callable[[], Proxy] | None:
        """The factory of the proxy; one stands for all nodes, which share this machine's addresses."""
        if not self._real:
            return None
        from orchestrator.proxy.actor import Proxy  # a simulated cluster starts without them
        from orchestrator.proxy.portals import Place
        from orchestrator.proxy.userspace import UserspaceDataplane

        return lambda: Proxy(
            informers, recorder, Place(), lambda random, clock: UserspaceDataplane(random, clock.monotonic)
        )

    def dns(self, informers: Informers) -> Callable[[], DnsServer] | None:
        if not self._real or not self._reachable:
            return None
        from orchestrator.dns.server import DnsServer

        upstream = _upstream(self._dns_address)
        port = DNS_PORT if self._privileged else UNPRIVILEGED_DNS_PORT
        domain = self._config.cluster_domain
        return lambda: DnsServer(informers, domain=domain, host=self._dns_address, port=port, upstream=upstream)


def _upstream(own: str) -> list[str]:
    """The servers this machine asks; never ourselves."""
    try:
        return [server for server in nameservers(RESOLV_CONF.read_text()) if server != own]
    except OSError:
        return []
