"""The rules of Service and Endpoints. Addresses and node ports are allocated elsewhere, before validation."""

from __future__ import annotations

from orchestrator.api.core.service_table import ENDPOINTS_COLUMNS, SERVICE_COLUMNS, endpoints_row, service_row
from orchestrator.api.core.service_validation import validate_service, validate_service_update
from orchestrator.api.strategy import Rules
from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.names import dns_label

AFFINITY_SECONDS = 10_800


def default_service(service: Object) -> None:
    spec = service.setdefault("spec", {})
    _default_affinity(spec)
    kind = spec.setdefault("type", "ClusterIP") or "ClusterIP"
    spec["type"] = kind
    for port in spec.get("ports") or ():
        if not port.get("protocol"):
            port["protocol"] = "TCP"
        if port.get("targetPort") in (None, 0, ""):
            port["targetPort"] = port.get("port", 0)
    reachable = kind in ("NodePort", "LoadBalancer") or (kind == "ClusterIP" and spec.get("externalIPs"))
    if reachable and not spec.get("externalTrafficPolicy"):
        spec["externalTrafficPolicy"] = "Cluster"
    if not spec.get("internalTrafficPolicy") and kind in ("NodePort", "LoadBalancer", "ClusterIP"):
        spec["internalTrafficPolicy"] = "Cluster"
    if kind == "LoadBalancer":
        spec.setdefault("allocateLoadBalancerNodePorts", True)
        for ingress in ((service.get("status") or {}).get("loadBalancer") or {}).get("ingress") or ():
            if ingress.get("ip"):
                ingress.setdefault("ipMode", "VIP")


def _default_affinity(spec: Object) -> None:
    if not spec.get("sessionAffinity"):
        spec["sessionAffinity"] = "None"
    if spec["sessionAffinity"] == "None":
        spec.pop("sessionAffinityConfig", None)
    elif spec["sessionAffinity"] == "ClientIP":
        client = (spec.get("sessionAffinityConfig") or {}).get("clientIP") or {}
        if client.get("timeoutSeconds") is None:
            spec["sessionAffinityConfig"] = {"clientIP": {"timeoutSeconds": AFFINITY_SECONDS}}


def _update_service(new: Object, old: Object) -> None:
    """A client that leaves the allocated addresses out keeps them."""
    spec, before = new.get("spec") or {}, old.get("spec") or {}
    _drop_of_type(spec, before)
    if "ExternalName" in (spec.get("type"), before.get("type")):
        return
    if before.get("clusterIP") and not spec.get("clusterIP") and not spec.get("clusterIPs"):
        for key in ("clusterIP", "clusterIPs"):
            if key in before:
                spec[key] = before[key]
    changed = spec.get("clusterIP") and before.get("clusterIP") != spec["clusterIP"]
    if changed and spec.get("clusterIPs") == before.get("clusterIPs"):
        spec["clusterIPs"] = [spec["clusterIP"]]
    for key in ("ipFamilies", "ipFamilyPolicy"):
        if key in before:
            spec.setdefault(key, before[key])


def _drop_of_type(spec: Object, before: Object) -> None:
    """What was given for the old type and was not touched goes with it."""
    kind, was = spec.get("type"), before.get("type")
    if kind == was:
        return
    if kind == "ExternalName":
        for key in ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "internalTrafficPolicy"):
            if spec.get(key) == before.get(key):
                spec.pop(key, None)
    if kind not in ("NodePort", "LoadBalancer"):
        _drop_node_ports(spec, before)
        if not spec.get("externalIPs") and spec.get("externalTrafficPolicy") == before.get("externalTrafficPolicy"):
            spec.pop("externalTrafficPolicy", None)
    if kind != "LoadBalancer":
        for key in ("allocateLoadBalancerNodePorts", "loadBalancerClass"):
            if spec.get(key) == before.get(key):
                spec.pop(key, None)


def _drop_node_ports(spec: Object, before: Object) -> None:
    ports = {port.get("nodePort") for port in spec.get("ports") or ()}
    if ports == {port.get("nodePort") for port in before.get("ports") or ()}:
        for port in spec.get("ports") or ():
            port.pop("nodePort", None)


def _default_endpoints(obj: Object) -> None:
    for subset in obj.get("subsets") or ():
        for port in subset.get("ports") or ():
            if not port.get("protocol"):
                port["protocol"] = "TCP"


def _service_fields(obj: Object) -> dict[str, str]:
    spec = obj.get("spec") or {}
    return {"spec.clusterIP": spec.get("clusterIP") or "", "spec.type": spec.get("type") or ""}


RULES = (
    Rules(
        group="",
        kind="Service",
        name_rule=dns_label,
        has_status=True,
        create_on_update=True,
        default=default_service,
        update=_update_service,
        check=validate_service,
        check_update=validate_service_update,
        own_fields=_service_fields,
        columns=SERVICE_COLUMNS,
        row=service_row,
    ),
    Rules(
        group="",
        kind="Endpoints",
        create_on_update=True,
        default=_default_endpoints,
        columns=ENDPOINTS_COLUMNS,
        row=endpoints_row,
    ),
)
