"""The rules of PersistentVolume and PersistentVolumeClaim."""

from __future__ import annotations

from typing import Any

from orchestrator.api.cells import UNSET, age_of, columns, name_of
from orchestrator.api.core.pod_defaults import canonicalize, default_claim_spec
from orchestrator.api.strategy import Rules
from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.field import FieldError, Path, forbidden, immutable, invalid, not_supported, required
from orchestrator.apimachinery.names import dns_subdomain
from orchestrator.apimachinery.quantity import QuantityError, canonical, compare
from orchestrator.apimachinery.selectors import validate_label_selector

ACCESS_MODES = ("ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod")
_MODE_NAMES = {"ReadWriteOnce": "RWO", "ReadOnlyMany": "ROX", "ReadWriteMany": "RWX", "ReadWriteOncePod": "RWOP"}
_CLASS_ANNOTATION = "volume.beta.kubernetes.io/storage-class"
_SOURCES = (
    "awsElasticBlockStore",
    "azureDisk",
    "azureFile",
    "cephfs",
    "cinder",
    "csi",
    "fc",
    "flexVolume",
    "flocker",
    "gcePersistentDisk",
    "glusterfs",
    "hostPath",
    "iscsi",
    "local",
    "nfs",
    "photonPersistentDisk",
    "portworxVolume",
    "quobyte",
    "rbd",
    "scaleIO",
    "storageos",
    "vsphereVolume",
)
_RECLAIM = ("Delete", "Recycle", "Retain")
_SPEC = Path("spec")


def default_volume(obj: Object) -> None:
    spec = obj.setdefault("spec", {})
    if not spec.get("persistentVolumeReclaimPolicy"):
        spec["persistentVolumeReclaimPolicy"] = "Retain"
    if not spec.get("volumeMode"):
        spec["volumeMode"] = "Filesystem"
    host = spec.get("hostPath")
    if host is not None:
        host.setdefault("type", "")
    canonicalize(spec.get("capacity"))


def default_claim(obj: Object) -> None:
    default_claim_spec(obj.setdefault("spec", {}))
    _normalize_data_source(obj["spec"])


def _normalize_data_source(spec: Object) -> None:
    """The old field and the new one say the same."""
    source, reference = spec.get("dataSource"), spec.get("dataSourceRef")
    if source and not reference:
        spec["dataSourceRef"] = dict(source)
    elif reference and not source and not reference.get("namespace"):
        spec["dataSource"] = {key: value for key, value in reference.items() if key != "namespace"}


def _check_modes(modes: list[str], path: Path) -> list[FieldError]:
    if not modes:
        return [required(path, "at least 1 access mode is required")]
    errors = [not_supported(path, mode, ACCESS_MODES) for mode in modes if mode not in ACCESS_MODES]
    if "ReadWriteOncePod" in modes and len(modes) > 1:
        errors.append(forbidden(path, "may not use ReadWriteOncePod with other access modes"))
    return errors


def check_claim_spec(spec: Object, path: Path) -> list[FieldError]:
    errors = validate_label_selector(spec.get("selector"), path.child("selector"))
    modes = spec.get("accessModes") or []
    place = path.child("accessModes")
    errors.extend([required(place, "at least 1 access mode is required")] if not modes else _check_modes(modes, place))
    requests = (spec.get("resources") or {}).get("requests") or {}
    size = requests.get("storage")
    if size is None:
        errors.append(required(path.child("resources").key("storage")))
    elif compare(size, "0") <= 0:
        errors.append(invalid(path.child("resources").key("storage"), size, "must be greater than zero"))
    name = spec.get("storageClassName")
    if name:
        errors.extend(invalid(path.child("storageClassName"), name, text) for text in dns_subdomain(name))
    if spec.get("volumeMode") not in (None, "Block", "Filesystem"):
        errors.append(not_supported(path.child("volumeMode"), spec["volumeMode"], ("Block", "Filesystem")))
    return errors


def _check_claim(obj: Object) -> list[FieldError]:
    return check_claim_spec(obj.get("spec") or {}, _SPEC)


def _check_claim_update(new: Object, old: Object) -> list[FieldError]:
    """Only the size may grow once the claim is bound, the rest of the spec stays (a class may be set once)."""
    new_spec, old_spec = new.get("spec") or {}, old.get("spec") or {}
    fixed, was = _without_size(new_spec), _without_size(old_spec)
    if not was.get("volumeName"):
        was["volumeName"] = fixed.get("volumeName")
    if was.get("storageClassName") is None:
        was["storageClassName"] = fixed.get("storageClassName")
    errors: list[FieldError] = []
    if {key: value for key, value in fixed.items() if value} != {key: value for key, value in was.items() if value}:
        text = (
            "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims"
        )
        errors.append(forbidden("spec", text))
    new_size, old_size = _size(new_spec), _size(old_spec)
    if new_size is not None and old_size is not None and compare(new_size, old_size) < 0:
        errors.append(forbidden("spec.resources.requests.storage", "field can not be less than previous value"))
    errors.extend(immutable("spec.volumeMode", new_spec.get("volumeMode"), old_spec.get("volumeMode")))
    return errors


def _size(spec: Object) -> str | None:
    size = ((spec.get("resources") or {}).get("requests") or {}).get("storage")
    return None if size is None else str(size)


