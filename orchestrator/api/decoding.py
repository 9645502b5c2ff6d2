"""The careful decoding of an object that does not fit its type at once: what Go reports of it, and what it keeps.

The object that is left is the one that Go would write back: nulls and empty optional values gone, quantities and times
in their canonical text, unknown fields pruned. The texts are those of Kubernetes' JSON decoder (`sigs.k8s.io/json`).
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

from orchestrator.api.schema import Field, Type
from orchestrator.apimachinery.quantity import Quantity, QuantityError, canonical
from orchestrator.apimachinery.quoting import quote

UNKNOWN_LIMIT: Final = 100
"""Strict errors that are collected at most, as Kubernetes' decoder does: a hostile body makes no hostile answer."""

DEPTH_LIMIT: Final = 100
"""Objects inside objects. Only schemas inside schemas have no natural end, and Python's stack has one."""

EMPTIES: Final = frozenset({"string", "boolean", "int32", "int64", "number", "bytes", "list", "map"})
"""Kinds of which Go's ``omitempty`` leaves out the empty value."""

_LAYOUTS: Final = {"time": "2006-01-02T15:04:05Z07:00", "micro_time": "2006-01-02T15:04:05.000000Z07:00"}
_any_time = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:[.,](\d+))?(Z|[+-]\d\d:\d\d)", re.ASCII).fullmatch
_base64 = re.compile(r"[A-Za-z0-9+/\r\n]*").match


class _Gone:
    """The mark of a value that is not written back."""


_GONE: Final = _Gone()


def drops_empty(field: Field) -> bool:
    """Whether Go leaves an empty value of this field out when it writes the object back."""
    return field.omit_empty and not field.pointer and field.type.kind in EMPTIES and not field.type.structural


def scalar_fits(value: Any, kind: str) -> bool:
    """Whether Go takes the value and writes the same back."""
    cls = value.__class__
    match kind:
        case "string":
            return cls is str
        case "boolean":
            return cls is bool
        case "int32":
            return cls is int and -0x8000_0000 <= value <= 0x7FFF_FFFF
        case "int64":
            return cls is int and -0x8000_0000_0000_0000 <= value <= 0x7FFF_FFFF_FFFF_FFFF
        case "number":
            return cls is int or cls is float
        case "int_or_string":
            return cls is str or scalar_fits(value, "int32")
        case "bytes":
            return cls is str and _is_base64(value)
        case "quantity":
            return cls is str and _quantity_or_none(value) == value
        case "raw" | "fields":
            return value is not None
    return True


def canonical_time(text: str, *, micro: bool) -> str | None:
    """RFC 3339 in UTC, with seconds or microseconds, as Kubernetes writes it; None: it is no time."""
    match = _any_time(text)
    if match is None:
        return None
    digits = (match[2] or "")[:6].ljust(6, "0")
    zone = "+00:00" if match[3] == "Z" else match[3]
    try:
        moment = datetime.fromisoformat(f"{match[1]}.{digits}{zone}").astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return moment.replace(tzinfo=None).isoformat(timespec="microseconds" if micro else "seconds") + "Z"


