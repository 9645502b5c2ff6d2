"""The rules of Namespace."""

from __future__ import annotations

from typing import Any

from orchestrator.api.cells import age_of, columns, name_of
from orchestrator.api.strategy import Rules
from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.field import FieldError, Path, invalid
from orchestrator.apimachinery.names import dns_label, label_key

NAME_LABEL = "kubernetes.io/metadata.name"
FINALIZER = "kubernetes"


def default_namespace(obj: Object) -> None:
    name = obj["metadata"].get("name")
    if name:
        labels = obj["metadata"].get("labels")
        if labels is None:
            labels = obj["metadata"]["labels"] = {}
        labels[NAME_LABEL] = name
    obj.setdefault("spec", {})


def _create(obj: Object) -> None:
    finalizers = obj["spec"].setdefault("finalizers", [])
    if FINALIZER not in finalizers:
        obj["spec"]["finalizers"] = [*finalizers, FINALIZER]
    default_namespace(obj)


def _update(new: Object, old: Object) -> None:
    """The spec is its finalizers, which only the finalize subresource changes."""
    new["spec"] = old.get("spec", {})


def _check(obj: Object) -> list[FieldError]:
    path = Path("spec", "finalizers")
    errors: list[FieldError] = []
    for name in (obj.get("spec") or {}).get("finalizers") or ():
        errors.extend(invalid(path, name, text) for text in label_key(name))
        if "/" not in name and name not in (FINALIZER, "orphan"):
            errors.append(invalid(path, name, "name is neither a standard finalizer name nor is it fully qualified"))
    return errors


def _row(obj: Object, now: float) -> list[Any]:
    return [name_of(obj), (obj.get("status") or {}).get("phase", ""), age_of(obj, now)]


RULES = (
    Rules(
        group="",
        kind="Namespace",
        namespaced=False,
        name_rule=dns_label,
        has_status=True,
        initial_status=lambda _obj: {"phase": "Active"},
        default=default_namespace,
        create=_create,
        update=_update,
        check=_check,
        own_fields=lambda obj: {"status.phase": (obj.get("status") or {}).get("phase") or ""},
        columns=columns("Name", "Status", "Age"),
        row=_row,
    ),
)
