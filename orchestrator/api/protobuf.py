"""Reading `application/vnd.kubernetes.protobuf`: the ``k8s\\0`` envelope and the message in it, as a JSON object.

A decoder driven by the schema's field numbers. gogo writes every field that is no pointer, zero or not, so a zero that
Go would not write to JSON is left out here: what comes out is what the same client would have sent as JSON.
"""

from __future__ import annotations

import base64
import struct
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, Final, Literal

from orchestrator.api.decoding import drops_empty
from orchestrator.api.jsontext import TextError
from orchestrator.api.jsontext import parse as parse_json
from orchestrator.api.schema import Field, Type, schema
from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.quantity import QuantityError, canonical

MAGIC: Final = b"k8s\x00"
"""The first bytes of every body."""

DEPTH_LIMIT: Final = 100
"""Messages inside messages; only schemas inside schemas and objects inside objects have no natural end."""

VARINT, FIXED64, BYTES, START_GROUP, END_GROUP, FIXED32 = range(6)
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

Place = Literal["one", "many", "map", "inline"]
Read = Callable[[bytes, int, int, int], Any]
"""Reads ``data[start:end]``, a value of ``depth`` messages down."""
Convert = Callable[[int], Any]
"""Makes a JSON value of a varint's 64 bits."""


class ProtobufError(ValueError):
    """A body that is no protobuf message of its kind. The message is for the client."""


class _Entry:
    """What to do with a field number."""

    __slots__ = ("convert", "drops", "name", "place", "read", "wire", "zero")

    def __init__(self, name: str, type: Type, place: Place, drops: bool) -> None:
        self.name = name
        self.place = place
        self.drops = drops
        self.wire = _WIRES.get(type.kind, BYTES)
        self.convert = _CONVERTS.get(type.kind, _unexpected)
        self.read: Read = _reader(type)
        self.zero = type.kind


_Plan = dict[int, _Entry]


def decode(body: bytes) -> Object:
    """The object in an envelope, in its JSON shape, kind and apiVersion filled. Raises `ProtobufError`."""
    try:
        return _envelope(body, 0, len(body), 0)
    except IndexError:
        raise ProtobufError("unexpected EOF") from None
    except (UnicodeDecodeError, OverflowError, QuantityError, TextError, struct.error) as error:
        raise ProtobufError(f"proto: {error}") from None


def decode_message(data: bytes, type: Type) -> Object:
    """One message without envelope. Raises `ProtobufError`."""
    try:
        return _message(data, 0, len(data), _plan(type), 0)
    except IndexError:
        raise ProtobufError("unexpected EOF") from None
    except (UnicodeDecodeError, OverflowError, QuantityError, TextError, struct.error) as error:
        raise ProtobufError(f"proto: {error}") from None


def _envelope(data: bytes, start: int, end: int, depth: int) -> Object:
    if data[start : start + len(MAGIC)] != MAGIC:
        wanted = " ".join(map(str, MAGIC))
        raise ProtobufError(f"provided data does not appear to be a protobuf message, expected prefix [{wanted}]")
    unknown = _message(data, start + len(MAGIC), end, _unknown_plan(), depth)
    meta = unknown.get("typeMeta", {})
    api_version, kind = meta.get("apiVersion", ""), meta.get("kind", "")
    content, start, end = unknown.get("raw", (b"", 0, 0))
    if unknown.get("contentEncoding"):
        raise ProtobufError(f"content encoding {unknown['contentEncoding']!r} is not supported")
    group, _, version = api_version.rpartition("/")
    if not schema().has_type(group, version, kind):
        raise ProtobufError(f'no kind "{kind}" is registered for version "{api_version}"')
    made = _message(content, start, end, _plan(schema().type(group, version, kind)), depth)
    return {"kind": kind, "apiVersion": api_version, **made}


def _message(data: bytes, pos: int, end: int, plan: _Plan, depth: int) -> Object:
    if depth > DEPTH_LIMIT:
        raise ProtobufError(f"proto: exceeded max depth of {DEPTH_LIMIT} messages")
    made: Object = {}
    while pos < end:
        key = data[pos]
        pos += 1
        if key > 0x7F:
            key, pos = _varint(data, pos - 1, end)
        entry = plan.get(key >> 3)
        wire = key & 7
        if entry is None:
            pos = _skip(data, pos, end, key)
            continue
        if wire == BYTES:
            size = data[pos]
            pos += 1
            if size > 0x7F:
                size, pos = _varint(data, pos - 1, end)
            stop = pos + size
            if stop > end:
                raise ProtobufError("unexpected EOF")
            if entry.wire != BYTES:
                _packed(data, pos, stop, entry, made)
            elif entry.place == "one":
                value = entry.read(data, pos, stop, depth + 1)
                if value or not (entry.drops or value is None):
                    made[entry.name] = value
            else:
                _place(made, entry, entry.read(data, pos, stop, depth + 1))
            pos = stop
        elif wire != entry.wire:
            raise ProtobufError(f"proto: wrong wireType = {wire} for field {entry.name}")
        elif wire == VARINT:
            number, pos = _varint(data, pos, end)
            _place(made, entry, entry.convert(number))
        else:
            _place(made, entry, struct.unpack_from("<d", data, pos)[0])
            pos += 8
            if pos > end:
                raise ProtobufError("unexpected EOF")
    return made


