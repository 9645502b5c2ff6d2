"""From Services and EndpointSlices to what listens where and leads to whom. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from orchestrator.apimachinery.encoded import Object

HEADLESS = "None"
PROXIED_PROTOCOLS = ("TCP", "UDP")
DEFAULT_AFFINITY_SECONDS = 10800


class Backend(msgspec.Struct, frozen=True):
    address: str
    port: int


class Listen(msgspec.Struct, frozen=True, order=True):
    """Where a frontend listens."""

    protocol: str
    address: str
    port: int


class Frontend(msgspec.Struct, frozen=True):
    """One listener and the endpoints it leads to. ``affinity_seconds`` 0: no session affinity."""

    listen: Listen
    service: str
    backends: tuple[Backend, ...]
    affinity_seconds: int = 0


class Endpoint(msgspec.Struct, frozen=True):
    """An address behind a Service, with its port numbers by port name."""

    address: str
    ports: dict[str, int]
    ready: bool
    serving: bool
    terminating: bool


def frontends(key: str, spec: Object, endpoints: Sequence[Endpoint], node_addresses: Sequence[str]) -> list[Frontend]:
    """The listeners of the Service ``key``: one for each port and address, on the cluster and on the node."""
    if spec.get("type") == "ExternalName":
        return []
    addresses = [one for one in spec.get("clusterIPs") or [spec.get("clusterIP")] if one and one != HEADLESS]
    usable = chosen(endpoints, publish_not_ready=bool(spec.get("publishNotReadyAddresses")))
    affinity = _affinity(spec)
    made = []
    for port in spec.get("ports") or ():
        protocol = port.get("protocol", "TCP")
        if protocol not in PROXIED_PROTOCOLS:
            continue
        name = port.get("name") or ""
        backends = tuple(Backend(one.address, one.ports[name]) for one in usable if name in one.ports)
        places = [(address, port["port"]) for address in (*addresses, *(spec.get("externalIPs") or ()))]
        if port.get("nodePort"):
            places += [(address, port["nodePort"]) for address in node_addresses]
        made += [Frontend(Listen(protocol, *place), key, backends, affinity) for place in places]
    return made


def chosen(endpoints: Sequence[Endpoint], *, publish_not_ready: bool) -> list[Endpoint]:
    """The ready endpoints; where there are none, those that terminate but still serve (KEP-1669)."""
    if publish_not_ready:
        return list(endpoints)
    ready = [one for one in endpoints if one.ready and not one.terminating]
    return ready or [one for one in endpoints if one.serving and one.terminating]


def endpoints_of(slices: Iterable[Object]) -> list[Endpoint]:
    """The endpoints of the slices of one Service, each address once."""
    found: dict[str, Endpoint] = {}
    for rest in slices:
        ports = {port.get("name") or "": port["port"] for port in rest.get("ports") or () if port.get("port")}
        for endpoint in rest.get("endpoints") or ():
            for address in endpoint["addresses"]:
                one = _endpoint(address, ports, endpoint.get("conditions") or {})
                known = found.get(address)
                found[address] = one if known is None else msgspec.structs.replace(one, ports={**known.ports, **ports})
    return list(found.values())


def _endpoint(address: str, ports: dict[str, int], conditions: Object) -> Endpoint:
    ready = conditions.get("ready")
    serving = conditions.get("serving")
    is_ready = ready is not False
    return Endpoint(
        address, ports, is_ready, is_ready if serving is None else serving, bool(conditions.get("terminating"))
    )


def _affinity(spec: Object) -> int:
    if spec.get("sessionAffinity") != "ClientIP":
        return 0
    config = (spec.get("sessionAffinityConfig") or {}).get("clientIP") or {}
    return int(config.get("timeoutSeconds") or DEFAULT_AFFINITY_SECONDS)
