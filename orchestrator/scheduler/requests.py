"""What a pod asks of a node: the sum of its containers, the peak of its init containers, and its overhead.

Amounts are integers: milli-units for cpu, units (bytes, counts) for everything else. The formula is that of
KEP-753 (sidecar containers) and KEP-2837 (pod-level resources).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.quantity import Quantity

Amounts = dict[str, int]

SCORED_CPU_MILLI = 100
"""What a container without a cpu request counts as when nodes are scored, so that such pods spread too."""
SCORED_MEMORY_BYTES = 200 * 1024 * 1024
"""The same for memory."""
QUANTITY_CACHE = 4096
"""Distinct quantity texts kept parsed."""

POD_LEVEL = ("cpu", "memory")
_SCORED_DEFAULTS = {"cpu": SCORED_CPU_MILLI, "memory": SCORED_MEMORY_BYTES}


@lru_cache(maxsize=QUANTITY_CACHE)
def _amount(resource: str, text: str) -> int:
    quantity = Quantity.parse(text)
    return quantity.milli() if resource == "cpu" else quantity.value()


def amounts(resources: Mapping[str, Any] | None) -> Amounts:
    """A resource list as integers."""
    return {name: _amount(name, str(text)) for name, text in (resources or {}).items()}


def pod_requests(spec: Object) -> Amounts:
    """What the pod takes from a node's allocatable; zero amounts are left out."""
    return {name: amount for name, amount in _requests(spec, {}).items() if amount}


def scored_requests(spec: Object) -> tuple[int, int]:
    """(cpu, memory) as scoring sees them: containers without a request count as a small default."""
    total = _requests(spec, _SCORED_DEFAULTS)
    return total.get("cpu", 0), total.get("memory", 0)


def _requests(spec: Object, defaults: Amounts) -> Amounts:
    total = _containers(spec, defaults)
    pod_level = amounts((spec.get("resources") or {}).get("requests"))
    total.update(
        (name, amount) for name, amount in pod_level.items() if name in POD_LEVEL or name.startswith("hugepages-")
    )
    _add(total, amounts(spec.get("overhead")))
    return total


def _containers(spec: Object, defaults: Amounts) -> Amounts:
    total: Amounts = {}
    for container in spec.get("containers") or ():
        _add(total, _container(container, defaults))
    sidecars: Amounts = {}
    peak: Amounts = {}
    for container in spec.get("initContainers") or ():
        own = _container(container, defaults)
        if container.get("restartPolicy") == "Always":
            _add(total, own)
            _add(sidecars, own)
            own = dict(sidecars)
        else:
            _add(own, sidecars)
        _raise(peak, own)
    _raise(total, peak)
    return total


def _container(container: Object, defaults: Amounts) -> Amounts:
    own = amounts((container.get("resources") or {}).get("requests"))
    return {**defaults, **own} if defaults else own


def _add(total: Amounts, more: Amounts) -> None:
    for name, amount in more.items():
        total[name] = total.get(name, 0) + amount


def _raise(total: Amounts, floor: Amounts) -> None:
    for name, amount in floor.items():
        if amount > total.get(name, 0):
            total[name] = amount
