"""The quality of service class of a pod: Guaranteed, Burstable or BestEffort by its requests and limits. Pure."""

from __future__ import annotations

from orchestrator.kubelet.pod import Pod

COMPUTE = ("cpu", "memory")


def qos_class(pod: Pod) -> str:
    """What the API server computed at creation, else the same rule here."""
    known = pod.status.get("qosClass")
    if known:
        return str(known)
    guaranteed, burstable = True, False
    for container in [*pod.init_containers(), *pod.spec.containers]:
        resources = container.resources
        requests = (resources.requests or {}) if resources else {}
        limits = (resources.limits or {}) if resources else {}
        burstable = burstable or any(name in requests or name in limits for name in COMPUTE)
        guaranteed = guaranteed and all(
            name in limits and requests.get(name, limits[name]) == limits[name] for name in COMPUTE
        )
    if guaranteed:
        return "Guaranteed"
    return "Burstable" if burstable else "BestEffort"
