"""The rules of ``resource.k8s.io``: dynamic resource allocation."""

from __future__ import annotations

from typing import Any

from orchestrator.api.cells import age_of, columns, name_and_age, name_of
from orchestrator.api.strategy import Rules, setdefault, spec_changed
from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.field import FieldError, immutable

GROUP = "resource.k8s.io"


def _default_requests(spec: Object) -> None:
    for request in (spec.get("devices") or {}).get("requests") or ():
        if request.get("exactly") is not None:
            _default_request(request["exactly"])
        for each in request.get("firstAvailable") or ():
            _default_request(each)


def _default_request(request: Object) -> None:
    if not request.get("allocationMode"):
        request["allocationMode"] = "ExactCount"
    if request["allocationMode"] == "ExactCount":
        setdefault(request, "count", 1)


def _default_claim(obj: Object) -> None:
    _default_requests(obj.setdefault("spec", {}))


def _default_template(obj: Object) -> None:
    inner = obj.setdefault("spec", {})
    inner.setdefault("metadata", {})
    _default_requests(inner.setdefault("spec", {}))


def _spec_fixed(new: Object, old: Object) -> list[FieldError]:
    return immutable("spec", new.get("spec"), old.get("spec"))


def _state(obj: Object) -> str:
    deleting, status = obj["metadata"].get("deletionTimestamp"), obj.get("status") or {}
    words = ["deleted"] if deleting else []
    if not status.get("allocation"):
        return ",".join(words or ["pending"])
    words.append("allocated")
    if status.get("reservedFor"):
        words.append("reserved")
    return ",".join(words)


def _claim_row(obj: Object, now: float) -> list[Any]:
    return [name_of(obj), _state(obj), age_of(obj, now)]


def _slice_fields(obj: Object) -> dict[str, str]:
    spec = obj.get("spec") or {}
    return {"spec.nodeName": spec.get("nodeName") or "", "spec.driver": spec.get("driver") or ""}


def _slice_row(obj: Object, now: float) -> list[Any]:
    spec = obj.get("spec") or {}
    pool = (spec.get("pool") or {}).get("name") or ""
    return [name_of(obj), spec.get("nodeName") or "", spec.get("driver") or "", pool, age_of(obj, now)]


RULES = (
    Rules(
        group=GROUP,
        kind="ResourceClaim",
        has_status=True,
        default=_default_claim,
        check_update=_spec_fixed,
        columns=columns("Name", "State", "Age"),
        row=_claim_row,
    ),
    Rules(
        group=GROUP,
        kind="ResourceClaimTemplate",
        default=_default_template,
        check_update=_spec_fixed,
        columns=columns("Name", "Age"),
        row=name_and_age,
    ),
    Rules(
        group=GROUP,
        kind="DeviceClass",
        namespaced=False,
        counts=spec_changed,
        columns=columns("Name", "Age"),
        row=name_and_age,
    ),
    Rules(
        group=GROUP,
        kind="ResourceSlice",
        namespaced=False,
        counts=spec_changed,
        index=("spec.nodeName",),
        own_fields=_slice_fields,
        columns=columns("Name", "Node", "Driver", "Pool", "Age"),
        row=_slice_row,
    ),
)
