"""What must hold of a service, and what may not change of it."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any

from orchestrator.api.core.container_validation import PROTOCOLS, port_or_name
from orchestrator.api.core.pod_validation import ADDRESS_TEXT, is_address
from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.field import FieldError, Path, duplicate, forbidden, invalid, not_supported, required
from orchestrator.apimachinery.meta import validate_labels
from orchestrator.apimachinery.names import dns_label, dns_subdomain, port_number

TYPES = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")
AFFINITIES = ("ClientIP", "None")
_POLICIES = ("Cluster", "Local")
_SPEC = Path("spec")


def validate_service(obj: Object) -> list[FieldError]:
    spec = obj.get("spec") or {}
    kind, ports = spec.get("type") or "", spec.get("ports") or []
    errors: list[FieldError] = []
    if not ports and kind != "ExternalName" and spec.get("clusterIP") != "None":
        errors.append(required(_SPEC.child("ports")))
    if kind == "LoadBalancer" and spec.get("clusterIP") == "None":
        text = "may not be set to 'None' for LoadBalancer services"
        errors.append(invalid(_SPEC.child("clusterIPs").index(0), "None", text))
    _validate_external_name(spec, kind, errors)
    _validate_ports(ports, errors)
    errors.extend(validate_labels(spec.get("selector") or {}, _SPEC.child("selector")))
    if spec.get("sessionAffinity") not in AFFINITIES:
        path = _SPEC.child("sessionAffinity")
        errors.append(not_supported(path, spec.get("sessionAffinity"), AFFINITIES))
    _validate_addresses(spec, errors)
    if kind not in TYPES:
        errors.append(not_supported(_SPEC.child("type"), kind, TYPES))
    for key in ("externalTrafficPolicy", "internalTrafficPolicy"):
        if spec.get(key) and spec[key] not in _POLICIES:
            errors.append(not_supported(_SPEC.child(key), spec[key], _POLICIES))
    if kind == "ClusterIP":
        for position, port in enumerate(ports):
            if port.get("nodePort"):
                place = _SPEC.child("ports").index(position).child("nodePort")
                errors.append(forbidden(place, "may not be used when `type` is 'ClusterIP'"))
    return errors


def _validate_external_name(spec: Object, kind: str, errors: list[FieldError]) -> None:
    if kind != "ExternalName":
        return
    if spec.get("clusterIP"):
        text = "may not be set when `type` is 'ExternalName'"
        errors.append(forbidden(_SPEC.child("clusterIPs"), text))
    name = (spec.get("externalName") or "").removesuffix(".")
    if name:
        errors.extend(invalid(_SPEC.child("externalName"), name, text) for text in dns_subdomain(name))
    else:
        errors.append(required(_SPEC.child("externalName")))


def _validate_ports(ports: list[Object], errors: list[FieldError]) -> None:
    names: set[str] = set()
    for position, port in enumerate(ports):
        path = _SPEC.child("ports").index(position)
        name = port.get("name") or ""
        if not name and len(ports) > 1:
            errors.append(required(path.child("name")))
        elif name:
            errors.extend(invalid(path.child("name"), name, text) for text in dns_label(name))
            if name in names:
                errors.append(duplicate(path.child("name"), name))
            names.add(name)
        number = port.get("port") or 0
        errors.extend(invalid(path.child("port"), number, text) for text in port_number(number))
        if port.get("protocol") not in PROTOCOLS:
            errors.append(not_supported(path.child("protocol"), port.get("protocol"), PROTOCOLS))
        errors.extend(port_or_name(port.get("targetPort"), path.child("targetPort")))
    _validate_unique(ports, "port", errors)
    _validate_unique(ports, "nodePort", errors)


def _validate_unique(ports: list[Object], key: str, errors: list[FieldError]) -> None:
    seen: set[tuple[Any, Any]] = set()
    for position, port in enumerate(ports):
        if not port.get(key):
            continue
        pair = (port.get("protocol"), port[key])
        if pair in seen:
            path = _SPEC.child("ports").index(position)
            value = {"port": port.get("port"), "protocol": port.get("protocol")}
            errors.append(duplicate(path if key == "port" else path.child(key), value if key == "port" else port[key]))
        seen.add(pair)


def _validate_addresses(spec: Object, errors: list[FieldError]) -> None:
    addresses = spec.get("clusterIPs") or ([spec["clusterIP"]] if spec.get("clusterIP") else [])
    for position, address in enumerate(addresses):
        path = _SPEC.child("clusterIPs").index(position)
        if address != "None" and not is_address(address):
            errors.append(invalid(path, address, ADDRESS_TEXT))
    for position, address in enumerate(spec.get("externalIPs") or ()):
        path = _SPEC.child("externalIPs").index(position)
        if not is_address(address):
            errors.append(invalid(path, address, ADDRESS_TEXT))
        elif _is_special(address):
            errors.append(invalid(path, address, "may not be in the loopback range (127.0.0.0/8, ::1/128)"))


def _is_special(address: str) -> bool:
    return ip_address(address).is_loopback


def validate_service_update(new: Object, old: Object) -> list[FieldError]:
    after, before = new.get("spec") or {}, old.get("spec") or {}
    if "ExternalName" in (after.get("type"), before.get("type")):
        return []
    had, has = _addresses(before), _addresses(after)
    path = _SPEC.child("clusterIPs")
    if had and has and had[0] != has[0]:
        return [invalid(path.index(0), has, "may not change once set")]
    if had and not has:
        text = "primary clusterIP can not be unset"
        return [invalid(path.index(0), has, text)]
    return []


def _addresses(spec: Object) -> list[str]:
    return spec.get("clusterIPs") or ([spec["clusterIP"]] if spec.get("clusterIP") else [])
