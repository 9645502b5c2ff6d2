"""YAML bodies and manifests, read as Kubernetes reads them: YAML 1.1 made JSON by the rules of `sigs.k8s.io/yaml`.

Built from the parser's events and not from PyYAML's constructors: timestamps stay text, there are no sexagesimal
numbers, keys become strings, a key given twice is noticed, and neither depth nor aliases can exhaust the process.
"""

from __future__ import annotations

import base64
import binascii
import math
import re
from collections.abc import Iterator
from typing import Any, Final

import yaml

from orchestrator.api.jsontext import Parsed, TextError
from orchestrator.apimachinery.quoting import quote

DEPTH_LIMIT: Final = 200
"""Collections inside collections; no manifest comes near it, and the stack must not end first."""

ALIAS_LIMIT: Final = 100_000
"""Values that aliases may repeat in one document: a few lines of aliases can stand for billions of values."""

_CONSTANTS: Final[dict[str, Any]] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"), True),
    **dict.fromkeys(("n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"), False),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), math.inf),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), -math.inf),
}
_integer = re.compile(r"([-+]?)(?:0[xX]([0-9a-fA-F]+)|0[bB]([01]+)|0[oO]?([0-7]+)|(0|[1-9][0-9]*))").fullmatch
_float = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?").fullmatch
_TAG = "tag:yaml.org,2002:"
_MERGE = "<<"


def parse(body: bytes | str) -> Any:
    """The first document's value; of duplicate keys the last one counts. Raises `TextError`."""
    return parse_strict(body).value


def parse_strict(body: bytes | str) -> Parsed:
    """The first document's value, and one strict error that lists the keys given twice. Raises `TextError`."""
    reader = _Reader(body)
    value = next(reader.documents(), None)
    if not reader.doubled:
        return Parsed(value, [])
    return Parsed(value, ["yaml: unmarshal errors:\n" + "\n".join(reader.doubled)])


def documents(body: bytes | str) -> Iterator[Any]:
    """The values of all documents in a manifest, empty ones left out. Raises `TextError`."""
    return (value for value in _Reader(body).documents() if value is not None)


class _Reader:
    """Builds values from the parser's events, one document after the other."""

    def __init__(self, body: bytes | str) -> None:
        self.doubled: list[str] = []
        self._depth = 0
        self._repeated = 0
        self._anchors: dict[str, tuple[Any, int]] = {}
        self._built = 0
        try:
            self._parser = yaml.CSafeLoader(body)
        except yaml.YAMLError as error:
            raise _text_error(error) from None

    def documents(self) -> Iterator[Any]:
        while not isinstance(event := self._next(), yaml.StreamEndEvent):
            if isinstance(event, yaml.DocumentStartEvent):
                self._anchors.clear()
                yield self._value(self._next())

    def _next(self) -> Any:
        try:
            return self._parser.get_event()
        except yaml.YAMLError as error:
            raise _text_error(error) from None
        except UnicodeDecodeError:
            raise TextError("yaml: invalid Unicode character") from None

    def _value(self, event: Any) -> Any:
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event)
        before = self._built
        self._built += 1
        made = _scalar(event) if isinstance(event, yaml.ScalarEvent) else self._collection(event)
        if event.anchor is not None:
            self._anchors[event.anchor] = made, self._built - before
        return made

    def _alias(self, event: Any) -> Any:
        if event.anchor not in self._anchors:
            raise TextError(f"yaml: unknown anchor '{event.anchor}' referenced")
        made, size = self._anchors[event.anchor]
        self._repeated += size
        self._built += size
        if self._repeated > ALIAS_LIMIT:
            raise TextError("yaml: document contains excessive aliasing")
        return made

    def _collection(self, event: Any) -> Any:
        self._depth += 1
        if self._depth > DEPTH_LIMIT:
            raise TextError(f"yaml: line {event.start_mark.line + 1}: exceeded max depth of {DEPTH_LIMIT}")
        made = self._sequence() if isinstance(event, yaml.SequenceStartEvent) else self._mapping()
        self._depth -= 1
        return made

    def _sequence(self) -> list[Any]:
        made = []
        while not isinstance(event := self._next(), yaml.SequenceEndEvent):
            made.append(self._value(event))
        return made

    def _mapping(self) -> dict[str, Any]:
        made: dict[str, Any] = {}
        merged: list[dict[str, Any]] = []
        while not isinstance(event := self._next(), yaml.MappingEndEvent):
            if _is_merge(event):
                merged += _merged(self._value(self._next()))
                continue
            key = self._value(event)
            name = _key(key)
            if name in made:
                shown = quote(key) if isinstance(key, str) else name
                self.doubled.append(f"  line {event.start_mark.line + 1}: key {shown} already set in map")
            made[name] = self._value(self._next())
        for source in merged:
            made = {**source, **made}
        return made


