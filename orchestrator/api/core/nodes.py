"""The rules of Node."""

from __future__ import annotations

from typing import Any

from orchestrator.api.cells import NONE, age_of, columns, name_of
from orchestrator.api.core.pod_defaults import canonicalize
from orchestrator.api.strategy import Rules, filled
from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.field import FieldError, Path, duplicate, forbidden, invalid, not_supported, required
from orchestrator.apimachinery.names import label_key, label_value

_ROLE = "node-role.kubernetes.io/"
_TAINTS = Path("spec", "taints")
_EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
_UNKNOWN = "<unknown>"


def _default(obj: Object) -> None:
    obj.setdefault("spec", {})
    status = obj.get("status")
    if not status:
        return
    if status.get("capacity") is not None and status.get("allocatable") is None:
        status["allocatable"] = dict(status["capacity"])
    canonicalize(status.get("capacity"))
    canonicalize(status.get("allocatable"))


def _initial(obj: Object) -> Object | None:
    """A kubelet registers its node together with the status."""
    return obj.get("status") or {}


def _check(obj: Object) -> list[FieldError]:
    errors: list[FieldError] = []
    seen: set[tuple[str, str]] = set()
    for position, taint in enumerate((obj.get("spec") or {}).get("taints") or ()):
        place = _TAINTS.index(position)
        key, value, effect = taint.get("key") or "", taint.get("value") or "", taint.get("effect") or ""
        errors.extend(invalid(place.child("key"), key, text) for text in label_key(key))
        errors.extend(invalid(place.child("value"), value, text) for text in label_value(value))
        if not effect:
            errors.append(required(place.child("effect")))
        elif effect not in _EFFECTS:
            errors.append(not_supported(place.child("effect"), effect, _EFFECTS))
        if (key, effect) in seen:
            errors.append(duplicate(place, taint))
        seen.add((key, effect))
    return errors


def _check_update(new: Object, old: Object) -> list[FieldError]:
    new_spec, old_spec = new.get("spec") or {}, old.get("spec") or {}
    errors: list[FieldError] = []
    for key in ("podCIDR", "podCIDRs"):
        if old_spec.get(key) and new_spec.get(key) != old_spec[key]:
            text = 'node updates may not change podCIDR except from "" to valid'
            errors.append(forbidden(Path("spec", key), text))
    if old_spec.get("providerID") and new_spec.get("providerID") != old_spec["providerID"]:
        text = 'node updates may not change providerID except from "" to valid'
        errors.append(forbidden("spec.providerID", text))
    return errors


def node_roles(obj: Object) -> list[str]:
    """What the role labels say, sorted."""
    roles: set[str] = set()
    for key, value in (obj["metadata"].get("labels") or {}).items():
        if key.startswith(_ROLE) and len(key) > len(_ROLE):
            roles.add(key[len(_ROLE) :])
        elif key == "kubernetes.io/role" and value:
            roles.add(value)
    return sorted(roles)


def _state(obj: Object) -> str:
    words = []
    for condition in (obj.get("status") or {}).get("conditions") or ():
        if condition.get("type") == "Ready":
            words = ["Ready" if condition.get("status") == "True" else "NotReady"]
    words = words or ["Unknown"]
    if (obj.get("spec") or {}).get("unschedulable"):
        words.append("SchedulingDisabled")
    return ",".join(words)


def _address(status: Object, kind: str) -> str:
    found = (each.get("address") for each in status.get("addresses") or () if each.get("type") == kind)
    return next(found, None) or NONE


def _row(obj: Object, now: float) -> list[Any]:
    status = obj.get("status") or {}
    info = status.get("nodeInfo") or {}
    kernel = info.get("kernelVersion") or _UNKNOWN
    if info.get("architecture"):
        kernel = f"{kernel} ({info['architecture']})"
    return [
        name_of(obj),
        _state(obj),
        ",".join(node_roles(obj)) or NONE,
        age_of(obj, now),
        info.get("kubeletVersion") or "",
        _address(status, "InternalIP"),
        _address(status, "ExternalIP"),
        info.get("osImage") or _UNKNOWN,
        kernel,
        info.get("containerRuntimeVersion") or _UNKNOWN,
    ]


RULES = (
    Rules(
        group="",
        kind="Node",
        namespaced=False,
        has_status=True,
        initial_status=_initial,
        create=filled(lambda _obj: None),
        default=_default,
        check=_check,
        check_update=_check_update,
        own_fields=lambda obj: {
            "spec.unschedulable": "true" if (obj.get("spec") or {}).get("unschedulable") else "false"
        },
        columns=columns(
            "Name",
            "Status",
            "Roles",
            "Age",
            "Version",
            "Internal-IP*",
            "External-IP*",
            "OS-Image*",
            "Kernel-Version*",
            "Container-Runtime*",
        ),
        row=_row,
    ),
)
