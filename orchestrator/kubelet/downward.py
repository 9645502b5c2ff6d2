"""What a pod can learn of itself: ``fieldRef`` and ``resourceFieldRef``. Pure."""

from __future__ import annotations

import re

import msgspec

from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.quantity import Quantity
from orchestrator.kubelet.pod import Pod

_SUBSCRIPT = re.compile(r"^metadata\.(labels|annotations)\['(.*)'\]$")


class Place(msgspec.Struct, frozen=True):
    """Where the pod is: what is not in its object. Allocatable figures stand in for limits that are not set."""

    node: str
    host_ip: str
    pod_ip: str
    cpu_millis: int
    memory_bytes: int
    storage_bytes: int = 0


def field_value(pod: Pod, path: str, place: Place) -> str | None:
    """The text of a field; None for a path that nothing is known of."""
    meta = pod.metadata
    match = _SUBSCRIPT.match(path)
    if match:
        return ((meta.labels if match[1] == "labels" else meta.annotations) or {}).get(match[2], "")
    simple = {
        "metadata.name": meta.name,
        "metadata.namespace": meta.namespace,
        "metadata.uid": meta.uid,
        "metadata.labels": _lines(meta.labels),
        "metadata.annotations": _lines(meta.annotations),
        "spec.nodeName": pod.spec.node_name or place.node,
        "spec.serviceAccountName": pod.spec.service_account_name,
        "status.hostIP": place.host_ip,
        "status.hostIPs": place.host_ip,
        "status.podIP": place.pod_ip,
        "status.podIPs": place.pod_ip,
    }
    return simple.get(path)


def _lines(values: dict[str, str] | None) -> str:
    quoted = {
        key: value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        for key, value in (values or {}).items()
    }
    return "\n".join(f'{key}="{quoted[key]}"' for key in sorted(quoted))


def resource_value(pod: Pod, reference: Object, container: str, place: Place) -> str | None:
    """``limits.cpu`` and the like, divided by the divisor and rounded up."""
    name = reference.get("containerName") or container
    found = pod.container(name)
    which, _, resource = str(reference.get("resource", "")).partition(".")
    if found is None or which not in ("limits", "requests"):
        return None
    limits = (found.resources.limits or {}) if found.resources else {}
    requests = (found.resources.requests or {}) if found.resources else {}
    amount = limits.get(resource) if which == "limits" else requests.get(resource, limits.get(resource))
    millis = Quantity.parse(str(amount)).milli() if amount is not None else _allocatable(resource, which, place)
    divisor = Quantity.parse(str(reference.get("divisor") or "1")).milli() or 1000
    return str(-(-millis // divisor))


def _allocatable(resource: str, which: str, place: Place) -> int:
    if which == "requests":
        return 0
    amounts = {
        "cpu": place.cpu_millis,
        "memory": place.memory_bytes * 1000,
        "ephemeral-storage": place.storage_bytes * 1000,
    }
    return amounts.get(resource, 0)
