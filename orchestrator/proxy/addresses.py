"""How ClusterIPs come to be addresses that processes of this machine can connect to.

Without rights the service range lies in 127.0.0.0/8, where every address is local already: processes reach it,
containers with a network of their own do not. With them a daemon makes any range local by one route.
"""

from __future__ import annotations

import asyncio
import errno
import hashlib
import socket
from typing import Any, Protocol

LOOPBACK_RANGE = "127.96.0.0/12"
ROUTED_RANGE = "10.96.0.0/12"
LOCAL_TABLE = 255
LOCAL_ROUTE = 2
"""RTN_LOCAL"""
HOST_SCOPE = 254
FIRST_MARK, MARKS = 64, 128
"""Routing protocol numbers that no routing daemon uses: our routes bear one of them."""


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
    """``ip route add local CIDR dev lo table local proto MARK``: for a daemon that may change the kernel.

    The mark is made of ``owner`` (the data directory): what an earlier life left is found by it, and what another
    daemon on this machine made is left alone.
    """

    def __init__(self, cidr: str = ROUTED_RANGE, owner: str = "") -> None:
        self.cidr = cidr
        self._mark = FIRST_MARK + int.from_bytes(hashlib.sha256(owner.encode()).digest()[:4], "big") % MARKS

    async def prepare(self) -> None:
        await asyncio.to_thread(self._replace, add=True)

    async def release(self) -> None:
        await asyncio.to_thread(self._replace, add=False)

    def _replace(self, *, add: bool) -> None:
        """Routes with our mark give way; others are left alone. In a thread: netlink has a loop of its own."""
        from pyroute2 import IPRoute
        from pyroute2.netlink.exceptions import NetlinkError

        try:
            with IPRoute() as netlink:
                _remove(netlink, self._mark)
                if add:
                    netlink.route("add", **_route(netlink, self.cidr, self._mark))
        except NetlinkError as error:
            if error.code == errno.EEXIST:
                return  # another daemon has made the range local
            raise OSError(error.code, f"route of {self.cidr}: {error}") from error


def _route(netlink: Any, destination: str, mark: int) -> dict[str, Any]:
    return {
        "dst": destination,
        "oif": netlink.link_lookup(ifname="lo")[0],
        "table": LOCAL_TABLE,
        "type": LOCAL_ROUTE,
        "scope": HOST_SCOPE,
        "proto": mark,
    }


def _remove(netlink: Any, mark: int) -> None:
    for message in netlink.get_routes(family=socket.AF_INET, table=LOCAL_TABLE):
        if message["proto"] == mark:
            destination = f"{message.get_attr('RTA_DST')}/{message['dst_len']}"
            netlink.route("del", **_route(netlink, destination, mark))
