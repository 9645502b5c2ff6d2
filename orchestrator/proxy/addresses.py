"""How ClusterIPs come to be addresses that processes of this machine can connect to.

Without rights the service range lies in 127.0.0.0/8, where every address is local already: processes reach it,
containers with a network of their own do not. With them a daemon makes any range local by one route.
"""

from __future__ import annotations

from typing import Any, Protocol

LOOPBACK_RANGE = "127.96.0.0/12"
ROUTED_RANGE = "10.96.0.0/12"
LOCAL_TABLE = 255
LOCAL_ROUTE = 2
"""RTN_LOCAL"""
MARK_PROTOCOL = 96
"""The routing protocol number our routes carry: what is ours and stale is found by it."""


class ServiceAddresses(Protocol):
    cidr: str

    async def prepare(self) -> None:
        """Make the range connectable; remove what an earlier run left. Raises ``OSError`` without the rights."""
        ...

    async def release(self) -> None: ...


class LoopbackAddresses:
    """A range inside 127.0.0.0/8: nothing to do. What embedded clusters use, always."""

    def __init__(self, cidr: str = LOOPBACK_RANGE) -> None:
        self.cidr = cidr

    async def prepare(self) -> None:
        return None

    async def release(self) -> None:
        return None


class RoutedAddresses:
    """``ip route add local CIDR dev lo table local proto 96``: for a daemon that may change the kernel."""

    def __init__(self, cidr: str = ROUTED_RANGE) -> None:
        self.cidr = cidr

    async def prepare(self) -> None:
        async with _netlink() as netlink:
            await self._remove(netlink)
            await netlink.route("add", **await self._route(netlink))

    async def release(self) -> None:
        async with _netlink() as netlink:
            await self._remove(netlink)

    async def _route(self, netlink: Any) -> dict[str, Any]:
        links = await netlink.link_lookup(ifname="lo")
        return {
            "dst": self.cidr,
            "oif": links[0],
            "table": LOCAL_TABLE,
            "type": LOCAL_ROUTE,
            "scope": 254,
            "proto": MARK_PROTOCOL,
        }

    async def _remove(self, netlink: Any) -> None:
        """Routes that carry our mark; anything else is left alone."""
        async for route in await netlink.route("dump", table=LOCAL_TABLE):
            if route["proto"] == MARK_PROTOCOL:
                await netlink.route(
                    "del", dst=f"{route.get('dst')}/{route['dst_len']}", table=LOCAL_TABLE, type=LOCAL_ROUTE
                )


def _netlink() -> Any:
    from pyroute2 import AsyncIPRoute

    return AsyncIPRoute()