def _place(made: Object, entry: _Entry, value: Any) -> None:
    match entry.place:
        case "one":
            if value or not (entry.drops or value is None):
                made[entry.name] = value
        case "many":
            made.setdefault(entry.name, []).append(value)
        case "map":
            key, item = value
            made.setdefault(entry.name, {})[key] = item
        case "inline":
            made.update(value)


def _packed(data: bytes, pos: int, end: int, entry: _Entry, made: Object) -> None:
    """Numbers of a list in one piece: not what Go writes, but every decoder takes it."""
    if entry.place != "many" or entry.wire != VARINT:
        raise ProtobufError(f"proto: wrong wireType = {BYTES} for field {entry.name}")
    while pos < end:
        number, pos = _varint(data, pos, end)
        _place(made, entry, entry.convert(number))


def _varint(data: bytes, pos: int, end: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[pos]
        pos += 1
        if pos > end:
            raise ProtobufError("unexpected EOF")
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & 0xFFFF_FFFF_FFFF_FFFF, pos
        shift += 7
        if shift > 63:
            raise ProtobufError("proto: integer overflow")


def _skip(data: bytes, pos: int, end: int, key: int) -> int:
    """The position after a field that the schema does not know."""
    wire = key & 7
    if key >> 3 == 0:
        raise ProtobufError(f"proto: illegal tag 0 (wire type {wire})")
    if wire == VARINT:
        pos = _varint(data, pos, end)[1]
    elif wire == BYTES:
        size, pos = _varint(data, pos, end)
        pos += size
    elif wire in (FIXED64, FIXED32):
        pos += 8 if wire == FIXED64 else 4
    else:
        raise ProtobufError(f"proto: illegal wireType {wire}")
    if pos > end:
        raise ProtobufError("unexpected EOF")
    return pos


@cache
def _plan(type: Type) -> _Plan:
    """Field numbers to what is done with them. Filled after it is cached: types hold themselves."""
    plan: _Plan = {}
    for each in type.own:
        if each.number:
            plan[each.number] = _entry(each)
    for each in type.inlined:
        plan[each.number] = _Entry(each.name, each.type, "inline", False)
    return plan


def _entry(each: Field) -> _Entry:
    type = each.type
    if type.kind == "list" and not type.wrapped:
        assert type.items is not None
        return _Entry(each.name, type.items, "many", False)
    if type.kind == "map":
        return _Entry(each.name, type, "map", False)
    return _Entry(each.name, type, "one", drops_empty(each))


@cache
def _unknown_plan() -> _Plan:
    plan = dict(_plan(schema().named("io.k8s.apimachinery.pkg.runtime.Unknown")))
    meta = Type("object")
    meta.own = (
        Field("apiVersion", number=1, type=Type("string")),
        Field("kind", number=2, type=Type("string")),
    )
    plan[1] = _Entry("typeMeta", meta, "one", False)
    plan[2] = _Entry("raw", Type("bytes"), "one", False)
    plan[2].read = lambda data, start, end, depth: (data, start, end)
    for number, name in ((3, "contentEncoding"), (4, "contentType")):
        plan[number] = _Entry(name, Type("string"), "one", False)
    return plan


def _reader(type: Type) -> Read:
    match type.kind:
        case "object":
            return lambda data, start, end, depth: _message(data, start, end, _plan(type), depth)
        case "map":
            return _pair_reader(type)
        case "list":
            items = Type("object")
            items.own = (Field("items", number=1, type=_unwrapped(type)),)
            return lambda data, start, end, depth: _message(data, start, end, _plan(items), depth).get("items", [])
        case "schema_or_array" | "schema_or_bool" | "schema_or_strings":
            return lambda data, start, end, depth: _choice(_message(data, start, end, _plan(type), depth))
    return _READERS.get(type.kind, _unreadable)


def _unwrapped(type: Type) -> Type:
    plain = type.copy()
    plain.wrapped = False
    return plain


def _pair_reader(type: Type) -> Read:
    assert type.items is not None
    value = _Entry("value", type.items, "one", False)
    plan = {1: _Entry("key", Type("string"), "one", False), 2: value}
    zero = _ZEROS.get(type.items.kind, dict)

    def read(data: bytes, start: int, end: int, depth: int) -> tuple[str, Any]:
        pair = _message(data, start, end, plan, depth)
        return pair.get("key", ""), pair["value"] if "value" in pair else zero()

    return read


def _choice(message: Object) -> Any:
    """A JSON schema, or what may stand in its place."""
    for name in ("jSONSchemas", "property", "schema"):
        if message.get(name) is not None:
            return message[name]
    return message.get("allows")


def _unexpected(_number: int) -> Any:
    raise ProtobufError("proto: wrong wireType = 0")


def _unreadable(_data: bytes, _start: int, _end: int, _depth: int) -> Any:
    raise ProtobufError("proto: a field of a kind that protobuf does not carry")


def _signed(number: int) -> int:
    return number - (1 << 64) if number >> 63 else number


def _signed32(number: int) -> int:
    number &= 0xFFFF_FFFF
    return number - (1 << 32) if number >> 31 else number


def _string(data: bytes, start: int, end: int, _depth: int) -> str:
    return data[start:end].decode()


def _bytes(data: bytes, start: int, end: int, _depth: int) -> str:
    return base64.b64encode(data[start:end]).decode()


def _scalar_plan(*kinds: tuple[int, str, Any]) -> _Plan:
    return {number: _Entry(name, Type(kind), "one", False) for number, name, kind in kinds}


def _quantity(data: bytes, start: int, end: int, depth: int) -> str:
    text = _message(data, start, end, _QUANTITY_PLAN, depth).get("string", "")
    return canonical(text) if text else "0"


def _time(data: bytes, start: int, end: int, depth: int) -> str | None:
    """An empty message is no time."""
    if start == end:
        return None
    moment = EPOCH + timedelta(seconds=_message(data, start, end, _TIME_PLAN, depth).get("seconds", 0))
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}".rjust(20, "0")