def _is_merge(event: Any) -> bool:
    return isinstance(event, yaml.ScalarEvent) and event.value == _MERGE and event.implicit[0]


def _merged(value: Any) -> list[dict[str, Any]]:
    """The maps to merge, the strongest first."""
    sources = value if isinstance(value, list) else [value]
    if not all(isinstance(source, dict) for source in sources):
        raise TextError("yaml: map merge requires map or sequence of maps as the value")
    return list(sources)


def _key(key: Any) -> str:
    if isinstance(key, str):
        return key
    if isinstance(key, bool):
        return "true" if key else "false"
    if isinstance(key, (int, float)):
        return str(key)
    raise TextError(f"error converting YAML to JSON: unsupported map key of type: {type(key).__name__}, key: {key!r}")


def _scalar(event: Any) -> Any:
    text: str = event.value
    if event.tag == f"{_TAG}binary":
        return _binary(text)
    is_plain = event.implicit[0] and event.tag is None
    if is_plain or (event.tag or "").removeprefix(_TAG) in ("int", "float", "bool", "null"):
        return _resolved(text)
    return text


def _resolved(text: str) -> Any:
    """A plain scalar as YAML 1.1 reads it, numbers as JSON would carry them."""
    value = _CONSTANTS.get(text, text)
    if value.__class__ is float:
        raise TextError(f"error converting YAML to JSON: json: unsupported value: {text}")
    if value is not text or (text and text[0] not in "+-.0123456789"):
        return value
    digits = text.replace("_", "") if text[0] != "." else text
    if integer := _integer(digits):
        sign, hexadecimal, binary, octal, decimal = integer.groups()
        whole = next(int(each, base) for each, base in _bases(hexadecimal, binary, octal, decimal) if each)
        whole = -whole if sign == "-" else whole
        if -(2**63) <= whole < 2**64:
            return whole
    return _number(digits, text)


def _bases(hexadecimal: str, binary: str, octal: str, decimal: str) -> tuple[tuple[str, int], ...]:
    return (hexadecimal, 16), (binary, 2), (octal, 8), (decimal, 10)


def _number(digits: str, text: str) -> Any:
    """A float, whole ones without a point: JSON's encoder writes 1.0 as 1."""
    if not _float(digits):
        return text
    value = float(digits)
    if math.isinf(value):
        return text
    return int(value) if value.is_integer() and abs(value) < 1e21 else value


def _binary(text: str) -> str:
    try:
        return base64.b64decode("".join(text.split()), validate=True).decode("utf-8", "replace")
    except binascii.Error:
        raise TextError("yaml: !!binary value contains invalid base64 data") from None


def _text_error(error: yaml.YAMLError) -> TextError:
    problem = getattr(error, "problem", None) or getattr(error, "reason", None) or str(error)
    line = _line_of(error)
    return TextError(f"yaml: line {line}: {problem}" if line else f"yaml: {problem}")


def _line_of(error: yaml.YAMLError) -> int:
    """As Go's parser counts them: from 0, but from 1 while it still reads tokens; 0 is not told."""
    where, around = getattr(error, "problem_mark", None), getattr(error, "context_mark", None)
    if where is not None and where.line:
        return int(where.line) + isinstance(error, yaml.scanner.ScannerError)
    return int(around.line) if around is not None else 0
