"""Where the Service ``default/kubernetes`` leads, as objects."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import NamedTuple

from orchestrator.apimachinery.encoded import Object

NAME = "kubernetes"
NAMESPACE = "default"
SERVICE_LABEL = "kubernetes.io/service-name"


class Server(NamedTuple):
    """An API server. Those of one port stand together in what is made of them."""

    port: int
    address: str


def api_endpoints(servers: Iterable[Server]) -> list[Object]:
    """Endpoints, and an EndpointSlice for each port and family of addresses.

    The first slice bears the Service's name, as with servers that share a port, a further one its port behind that.
    """
    grouped = [(port, [one.address for one in ones]) for port, ones in groupby(sorted(servers), lambda one: one.port)]
    subsets = [
        {"addresses": [{"ip": address} for address in addresses], "ports": [_port(port)]} for port, addresses in grouped
    ]
    endpoints: Object = {
        "apiVersion": "v1",
        "kind": "Endpoints",
        "metadata": {
            "name": NAME,
            "namespace": NAMESPACE,
            "labels": {"endpointslice.kubernetes.io/skip-mirror": "true"},
        },
        "subsets": subsets,
    }
    slices: list[Object] = []
    for port, addresses in grouped:
        for family in ("IPv4", "IPv6"):
            mine = [address for address in addresses if (":" in address) == (family == "IPv6")]
            if mine:
                name = NAME if not slices else f"{NAME}-{port}-{family.lower()}"
                slices.append(_slice(name, family, port, mine))
    return [endpoints, *slices]


def _slice(name: str, family: str, port: int, addresses: list[str]) -> Object:
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {"name": name, "namespace": NAMESPACE, "labels": {SERVICE_LABEL: NAME}},
        "addressType": family,
        "endpoints": [{"addresses": [address], "conditions": {"ready": True}} for address in addresses],
        "ports": [_port(port)],
    }


def _port(port: int) -> Object:
    return {"name": "https", "port": port, "protocol": "TCP"}
