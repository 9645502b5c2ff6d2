"""The columns of services and endpoints."""

from __future__ import annotations

from typing import Any

from orchestrator.api.cells import NONE, age_of, columns, labels_text, name_of
from orchestrator.apimachinery.encoded import Object

SERVICE_COLUMNS = columns("Name", "Type", "Cluster-IP", "External-IP", "Port(s)", "Age", "Selector*")
ENDPOINTS_COLUMNS = columns("Name", "Endpoints", "Age")
_SHOWN = 3


def service_row(obj: Object, now: float) -> list[Any]:
    spec = obj.get("spec") or {}
    addresses = spec.get("clusterIPs") or [spec.get("clusterIP") or NONE]
    ports = ",".join(map(_port, spec.get("ports") or ()))
    return [
        name_of(obj),
        spec.get("type") or "",
        addresses[0],
        _external(spec, obj.get("status") or {}),
        ports or NONE,
        age_of(obj, now),
        labels_text(spec.get("selector")),
    ]


def _port(port: Object) -> str:
    number = f"{port['port']}:{port['nodePort']}" if port.get("nodePort") else str(port.get("port"))
    return f"{number}/{port.get('protocol', '')}"


def balancer_addresses(status: Object) -> list[str]:
    """The addresses or host names that a load balancer was given, sorted."""
    ingress = (status.get("loadBalancer") or {}).get("ingress") or ()
    return sorted({each.get("ip") or each.get("hostname") or "" for each in ingress} - {""})


def _external(spec: Object, status: Object) -> str:
    kind, external = spec.get("type"), list(spec.get("externalIPs") or ())
    if kind == "ExternalName":
        return str(spec.get("externalName") or "")
    if kind == "LoadBalancer":
        return ",".join([*balancer_addresses(status), *external]) or "<pending>"
    return ",".join(external) or NONE


def endpoints_row(obj: Object, now: float) -> list[Any]:
    return [name_of(obj), _endpoints(obj.get("subsets") or ()), age_of(obj, now)]


def _endpoints(subsets: Any) -> str:
    if not subsets:
        return NONE
    listed: list[str] = []
    for subset in subsets:
        addresses = [address.get("ip", "") for address in subset.get("addresses") or ()]
        ports = subset.get("ports") or ()
        if not ports:
            listed.extend(addresses)
        for port in ports:
            listed.extend(_host_port(address, port.get("port", 0)) for address in addresses)
    text = ",".join(listed[:_SHOWN])
    return f"{text} + {len(listed) - _SHOWN} more..." if len(listed) > _SHOWN else text


def _host_port(address: str, port: int) -> str:
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
