"""Types as OpenAPI schemas, in two dialects: version 2 (``#/definitions``) and version 3 (``#/components/schemas``)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, Literal

from orchestrator.api.schema import Type, schema
from orchestrator.apimachinery.encoded import Object

Dialect = Literal[2, 3]

PATCH: Final = "io.k8s.apimachinery.pkg.apis.meta.v1.Patch"
"""A component without a type behind it: whatever a patch may be."""

OBJECT_META: Final = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
LIST_META: Final = "io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta"

_PREFIXES: Final[Mapping[Dialect, str]] = {2: "#/definitions/", 3: "#/components/schemas/"}
_SCALARS: Final[Mapping[str, Object]] = {
    "string": {"type": "string"},
    "boolean": {"type": "boolean"},
    "int32": {"type": "integer", "format": "int32"},
    "int64": {"type": "integer", "format": "int64"},
    "number": {"type": "number", "format": "double"},
    "bytes": {"type": "string", "format": "byte"},
    "any": {},
}
_OPAQUE: Final[Mapping[str, Object]] = {
    "quantity": {"type": "string"},
    "int_or_string": {"type": "string", "format": "int-or-string"},
    "time": {"type": "string", "format": "date-time"},
    "micro_time": {"type": "string", "format": "date-time"},
    "raw": {"type": "object"},
    "fields": {"type": "object"},
    "json": {},
    "schema_or_array": {},
    "schema_or_bool": {},
    "schema_or_strings": {},
}
"""Components of one value: what is inside of them is not published."""

_OPAQUE_3: Final[Mapping[str, Object]] = {
    "quantity": {"oneOf": [{"type": "string"}, {"type": "number"}]},
    "int_or_string": {"format": "int-or-string", "oneOf": [{"type": "integer"}, {"type": "string"}]},
}
_JUNCTORS: Final = ("allOf", "oneOf", "anyOf", "not")
_PRESERVE: Final = "x-kubernetes-preserve-unknown-fields"


def reference(name: str, dialect: Dialect) -> Object:
    return {"$ref": _PREFIXES[dialect] + name}


def components(roots: Iterable[Type], dialect: Dialect) -> dict[str, Object]:
    """The schemas of all named types that the roots lead to, by name."""
    made: dict[str, Object] = {}
    waiting = list(roots)
    while waiting:
        type = waiting.pop()
        if type.items is not None:
            waiting.append(type.items)
        elif _is_component(type) and type.name not in made:
            made[type.name] = _component(schema().named(type.name), dialect)
            if type.kind == "object":
                waiting += [each.type for each in type.fields.values()]
    return {name: made[name] for name in sorted(made)}


def custom_name(group: str, version: str, kind: str) -> str:
    """The component of a custom kind: ``com.example.v1.Widget`` of example.com."""
    return ".".join([*reversed(group.split(".")), version, kind])


def custom_components(group: str, version: str, kind: str, given: Object | None, dialect: Dialect) -> dict[str, Object]:
    """A custom kind and its list; ``given`` is its openAPIV3Schema, None: it has none."""
    name = custom_name(group, version, kind)
    made = _custom(given, dialect)
    made["x-kubernetes-group-version-kind"] = [{"group": group, "version": version, "kind": kind}]
    meta = {"apiVersion": {"type": "string"}, "kind": {"type": "string"}, "metadata": reference(LIST_META, dialect)}
    items = {"type": "array", "items": reference(name, dialect)}
    entire = {
        "type": "object",
        "required": ["items"],
        "properties": {**meta, "items": items},
        "x-kubernetes-group-version-kind": [{"group": group, "version": version, "kind": f"{kind}List"}],
    }
    return {name: made, f"{name}List": entire}


def _custom(given: Object | None, dialect: Dialect) -> Object:
    """Without a schema, or in version 2 with unknown fields, nothing may be said: kubectl would forbid the rest."""
    if given is None or (dialect == 2 and given.get(_PRESERVE)):
        return {"type": "object"}
    made = _second(given) if dialect == 2 else dict(given)
    made["properties"] = {
        **made.get("properties", {}),
        "apiVersion": {"type": "string"},
        "kind": {"type": "string"},
        "metadata": reference(OBJECT_META, dialect),
    }
    return made


def _second(given: Object) -> Object:
    """What of a version 3 schema version 2, and kubectl's reading of it, can bear."""
    made = {key: value for key, value in given.items() if key not in (*_JUNCTORS, "nullable", "externalDocs")}
    if given.get("nullable"):
        made = {key: value for key, value in made.items() if key not in ("type", "items", "properties")}
    if given.get(_PRESERVE):
        made = {key: value for key, value in made.items() if key not in ("items", "properties")}
    if (made.get("type") == "array" and "items" not in made) or (made.get("type") == "object" and given.get(_PRESERVE)):
        del made["type"]
    properties = made.get("properties", {})
    nullable = {name for name, each in properties.items() if each.get("nullable")}
    if nullable & set(made.get("required", ())):
        made["required"] = [name for name in made["required"] if name not in nullable]
    if properties:
        made["properties"] = {name: _second(each) for name, each in properties.items()}
    for key in ("items", "additionalProperties"):
        if isinstance(made.get(key), dict):
            made[key] = _second(made[key])
    return made


def _is_component(type: Type) -> bool:
    return type.kind == "object" or type.kind in _OPAQUE


def _component(type: Type, dialect: Dialect) -> Object:
    if type.kind != "object":
        return dict((_OPAQUE_3 if dialect == 3 else {}).get(type.kind, _OPAQUE[type.kind]))
    made: Object = {"type": "object"}
    if type.fields:
        made["properties"] = {name: _property(each.type, each.default, dialect) for name, each in type.fields.items()}
    if type.required:
        made["required"] = [name for name in type.fields if name in type.required]
    if type.gvks:
        made["x-kubernetes-group-version-kind"] = [
            {"group": group, "version": version, "kind": kind} for group, version, kind in type.gvks
        ]
    if type.map_type:
        made["x-kubernetes-map-type"] = type.map_type
    return made


def _property(type: Type, default: Any, dialect: Dialect) -> Object:
    made = _value(type, dialect)
    extensions = _extensions(type)
    if default is not None:
        extensions["default"] = default
    if "$ref" in made and extensions:
        return {"allOf": [made], **extensions} if dialect == 3 else {**made, **extensions}
    return {**made, **extensions}


def _value(type: Type, dialect: Dialect) -> Object:
    if _is_component(type):
        return reference(type.name, dialect)
    if type.items is not None:
        inner = _value(type.items, dialect)
        return {"type": "array", "items": inner} if type.kind == "list" else _map(inner)
    return {**_SCALARS[type.kind], **({"enum": list(type.enum)} if type.enum else {})}


def _map(inner: Object) -> Object:
    return {"type": "object", "additionalProperties": inner}


def _extensions(type: Type) -> Object:
    made: Object = {}
    if type.list_type:
        made["x-kubernetes-list-type"] = type.list_type
    if type.list_map_keys:
        made["x-kubernetes-list-map-keys"] = list(type.list_map_keys)
    if type.map_type and not (_is_component(type) and schema().named(type.name).map_type == type.map_type):
        made["x-kubernetes-map-type"] = type.map_type
    if type.merge_key:
        made["x-kubernetes-patch-merge-key"] = type.merge_key
    if type.strategies:
        made["x-kubernetes-patch-strategy"] = ",".join(type.strategies)
    return made