class Walk:
    """One careful pass over one object. It knows where it is, for the texts of the errors."""

    def __init__(self) -> None:
        self.unknown: dict[str, None] = {}
        self.errors: list[str] = []
        self._silent = False
        """Inside a value that decodes itself: unknown fields are dropped unreported."""
        self._depth = 0
        self._path = ""
        """With indices and map keys, as strict errors have it: ``spec.containers[0].foo``."""
        self._fields: list[str] = []
        """Fields only, as type errors have it: ``spec.containers.foo``."""
        self._struct = ""

    def value(self, value: Any, type: Type) -> Any:
        """What is left of ``value``; of one that cannot be decoded an empty value of the type."""
        left = self._value(value, type)
        return _zero(type) if left is _GONE else left

    def _value(self, value: Any, type: Type) -> Any:
        if type.structural and value.__class__ is not _CLASSES.get(type.kind):
            return value
        match type.kind:
            case "object":
                return self._object(value, type)
            case "list":
                return self._list(value, type)
            case "map":
                return self._map(value, type)
        return self._scalar(value, type)

    def _object(self, value: Any, type: Type) -> Any:
        if value.__class__ is not dict:
            return self._mismatch(value, type)
        if self._depth >= DEPTH_LIMIT:
            self.errors.append(f"exceeded max depth of {DEPTH_LIMIT} objects")
            return _GONE
        path, struct = self._path, self._struct
        self._depth += 1
        kept = {}
        for key, item in value.items():
            known = type.fields.get(key)
            self._path = f"{path}.{key}" if path else key
            self._struct = type.short_name
            if known is not None:
                if (left := self._field(item, known)) is not _GONE:
                    kept[key] = left
            elif type.preserve_unknown:
                kept[key] = item
            else:
                self._note_unknown()
        self._depth -= 1
        self._path, self._struct = path, struct
        return kept

    def _field(self, item: Any, known: Field) -> Any:
        if item is None and not known.type.structural:
            return _GONE
        self._fields.append(known.name)
        left = self._value(item, known.type)
        self._fields.pop()
        return left if left or not drops_empty(known) else _GONE

    def _list(self, value: Any, type: Type) -> Any:
        assert type.items is not None
        if value.__class__ is not list:
            return self._mismatch(value, type)
        path = self._path
        kept = []
        for index, item in enumerate(value):
            self._path = f"{path}[{index}]"
            kept.append(self._element(item, type.items))
        self._path = path
        return kept

    def _map(self, value: Any, type: Type) -> Any:
        assert type.items is not None
        if value.__class__ is not dict:
            return self._mismatch(value, type)
        path = self._path
        kept = {}
        for key, item in value.items():
            self._path = f"{path}.{key}" if path else key
            kept[key] = self._element(item, type.items)
        self._path = path
        return kept

    def _element(self, item: Any, type: Type) -> Any:
        """In a list or a map nothing vanishes: null and what cannot be decoded are zero values."""
        if item is None and not type.structural:
            return _zero(type)
        return self.value(item, type)

    def _scalar(self, value: Any, type: Type) -> Any:
        kind = type.kind
        if type.structural or (scalar_fits(value, kind) and kind not in _SELF_DECODING):
            return value
        match kind:
            case "quantity":
                return self._quantity(value)
            case "time" | "micro_time":
                return self._time(value, kind)
            case "schema_or_array" | "schema_or_bool" | "schema_or_strings":
                return self._choice(value, type)
            case "bytes" if value.__class__ is str:
                return self._bytes(value)
            case "int_or_string":
                return self._fail(f"json: cannot unmarshal {_describe(value, 'int32')} into Go value of type int32")
        return self._mismatch(value, type)

    def _quantity(self, value: Any) -> Any:
        """Values that parse their own text do not know in which field they are, nor do their errors."""
        try:
            if value.__class__ in (int, float):
                return str(Quantity.parse(value))
            return canonical(value.strip() if value.__class__ is str else "?")
        except QuantityError as error:
            return self._fail(str(error))

    def _time(self, value: Any, kind: str) -> Any:
        if value.__class__ is not str:
            return self._fail(f"json: cannot unmarshal {_describe(value, 'string')} into Go value of type string")
        text = canonical_time(value, micro=kind == "micro_time")
        if text is None:
            found = quote(value)
            return self._fail(f'parsing time {found} as "{_LAYOUTS[kind]}": cannot parse {found} as "2006"')
        return text

    def _bytes(self, value: str) -> Any:
        joined = value.replace("\n", "").replace("\r", "")
        if _is_base64(joined):
            return joined
        good = _base64(value)
        return self._fail(f"illegal base64 data at input byte {good.end() if good else 0}")

    def _choice(self, value: Any, type: Type) -> Any:
        """A JSON schema, or something simpler in its place: a boolean, a list of schemas or of strings."""
        if type.kind == "schema_or_bool":
            if value.__class__ is bool:
                return value
            if value.__class__ is not dict:
                return self._fail("boolean or JSON schema expected")
        choices = {each.type.kind: each.type for each in type.fields.values()}
        choice = next((choices[kind] for kind in ("object", "list") if value.__class__ is _CLASSES[kind]), None)
        if choice is None:
            return _GONE
        silent, self._silent = self._silent, True
        left = self._value(value, choice)
        self._silent = silent
        return left

    def _mismatch(self, value: Any, type: Type) -> Any:
        """A value of the wrong type is reported and left out, and decoding goes on."""
        where = f"Go struct field {self._struct}.{'.'.join(self._fields)}" if self._fields else "Go value"
        return self._fail(f"json: cannot unmarshal {_describe(value, type.kind)} into {where} of type {type.go}")

    def _fail(self, error: str) -> _Gone:
        self.errors.append(error)
        return _GONE

    def _note_unknown(self) -> None:
        if not self._silent and len(self.unknown) < UNKNOWN_LIMIT:
            self.unknown[f"unknown field {quote(self._path)}"] = None


def _is_base64(text: str) -> bool:
    try:
        binascii.a2b_base64(text, strict_mode=True)
    except ValueError:
        return False
    return True


def _quantity_or_none(text: str) -> str | None:
    try:
        return canonical(text)
    except QuantityError:
        return None


def _describe(value: Any, kind: str) -> str:
    """Go's word for what JSON held; of a number that is no integer, or too large for one, the number too."""
    if value.__class__ is bool:
        return "bool"
    if value.__class__ in (int, float):
        return f"number {value}" if kind in ("int32", "int64") else "number"
    return _WORDS.get(value.__class__, "null")


def _zero(type: Type) -> Any:
    return _ZEROS[type.kind]() if type.kind in _ZEROS else None


_SELF_DECODING: Final = {"quantity", "time", "micro_time", "schema_or_array", "schema_or_bool", "schema_or_strings"}
_CLASSES: Final[dict[str, type]] = {"object": dict, "map": dict, "list": list}
_WORDS: Final[dict[type, str]] = {str: "string", list: "array", dict: "object"}
_ZEROS: Final[dict[str, Callable[[], Any]]] = {
    "object": dict,
    "map": dict,
    "list": list,
    "string": str,
    "bytes": str,
    "boolean": bool,
    "int32": int,
    "int64": int,
    "number": int,
    "int_or_string": int,
    "quantity": lambda: "0",
}
