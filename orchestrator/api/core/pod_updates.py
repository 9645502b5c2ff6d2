"""What an update may change of a pod: images, deadline, more tolerations, fewer gates, and the metadata."""

from __future__ import annotations

from typing import Any

from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.field import FieldError, Path, forbidden, invalid

MUTABLE = (
    "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
    "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
)
_SPEC = Path("spec")
_CONTAINERS = ("containers", "initContainers")


def validate_pod_update(new: Object, old: Object) -> list[FieldError]:
    after, before = new.get("spec") or {}, old.get("spec") or {}
    if after is before or after == before:
        return []
    errors: list[FieldError] = []
    for key in _CONTAINERS:
        if len(after.get(key) or ()) != len(before.get(key) or ()):
            text = "pod updates may not add or remove containers"
            return [forbidden(_SPEC.child(key), text)]
    errors.extend(_validate_deadline(after, before))
    errors.extend(_validate_tolerations(after, before))
    errors.extend(_validate_gates(after, before))
    if _fixed(after, before) != _fixed(before, before):
        errors.append(forbidden(_SPEC, MUTABLE))
    return errors


def _validate_deadline(after: Object, before: Object) -> list[FieldError]:
    new, old = after.get("activeDeadlineSeconds"), before.get("activeDeadlineSeconds")
    path = _SPEC.child("activeDeadlineSeconds")
    if old is not None and new is None:
        return [invalid(path, new, "must not update from a positive integer to nil value")]
    if old is not None and new is not None and new > old:
        return [invalid(path, new, "must be less than or equal to previous value")]
    return []


def _validate_tolerations(after: Object, before: Object) -> list[FieldError]:
    new = [_without_seconds(each) for each in after.get("tolerations") or ()]
    for toleration in before.get("tolerations") or ():
        if _without_seconds(toleration) not in new:
            text = "existing toleration can not be modified except its tolerationSeconds"
            return [forbidden(_SPEC.child("tolerations"), text)]
    return []


def _without_seconds(toleration: Object) -> Object:
    return {key: value for key, value in toleration.items() if key != "tolerationSeconds" and value}


def _validate_gates(after: Object, before: Object) -> list[FieldError]:
    old = [each.get("name") for each in before.get("schedulingGates") or ()]
    return [
        forbidden(
            _SPEC.child("schedulingGates").index(position).child("name"),
            f"only deletion is allowed, but found new scheduling gate '{gate.get('name', '')}'",
        )
        for position, gate in enumerate(after.get("schedulingGates") or ())
        if gate.get("name") not in old
    ]


def _fixed(spec: Object, before: Object) -> Object:
    """The part of a spec that may not change (placement may still be narrowed while the pod is gated)."""
    gated = bool(before.get("schedulingGates"))
    left_out = {"activeDeadlineSeconds", "tolerations", "schedulingGates", *_CONTAINERS}
    if gated:
        left_out.update(("nodeSelector", "affinity"))
    if (before.get("terminationGracePeriodSeconds") or 0) < 0 and spec.get("terminationGracePeriodSeconds") == 1:
        left_out.add("terminationGracePeriodSeconds")
    fixed: dict[str, Any] = {key: value for key, value in spec.items() if key not in left_out and value is not None}
    for key in _CONTAINERS:
        fixed[key] = [
            {name: value for name, value in container.items() if name != "image"} for container in spec.get(key) or ()
        ]
    return fixed
