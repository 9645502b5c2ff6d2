"""What a Service wants: portals, each an address and port in front, and endpoints behind."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from orchestrator.apimachinery.encoded import Object

SERVICE_LABEL = "kubernetes.io/service-name"
HEADLESS = "None"
AFFINITY_SECONDS = 10_800
"""``sessionAffinity: ClientIP`` without a timeout of its own."""
FORWARDED = ("TCP", "UDP")
"""SCTP has no userspace forwarder."""


@dataclass(frozen=True, slots=True, order=True)
class Front:
    """Where clients connect to."""

    protocol: str
    address: str
    port: int


@dataclass(frozen=True, slots=True, order=True)
class Endpoint:
    address: str
    port: int


@dataclass(frozen=True, slots=True)
class Portal:
    """``service`` is namespace/name. ``affinity_seconds`` 0: every connection is balanced for itself."""

    front: Front
    service: str
    endpoints: tuple[Endpoint, ...]
    affinity_seconds: int = 0


@dataclass(frozen=True, slots=True)
class Place:
    """Where the proxy stands: its node ("": all nodes at once) and the addresses that NodePorts listen on."""

    node: str = ""
    node_addresses: tuple[str, ...] = ("127.0.0.1",)


def portals(service: Object, slices: Sequence[Object], place: Place) -> dict[Front, Portal]:
    """The portals of one Service. Headless and ExternalName Services have none: DNS answers for them."""
    spec = service.get("spec") or {}
    addresses = [a for a in spec.get("clusterIPs") or [spec.get("clusterIP", "")] if a and a != HEADLESS]
    if spec.get("type") == "ExternalName" or not addresses:
        return {}
    metadata = service["metadata"]
    key = f"{metadata['namespace']}/{metadata['name']}"
    affinity = _affinity_seconds(spec)
    made: dict[Front, Portal] = {}
    for port in spec.get("ports") or ():
        protocol = port.get("protocol", "TCP")
        if protocol not in FORWARDED:
            continue
        inside = endpoints(slices, port.get("name", ""), _node(spec, "internalTrafficPolicy", place))
        outside = endpoints(slices, port.get("name", ""), _node(spec, "externalTrafficPolicy", place))
        for address, number, behind in _fronts(spec, port, addresses, place, inside, outside):
            front = Front(protocol, address, number)
            made[front] = Portal(front, key, behind, affinity)
    return made


def _fronts(
    spec: Object,
    port: Object,
    addresses: Iterable[str],
    place: Place,
    inside: tuple[Endpoint, ...],
    outside: tuple[Endpoint, ...],
) -> Iterator[tuple[str, int, tuple[Endpoint, ...]]]:
    for address in addresses:
        yield address, port["port"], inside
    if port.get("nodePort") and spec.get("type") in ("NodePort", "LoadBalancer"):
        for address in place.node_addresses:
            yield address, port["nodePort"], outside


def _node(spec: Object, policy: str, place: Place) -> str:
    """The node that endpoints must be on; "" when any will do (or the proxy stands for all nodes)."""
    return place.node if spec.get(policy) == "Local" else ""


def _affinity_seconds(spec: Object) -> int:
    if spec.get("sessionAffinity") != "ClientIP":
        return 0
    client = (spec.get("sessionAffinityConfig") or {}).get("clientIP") or {}
    return int(client.get("timeoutSeconds") or AFFINITY_SECONDS)


def endpoints(slices: Sequence[Object], port_name: str, node: str = "") -> tuple[Endpoint, ...]:
    """The ready endpoints of a named port, in order; if none is ready those that still serve while they terminate."""
    ready: set[Endpoint] = set()
    leaving: set[Endpoint] = set()
    for each in slices:
        numbers = [p["port"] for p in each.get("ports") or () if p.get("name", "") == port_name and p.get("port")]
        for endpoint in each.get("endpoints") or ():
            if node and endpoint.get("nodeName") != node:
                continue
            conditions = endpoint.get("conditions") or {}
            found = {Endpoint(address, number) for address in endpoint["addresses"][:1] for number in numbers}
            if conditions.get("ready") is not False:
                ready |= found
            elif conditions.get("serving") and conditions.get("terminating"):
                leaving |= found
    return tuple(sorted(ready or leaving))
