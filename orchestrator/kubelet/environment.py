"""The environment of a container: services, ``envFrom``, ``env``, and ``$(NAME)`` in what is written. Pure."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from typing import Any

from orchestrator.apimachinery.encoded import Object
from orchestrator.kubelet.downward import Place, field_value, resource_value
from orchestrator.kubelet.pod import Pod
from orchestrator.kubelet.runtime.errors import RuntimeFailure

_REFERENCE = re.compile(r"\$(\$|\(([^()]+)\))")
_NAME = re.compile(r"^[-._a-zA-Z][-._a-zA-Z0-9]*$")

Found = Mapping[tuple[str, str], Object | None]
"""The ConfigMaps and Secrets that a container names, by kind (``configmap``, ``secret``) and name."""


def expand(text: str, values: Mapping[str, str]) -> str:
    """``$(NAME)`` by its value, ``$$`` as ``$``; a name without a value stays as it is written."""

    def one(match: re.Match[str]) -> str:
        if match[1] == "$":
            return "$"
        return values.get(match[2], match[0])

    return _REFERENCE.sub(one, text)


def referenced(container: Object) -> list[tuple[str, str]]:
    """The ConfigMaps and Secrets that the environment names."""
    found = []
    for source in container.get("envFrom") or ():
        for kind, field in (("configmap", "configMapRef"), ("secret", "secretRef")):
            if field in source:
                found.append((kind, source[field]["name"]))
    for variable in container.get("env") or ():
        source = variable.get("valueFrom") or {}
        for kind, field in (("configmap", "configMapKeyRef"), ("secret", "secretKeyRef")):
            if field in source:
                found.append((kind, source[field]["name"]))
    return found


def environment(pod: Pod, container: Object, found: Found, services: list[Object], place: Place) -> dict[str, str]:
    """All variables in order. Raises ``RuntimeFailure`` for what is missing and not optional."""
    values: dict[str, str] = service_variables(services, pod.metadata.namespace)
    for source in container.get("envFrom") or ():
        values.update(_env_from(source, found, pod.metadata.namespace))
    for variable in container.get("env") or ():
        name = variable["name"]
        if "valueFrom" in variable:
            value = _value_from(pod, variable["valueFrom"], container["name"], found, place)
            if value is not None:
                values[name] = value
        else:
            values[name] = expand(variable.get("value") or "", values)
    return values


def _missing(kind: str, name: str, namespace: str) -> RuntimeFailure:
    return RuntimeFailure("CreateContainerConfigError", f'{kind} "{name}" not found')


def data_of(kind: str, obj: Object) -> dict[str, bytes]:
    """The keys of a ConfigMap or Secret as bytes."""
    if kind == "secret":
        return {key: base64.b64decode(value) for key, value in (obj.get("data") or {}).items()}
    data = {key: str(value).encode() for key, value in (obj.get("data") or {}).items()}
    return data | {key: base64.b64decode(value) for key, value in (obj.get("binaryData") or {}).items()}


def _env_from(source: Object, found: Found, namespace: str) -> dict[str, str]:
    kind, field = ("configmap", "configMapRef") if "configMapRef" in source else ("secret", "secretRef")
    reference: dict[str, Any] = source[field]
    obj = found.get((kind, reference["name"]))
    if obj is None:
        if reference.get("optional"):
            return {}
        raise _missing(kind, reference["name"], namespace)
    prefix = source.get("prefix") or ""
    data = data_of(kind, obj)
    return {prefix + key: data[key].decode(errors="replace") for key in sorted(data) if _NAME.match(prefix + key)}


def _value_from(pod: Pod, source: Object, container: str, found: Found, place: Place) -> str | None:
    if "fieldRef" in source:
        return field_value(pod, source["fieldRef"]["fieldPath"], place)
    if "resourceFieldRef" in source:
        return resource_value(pod, source["resourceFieldRef"], container, place)
    for kind, field in (("configmap", "configMapKeyRef"), ("secret", "secretKeyRef")):
        if field in source:
            return _key(kind, source[field], found, pod.metadata.namespace)
    return None


def _key(kind: str, reference: Object, found: Found, namespace: str) -> str | None:
    name, key = reference["name"], reference["key"]
    obj = found.get((kind, name))
    data = data_of(kind, obj) if obj is not None else {}
    if key in data:
        return data[key].decode(errors="replace")
    if reference.get("optional"):
        return None
    if obj is None:
        raise _missing(kind, name, namespace)
    title = "ConfigMap" if kind == "configmap" else "Secret"
    raise RuntimeFailure("CreateContainerConfigError", f"couldn't find key {key} in {title} {namespace}/{name}")


def service_variables(services: list[Object], namespace: str) -> dict[str, str]:
    """``WEB_SERVICE_HOST`` and its kin, in the form of Docker links too, for services with an address."""
    values: dict[str, str] = {}
    for service in services:
        address = service.get("spec", {}).get("clusterIP")
        ports = service.get("spec", {}).get("ports") or []
        if not address or address == "None" or not ports:
            continue
        name = service["metadata"]["name"].upper().replace("-", "_")
        values[f"{name}_SERVICE_HOST"] = address
        values[f"{name}_SERVICE_PORT"] = str(ports[0]["port"])
        for port in ports:
            if port.get("name"):
                values[f"{name}_SERVICE_PORT_{port['name'].upper().replace('-', '_')}"] = str(port["port"])
        values |= _links(name, address, ports)
    return values


def _links(name: str, address: str, ports: list[Object]) -> dict[str, str]:
    values: dict[str, str] = {}
    for index, port in enumerate(ports):
        protocol = (port.get("protocol") or "TCP").lower()
        url = f"{protocol}://{address}:{port['port']}"
        if index == 0:
            values[f"{name}_PORT"] = url
        prefix = f"{name}_PORT_{port['port']}_{protocol.upper()}"
        values[prefix] = url
        values[f"{prefix}_PROTO"] = protocol
        values[f"{prefix}_PORT"] = str(port["port"])
        values[f"{prefix}_ADDR"] = address
    return values
