"""The rules of ``storage.k8s.io``."""

from __future__ import annotations

from typing import Any

from orchestrator.api.cells import UNSET, age_of, columns, name_of
from orchestrator.api.strategy import Rules, filled, nothing, setdefault
from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.field import FieldError, forbidden, immutable, not_supported, required
from orchestrator.apimachinery.tables import Column

GROUP = "storage.k8s.io"
_DEFAULT_CLASS = (
    "storageclass.kubernetes.io/is-default-class",
    "storageclass.beta.kubernetes.io/is-default-class",
)
_RECLAIM = ("Delete", "Retain")
_BINDING = ("Immediate", "WaitForFirstConsumer")


def _default_class(obj: Object) -> None:
    setdefault(obj, "reclaimPolicy", "Delete")
    setdefault(obj, "volumeBindingMode", "Immediate")


def _check_class(obj: Object) -> list[FieldError]:
    errors: list[FieldError] = []
    if not obj.get("provisioner"):
        errors.append(required("provisioner"))
    if obj.get("reclaimPolicy") not in _RECLAIM:
        errors.append(not_supported("reclaimPolicy", obj.get("reclaimPolicy"), _RECLAIM))
    if obj.get("volumeBindingMode") not in _BINDING:
        errors.append(not_supported("volumeBindingMode", obj.get("volumeBindingMode"), _BINDING))
    return errors


def _check_class_update(new: Object, old: Object) -> list[FieldError]:
    errors: list[FieldError] = []
    if (new.get("parameters") or {}) != (old.get("parameters") or {}):
        errors.append(forbidden("parameters", "updates to parameters are forbidden."))
    if new.get("provisioner") != old.get("provisioner"):
        errors.append(forbidden("provisioner", "updates to provisioner are forbidden."))
    if new.get("reclaimPolicy") != old.get("reclaimPolicy"):
        errors.append(forbidden("reclaimPolicy", "updates to reclaimPolicy are forbidden."))
    after, before = new.get("volumeBindingMode"), old.get("volumeBindingMode")
    errors.extend(immutable("volumeBindingMode", after, before))
    return errors


def _default_driver(obj: Object) -> None:
    spec = obj.setdefault("spec", {})
    setdefault(spec, "attachRequired", True)
    for key in ("podInfoOnMount", "storageCapacity", "requiresRepublish", "seLinuxMount"):
        setdefault(spec, key, False)
    setdefault(spec, "preventPodSchedulingIfMissing", False)
    setdefault(spec, "fsGroupPolicy", "ReadWriteOnceWithFSType")
    if not spec.get("volumeLifecycleModes"):
        spec["volumeLifecycleModes"] = ["Persistent"]


def _class_row(obj: Object, now: float) -> list[Any]:
    annotations = obj["metadata"].get("annotations") or {}
    name = name_of(obj)
    if any(annotations.get(key) == "true" for key in _DEFAULT_CLASS):
        name += " (default)"
    return [
        name,
        obj.get("provisioner") or "",
        obj.get("reclaimPolicy") or "Delete",
        obj.get("volumeBindingMode") or UNSET,
        bool(obj.get("allowVolumeExpansion")),
        age_of(obj, now),
    ]


def _driver_row(obj: Object, now: float) -> list[Any]:
    spec = obj.get("spec") or {}
    tokens = [each.get("audience") or "" for each in spec.get("tokenRequests") or ()]
    return [
        name_of(obj),
        bool(spec.get("attachRequired", True)),
        bool(spec.get("podInfoOnMount")),
        bool(spec.get("storageCapacity")),
        ",".join(tokens) if tokens else UNSET,
        bool(spec.get("requiresRepublish")),
        ",".join(spec.get("volumeLifecycleModes") or ()) or "<none>",
        age_of(obj, now),
    ]


def _attachment_row(obj: Object, now: float) -> list[Any]:
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    volume = (spec.get("source") or {}).get("persistentVolumeName") or ""
    attached = bool(status.get("attached"))
    return [name_of(obj), spec.get("attacher") or "", volume, spec.get("nodeName") or "", attached, age_of(obj, now)]


_ATTACHER = Column("Attacher", "string", "name")

RULES = (
    Rules(
        group=GROUP,
        kind="StorageClass",
        namespaced=False,
        default=_default_class,
        check=_check_class,
        check_update=_check_class_update,
        columns=columns("Name", "Provisioner", "ReclaimPolicy", "VolumeBindingMode", "AllowVolumeExpansion", "Age"),
        row=_class_row,
    ),
    Rules(
        group=GROUP,
        kind="CSIDriver",
        namespaced=False,
        unconditional_update=False,
        default=_default_driver,
        columns=columns(
            "Name",
            "AttachRequired:bool",
            "PodInfoOnMount:bool",
            "StorageCapacity:bool",
            "TokenRequests",
            "RequiresRepublish:bool",
            "Modes",
            "Age",
        ),
        row=_driver_row,
    ),
    Rules(
        group=GROUP,
        kind="CSINode",
        namespaced=False,
        unconditional_update=False,
        default=filled(nothing),
        columns=columns("Name", "Drivers:int", "Age"),
        row=lambda obj, now: [name_of(obj), len((obj.get("spec") or {}).get("drivers") or ()), age_of(obj, now)],
    ),
    Rules(group=GROUP, kind="CSIStorageCapacity", unconditional_update=False),
    Rules(
        group=GROUP,
        kind="VolumeAttachment",
        namespaced=False,
        has_status=True,
        unconditional_update=False,
        check_update=lambda new, old: immutable("spec", new.get("spec"), old.get("spec")),
        columns=(*columns("Name"), _ATTACHER, *columns("PV", "Node", "Attached:bool", "Age")),
        row=_attachment_row,
    ),
    Rules(
        group=GROUP,
        kind="VolumeAttributesClass",
        namespaced=False,
        check_update=lambda new, old: immutable("parameters", new.get("parameters"), old.get("parameters")),
        columns=columns("Name", "DriverName", "Age"),
        row=lambda obj, now: [name_of(obj), obj.get("driverName") or "", age_of(obj, now)],
    ),
)
