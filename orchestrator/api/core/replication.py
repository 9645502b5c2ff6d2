"""The rules of ReplicationController."""

from __future__ import annotations

from typing import Any

from orchestrator.api.cells import age_of, columns, container_cells, labels_text, name_of
from orchestrator.api.core.pod_defaults import default_template
from orchestrator.api.core.pod_validation import validate_template
from orchestrator.api.strategy import Rules, spec_changed
from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.field import FieldError, Path, invalid, required


def _default(obj: Object) -> None:
    spec = obj.setdefault("spec", {})
    if spec.get("replicas") is None:
        spec["replicas"] = 1
    template = spec.get("template")
    if template is None:
        return
    default_template(template)
    labels = template["metadata"].get("labels")
    if labels:
        if not spec.get("selector"):
            spec["selector"] = dict(labels)
        if not obj["metadata"].get("labels"):
            obj["metadata"]["labels"] = dict(labels)


def _check(obj: Object) -> list[FieldError]:
    spec, path = obj.get("spec") or {}, Path("spec")
    errors: list[FieldError] = []
    if (spec.get("replicas") or 0) < 0:
        errors.append(invalid(path.child("replicas"), spec["replicas"], "must be greater than or equal to 0"))
    selector = spec.get("selector") or {}
    if not selector:
        errors.append(required(path.child("selector")))
    template = spec.get("template")
    if template is None:
        errors.append(required(path.child("template")))
        return errors
    labels = (template.get("metadata") or {}).get("labels") or {}
    if any(labels.get(key) != value for key, value in selector.items()):
        text = "`selector` does not match template `labels`"
        errors.append(invalid(path.child("template", "metadata", "labels"), labels, text))
    errors.extend(validate_template(template, path.child("template"), restart=("Always",)))
    return errors


def _row(obj: Object, now: float) -> list[Any]:
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    template = (spec.get("template") or {}).get("spec")
    return [
        name_of(obj),
        spec.get("replicas") or 0,
        status.get("replicas") or 0,
        status.get("readyReplicas") or 0,
        age_of(obj, now),
        *container_cells(template),
        labels_text(spec.get("selector")),
    ]


RULES = (
    Rules(
        group="",
        kind="ReplicationController",
        has_status=True,
        counts=spec_changed,
        default=_default,
        check=_check,
        own_fields=lambda obj: {"status.replicas": str((obj.get("status") or {}).get("replicas") or 0)},
        columns=columns(
            "Name", "Desired:int", "Current:int", "Ready:int", "Age", "Containers*", "Images*", "Selector*"
        ),
        row=_row,
    ),
)
