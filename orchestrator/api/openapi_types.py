"""The type of a custom resource, made from its openAPIV3Schema: `check` prunes by it, patches and applies merge by it.

Wrong types inside of it are no decoding errors but the schema validator's to report (422), so its types are marked
``structural``. Only ``metadata`` is decoded strictly, as for every object.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from orchestrator.api.openapi_components import OBJECT_META
from orchestrator.api.schema import POINTER, REQUIRED, Field, Kind, Type, schema
from orchestrator.apimachinery.encoded import Object

_SCALARS: Final[Mapping[str, Kind]] = {
    "string": "string",
    "integer": "int64",
    "number": "number",
    "boolean": "boolean",
}


def from_openapi(given: Object) -> Type:
    """The type of a whole custom object: of ``given`` with apiVersion, kind and metadata."""
    return _whole(_type(given))


def _whole(made: Type) -> Type:
    fields = {name: Field(name, type=Type("string")) for name in ("apiVersion", "kind")}
    fields["metadata"] = Field("metadata", type=schema().named(OBJECT_META))
    made.fields = {**made.fields, **fields}
    return made


def _type(given: Object) -> Type:
    made = Type(_kind(given))
    made.structural = True
    made.nullable = bool(given.get("nullable"))
    made.preserve_unknown = bool(given.get("x-kubernetes-preserve-unknown-fields"))
    made.format = given.get("format", "")
    made.enum = tuple(value for value in given.get("enum", ()) if isinstance(value, str))
    made.list_type = given.get("x-kubernetes-list-type", "")
    made.list_map_keys = tuple(given.get("x-kubernetes-list-map-keys", ()))
    made.map_type = given.get("x-kubernetes-map-type", "")
    if made.kind == "object":
        made.required = frozenset(given.get("required", ()))
        made.fields = {name: _field(name, each, made) for name, each in given.get("properties", {}).items()}
    elif made.kind == "map":
        below = given["additionalProperties"]
        made.items = _type(below) if isinstance(below, dict) else _free()
    elif made.kind == "list":
        made.items = _type(given["items"]) if isinstance(given.get("items"), dict) else _free()
    if given.get("x-kubernetes-embedded-resource"):
        made.embedded = True
        _whole(made)
    return made


def _kind(given: Object) -> Kind:
    if given.get("x-kubernetes-int-or-string"):
        return "int_or_string"
    named: Any = given.get("type", "")
    if named == "array":
        return "list"
    if named in _SCALARS:
        return _SCALARS[named]
    if named == "object" and given.get("additionalProperties") and not given.get("properties"):
        return "map"
    return "object"


def _field(name: str, given: Object, owner: Type) -> Field:
    """Behind a pointer, as it were: empty values of custom resources count."""
    flags = POINTER | (REQUIRED if name in owner.required else 0)
    return Field(name, flags=flags, markers={"default": given.get("default")}, type=_type(given))


def _free() -> Type:
    """Anything at all."""
    made = Type("object")
    made.structural = made.preserve_unknown = True
    return made
