"""What the objects of a namespace use up of a quota. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.quantity import Quantity
from orchestrator.client.view import View
from orchestrator.controllers.pods import pod

COUNTED = {
    "pods": "pods",
    "services": "services",
    "replicationcontrollers": "replicationcontrollers",
    "secrets": "secrets",
    "configmaps": "configmaps",
    "persistentvolumeclaims": "persistentvolumeclaims",
    "resourcequotas": "resourcequotas",
}
"""Quota names that count objects of a core kind, by the kind's resource."""
SERVICE_TYPES = {"services.nodeports": ("NodePort", "LoadBalancer"), "services.loadbalancers": ("LoadBalancer",)}
COMPUTE = ("cpu", "memory", "ephemeral-storage")
_ZERO = Quantity(0)
Amounts = dict[str, Quantity]


def resource_of(name: str) -> str:
    """The resource (``pods``, ``deployments.apps``) whose objects a quota name is about; "" when there is none."""
    if name.startswith("count/"):
        return name.removeprefix("count/")
    if name in COUNTED:
        return COUNTED[name]
    if name in SERVICE_TYPES:
        return "services"
    if name == "requests.storage" or ".storageclass.storage.k8s.io/" in name:
        return "persistentvolumeclaims"
    if name in COMPUTE or name.startswith(("requests.", "limits.")):
        return "pods"
    return ""


def used(hard: Iterable[str], objects: Mapping[str, Iterable[View]], matches: Object) -> dict[str, str]:
    """The used amount for each name of ``hard``; ``objects`` are those of the namespace by resource."""
    totals: Amounts = {name: _ZERO for name in hard if resource_of(name)}
    for name in totals:
        for view in objects.get(resource_of(name), ()):
            totals[name] += amount(name, view, matches)
    return {name: str(total) for name, total in totals.items()}


def amount(name: str, view: View, spec: Object) -> Quantity:
    """What one object adds to one name."""
    resource = resource_of(name)
    if name == f"count/{resource}":
        return Quantity.of(1)
    if resource == "pods":
        return _pod_amount(name, view) if not _gone(view) and in_scope(view, spec) else _ZERO
    if name in SERVICE_TYPES:
        return Quantity.of(1) if view.spec.get("type") in SERVICE_TYPES[name] else _ZERO
    if resource == "persistentvolumeclaims" and name != "persistentvolumeclaims":
        return _claim_amount(name, view)
    return Quantity.of(1)


def _gone(view: View) -> bool:
    return pod(view).finished


def _pod_amount(name: str, view: View) -> Quantity:
    if name == "pods":
        return Quantity.of(1)
    part, _, resource = name.partition(".")
    if part not in ("requests", "limits"):
        part, resource = "requests", name
    return pod_total(view.spec, part, resource)


def pod_total(spec: Object, part: str, resource: str) -> Quantity:
    """The sum over containers, or the largest init container, with sidecars and overhead."""
    containers = sum((_of(held, part, resource) for held in spec.get("containers") or ()), _ZERO)
    sidecars, largest = _ZERO, _ZERO
    for held in spec.get("initContainers") or ():
        own = _of(held, part, resource)
        if held.get("restartPolicy") == "Always":
            sidecars += own
            own = _ZERO
        largest = max(largest, own + sidecars)
    total = max(containers + sidecars, largest)
    overhead = (spec.get("overhead") or {}).get(resource)
    return total + Quantity.parse(overhead) if overhead is not None and total else total


def _of(container: Object, part: str, resource: str) -> Quantity:
    value = ((container.get("resources") or {}).get(part) or {}).get(resource)
    return Quantity.parse(value) if value is not None else _ZERO


def _claim_amount(name: str, view: View) -> Quantity:
    class_name = view.spec.get("storageClassName") or ""
    wanted, _, what = name.partition(".storageclass.storage.k8s.io/")
    if what and wanted != class_name:
        return _ZERO
    if name.endswith("persistentvolumeclaims"):
        return Quantity.of(1)
    requests = (view.spec.get("resources") or {}).get("requests") or {}
    return Quantity.parse(requests["storage"]) if "storage" in requests else _ZERO


def in_scope(view: View, spec: Object) -> bool:
    """Whether a pod is among those that a quota's scopes speak of."""
    for scope in spec.get("scopes") or ():
        if not _matches(view, scope, "Exists", ()):
            return False
    for term in (spec.get("scopeSelector") or {}).get("matchExpressions") or ():
        if not _matches(view, term["scopeName"], term["operator"], term.get("values") or ()):
            return False
    return True


def _matches(view: View, scope: str, operator: str, values: Iterable[str]) -> bool:
    spec = view.spec
    if scope == "PriorityClass":
        name = spec.get("priorityClassName") or ""
        known = {"In": name in values, "NotIn": name not in values, "Exists": bool(name), "DoesNotExist": not name}
        return known.get(operator, False)
    ending = spec.get("activeDeadlineSeconds") is not None
    effort = _best_effort(spec)
    affinity = spec.get("affinity") or {}
    crossing = any(
        term.get("namespaces") or term.get("namespaceSelector") is not None
        for kind in ("podAffinity", "podAntiAffinity")
        for term in _terms(affinity.get(kind) or {})
    )
    facts = {
        "Terminating": ending,
        "NotTerminating": not ending,
        "BestEffort": effort,
        "NotBestEffort": not effort,
        "CrossNamespacePodAffinity": crossing,
    }
    return facts.get(scope, False)


def _terms(affinity: Object) -> list[Object]:
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution") or []
    preferred = affinity.get("preferredDuringSchedulingIgnoredDuringExecution") or []
    return [*required, *(held["podAffinityTerm"] for held in preferred)]


def _best_effort(spec: Object) -> bool:
    every = [*(spec.get("containers") or ()), *(spec.get("initContainers") or ())]
    return not any(
        (held.get("resources") or {}).get(part, {}).get(resource)
        for held in every
        for part in ("requests", "limits")
        for resource in ("cpu", "memory")
    )
