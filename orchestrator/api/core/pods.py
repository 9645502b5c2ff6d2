"""The rules of Pod and PodTemplate."""

from __future__ import annotations

from typing import Any

import msgspec

from orchestrator.api.cells import columns, container_cells, labels_text, name_of
from orchestrator.api.core.label_keys import merge_label_keys
from orchestrator.api.core.pod_class import qos_class
from orchestrator.api.core.pod_defaults import default_pod, default_template
from orchestrator.api.core.pod_table import POD_COLUMNS, pod_row, pod_row_conditions
from orchestrator.api.core.pod_updates import validate_pod_update
from orchestrator.api.core.pod_validation import validate_pod, validate_template
from orchestrator.api.strategy import Rules, spec_changed
from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.field import Path


def _pending(pod: Object) -> Object:
    spec = pod["spec"]
    status: Object = {"phase": "Pending"}
    if spec.get("schedulingGates"):
        status["conditions"] = [
            {
                "type": "PodScheduled",
                "status": "False",
                "reason": "SchedulingGated",
                "message": "Scheduling is blocked due to non-empty scheduling gates",
                "lastProbeTime": None,
                "lastTransitionTime": None,
            }
        ]
    status["qosClass"] = qos_class(spec)
    return status


def _keep_in_status(new: Object, old: Object) -> None:
    """A status write touches neither the owners nor the deletion, and does not lose the class."""
    meta, old_meta = new["metadata"], old["metadata"]
    if "ownerReferences" in old_meta:
        meta["ownerReferences"] = old_meta["ownerReferences"]
    else:
        meta.pop("ownerReferences", None)
    status, old_status = new.setdefault("status", {}), old.get("status") or {}
    if not status.get("qosClass") and old_status.get("qosClass"):
        status["qosClass"] = old_status["qosClass"]
    for key in ("resourceClaimStatuses", "extendedResourceClaimStatus"):
        if key not in status and key in old_status:
            status[key] = old_status[key]


class _Addressed(msgspec.Struct):
    podIP: str = ""


_addressed = msgspec.msgpack.Decoder(_Addressed).decode


def _own_address(status: bytes) -> str:
    return _addressed(status).podIP


def grace_seconds(pod: Object, asked: int | None) -> int:
    """None asked: the pod's own. Zero when no kubelet has it, or when it has ended."""
    spec = pod.get("spec") or {}
    if not spec.get("nodeName") or (pod.get("status") or {}).get("phase") in ("Failed", "Succeeded"):
        return 0
    seconds = asked if asked is not None else spec.get("terminationGracePeriodSeconds")
    if seconds is None:
        return 0
    return 1 if seconds < 0 else int(seconds)


def pod_fields(pod: Object) -> dict[str, str]:
    spec, status = pod.get("spec") or {}, pod.get("status") or {}
    addresses = status.get("podIPs")
    return {
        "spec.nodeName": spec.get("nodeName") or "",
        "spec.restartPolicy": spec.get("restartPolicy") or "",
        "spec.schedulerName": spec.get("schedulerName") or "",
        "spec.serviceAccountName": spec.get("serviceAccountName") or "",
        "spec.hostNetwork": "true" if spec.get("hostNetwork") else "false",
        "status.phase": status.get("phase") or "",
        "status.podIP": addresses[0].get("ip", "") if addresses else "",
        "status.nominatedNodeName": status.get("nominatedNodeName") or "",
    }


def _default_pod_template(obj: Object) -> None:
    default_template(obj.setdefault("template", {}))


def _template_row(obj: Object, now: float) -> list[Any]:
    template = obj.get("template") or {}
    labels = (template.get("metadata") or {}).get("labels")
    return [name_of(obj), *container_cells(template.get("spec")), labels_text(labels)]


RULES = (
    Rules(
        group="",
        kind="Pod",
        has_status=True,
        initial_status=_pending,
        counts=spec_changed,
        index=("spec.nodeName",),
        default=default_pod,
        create=merge_label_keys,
        status=_keep_in_status,
        check=validate_pod,
        check_update=validate_pod_update,
        own_address=_own_address,
        own_fields=pod_fields,
        columns=POD_COLUMNS,
        row=pod_row,
        row_conditions=pod_row_conditions,
        grace_seconds=grace_seconds,
    ),
    Rules(
        group="",
        kind="PodTemplate",
        counts=lambda new, old: new.get("template") != old.get("template"),
        default=_default_pod_template,
        check=lambda obj: validate_template(obj.get("template") or {}, Path("template")),
        columns=columns("Name", "Containers", "Images", "Pod Labels"),
        row=_template_row,
    ),
)
