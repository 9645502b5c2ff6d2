"""Network namespaces for pods: a bridge of the data directory's, and for each pod a pair of virtual interfaces.

For a daemon that may change the kernel. The bridge bears the mark of its owner, so the next start finds it; a pod's
namespace and interfaces end with its last process, which the kernel sees to. The pod's programs have a host name and a
``/etc/resolv.conf`` of their own. Pods reach each other, the node and its Services over the bridge; what leaves the
machine is masqueraded (``egress``).
"""

from __future__ import annotations

import asyncio
import errno
import hashlib
import ipaddress
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog

from orchestrator.kubelet.runtime.process import egress
from orchestrator.kubelet.runtime.process.addresses import Addresses
from orchestrator.kubelet.runtime.runtime import SandboxConfig

if TYPE_CHECKING:
    from pyroute2 import IPRoute

POOL = ipaddress.IPv4Network("10.240.0.0/12")
"""Where the pods' networks of data directories are, one each: 256 of 4,094 addresses."""
PREFIX = 20
INTERFACE = "eth0"
PROGRAMS = ("unshare", "mount", "sh")
"""What a pod's network is made with; all are essential packages of Debian."""
ENTER = (
    'echo "$1" >/proc/sys/kernel/hostname && '
    'if [ -s "$2" ]; then mount --bind "$2" /etc/resolv.conf; fi || exit 1; shift 2; exec "$@"'
)
"""In the new namespaces, before the shim: arguments are the host name, the resolv.conf and the command."""

log = structlog.get_logger("network")


class BridgeNetwork:
    """``network`` None: one of ``POOL`` that nothing on this machine uses, the same at each start where possible."""

    def __init__(self, owner: str, network: ipaddress.IPv4Network | None = None) -> None:
        digest = hashlib.sha256(owner.encode()).hexdigest()
        self.name = f"pd{digest[:8]}"
        self._wanted = network
        self._number = int(digest[:8], 16)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="netlink")
        """Netlink calls, one after the other; a thread of its own enters other namespaces."""
        self.addresses = Addresses(network or POOL)

    async def prepare(self) -> None:
        """Make the bridge, or find that of an earlier life. Raises ``OSError`` where that cannot be."""
        missing = [name for name in PROGRAMS if shutil.which(name) is None]
        if missing:
            raise FileNotFoundError(errno.ENOENT, f"no program {', '.join(missing)}")
        network = await self._run(self._make_bridge)
        self.addresses = Addresses(network, self._number)
        problem = await self._run(egress.open_way, self.name, str(network))
        if problem:
            log.warning("pods reach this machine only", reason=problem)

    async def release(self, *, keep: bool) -> None:
        """With ``keep`` the bridge stays for the pods that stay."""
        if not keep:
            await self._run(self._remove)
        self._thread.shutdown(wait=False)

    def command(self, config: SandboxConfig, folder: Path, command: list[str]) -> list[str]:
        if config.host_network:
            return command
        resolver = folder / "resolv.conf"
        resolver.write_text(_resolver(config))
        hostname = config.hostname or config.name
        spaces = ["unshare", "--net", "--mount", "--uts", "--propagation", "slave", "--"]
        return [*spaces, "sh", "-c", ENTER, "sh", hostname, str(resolver), *command]

    async def attach(self, sandbox_id: str, ip: str, pid: int) -> None:
        await self._run(self._attach, f"pd{hashlib.sha256(sandbox_id.encode()).hexdigest()[:12]}", ip, pid)

    async def _run(self, call: Callable[..., Any], *arguments: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._thread, _translated, call, arguments)

    def _make_bridge(self) -> ipaddress.IPv4Network:
        from pyroute2 import IPRoute

        with IPRoute() as netlink:
            found = netlink.link_lookup(ifname=self.name)
            network = self._wanted or (_network_of(netlink, found[0]) if found else None)
            network = network or self._free(netlink)
            if not found:
                # Without an address of its own a bridge takes its ports', and with each change pods ask anew.
                mac = "0a:70:" + ":".join(f"{self._number:08x}"[at : at + 2] for at in (0, 2, 4, 6))
                netlink.link("add", ifname=self.name, kind="bridge", address=mac)
                found = netlink.link_lookup(ifname=self.name)
            if _network_of(netlink, found[0]) != network:
                netlink.addr("add", index=found[0], address=str(network[1]), prefixlen=network.prefixlen)
            netlink.link("set", index=found[0], state="up")
        return network

    def _free(self, netlink: IPRoute) -> ipaddress.IPv4Network:
        used = _routed(netlink)
        networks = list(POOL.subnets(new_prefix=PREFIX))
        for offset in range(len(networks)):
            network = networks[(self._number + offset) % len(networks)]
            if not any(network.overlaps(other) for other in used):
                return network
        raise OSError(errno.EADDRINUSE, f"expected a free network in {POOL}, found routes to all of it")

    def _remove(self) -> None:
        from pyroute2 import IPRoute

        with IPRoute() as netlink:
            for index in netlink.link_lookup(ifname=self.name):
                egress.close_way(self.name, str(self.addresses.network))
                netlink.link("del", index=index)

    def _attach(self, name: str, ip: str, pid: int) -> None:
        from pyroute2 import IPRoute, netns

        with IPRoute() as netlink:
            netlink.link("add", ifname=name, kind="veth", peer={"ifname": INTERFACE, "net_ns_pid": pid})
            [bridge] = netlink.link_lookup(ifname=self.name)
            [index] = netlink.link_lookup(ifname=name)
            netlink.link("set", index=index, master=bridge, state="up")
        network = self.addresses.network
        netns.pushns(f"/proc/{pid}/ns/net")
        try:
            with IPRoute() as netlink:
                for own in netlink.link_lookup(ifname="lo"):
                    netlink.link("set", index=own, state="up")
                [index] = netlink.link_lookup(ifname=INTERFACE)
                netlink.addr("add", index=index, address=ip, prefixlen=network.prefixlen)
                netlink.link("set", index=index, state="up")
                netlink.route("add", dst="default", gateway=str(network[1]))
        finally:
            netns.popns()


def _translated(call: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    """Netlink's refusals as the errors of the system that they are."""
    from pyroute2.netlink.exceptions import NetlinkError

    try:
        return call(*arguments)
    except NetlinkError as error:
        raise OSError(error.code, str(error)) from error


def _network_of(netlink: IPRoute, index: int) -> ipaddress.IPv4Network | None:
    for address in netlink.get_addr(family=2, index=index):
        text = f"{address.get_attr('IFA_ADDRESS')}/{address['prefixlen']}"
        return ipaddress.IPv4Network(text, strict=False)
    return None


def _routed(netlink: IPRoute) -> list[ipaddress.IPv4Network]:
    """Networks that this machine has routes to, the default route left out."""
    found = []
    for route in netlink.get_routes(family=2):
        to = route.get_attr("RTA_DST")
        if to:
            found.append(ipaddress.IPv4Network(f"{to}/{route['dst_len']}", strict=False))
    return found


def _resolver(config: SandboxConfig) -> str:
    """The pod's resolv.conf; empty: the machine's own."""
    if not config.dns_servers:
        return ""
    lines = [f"nameserver {server}" for server in config.dns_servers]
    if config.dns_searches:
        lines.append(f"search {' '.join(config.dns_searches)}")
    if config.dns_options:
        lines.append(f"options {' '.join(config.dns_options)}")
    return "\n".join(lines) + "\n"
