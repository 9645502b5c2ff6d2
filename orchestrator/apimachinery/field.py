"""Where in an object a fault lies and what it is: the paths and error texts of Kubernetes' ``field`` package."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Any

import msgspec

from orchestrator.apimachinery.quoting import quote

REMEMBERED_POSITIONS = 16
"""List positions whose paths are kept: validating the same place again makes no new objects."""


class Path:
    """A place in an object: ``spec.containers[0].env[HOME]``. Immutable; the text is made at demand only."""

    __slots__ = ("_below", "_parent", "_text")

    def __init__(self, name: str = "", *more: str, parent: Path | None = None) -> None:
        self._parent = parent
        self._text = ".".join((name, *more)) if more else name
        self._below: dict[str | int, Path] = {}

    def child(self, name: str, *more: str) -> Path:
        """``name`` is a field that the code knows: paths by field are kept. What users name goes to ``key``."""
        known = self._below.get(name) if not more else None
        if known is not None:
            return known
        text = ".".join((name, *more)) if more else name
        made = Path("." + text if self._text or self._parent is not None else text, parent=self)
        if not more:
            self._below[name] = made
        return made

    def index(self, position: int) -> Path:
        known = self._below.get(position)
        if known is not None:
            return known
        made = Path(f"[{position}]", parent=self)
        if position < REMEMBERED_POSITIONS:
            self._below[position] = made
        return made

    def key(self, key: str) -> Path:
        return Path(f"[{key}]", parent=self)

    def __str__(self) -> str:
        texts: list[str] = []
        node: Path | None = self
        while node is not None:
            texts.append(node._text)
            node = node._parent
        return "".join(reversed(texts))

    def __repr__(self) -> str:
        return f"Path({str(self)!r})"


class ErrorType(StrEnum):
    """The ``reason`` of a cause in a Status."""

    NOT_FOUND = "FieldValueNotFound"
    REQUIRED = "FieldValueRequired"
    DUPLICATE = "FieldValueDuplicate"
    INVALID = "FieldValueInvalid"
    NOT_SUPPORTED = "FieldValueNotSupported"
    FORBIDDEN = "FieldValueForbidden"
    TOO_LONG = "FieldValueTooLong"
    TOO_MANY = "FieldValueTooMany"
    TOO_FEW = "FieldValueTooFew"
    TOO_SHORT = "FieldValueTooShort"
    TYPE_INVALID = "FieldValueTypeInvalid"
    INTERNAL = "InternalError"


_WORDS = {
    ErrorType.NOT_FOUND: "Not found",
    ErrorType.REQUIRED: "Required value",
    ErrorType.DUPLICATE: "Duplicate value",
    ErrorType.INVALID: "Invalid value",
    ErrorType.NOT_SUPPORTED: "Unsupported value",
    ErrorType.FORBIDDEN: "Forbidden",
    ErrorType.TOO_LONG: "Too long",
    ErrorType.TOO_MANY: "Too many",
    ErrorType.TOO_FEW: "Too few",
    ErrorType.TOO_SHORT: "Too short",
    ErrorType.TYPE_INVALID: "Invalid value",
    ErrorType.INTERNAL: "Internal error",
}
_WITHOUT_VALUE = frozenset(
    (ErrorType.REQUIRED, ErrorType.FORBIDDEN, ErrorType.TOO_LONG, ErrorType.TOO_SHORT, ErrorType.INTERNAL)
)


class FieldError(msgspec.Struct, frozen=True):
    """One fault. ``str()`` is the text after "is invalid: "; ``body()`` is the message of its cause."""

    type: ErrorType
    field: str
    bad_value: Any = ""
    detail: str = ""

    def body(self) -> str:
        text = _WORDS[self.type]
        if self.type not in _WITHOUT_VALUE:
            text = f"{text}: {_value_text(self.bad_value)}"
        return f"{text}: {self.detail}" if self.detail else text

    def __str__(self) -> str:
        return f"{self.field}: {self.body()}"


def _value_text(value: Any) -> str:
    if isinstance(value, str):
        return quote(value)
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, default=str)


def invalid(path: Path | str, value: Any, detail: str) -> FieldError:
    return FieldError(ErrorType.INVALID, str(path), value, detail)


def required(path: Path | str, detail: str = "") -> FieldError:
    return FieldError(ErrorType.REQUIRED, str(path), "", detail)


def duplicate(path: Path | str, value: Any) -> FieldError:
    return FieldError(ErrorType.DUPLICATE, str(path), value)


def not_supported(path: Path | str, value: Any, supported: Iterable[str] = ()) -> FieldError:
    """The supported values are shown in the order given."""
    names = ", ".join(quote(name) for name in supported)
    return FieldError(ErrorType.NOT_SUPPORTED, str(path), value, f"supported values: {names}" if names else "")


def forbidden(path: Path | str, detail: str) -> FieldError:
    return FieldError(ErrorType.FORBIDDEN, str(path), "", detail)


def too_long(path: Path | str, limit: int) -> FieldError:
    """More than ``limit`` bytes; the value itself is never shown."""
    unit = "byte" if limit == 1 else "bytes"
    return FieldError(ErrorType.TOO_LONG, str(path), "<value omitted>", f"may not be more than {limit} {unit}")


def too_many(path: Path | str, actual: int, limit: int) -> FieldError:
    unit = "item" if limit == 1 else "items"
    return FieldError(ErrorType.TOO_MANY, str(path), actual, f"must have at most {limit} {unit}")


def type_invalid(path: Path | str, value: Any, detail: str) -> FieldError:
    return FieldError(ErrorType.TYPE_INVALID, str(path), value, detail)


def not_found(path: Path | str, value: Any) -> FieldError:
    return FieldError(ErrorType.NOT_FOUND, str(path), value)


def internal(path: Path | str, detail: str) -> FieldError:
    return FieldError(ErrorType.INTERNAL, str(path), "", detail)


IMMUTABLE = "field is immutable"


def immutable(path: Path | str, new: Any, old: Any) -> list[FieldError]:
    """An ``invalid`` error when the value was changed; an absent value equals an empty one, as Kubernetes compares."""
    if new == old or (not new and not old and not isinstance(new, bool) and not isinstance(old, bool)):
        return []
    return [invalid(path, new, IMMUTABLE)]


def aggregate(errors: Sequence[FieldError]) -> str:
    """The texts joined as Kubernetes does: one stands alone, more stand in brackets, duplicates once."""
    texts = list(dict.fromkeys(str(error) for error in errors))
    return texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
