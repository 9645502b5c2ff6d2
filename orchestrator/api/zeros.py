"""Fields that Go writes although nobody set them: structs that are no pointers, and fields without ``omitempty``.

Clients with strict models need them: ``currentMetrics: null``, ``disruptionsAllowed: 0``, ``loadBalancer: {}``.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from orchestrator.api.schema import Field, Type, schema
from orchestrator.apimachinery.copying import deep
from orchestrator.apimachinery.encoded import Object

_SCALARS: dict[str, Any] = {"string": "", "boolean": False, "int32": 0, "int64": 0, "number": 0, "quantity": "0"}
_METADATA = "metadata"


def fill(obj: Object, type: Type) -> None:
    """Adds to ``obj``, in place and all the way down, the zero values that Go would write."""
    for name, zero in _zeros(type):
        if name not in obj:
            obj[name] = deep(zero)
    for name, child in _children(type):
        value = obj.get(name)
        if value is None:
            continue
        if child.kind == "object":
            if isinstance(value, dict):
                fill(value, child)
        elif child.items is not None and child.items.kind == "object":
            for item in value.values() if child.kind == "map" else value:
                if isinstance(item, dict):
                    fill(item, child.items)


def fill_object(obj: Object) -> None:
    """``fill`` of a whole object by its own apiVersion and kind."""
    group, _, version = obj["apiVersion"].rpartition("/")
    fill(obj, schema().type(group, version, obj["kind"]))


@cache
def _status_type(api_version: str, kind: str) -> Field | None:
    group, _, version = api_version.rpartition("/")
    if not schema().has_type(group, version, kind):
        return None
    return schema().type(group, version, kind).fields.get("status")


def zero_status(obj: Object) -> Object | None:
    """The status of an object that has none yet; None where Go writes none."""
    field = _status_type(obj["apiVersion"], obj["kind"])
    if field is None or field.pointer or field.type.kind != "object":
        return None
    status: Object = deep(_zero(field.type))
    return status


@cache
def _zeros(type: Type) -> tuple[tuple[str, Any], ...]:
    return tuple(
        (name, _zero_of(field)) for name, field in type.fields.items() if name != _METADATA and _is_written(field)
    )


@cache
def _children(type: Type) -> tuple[tuple[str, Type], ...]:
    """The fields below which there can be objects."""
    result: list[tuple[str, Type]] = []
    for name, field in type.fields.items():
        inner = field.type if field.type.kind == "object" else field.type.items
        if name != _METADATA and inner is not None and inner.kind == "object" and inner.fields:
            result.append((name, field.type))
    return tuple(result)


def _is_written(field: Field) -> bool:
    if field.type.kind == "object" and not field.pointer:
        return bool(field.type.fields)
    return not field.omit_empty


def _zero_of(field: Field) -> Any:
    if field.pointer:
        return None
    return _zero(field.type) if field.type.kind == "object" else _SCALARS.get(field.type.kind)


def _zero(type: Type) -> Object:
    return {name: deep(zero) for name, zero in _zeros(type)}
