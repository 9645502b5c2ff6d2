"""All that placement asks of a pod. Pods of one shape are interchangeable to every filter and score."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field

from orchestrator.apimachinery.encoded import Object
from orchestrator.scheduler.disks import Disk, disks
from orchestrator.scheduler.node_selector import NodeTerm, Preference, preferences, required_terms
from orchestrator.scheduler.requests import Amounts, pod_requests, scored_requests
from orchestrator.scheduler.taints import Toleration, tolerations
from orchestrator.scheduler.terms import (
    SYSTEM_SPREADING,
    DefaultSpreading,
    Labels,
    PodTerms,
    Spread,
    pod_terms,
    spreads,
)

DEFAULT_SCHEDULER = "default-scheduler"

PLACEMENT_FIELDS = (
    "affinity",
    "containers",
    "initContainers",
    "nodeName",
    "nodeSelector",
    "overhead",
    "preemptionPolicy",
    "priority",
    "resources",
    "schedulerName",
    "schedulingGates",
    "tolerations",
    "topologySpreadConstraints",
    "volumes",
)
CONTAINER_FIELDS = ("image", "ports", "resources", "restartPolicy")

Port = tuple[str, str, int]
"""(protocol, host address, host port); the address is 0.0.0.0 when the pod names none."""
INLINE_DISKS = ("gcePersistentDisk", "awsElasticBlockStore", "iscsi", "rbd")


@dataclass(frozen=True, slots=True)
class Mount:
    """A PersistentVolumeClaim that the pod uses. An ephemeral one must have been made for ``pod``."""

    name: str
    ephemeral: bool = False
    pod: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """Compared by identity: ``ShapeCache`` gives equal pods the same object."""

    key: str
    namespace: str
    labels: Labels
    spec: Object
    """Only the fields placement reads; for plugins of users."""
    requests: Amounts
    scored: tuple[int, int]
    node_name: str
    node_selector: dict[str, str]
    node_terms: tuple[NodeTerm, ...] | None
    node_preferences: tuple[Preference, ...]
    tolerations: tuple[Toleration, ...]
    ports: tuple[Port, ...]
    spreads: tuple[Spread, ...]
    spread_defaulted: bool
    """The constraints are the cluster's, not the pod's: nodes without a zone still take part."""
    terms: PodTerms
    images: tuple[str, ...]
    priority: int
    preemption_policy: str
    scheduler: str
    gates: tuple[str, ...]
    claims: tuple[Mount, ...] = field(default=())
    disks: tuple[Disk, ...] = field(default=())


def placement_spec(spec: Object, pod: str = "") -> Object:
    """The part of a pod's spec that placement depends on: names, commands and environments differ without effect.

    ``pod`` is the pod's name, which its ephemeral claims are called after.
    """
    kept: Object = {name: spec[name] for name in PLACEMENT_FIELDS if spec.get(name)}
    for name in ("containers", "initContainers"):
        if name in kept:
            kept[name] = [{key: c[key] for key in CONTAINER_FIELDS if c.get(key)} for c in kept[name]]
    if "volumes" in kept:
        volumes = [kind for kind in (_placement_volume(volume, pod) for volume in kept["volumes"]) if kind]
        kept["volumes"] = volumes
        if not volumes:
            del kept["volumes"]
    return kept


def _placement_volume(volume: Object, pod: str) -> Object:
    if "ephemeral" in volume:
        return {"ephemeral": {"claim": f"{pod}-{volume['name']}", "pod": pod}}
    return {key: volume[key] for key in ("persistentVolumeClaim", "image", *INLINE_DISKS) if key in volume}


def shape_key(spec: Object, namespace: str, labels: Labels, default_selector: Object | None, pod: str = "") -> str:
    """Equal for pods that are interchangeable to placement."""
    return json.dumps([namespace, labels, placement_spec(spec, pod), default_selector], sort_keys=True)


def shape_of(
    spec: Object,
    namespace: str,
    labels: Labels,
    default_selector: Object | None,
    *,
    pod: str = "",
    spreading: DefaultSpreading = SYSTEM_SPREADING,
) -> Shape:
    """The shape of a pod. ``default_selector`` selects its siblings (Service, workload); None when it has none."""
    kept = placement_spec(spec, pod)
    own = spreads(kept, namespace, labels)
    defaulted = not own and default_selector is not None
    if defaulted and default_selector is not None:
        own = spreading.spreads(default_selector, namespace, labels)
    return Shape(
        key=shape_key(spec, namespace, labels, default_selector, pod),
        namespace=namespace,
        labels=labels,
        spec=kept,
        requests=pod_requests(kept),
        scored=scored_requests(kept),
        node_name=kept.get("nodeName", ""),
        node_selector=kept.get("nodeSelector", {}),
        node_terms=required_terms(kept),
        node_preferences=preferences(kept),
        tolerations=tolerations(kept),
        ports=_ports(kept),
        spreads=own,
        spread_defaulted=defaulted and spreading.system,
        terms=pod_terms(kept, namespace, labels),
        images=_images(kept),
        priority=kept.get("priority", 0),
        preemption_policy=kept.get("preemptionPolicy", "PreemptLowerPriority"),
        scheduler=kept.get("schedulerName", DEFAULT_SCHEDULER),
        gates=tuple(gate["name"] for gate in kept.get("schedulingGates", ())),
        claims=_claims(kept),
        disks=disks(kept),
    )


def _ports(spec: Object) -> tuple[Port, ...]:
    containers = [c for c in spec.get("initContainers", ()) if c.get("restartPolicy") == "Always"]
    containers += spec.get("containers", ())
    return tuple(
        (port.get("protocol", "TCP"), port.get("hostIP") or "0.0.0.0", port["hostPort"])
        for container in containers
        for port in container.get("ports", ())
        if port.get("hostPort")
    )


def _images(spec: Object) -> tuple[str, ...]:
    names = [c.get("image", "") for c in (*spec.get("initContainers", ()), *spec.get("containers", ()))]
    names += [volume["image"].get("reference", "") for volume in spec.get("volumes", ()) if "image" in volume]
    return tuple(normal_image(name) for name in names)


def normal_image(name: str) -> str:
    """An image name with its tag: as the container runtime reports it in a node's status."""
    return name if name.rfind(":") > name.rfind("/") else f"{name}:latest"


def _claims(spec: Object) -> tuple[Mount, ...]:
    return tuple(_mounts(spec.get("volumes", ())))


def _mounts(volumes: Iterable[Object]) -> Iterable[Mount]:
    for volume in volumes:
        if "persistentVolumeClaim" in volume:
            yield Mount(volume["persistentVolumeClaim"]["claimName"])
        elif "ephemeral" in volume:
            yield Mount(volume["ephemeral"]["claim"], True, volume["ephemeral"]["pod"])
