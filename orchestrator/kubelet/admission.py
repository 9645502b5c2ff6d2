"""Whether a node may run a pod that was bound to it: host ports that another pod holds. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from orchestrator.kubelet.observed import Verdict
from orchestrator.kubelet.phase import is_terminal
from orchestrator.kubelet.pod import Pod
from orchestrator.kubelet.record import Record

ANY = ("", "0.0.0.0", "::")

HostPort = tuple[int, str, str]
"""Port, protocol, address."""


def host_ports(pod: Pod) -> list[HostPort]:
    return [
        (port.host_port, port.protocol, port.host_ip)
        for container in pod.every_container()
        for port in container.ports or ()
        if port.host_port
    ]


def refuse(record: Record, others: Mapping[str, Record]) -> Verdict | None:
    """The verdict on a pod that cannot be here; None when it can, or when it is over or leaving anyway."""
    pod = record.pod()
    wanted = host_ports(pod)
    if not wanted or pod.deleting or is_terminal(pod) or pod.status.get("podIP"):
        return None
    for other in others.values():
        if other.finished or other.observed.verdict is not None:
            continue
        held = other.pod()
        if not is_terminal(held) and any(_clash(one, two) for one in wanted for two in host_ports(held)):
            return Verdict("NodePorts", "Pod was rejected: Predicate NodePorts failed")
    return None


def _clash(one: HostPort, two: HostPort) -> bool:
    return one[:2] == two[:2] and (one[2] == two[2] or one[2] in ANY or two[2] in ANY)
