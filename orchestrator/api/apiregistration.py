"""The rules of APIService."""

from __future__ import annotations

from typing import Any

from orchestrator.api.cells import age_of, columns, name_of
from orchestrator.api.strategy import Rules, setdefault
from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.field import FieldError, Path, invalid, required

_SPEC = Path("spec")


def _default(obj: Object) -> None:
    service = obj.setdefault("spec", {}).get("service")
    if service is not None:
        setdefault(service, "port", 443)


def _check(obj: Object) -> list[FieldError]:
    spec, errors = obj.get("spec") or {}, []
    name, group, version = obj["metadata"].get("name"), spec.get("group") or "", spec.get("version") or ""
    if name != f"{version}.{group}":
        text = f'must be `spec.version+"."+spec.group`: "{version}.{group}"'
        errors.append(invalid("metadata.name", name, text))
    if not version:
        errors.append(required(_SPEC.child("version")))
    for key, high in (("groupPriorityMinimum", 20_000), ("versionPriority", 1000)):
        number = spec.get(key) or 0
        if not 0 < number <= high:
            text = f"must be positive and less than {high}"
            errors.append(invalid(_SPEC.child(key), number, text))
    return errors


def _row(obj: Object, now: float) -> list[Any]:
    service = (obj.get("spec") or {}).get("service")
    text = f"{service.get('namespace')}/{service.get('name')}" if service else "Local"
    return [name_of(obj), text, _available(obj), age_of(obj, now)]


def _available(obj: Object) -> str:
    for condition in (obj.get("status") or {}).get("conditions") or ():
        if condition.get("type") == "Available":
            status = condition.get("status")
            return "True" if status == "True" else f"{status} ({condition.get('reason', '')})"
    return "Unknown"


RULES = (
    Rules(
        group="apiregistration.k8s.io",
        kind="APIService",
        namespaced=False,
        name_rule=lambda _name: [],
        has_status=True,
        unconditional_update=False,
        default=_default,
        check=_check,
        columns=columns("Name", "Service", "Available", "Age"),
        row=_row,
    ),
)
