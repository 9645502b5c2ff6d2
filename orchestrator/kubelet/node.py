"""The Node and Lease objects that a kubelet keeps: registration, conditions, heartbeats. Pure."""

from __future__ import annotations

import msgspec

from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.timestamps import rfc3339, rfc3339_micro
from orchestrator.kubelet.runtime.runtime import Machine

KUBELET_VERSION = "v1.37.0+podium"
LEASE_NAMESPACE = "kube-node-lease"
LEASE_SECONDS = 40
"""How long a lease holds; a quarter of it is the time between two heartbeats."""
HEARTBEAT_SECONDS = 10.0
HEARTBEAT_SLOTS = 10
"""Moments, a second apart on every clock, at which heartbeats are sent. Those of one slot reach the server together and
are one commit; a node keeps its slot, so its lease is renewed each ten seconds like any other's."""
SLOT_NODES = 10
"""A cluster of fewer than twice as many nodes needs one slot: a commit of so few is no burst."""
STATUS_HEARTBEATS = 30
"""From one node status to the next when nothing changed: five minutes."""
MAX_PODS = 110
EVICTION_MEMORY_BYTES = 100 * 1024 * 1024
"""Held back from allocatable: what the kubelet's hard eviction threshold keeps free."""


class NodeConfig(msgspec.Struct, frozen=True):
    """What the composition root says of a node. ``reserved`` parts are taken off what pods may ask for."""

    name: str
    address: str = "127.0.0.1"
    labels: dict[str, str] = {}
    taints: tuple[Object, ...] = ()
    max_pods: int = MAX_PODS
    reserved_cpu_millis: int = 0
    reserved_memory_bytes: int = 0
    capacity: dict[str, str] = {}
    """Extended resources by name."""
    pod_cidr: str = ""
    kubelet_port: int = 10250
    register: bool = True
    normal_events: bool = True
    """Whether Pulled, Created, Started and the like are recorded, beside warnings."""
    cluster_dns: tuple[str, ...] = ()
    cluster_domain: str = "cluster.local"
    provider_id: str = ""
    heartbeat_slots: int = HEARTBEAT_SLOTS
    """The first of the slots, how many of them are used."""


def capacity(config: NodeConfig, machine: Machine) -> dict[str, str]:
    return {
        "cpu": _millis(machine.cpu_millis),
        "memory": f"{machine.memory_bytes // 1024}Ki",
        "ephemeral-storage": f"{machine.storage_bytes // 1024}Ki",
        "hugepages-1Gi": "0",
        "hugepages-2Mi": "0",
        "pods": str(config.max_pods),
        **config.capacity,
    }


def allocatable(config: NodeConfig, machine: Machine) -> dict[str, str]:
    memory = max(machine.memory_bytes - config.reserved_memory_bytes - EVICTION_MEMORY_BYTES, 0)
    return {
        **capacity(config, machine),
        "cpu": _millis(machine.cpu_millis - config.reserved_cpu_millis),
        "memory": f"{memory // 1024}Ki",
        "ephemeral-storage": str(machine.storage_bytes * 9 // 10),
    }


def _millis(millis: int) -> str:
    return f"{millis}m" if millis % 1000 else str(millis // 1000)


def labels(config: NodeConfig, machine: Machine) -> dict[str, str]:
    return {
        "beta.kubernetes.io/arch": machine.architecture,
        "beta.kubernetes.io/os": machine.operating_system,
        "kubernetes.io/arch": machine.architecture,
        "kubernetes.io/hostname": config.name,
        "kubernetes.io/os": machine.operating_system,
        **config.labels,
    }


def node_object(config: NodeConfig, machine: Machine, now: float) -> Object:
    """The Node as it is registered."""
    spec: Object = {}
    if config.taints:
        spec["taints"] = list(config.taints)
    if config.pod_cidr:
        spec["podCIDR"] = config.pod_cidr
        spec["podCIDRs"] = [config.pod_cidr]
    if config.provider_id:
        spec["providerID"] = config.provider_id
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": config.name,
            "labels": labels(config, machine),
            "annotations": {"volumes.kubernetes.io/controller-managed-attach-detach": "true"},
        },
        "spec": spec,
        "status": node_status(config, machine, None, now),
    }


def node_status(config: NodeConfig, machine: Machine, before: Object | None, now: float) -> Object:
    """The node's status; ``before`` is the one that stands, whose transition times and extended resources are kept."""
    before = before or {}
    extended = {name: amount for name, amount in (before.get("capacity") or {}).items() if "/" in name}
    return {
        "capacity": {**extended, **capacity(config, machine)},
        "allocatable": {**extended, **allocatable(config, machine)},
        "conditions": _conditions(before.get("conditions") or [], now),
        "addresses": [
            {"type": "InternalIP", "address": config.address},
            {"type": "Hostname", "address": config.name},
        ],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": config.kubelet_port}},
        "nodeInfo": {
            "architecture": machine.architecture,
            "bootID": machine.boot_id,
            "containerRuntimeVersion": machine.runtime_version,
            "kernelVersion": machine.kernel_version,
            "kubeProxyVersion": "",
            "kubeletVersion": KUBELET_VERSION,
            "machineID": machine.machine_id,
            "operatingSystem": machine.operating_system,
            "osImage": machine.os_image,
            "systemUUID": machine.machine_id,
        },
    }


CONDITIONS = (
    ("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
    ("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    ("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
    ("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
)


def _conditions(before: list[Object], now: float) -> list[Object]:
    held = {one["type"]: one for one in before}
    moment = rfc3339(now)
    found = []
    for kind, status, reason, message in CONDITIONS:
        old = held.pop(kind, None)
        since = old["lastTransitionTime"] if old is not None and old.get("status") == status else moment
        found.append(
            {
                "type": kind,
                "status": status,
                "lastHeartbeatTime": moment,
                "lastTransitionTime": since,
                "reason": reason,
                "message": message,
            }
        )
    return [*found, *held.values()]


def lease_object(name: str, node_uid: str, now: float) -> Object:
    """The node's Lease, owned by the Node so that it goes with it."""
    owner = {"apiVersion": "v1", "kind": "Node", "name": name, "uid": node_uid}
    return {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": name, "namespace": LEASE_NAMESPACE, "ownerReferences": [owner]},
        "spec": {"holderIdentity": name, "leaseDurationSeconds": LEASE_SECONDS, "renewTime": rfc3339_micro(now)},
    }


def renewal(now: float) -> Object:
    """The merge patch of one heartbeat."""
    return {"spec": {"renewTime": rfc3339_micro(now)}}


def heartbeat_slots(nodes: int) -> int:
    """How many slots so many nodes share."""
    return min(HEARTBEAT_SLOTS, max(1, nodes // SLOT_NODES))


def seconds_to_slot(now: float, slot: int) -> float:
    """From ``now`` to the next moment of a slot."""
    return (slot * HEARTBEAT_SECONDS / HEARTBEAT_SLOTS - now) % HEARTBEAT_SECONDS
