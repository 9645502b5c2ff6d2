"""A Service and the addresses behind it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from orchestrator.cli.describe.page import Page, events, head, marks

Object = dict[str, Any]
SHOWN = 10
"""Addresses shown of a port; the others are counted."""


def describe(service: Object, slices: Sequence[Object], happened: Sequence[Object], now: float) -> list[str]:
    spec = service["spec"]
    page = Page()
    head(page, service)
    marks(page, service)
    page.field("Selector", ",".join(f"{key}={value}" for key, value in sorted((spec.get("selector") or {}).items())))
    page.field("Type", spec.get("type"))
    page.field("IP Family Policy", spec.get("ipFamilyPolicy"))
    page.field("IP Families", ",".join(spec.get("ipFamilies") or ()))
    page.field("IP", spec.get("clusterIP"))
    page.field("IPs", ",".join(spec.get("clusterIPs") or ()))
    if spec.get("externalName"):
        page.field("External Name", spec["externalName"])
    balancers = ((service.get("status") or {}).get("loadBalancer") or {}).get("ingress") or ()
    if balancers:
        page.field(
            "LoadBalancer Ingress", ", ".join(entry.get("ip") or entry.get("hostname", "") for entry in balancers)
        )
    for port in spec.get("ports") or ():
        name = port.get("name") or "<unset>"
        protocol = port.get("protocol", "TCP")
        page.field("Port", f"{name}  {port['port']}/{protocol}")
        page.field("TargetPort", f"{port.get('targetPort', port['port'])}/{protocol}")
        if port.get("nodePort"):
            page.field("NodePort", f"{name}  {port['nodePort']}/{protocol}")
        page.field("Endpoints", endpoints(slices, port.get("name") or ""))
    page.field("Session Affinity", spec.get("sessionAffinity"))
    if spec.get("externalTrafficPolicy"):
        page.field("External Traffic Policy", spec["externalTrafficPolicy"])
    page.field("Internal Traffic Policy", spec.get("internalTrafficPolicy"))
    events(page, happened, now)
    return page.lines()


def endpoints(slices: Sequence[Object], name: str) -> str:
    found = []
    for entry in slices:
        number = next((port.get("port") for port in entry.get("ports") or () if (port.get("name") or "") == name), None)
        for endpoint in entry.get("endpoints") or ():
            if number is not None and (endpoint.get("conditions") or {}).get("ready", True):
                found += [f"{address}:{number}" for address in endpoint["addresses"]]
    found.sort()
    more = f" + {len(found) - SHOWN} more..." if len(found) > SHOWN else ""
    return ",".join(found[:SHOWN]) + more
