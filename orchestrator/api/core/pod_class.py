"""The quality of service class of a pod: how early it is evicted."""

from __future__ import annotations

from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.quantity import Quantity, QuantityError

_COUNTED = ("cpu", "memory")


def qos_class(spec: Object) -> str:
    """``Guaranteed``, ``Burstable`` or ``BestEffort``, from the requests and limits of cpu and memory."""
    whole = spec.get("resources")
    if whole and (whole.get("requests") or whole.get("limits")):
        return _class_of([whole])
    containers = [*(spec.get("containers") or ()), *(spec.get("initContainers") or ())]
    resources = [container.get("resources") or {} for container in containers]
    if not any(resources):
        return "BestEffort"
    return _class_of(resources)


def _class_of(resources: list[Object]) -> str:
    requests: dict[str, int] = {}
    limits: dict[str, int] = {}
    all_limited = True
    for each in resources:
        _sum(each.get("requests"), requests)
        limited = _sum(each.get("limits"), limits)
        all_limited = all_limited and limited == len(_COUNTED)
    if not requests and not limits:
        return "BestEffort"
    return "Guaranteed" if all_limited and requests == limits else "Burstable"


def _sum(amounts: Object | None, sums: dict[str, int]) -> int:
    """Adds the positive amounts; how many there were."""
    found = 0
    for name in _COUNTED:
        amount = (amounts or {}).get(name)
        if amount is None:
            continue
        try:
            nanos = Quantity.parse(amount).nanos
        except QuantityError:
            continue
        if nanos > 0:
            sums[name] = sums.get(name, 0) + nanos
            found += 1
    return found
