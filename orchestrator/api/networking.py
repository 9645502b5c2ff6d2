"""The rules of ``networking.k8s.io``: Ingress, IngressClass, NetworkPolicy, ServiceCIDR, IPAddress."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Any

from orchestrator.api.cells import NONE, age_of, columns, joined, name_of
from orchestrator.api.core.container_validation import port_or_name
from orchestrator.api.core.service_table import balancer_addresses
from orchestrator.api.strategy import Rules, setdefault, spec_changed
from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.field import FieldError, Path, immutable, invalid, not_supported, required
from orchestrator.apimachinery.names import dns_label, dns_subdomain, wildcard_subdomain
from orchestrator.apimachinery.selectors import selector_text, validate_label_selector

_SPEC = Path("spec")
_PATH_TYPES = ("Exact", "ImplementationSpecific", "Prefix")
_PROTOCOLS = ("TCP", "UDP", "SCTP")


def _check_ingress(obj: Object) -> list[FieldError]:
    spec = obj.get("spec") or {}
    errors: list[FieldError] = []
    if not spec.get("rules") and spec.get("defaultBackend") is None:
        text = "either `defaultBackend` or `rules` must be specified"
        errors.append(invalid(_SPEC, spec.get("rules"), text))
    if spec.get("defaultBackend") is not None:
        _check_backend(spec["defaultBackend"], _SPEC.child("defaultBackend"), errors)
    for position, rule in enumerate(spec.get("rules") or ()):
        _check_rule(rule, _SPEC.child("rules").index(position), errors)
    name = spec.get("ingressClassName")
    if name:
        errors.extend(invalid(_SPEC.child("ingressClassName"), name, text) for text in dns_subdomain(name))
    return errors


def _check_rule(rule: Object, path: Path, errors: list[FieldError]) -> None:
    host = rule.get("host")
    if host:
        texts = wildcard_subdomain(host) if host.startswith("*") else dns_subdomain(host)
        errors.extend(invalid(path.child("host"), host, text) for text in texts)
    http = rule.get("http")
    if http is None:
        return
    if not http.get("paths"):
        errors.append(required(path.child("http", "paths")))
    for position, each in enumerate(http.get("paths") or ()):
        place = path.child("http", "paths").index(position)
        kind, text = each.get("pathType"), each.get("path") or ""
        if kind is None:
            errors.append(required(place.child("pathType"), "pathType must be specified"))
        elif kind not in _PATH_TYPES:
            errors.append(not_supported(place.child("pathType"), kind, _PATH_TYPES))
        elif (kind != "ImplementationSpecific" or text) and not text.startswith("/"):
            errors.append(invalid(place.child("path"), text, "must be an absolute path"))
        _check_backend(each.get("backend") or {}, place.child("backend"), errors)


def _check_backend(backend: Object, path: Path, errors: list[FieldError]) -> None:
    service = backend.get("service")
    if service is None:
        if backend.get("resource") is None:
            errors.append(required(path, "cannot set both resource and service backends"))
        return
    name = service.get("name")
    if not name:
        errors.append(required(path.child("service", "name")))
    else:
        errors.extend(invalid(path.child("service", "name"), name, text) for text in dns_label(name))
    port = service.get("port") or {}
    if not port.get("name") and not port.get("number"):
        errors.append(required(path, "port name or number is required"))
    elif port.get("name"):
        errors.extend(port_or_name(port["name"], path.child("service", "port", "name")))
    else:
        errors.extend(port_or_name(port["number"], path.child("service", "port", "number")))


def _default_policy(obj: Object) -> None:
    spec = obj.setdefault("spec", {})
    for direction in ("ingress", "egress"):
        for rule in spec.get(direction) or ():
            for port in rule.get("ports") or ():
                setdefault(port, "protocol", "TCP")
    if not spec.get("policyTypes"):
        spec["policyTypes"] = ["Ingress", "Egress"] if spec.get("egress") else ["Ingress"]


def _check_policy(obj: Object) -> list[FieldError]:
    spec = obj.get("spec") or {}
    errors = validate_label_selector(spec.get("podSelector"), _SPEC.child("podSelector"))
    for direction, peers in (("ingress", "from"), ("egress", "to")):
        for position, rule in enumerate(spec.get(direction) or ()):
            path = _SPEC.child(direction).index(position)
            for number, port in enumerate(rule.get("ports") or ()):
                _check_policy_port(port, path.child("ports").index(number), errors)
            for number, peer in enumerate(rule.get(peers) or ()):
                _check_peer(peer, path.child(peers).index(number), errors)
    for position, kind in enumerate(spec.get("policyTypes") or ()):
        if kind not in ("Ingress", "Egress"):
            errors.append(not_supported(_SPEC.child("policyTypes").index(position), kind, ("Egress", "Ingress")))
    return errors


def _check_policy_port(port: Object, path: Path, errors: list[FieldError]) -> None:
    if port.get("protocol") not in _PROTOCOLS:
        errors.append(not_supported(path.child("protocol"), port.get("protocol"), sorted(_PROTOCOLS)))
    if port.get("port") is not None:
        errors.extend(port_or_name(port["port"], path.child("port")))
    end = port.get("endPort")
    if end is not None and (not isinstance(port.get("port"), int) or end < port["port"]):
        errors.append(invalid(path.child("endPort"), end, "must be greater than or equal to `port`"))


def _check_peer(peer: Object, path: Path, errors: list[FieldError]) -> None:
    if not peer:
        errors.append(required(path, "must specify a peer"))
    for key in ("podSelector", "namespaceSelector"):
        errors.extend(validate_label_selector(peer.get(key), path.child(key)))
    block = peer.get("ipBlock")
    if block is not None and not _is_network(block.get("cidr") or ""):
        text = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"
        errors.append(invalid(path.child("ipBlock", "cidr"), block.get("cidr") or "", text))


def _is_network(text: str) -> bool:
    try:
        ip_network(text, strict=False)
    except ValueError:
        return False
    return "/" in text


def _default_class(obj: Object) -> None:
    parameters = (obj.get("spec") or {}).get("parameters")
    if parameters:
        setdefault(parameters, "scope", "Cluster")


def _check_class_update(new: Object, old: Object) -> list[FieldError]:
    after, before = ((each.get("spec") or {}).get("controller") for each in (new, old))
    return immutable(_SPEC.child("controller"), after, before)


def _ingress_row(obj: Object, now: float) -> list[Any]:
    spec = obj.get("spec") or {}
    hosts = [rule["host"] for rule in spec.get("rules") or () if rule.get("host")]
    return [
        name_of(obj),
        spec.get("ingressClassName") or NONE,
        joined(hosts) or "*",
        ",".join(balancer_addresses(obj.get("status") or {})),
        "80, 443" if spec.get("tls") else "80",
        age_of(obj, now),
    ]


def _class_row(obj: Object, now: float) -> list[Any]:
    spec = obj.get("spec") or {}
    parameters = spec.get("parameters")
    text = NONE
    if parameters:
        group = parameters.get("apiGroup")
        kind = f"{parameters.get('kind')}.{group}" if group else parameters.get("kind")
        text = f"{kind}/{parameters.get('name')}"
    return [name_of(obj), spec.get("controller") or "", text, age_of(obj, now)]


def _policy_row(obj: Object, now: float) -> list[Any]:
    return [name_of(obj), selector_text((obj.get("spec") or {}).get("podSelector") or {}), age_of(obj, now)]


def _cidr_row(obj: Object, now: float) -> list[Any]:
    return [name_of(obj), ",".join((obj.get("spec") or {}).get("cidrs") or ()), age_of(obj, now)]


def _address_row(obj: Object, now: float) -> list[Any]:
    parent = (obj.get("spec") or {}).get("parentRef") or {}
    words = (parent.get("group"), parent.get("resource"), parent.get("namespace"), parent.get("name"))
    return [name_of(obj), "/".join(word for word in words if word), age_of(obj, now)]


_GROUP = "networking.k8s.io"

RULES = (
    Rules(
        group=_GROUP,
        kind="Ingress",
        has_status=True,
        counts=spec_changed,
        check=_check_ingress,
        columns=columns("Name", "Class", "Hosts", "Address", "Ports", "Age"),
        row=_ingress_row,
    ),
    Rules(
        group=_GROUP,
        kind="IngressClass",
        namespaced=False,
        counts=spec_changed,
        default=_default_class,
        check_update=_check_class_update,
        columns=columns("Name", "Controller", "Parameters", "Age"),
        row=_class_row,
    ),
    Rules(
        group=_GROUP,
        kind="NetworkPolicy",
        counts=spec_changed,
        default=_default_policy,
        check=_check_policy,
        columns=columns("Name", "Pod-Selector", "Age"),
        row=_policy_row,
    ),
    Rules(
        group=_GROUP,
        kind="ServiceCIDR",
        namespaced=False,
        has_status=True,
        columns=columns("Name", "CIDRs", "Age"),
        row=_cidr_row,
    ),
    Rules(
        group=_GROUP,
        kind="IPAddress",
        namespaced=False,
        name_rule=lambda _name: [],
        columns=columns("Name", "ParentRef"),
        row=_address_row,
    ),
)
