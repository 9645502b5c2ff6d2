"""`/openapi/v2` as protobuf: the message Document of gnostic's OpenAPIv2.proto, which client-go asks for by name.

kubectl reads it to check what the documents of version 3 do not name, such as a ``v1 List``. The tables are the field
numbers of the messages that our document uses; what is free in form (defaults, enums, extensions) travels as JSON text,
which is YAML. Source: google/gnostic-models, openapiv2/OpenAPIv2.proto.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import orjson

from orchestrator.api.protobuf import FIXED64
from orchestrator.api.wire import delimited, text, varint
from orchestrator.apimachinery.encoded import Object

CONTENT_TYPE: Final = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
CONTENT_TYPES: Final = (CONTENT_TYPE, "application/com.github.proto-openapi.spec.v2@v1.0+protobuf")
"""What clients ask for. They ask by the second and refuse it in an answer: no media type has an ``@`` (RFC 6838)."""

Write = Callable[[int, Any], bytes]
Fields = Mapping[str, tuple[int, Write]]


def document(swagger: Object) -> bytes:
    """The bytes of a version 2 document. KeyError: a field that no message of the tables has."""
    return _message(swagger, DOCUMENT)


def _message(value: Object, fields: Fields) -> bytes:
    """Fields in the order of the object; names that begin with ``x-`` are extensions."""
    return b"".join(_fields(value, fields))


def _fields(value: Object, fields: Fields) -> Iterator[bytes]:
    for name, item in value.items():
        if name.startswith("x-"):
            number, write = fields["x-"]
            yield write(number, text(1, name) + delimited(2, _any(item)))
        else:
            number, write = fields[name]
            yield write(number, item)


def _any(value: Any) -> bytes:
    return text(2, orjson.dumps(value).decode())


def _flag(number: int, value: bool) -> bytes:
    return varint(number << 3) + varint(int(value))


def _count(number: int, value: int) -> bytes:
    return varint(number << 3) + varint(value)


def _double(number: int, value: float) -> bytes:
    return varint(number << 3 | FIXED64) + struct.pack("<d", value)


def _texts(number: int, values: list[str]) -> bytes:
    return b"".join(text(number, each) for each in values)


def _free(number: int, value: Any) -> bytes:
    return delimited(number, _any(value))


def _frees(number: int, values: list[Any]) -> bytes:
    return b"".join(_free(number, each) for each in values)


def _of(fields: Callable[[], Fields]) -> Write:
    """A message; the tables refer to each other, so they are looked up late."""
    return lambda number, value: delimited(number, _message(value, fields()))


def _within(inner: int, write: Write) -> Write:
    """A message whose only field, or the chosen one of several, is ``inner``."""
    return lambda number, value: delimited(number, write(inner, value))


def _each(write: Write) -> Write:
    return lambda number, values: b"".join(write(number, each) for each in values)


def _named(write: Write) -> Write:
    """A map: pairs of a name (1) and a value (2)."""
    return lambda number, values: b"".join(
        delimited(number, text(1, name) + write(2, value)) for name, value in values.items()
    )


def _parameter(number: int, value: Object) -> bytes:
    if "$ref" in value:
        return delimited(number, delimited(2, text(1, value["$ref"])))
    if value["in"] == "body":
        return delimited(number, delimited(1, delimited(1, _message(value, BODY_PARAMETER))))
    place = {"query": 3, "path": 4}[value["in"]]
    fields = QUERY_PARAMETER if place == 3 else PATH_PARAMETER
    return delimited(number, delimited(1, delimited(2, delimited(place, _message(value, fields)))))


def _additional(number: int, value: Object | bool) -> bytes:
    chosen = _flag(2, value) if isinstance(value, bool) else delimited(1, _message(value, SCHEMA))
    return delimited(number, chosen)


_schema = _of(lambda: SCHEMA)
_operation = _of(lambda: OPERATION)
_type = _within(1, text)

SCHEMA: Final[Fields] = {
    "$ref": (1, text),
    "format": (2, text),
    "title": (3, text),
    "description": (4, text),
    "default": (5, _free),
    "multipleOf": (6, _double),
    "maximum": (7, _double),
    "exclusiveMaximum": (8, _flag),
    "minimum": (9, _double),
    "exclusiveMinimum": (10, _flag),
    "maxLength": (11, _count),
    "minLength": (12, _count),
    "pattern": (13, text),
    "maxItems": (14, _count),
    "minItems": (15, _count),
    "uniqueItems": (16, _flag),
    "maxProperties": (17, _count),
    "minProperties": (18, _count),
    "required": (19, _texts),
    "enum": (20, _frees),
    "additionalProperties": (21, _additional),
    "type": (22, _type),
    "items": (23, _within(1, _schema)),
    "properties": (25, _within(1, _named(_schema))),
    "example": (30, _free),
    "x-": (31, delimited),
}
BODY_PARAMETER: Final[Fields] = {
    "description": (1, text),
    "name": (2, text),
    "in": (3, text),
    "required": (4, _flag),
    "schema": (5, _schema),
}
QUERY_PARAMETER: Final[Fields] = {
    "required": (1, _flag),
    "in": (2, text),
    "description": (3, text),
    "name": (4, text),
    "type": (6, text),
    "format": (7, text),
    "uniqueItems": (20, _flag),
}
PATH_PARAMETER: Final[Fields] = {
    "required": (1, _flag),
    "in": (2, text),
    "description": (3, text),
    "name": (4, text),
    "type": (5, text),
    "format": (6, text),
    "uniqueItems": (19, _flag),
}
RESPONSE: Final[Fields] = {"description": (1, text), "schema": (2, _within(1, _schema))}
OPERATION: Final[Fields] = {
    "tags": (1, _texts),
    "description": (3, text),
    "operationId": (5, text),
    "produces": (6, _texts),
    "consumes": (7, _texts),
    "parameters": (8, _each(_parameter)),
    "responses": (9, _within(1, _named(_within(1, _of(lambda: RESPONSE))))),
    "schemes": (10, _texts),
    "x-": (13, delimited),
}
"""``responses`` is a map in a message of its own, each a choice between a response and a reference."""
PATH_ITEM: Final[Fields] = {
    "get": (2, _operation),
    "put": (3, _operation),
    "post": (4, _operation),
    "delete": (5, _operation),
    "options": (6, _operation),
    "head": (7, _operation),
    "patch": (8, _operation),
    "parameters": (9, _each(_parameter)),
}
API_KEY: Final[Fields] = {"type": (1, text), "name": (2, text), "in": (3, text)}
INFO: Final[Fields] = {"title": (1, text), "version": (2, text)}
DOCUMENT: Final[Fields] = {
    "swagger": (1, text),
    "info": (2, _of(lambda: INFO)),
    "paths": (8, _within(2, _named(_of(lambda: PATH_ITEM)))),
    "definitions": (9, _within(1, _named(_schema))),
    "security": (12, _each(_within(1, _named(_within(1, _texts))))),
    "securityDefinitions": (13, _within(1, _named(_within(2, _of(lambda: API_KEY))))),
}
