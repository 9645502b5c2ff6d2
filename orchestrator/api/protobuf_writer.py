"""Writing `application/vnd.kubernetes.protobuf`: the inverse of `protobuf`, byte for byte what gogo's encoder makes.

Fields that are no pointers are written always, zero or not, by ascending number; maps by ascending key.
"""

from __future__ import annotations

import base64
import struct
from collections.abc import Iterator
from functools import cache
from typing import Any, Final

import orjson

from orchestrator.api.protobuf import BYTES, FIXED64, MAGIC, VARINT
from orchestrator.api.schema import Field, Type, schema
from orchestrator.api.wire import delimited, text, varint
from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.timestamps import parse_time

_WIRES: Final = {"boolean": VARINT, "int32": VARINT, "int64": VARINT, "number": FIXED64}
_NULLABLE: Final = frozenset({"bytes", "raw", "any"})
"""Kinds whose Go zero is nil: absent is not written, though the field is no pointer."""


def encode(obj: Object) -> bytes:
    """The object in its envelope. KeyError: its kind is none of the schema's."""
    api_version, kind = obj.get("apiVersion", ""), obj.get("kind", "")
    group, _, version = api_version.rpartition("/")
    meta = text(1, api_version) + text(2, kind)
    raw = encode_message(obj, schema().type(group, version, kind))
    return MAGIC + delimited(1, meta) + delimited(2, raw) + text(3, "") + text(4, "")


def encode_message(value: Object, type: Type) -> bytes:
    """One message without envelope. Fields of no number in the schema stay out."""
    return b"".join(_embedded(value, each) if each.name == "" else _field(value, each) for each in _order(type))


@cache
def _order(type: Type) -> tuple[Field, ...]:
    return tuple(sorted((each for each in (*type.own, *type.inlined) if each.number), key=lambda each: each.number))


def _embedded(value: Object, each: Field) -> bytes:
    """A struct that JSON flattens. One behind a pointer is there when any field of it is."""
    if each.pointer and value.keys().isdisjoint(each.type.fields):
        return b""
    return delimited(each.number, encode_message(value, each.type))


def _field(value: Object, each: Field) -> bytes:
    item, type = value.get(each.name), each.type
    if type.kind == "list" and not type.wrapped:
        assert type.items is not None
        return b"".join(_tagged(each.number, element, type.items) for element in item or ())
    if type.kind == "map":
        return b"".join(delimited(each.number, pair) for pair in _pairs(item or {}, type))
    if item is None and (each.pointer or type.wrapped or type.kind in _NULLABLE):
        return b""
    return _tagged(each.number, item, type)


def _pairs(value: Object, type: Type) -> Iterator[bytes]:
    assert type.items is not None
    for key in sorted(value):
        yield text(1, key) + _tagged(2, value[key], type.items)


def _tagged(number: int, item: Any, type: Type) -> bytes:
    wire = _WIRES.get(type.kind, BYTES)
    if wire == VARINT:
        return varint(number << 3) + varint((item or 0) & 0xFFFF_FFFF_FFFF_FFFF)
    if wire == FIXED64:
        return varint(number << 3 | FIXED64) + struct.pack("<d", item or 0)
    return delimited(number, _content(item, type))


def _content(item: Any, type: Type) -> bytes:
    """A length-delimited value; None is the zero of its kind."""
    match type.kind:
        case "object":
            return encode_message(item or {}, type)
        case "bytes":
            return base64.b64decode(item or "")
        case "quantity":
            return text(1, item or "0")
        case "int_or_string":
            is_text = isinstance(item, str)
            number = 0 if is_text else (item or 0) & 0xFFFF_FFFF_FFFF_FFFF
            return b"\x08" + varint(is_text) + b"\x10" + varint(number) + text(3, item if is_text else "")
        case "time" | "micro_time":
            return _time(item) if item else b""
        case "raw" | "fields" | "json" | "any":
            return delimited(1, orjson.dumps(item))
        case "list":
            assert type.items is not None
            return b"".join(_tagged(1, element, type.items) for element in item or ())
        case "schema_or_array" | "schema_or_bool" | "schema_or_strings":
            return _choice(item, type)
    return (item or "").encode()


def _choice(item: Any, type: Type) -> bytes:
    """A JSON schema, or what stands in its place."""
    if isinstance(item, bool):
        return b"\x08" + varint(item)
    name = "schema" if isinstance(item, dict) else "property" if type.kind == "schema_or_strings" else "jSONSchemas"
    allows = {"allows": True} if type.kind == "schema_or_bool" else {}
    return encode_message({name: item, **allows}, type)


def _time(stamp: str) -> bytes:
    micros = round(parse_time(stamp) * 1_000_000)
    seconds, micros = divmod(micros, 1_000_000)
    return b"\x08" + varint(seconds & 0xFFFF_FFFF_FFFF_FFFF) + b"\x10" + varint(micros * 1000)