def _micro_time(data: bytes, start: int, end: int, depth: int) -> str | None:
    if start == end:
        return None
    message = _message(data, start, end, _TIME_PLAN, depth)
    micros = message.get("nanos", 0) // 1000
    moment = EPOCH + timedelta(seconds=message.get("seconds", 0), microseconds=micros)
    return f"{moment:%Y-%m-%dT%H:%M:%S.%fZ}".rjust(27, "0")


def _int_or_string(data: bytes, start: int, end: int, depth: int) -> int | str:
    message = _message(data, start, end, _INT_OR_STRING_PLAN, depth)
    value: int | str = message.get("strVal", "") if message.get("type") else message.get("intVal", 0)
    return value


def _raw(data: bytes, start: int, end: int, depth: int) -> Any:
    """JSON, or an envelope again; nothing at all is no value."""
    found = _message(data, start, end, _RAW_PLAN, depth).get("raw")
    if found is None:
        return None
    content, start, end = found
    if content[start : start + len(MAGIC)] == MAGIC:
        return _envelope(content, start, end, depth)
    return parse_json(content[start:end]) if end > start else None


_CONVERTS: Final[dict[str, Convert]] = {"boolean": bool, "int32": _signed32, "int64": _signed}
_WIRES: Final = {"boolean": VARINT, "int32": VARINT, "int64": VARINT, "number": FIXED64}
_READERS: Final[dict[str, Read]] = {
    "string": _string,
    "bytes": _bytes,
    "quantity": _quantity,
    "time": _time,
    "micro_time": _micro_time,
    "int_or_string": _int_or_string,
    "raw": _raw,
    "fields": _raw,
    "json": _raw,
}
_ZEROS: Final[dict[str, Callable[[], Any]]] = {
    "string": str,
    "bytes": str,
    "boolean": bool,
    "int32": int,
    "int64": int,
    "number": int,
    "int_or_string": int,
    "quantity": lambda: "0",
    "list": list,
}
_QUANTITY_PLAN: Final = _scalar_plan((1, "string", "string"))
_TIME_PLAN: Final = _scalar_plan((1, "seconds", "int64"), (2, "nanos", "int32"))
_INT_OR_STRING_PLAN: Final = _scalar_plan((1, "type", "int64"), (2, "intVal", "int32"), (3, "strVal", "string"))
_RAW_PLAN: Final = _scalar_plan((1, "raw", "bytes"))
_RAW_PLAN[1].read = lambda data, start, end, depth: (data, start, end)
