"""What placement reads of claims, volumes, classes and CSI nodes. Equal facts mean that an update changes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from orchestrator.api.volumes import BETA_CLASS, BIND_COMPLETED, NO_PROVISIONER, SELECTED_NODE, WAIT
from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.quantity import Quantity
from orchestrator.apimachinery.selectors import Selector, from_label_selector
from orchestrator.scheduler.node_selector import NodeTerm, node_term
from orchestrator.scheduler.terms import Labels

READ_WRITE_ONCE_POD = "ReadWriteOncePod"

Topology = tuple[tuple[str, frozenset[str]], ...]
"""One alternative of ``allowedTopologies``: every label must have one of the values."""


@dataclass(frozen=True, slots=True)
class ClaimFacts:
    """A PersistentVolumeClaim. ``bound`` means completely: the volume is named and the binder is done."""

    namespace: str
    name: str
    uid: str
    revision: int
    volume: str
    bound: bool
    lost: bool
    deleting: bool
    storage_class: str
    selected_node: str
    size: int
    """Bytes asked for."""
    modes: frozenset[str]
    volume_mode: str
    selector: Selector | None
    owner: str
    """The pod that an ephemeral claim was made for."""

    @property
    def key(self) -> str:
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True)
class VolumeFacts:
    """A PersistentVolume."""

    name: str
    revision: int
    labels: Labels
    deleting: bool
    available: bool
    claim: str
    """``namespace/name`` of the claim that it is for, "" while it is free."""
    claim_uid: str
    storage_class: str
    size: int
    modes: frozenset[str]
    volume_mode: str
    terms: tuple[NodeTerm, ...] | None
    """The nodes it can be used on; None: all."""
    driver: str
    handle: str

    def is_for(self, claim: ClaimFacts) -> bool:
        return self.claim == claim.key and self.claim_uid in ("", claim.uid)

    def suits(self, claim: ClaimFacts) -> bool:
        return (
            not self.deleting
            and self.available
            and self.storage_class == claim.storage_class
            and self.volume_mode == claim.volume_mode
            and claim.modes <= self.modes
            and self.size >= claim.size
            and (claim.selector is None or claim.selector.matches(self.labels))
        )


@dataclass(frozen=True, slots=True)
class ClassFacts:
    """A StorageClass."""

    provisioner: str
    waits: bool
    """Bound with the first consumer: by the scheduler."""
    topologies: tuple[Topology, ...]

    @property
    def provisions(self) -> bool:
        return self.provisioner not in ("", NO_PROVISIONER)


def claim_facts(claim: Object) -> ClaimFacts:
    metadata, spec, status = claim["metadata"], claim.get("spec") or {}, claim.get("status") or {}
    annotations = metadata.get("annotations") or {}
    volume = spec.get("volumeName") or ""
    stated = spec.get("selector")
    owners = [each for each in metadata.get("ownerReferences") or () if each.get("controller")]
    return ClaimFacts(
        namespace=metadata["namespace"],
        name=metadata["name"],
        uid=metadata.get("uid", ""),
        revision=int(metadata.get("resourceVersion") or 0),
        volume=volume,
        bound=bool(volume) and BIND_COMPLETED in annotations,
        lost=status.get("phase") == "Lost",
        deleting="deletionTimestamp" in metadata,
        storage_class=_class(annotations, spec),
        selected_node=annotations.get(SELECTED_NODE, ""),
        size=_bytes((spec.get("resources") or {}).get("requests")),
        modes=frozenset(spec.get("accessModes") or ()),
        volume_mode=spec.get("volumeMode") or "Filesystem",
        selector=from_label_selector(stated) if stated else None,
        owner=owners[0]["name"] if owners else "",
    )


def volume_facts(volume: Object) -> VolumeFacts:
    metadata, spec, status = volume["metadata"], volume.get("spec") or {}, volume.get("status") or {}
    reference = spec.get("claimRef") or {}
    required = (spec.get("nodeAffinity") or {}).get("required")
    csi = spec.get("csi") or {}
    return VolumeFacts(
        name=metadata["name"],
        revision=int(metadata.get("resourceVersion") or 0),
        labels=metadata.get("labels") or {},
        deleting="deletionTimestamp" in metadata,
        available=status.get("phase") == "Available",
        claim=f"{reference.get('namespace', '')}/{reference['name']}" if reference else "",
        claim_uid=reference.get("uid", ""),
        storage_class=_class(metadata.get("annotations") or {}, spec),
        size=_bytes(spec.get("capacity")),
        modes=frozenset(spec.get("accessModes") or ()),
        volume_mode=spec.get("volumeMode") or "Filesystem",
        terms=None if required is None else tuple(map(node_term, required.get("nodeSelectorTerms") or ())),
        driver=csi.get("driver", ""),
        handle=csi.get("volumeHandle", ""),
    )


def class_facts(storage_class: Object) -> ClassFacts:
    topologies = tuple(
        tuple((each["key"], frozenset(each["values"])) for each in term.get("matchLabelExpressions") or ())
        for term in storage_class.get("allowedTopologies") or ()
    )
    waits = storage_class.get("volumeBindingMode") == WAIT
    return ClassFacts(storage_class.get("provisioner", ""), waits, topologies)


def volume_limits(csi_node: Object) -> dict[str, int]:
    """How many volumes of each driver can be attached to the node; a driver without a limit is left out."""
    drivers = (csi_node.get("spec") or {}).get("drivers") or ()
    counts = {driver["name"]: (driver.get("allocatable") or {}).get("count") for driver in drivers}
    return {name: count for name, count in counts.items() if count is not None}


def _class(annotations: Mapping[str, str], spec: Object) -> str:
    return str(annotations.get(BETA_CLASS) or spec.get("storageClassName") or "")


def _bytes(resources: Mapping[str, Any] | None) -> int:
    return Quantity.parse(str((resources or {}).get("storage", "0"))).value()
