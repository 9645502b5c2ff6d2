"""Validation of a custom object by its structural schema, in the words of Kubernetes' validator. Pure.

What cannot be said in OpenAPI is in ``expressions``. A value of the wrong type is told alone: no more is asked of it.
Source: kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions (Validation).
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import json
import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.field import ErrorType as Fault
from orchestrator.apimachinery.field import FieldError, Path, duplicate, invalid, not_supported, required
from orchestrator.apimachinery.timestamps import parse_time

MAX_PATTERNS = 1024
"""Compiled patterns remembered; more fields than definitions have."""
JUNCTORS = ("allOf", "anyOf", "oneOf", "not")
PLACE = "body"


def faults(value: Any, schema: Object, path: Path) -> Iterator[FieldError]:
    """What is wrong with ``value``, outermost first."""
    if value is None and schema.get("nullable"):
        return
    wanted = schema.get("type", "")
    if schema.get("x-kubernetes-int-or-string"):
        if not (isinstance(value, str) or _is(value, "integer")):
            yield _wrong_type(value, "integer,string", path)
            return
    elif wanted and not _is(value, wanted):
        yield _wrong_type(value, wanted, path)
        return
    yield from _valued(value, schema, path)
    if isinstance(value, dict):
        yield from _object(value, schema, path)
    elif isinstance(value, list):
        yield from _list(value, schema, path)
    elif isinstance(value, str):
        yield from _string(value, schema, path)
    elif _is(value, "number"):
        yield from _number(value, schema, path)
    yield from _junctors(value, schema, path)


def type_name(value: Any) -> str:
    """What JSON calls the type of ``value``."""
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int():
            return "integer"
        case float():
            return "number"
        case str():
            return "string"
        case list():
            return "array"
    return "object"


def _is(value: Any, wanted: str) -> bool:
    found = type_name(value)
    if wanted == "number":
        return found in ("number", "integer")
    if wanted == "integer" and found == "number":
        return bool(value.is_integer())
    return found == wanted


def _wrong_type(value: Any, wanted: str, path: Path) -> FieldError:
    found = type_name(value)
    detail = f'{path} in {PLACE} must be of type {wanted}: "{found}"'
    return FieldError(Fault.TYPE_INVALID, str(path), found, detail)


def _should(path: Path, value: Any, what: str) -> FieldError:
    return invalid(path, value, f"{path} in {PLACE} should {what}")


def _valued(value: Any, schema: Object, path: Path) -> Iterator[FieldError]:
    enum = schema.get("enum")
    if enum is not None and value not in enum:
        yield not_supported(path, value, [each if isinstance(each, str) else json.dumps(each) for each in enum])


def _object(value: Object, schema: Object, path: Path) -> Iterator[FieldError]:
    for name in schema.get("required", ()):
        if name not in value:
            yield required(path.child(name))
    least, most = schema.get("minProperties"), schema.get("maxProperties")
    if least is not None and len(value) < least:
        yield _should(path, len(value), f"have at least {least} properties")
    if most is not None and len(value) > most:
        yield FieldError(Fault.TOO_MANY, str(path), len(value), f"must have at most {most} {_items(most)}")
    properties, rest = schema.get("properties", {}), schema.get("additionalProperties")
    for name, item in value.items():
        if name in properties:
            yield from faults(item, properties[name], path.child(name))
        elif isinstance(rest, dict):
            yield from faults(item, rest, Path(f".{name}", parent=path))


def _list(value: list[Any], schema: Object, path: Path) -> Iterator[FieldError]:
    least, most = schema.get("minItems"), schema.get("maxItems")
    if least is not None and len(value) < least:
        yield _should(path, len(value), f"have at least {least} items")
    if most is not None and len(value) > most:
        yield FieldError(Fault.TOO_MANY, str(path), len(value), f"must have at most {most} {_items(most)}")
    items = schema.get("items")
    if isinstance(items, dict):
        for position, item in enumerate(value):
            yield from faults(item, items, path.index(position))
    yield from _twice(value, schema, path)


def _items(count: int) -> str:
    return "item" if count == 1 else "items"


def _twice(value: list[Any], schema: Object, path: Path) -> Iterator[FieldError]:
    """Elements that a set or a map by keys has already."""
    kind, keys = schema.get("x-kubernetes-list-type"), schema.get("x-kubernetes-list-map-keys", ())
    seen: set[str] = set()
    for position, item in enumerate(value):
        if kind == "set":
            told = item
        elif kind == "map" and isinstance(item, dict):
            told = {key: item[key] for key in keys if key in item}
        else:
            continue
        text = json.dumps(told, sort_keys=True)
        if text in seen:
            yield duplicate(path.index(position), told)
        seen.add(text)


def _string(value: str, schema: Object, path: Path) -> Iterator[FieldError]:
    least, most = schema.get("minLength"), schema.get("maxLength")
    if least is not None and len(value) < least:
        yield _should(path, value, f"be at least {least} chars long")
    if most is not None and len(value) > most:
        unit = "byte" if most == 1 else "bytes"
        yield FieldError(Fault.TOO_LONG, str(path), "<value omitted>", f"may not be more than {most} {unit}")
    pattern = schema.get("pattern")
    if pattern and not matches(pattern, value):
        yield _should(path, value, f"match '{pattern}'")
    name = schema.get("format", "")
    if name in FORMATS and not FORMATS[name](value):
        yield invalid(path, value, f'{path} in {PLACE} must be of type {name}: "{value}"')


def matches(pattern: str, text: str) -> bool:
    """A pattern that Python cannot read matches everything: Go could, or the definition would not stand."""
    compiled = _pattern(pattern)
    return compiled is None or compiled.search(text) is not None


@lru_cache(MAX_PATTERNS)
def _pattern(pattern: str) -> re.Pattern[str] | None:
    try:
        return re.compile(pattern.replace(r"\z", r"\Z"))
    except re.error:
        return None


def _number(value: float, schema: Object, path: Path) -> Iterator[FieldError]:
    least, most, unit = schema.get("minimum"), schema.get("maximum"), schema.get("multipleOf")
    if least is not None:
        if schema.get("exclusiveMinimum") and value <= least:
            yield _should(path, value, f"be greater than {least:g}")
        elif value < least:
            yield _should(path, value, f"be greater than or equal to {least:g}")
    if most is not None:
        if schema.get("exclusiveMaximum") and value >= most:
            yield _should(path, value, f"be less than {most:g}")
        elif value > most:
            yield _should(path, value, f"be less than or equal to {most:g}")
    if unit and value % unit:
        yield _should(path, value, f"be a multiple of {unit:g}")


def _junctors(value: Any, schema: Object, path: Path) -> Iterator[FieldError]:
    if schema.get("allOf") and any(not _valid(value, each, path) for each in schema["allOf"]):
        yield invalid(path, value, f'"{path}" must validate all the schemas (allOf)')
    if schema.get("anyOf") and not any(_valid(value, each, path) for each in schema["anyOf"]):
        yield invalid(path, value, f'"{path}" must validate at least one schema (anyOf)')
    if schema.get("oneOf"):
        count = sum(_valid(value, each, path) for each in schema["oneOf"])
        if count != 1:
            found = "Found none valid" if not count else f"Found {count} valid alternatives"
            yield invalid(path, value, f'"{path}" must validate one and only one schema (oneOf). {found}')
    if schema.get("not") and _valid(value, schema["not"], path):
        yield invalid(path, value, f'"{path}" must not validate the schema (not)')


def _valid(value: Any, schema: Object, path: Path) -> bool:
    return next(faults(value, schema, path), None) is None


def _is_time(text: str) -> bool:
    try:
        parse_time(text)
    except ValueError:
        return False
    return True


def _is_base64(text: str) -> bool:
    try:
        base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return False
    return True


def _is_address(text: str, kind: type[ipaddress.IPv4Address] | type[ipaddress.IPv6Address]) -> bool:
    try:
        kind(text)
    except ValueError:
        return False
    return True


def _is_network(text: str) -> bool:
    try:
        ipaddress.ip_interface(text)
    except ValueError:
        return False
    return "/" in text


_LABEL = r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_HOST = re.compile(rf"(?=.{{1,253}}$){_LABEL}(\.{_LABEL})*")
_UUID = re.compile(r"(?i)[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}")
_DATE = re.compile(r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:\S+")
_WORDS = "d|w|day|days|week|weeks|hours?|hrs?|h|minutes?|mins?|m|seconds?|secs?|s"
_DURATION = re.compile(rf"[+-]?(0|(\d+(\.\d+)?(ns|us|µs|ms|s|m|h))+)|\d+ *({_WORDS})")
_MAC = re.compile(r"(?i)([0-9a-f]{2}[:-]){5}[0-9a-f]{2}")

FORMATS: Mapping[str, Callable[[str], bool]] = {
    "date-time": _is_time,
    "datetime": _is_time,
    "byte": _is_base64,
    "ipv4": lambda text: _is_address(text, ipaddress.IPv4Address),
    "ipv6": lambda text: _is_address(text, ipaddress.IPv6Address),
    "cidr": _is_network,
    "hostname": lambda text: _HOST.fullmatch(text) is not None,
    "uuid": lambda text: _UUID.fullmatch(text) is not None,
    "date": lambda text: _DATE.fullmatch(text) is not None,
    "email": lambda text: _EMAIL.fullmatch(text) is not None,
    "uri": lambda text: _URI.fullmatch(text) is not None,
    "duration": lambda text: _DURATION.fullmatch(text) is not None,
    "mac": lambda text: _MAC.fullmatch(text) is not None,
}
"""The formats that are checked; others are words for people, as in Kubernetes."""
