"""Decoding as Go does it: does an object fit its type, and what of it is left when what does not fit is dropped.

`check` asks a compiled test first, which almost all objects pass at once and unchanged. Only what fails it is walked
with care by `decoding.Walk`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Final

from orchestrator.api.decoding import Walk, drops_empty, scalar_fits
from orchestrator.api.schema import Field, Test, Type
from orchestrator.apimachinery.encoded import Object

_class = type
_STRINGS: Final = frozenset({str})

_quantity = re.compile(r"0|[1-9][0-9]{0,2}(?:m|k|M|G|T|Ki|Mi|Gi|Ti)?").fullmatch
"""The quantities that are canonical at sight; of 0 to 999 of any unit."""

_DATE = r"[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])"
_CLOCK = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
_time = re.compile(f"{_DATE}T{_CLOCK}Z").fullmatch
_micro_time = re.compile(rf"{_DATE}T{_CLOCK}\.[0-9]{{6}}Z").fullmatch


@dataclass(slots=True)
class Checked:
    """What became of an object. ``obj`` is the very object that was given when nothing had to change."""

    obj: Any
    unknown: list[str] = field(default_factory=list)
    """Strict decoding errors, in Kubernetes' words: ``unknown field "spec.foo"``."""
    errors: list[str] = field(default_factory=list)
    """Why it cannot be decoded, in Kubernetes' words; the first is the one that Go reports (400 BadRequest)."""


def check(obj: Object, type: Type) -> Checked:
    """Test ``obj`` against ``type`` and prune it. ``obj`` itself is never changed."""
    try:
        if (type.conforms or compiled(type))(obj):
            return Checked(obj)
    except RecursionError:
        pass  # The walk counts the depth and reports it.
    walk = Walk()
    pruned = walk.value(obj, type)
    return Checked(pruned, list(walk.unknown), walk.errors)


def compiled(type: Type) -> Test:
    """A test that is true when Go would decode and write the value back unchanged; made once for each type."""
    if type.conforms is None:
        type.conforms = _compile(type)
    return type.conforms


def _compile(type: Type) -> Test:
    if type.kind == "object":
        return _object_test(type)
    if type.kind == "list":
        return _list_test(type)
    if type.kind == "map":
        return _map_test(type)
    return _anything if type.structural else _TESTS[type.kind]


def _object_test(type: Type) -> Test:
    fields, preserve, structural = type.fields, type.preserve_unknown, type.structural
    tests: dict[str, Any] = {name: str for name, each in fields.items() if _is_plain(each)}

    def learn(key: str) -> Test:
        known = fields.get(key)
        if known is None:
            return _anything if preserve else _nothing
        tests[key] = test = _field_test(known)
        return test

    def test(value: Any) -> bool:
        if value.__class__ is not dict:
            return structural
        for key, item in value.items():
            expected = tests.get(key)
            if expected is str:
                if item.__class__ is not str or not item:
                    return False
            elif not (expected or learn(key))(item):
                return False
        return True

    return test


def _is_plain(each: Field) -> bool:
    """Most fields are optional strings: the object's own loop looks at them."""
    return each.type.kind == "string" and drops_empty(each)


def _field_test(each: Field) -> Test:
    """Compiled when the first value comes: types hold themselves."""
    if not drops_empty(each):
        return compiled(each.type)
    match each.type.kind:
        case "list":
            return _list_test(each.type, may_be_empty=False)
        case "map":
            return _map_test(each.type, may_be_empty=False)
        case "boolean":
            return lambda value: value is True
    test = compiled(each.type)
    return lambda value: bool(value) and test(value)


def _list_test(type: Type, *, may_be_empty: bool = True) -> Test:
    items, structural = type.items, type.structural
    assert items is not None
    if items.kind == "string" and not structural:
        least = 0 if may_be_empty else 1
        return lambda value: value.__class__ is list and least <= len(value) and _STRINGS.issuperset(map(_class, value))

    def test(value: Any) -> bool:
        if value.__class__ is not list:
            return structural
        item_test = items.conforms or compiled(items)
        for item in value:
            if not item_test(item):
                return False
        return may_be_empty or bool(value)

    return test


def _map_test(type: Type, *, may_be_empty: bool = True) -> Test:
    items, structural = type.items, type.structural
    assert items is not None
    is_text = items.kind == "string" and not structural

    def test(value: Any) -> bool:
        if value.__class__ is not dict:
            return structural
        if is_text:
            return (may_be_empty or bool(value)) and _STRINGS.issuperset(map(_class, value.values()))
        item_test = items.conforms or compiled(items)
        for item in value.values():
            if not item_test(item):
                return False
        return may_be_empty or bool(value)

    return test


def _anything(_value: Any) -> bool:
    return True


def _nothing(_value: Any) -> bool:
    return False


def _of(kind: str) -> Test:
    return lambda value: scalar_fits(value, kind)


_TESTS: Final[dict[str, Test]] = {
    "string": lambda value: value.__class__ is str,
    "boolean": lambda value: value.__class__ is bool,
    "int32": lambda value: value.__class__ is int and -0x8000_0000 <= value <= 0x7FFF_FFFF,
    "int64": _of("int64"),
    "number": _of("number"),
    "bytes": _of("bytes"),
    "int_or_string": lambda value: value.__class__ is str or scalar_fits(value, "int32"),
    "quantity": lambda value: (
        value.__class__ is str and (_quantity(value) is not None or scalar_fits(value, "quantity"))
    ),
    "time": lambda value: value.__class__ is str and _time(value) is not None,
    "micro_time": lambda value: value.__class__ is str and _micro_time(value) is not None,
    "raw": lambda value: value is not None,
    "fields": lambda value: value is not None,
    "json": _anything,
    "any": _anything,
    "schema_or_bool": lambda value: value.__class__ is bool,
    # Fields that these do not know vanish without a word: the walk's matter.
    "schema_or_array": _nothing,
    "schema_or_strings": _nothing,
}