def _without_size(spec: Object) -> Object:
    copy = {key: value for key, value in spec.items() if key != "volumeAttributesClassName"}
    resources = dict(copy.get("resources") or {})
    resources["requests"] = {key: value for key, value in (resources.get("requests") or {}).items() if key != "storage"}
    copy["resources"] = resources if resources["requests"] or resources.get("limits") else None
    return copy


def _check_volume(obj: Object) -> list[FieldError]:
    spec = obj.get("spec") or {}
    errors = _check_modes(spec.get("accessModes") or [], _SPEC.child("accessModes"))
    capacity = spec.get("capacity") or {}
    if not capacity:
        errors.append(required(_SPEC.child("capacity")))
    elif list(capacity) != ["storage"]:
        errors.append(not_supported(_SPEC.child("capacity"), capacity, ("storage",)))
    elif compare(capacity["storage"], "0") <= 0:
        path = _SPEC.child("capacity").key("storage")
        errors.append(invalid(path, str(capacity["storage"]), "must be greater than zero"))
    policy = spec.get("persistentVolumeReclaimPolicy")
    if policy not in _RECLAIM:
        errors.append(not_supported(_SPEC.child("persistentVolumeReclaimPolicy"), policy, _RECLAIM))
    errors.extend(_check_source(spec))
    return errors


def _check_source(spec: Object) -> list[FieldError]:
    sources = [key for key in _SOURCES if spec.get(key) is not None]
    errors = [forbidden(_SPEC.child(key), "may not specify more than 1 volume type") for key in sources[1:]]
    if not sources:
        errors.append(required(_SPEC, "must specify a volume type"))
    elif sources[0] == "local" and not spec.get("nodeAffinity"):
        errors.append(required(_SPEC.child("nodeAffinity"), "Local volume requires node affinity"))
    host = spec.get("hostPath")
    if host is not None and not host.get("path"):
        errors.append(required(_SPEC.child("hostPath", "path")))
    return errors


def _check_volume_update(new: Object, old: Object) -> list[FieldError]:
    new_spec, old_spec = new.get("spec") or {}, old.get("spec") or {}
    before = {key: value for key, value in old_spec.items() if key in _SOURCES}
    after = {key: value for key, value in new_spec.items() if key in _SOURCES}
    errors: list[FieldError] = []
    if before != after:
        errors.append(
            forbidden("spec.persistentvolumesource", "spec.persistentvolumesource is immutable after creation")
        )
    errors.extend(immutable("spec.volumeMode", new_spec.get("volumeMode"), old_spec.get("volumeMode")))
    return errors


def modes_text(modes: list[str] | None) -> str:
    """``RWO,ROX`` in the fixed order."""
    return ",".join(short for mode, short in _MODE_NAMES.items() if mode in (modes or ()))


def _class_of(obj: Object) -> str:
    annotations = obj["metadata"].get("annotations") or {}
    return annotations.get(_CLASS_ANNOTATION) or (obj.get("spec") or {}).get("storageClassName") or ""


def _phase(obj: Object) -> str:
    if obj["metadata"].get("deletionTimestamp"):
        return "Terminating"
    return (obj.get("status") or {}).get("phase") or ""


def _shown(amount: Any) -> str:
    try:
        return canonical(str(amount)) if amount is not None else "0"
    except QuantityError:
        return str(amount)


def _volume_row(obj: Object, now: float) -> list[Any]:
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    claim = spec.get("claimRef")
    return [
        name_of(obj),
        _shown((spec.get("capacity") or {}).get("storage")),
        modes_text(spec.get("accessModes")),
        spec.get("persistentVolumeReclaimPolicy") or "",
        _phase(obj),
        f"{claim.get('namespace', '')}/{claim.get('name', '')}" if claim else "",
        _class_of(obj),
        spec.get("volumeAttributesClassName") or UNSET,
        status.get("reason") or "",
        age_of(obj, now),
        spec.get("volumeMode") or UNSET,
    ]


def _claim_row(obj: Object, now: float) -> list[Any]:
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    bound = bool(spec.get("volumeName"))
    return [
        name_of(obj),
        _phase(obj),
        spec.get("volumeName") or "",
        _shown((status.get("capacity") or {}).get("storage")) if bound else "",
        modes_text(status.get("accessModes")) if bound else "",
        _class_of(obj),
        spec.get("volumeAttributesClassName") or UNSET,
        age_of(obj, now),
        spec.get("volumeMode") or UNSET,
    ]


RULES = (
    Rules(
        group="",
        kind="PersistentVolume",
        namespaced=False,
        has_status=True,
        initial_status=lambda _obj: {"phase": "Pending"},
        default=default_volume,
        check=_check_volume,
        check_update=_check_volume_update,
        columns=columns(
            "Name",
            "Capacity",
            "Access Modes",
            "Reclaim Policy",
            "Status",
            "Claim",
            "StorageClass",
            "VolumeAttributesClass",
            "Reason",
            "Age",
            "VolumeMode*",
        ),
        row=_volume_row,
    ),
    Rules(
        group="",
        kind="PersistentVolumeClaim",
        has_status=True,
        initial_status=lambda _obj: {"phase": "Pending"},
        default=default_claim,
        check=_check_claim,
        check_update=_check_claim_update,
        columns=columns(
            "Name",
            "Status",
            "Volume",
            "Capacity",
            "Access Modes",
            "StorageClass",
            "VolumeAttributesClass",
            "Age",
            "VolumeMode*",
        ),
        row=_claim_row,
    ),
)
