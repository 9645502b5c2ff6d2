"""The one change the proxy makes to the kernel: a route that makes the service range local to this machine.

Only the daemon uses it, and only as root. The route bears Podium's protocol number, so that what an earlier, killed
daemon left is found and taken away.
"""

from __future__ import annotations

import ipaddress
import socket
from typing import Any

ROUTE_PROTOCOL = 211
"""Marks our routes in the kernel's table (numbers above 4 are free for routing daemons)."""
LOCAL_TABLE = 255
LOCAL_ROUTE = 2
"""RTN_LOCAL: packets to it are delivered here."""
HOST_SCOPE = 254


def make_local(cidr: str) -> None:
    """Replace whatever service range of ours is routed by ``cidr``. Raises OSError where the kernel refuses."""
    from pyroute2 import IPRoute
    from pyroute2.netlink.exceptions import NetlinkError

    network = ipaddress.IPv4Network(cidr)
    try:
        with IPRoute() as routes:
            _remove(routes)
            routes.route("add", **_route(routes, str(network)))
    except NetlinkError as error:
        raise OSError(error.code, f"route of {cidr}: {error}") from error


def remove() -> None:
    """Take our route away, if there is one."""
    from pyroute2 import IPRoute
    from pyroute2.netlink.exceptions import NetlinkError

    try:
        with IPRoute() as routes:
            _remove(routes)
    except NetlinkError as error:
        raise OSError(error.code, f"routes of the service range: {error}") from error


def _route(routes: Any, destination: str) -> dict[str, Any]:
    return {
        "dst": destination,
        "oif": routes.link_lookup(ifname="lo")[0],
        "table": LOCAL_TABLE,
        "type": "local",
        "scope": HOST_SCOPE,
        "proto": ROUTE_PROTOCOL,
    }


def _remove(routes: Any) -> None:
    for message in routes.get_routes(family=socket.AF_INET, table=LOCAL_TABLE):
        if message["proto"] == ROUTE_PROTOCOL and message["type"] == LOCAL_ROUTE:
            destination = f"{message.get_attr('RTA_DST')}/{message['dst_len']}"
            routes.route("del", **_route(routes, destination))
