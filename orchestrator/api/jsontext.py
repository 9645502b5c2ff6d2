"""JSON bodies: parsed as fast as possible, and with an eye for duplicate keys when strict validation is asked for."""

from __future__ import annotations

import json
from typing import Any, Final, NamedTuple

import orjson

from orchestrator.apimachinery.quoting import quote

DUPLICATE_LIMIT: Final = 100
"""Strict errors that are collected at most, as Kubernetes' decoder does."""


class TextError(ValueError):
    """A body that is not what its media type says. The message is for the client."""


class Parsed(NamedTuple):
    """A value, and the strict errors of its text: ``duplicate field "metadata.labels.a"``."""

    value: Any
    duplicates: list[str]


def parse(body: bytes | str) -> Any:
    """The value; of duplicate keys the last one counts. Raises `TextError`."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise TextError(f"json: {error}") from None


def parse_strict(body: bytes | str) -> Parsed:
    """The value and its duplicate keys. Raises `TextError`."""
    return Parsed(parse(body), duplicates(body))


def duplicates(body: bytes | str) -> list[str]:
    """The strict errors of a text that `parse` accepts, in the order of the text."""
    found: list[_Doubled] = []

    def build(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) == len(pairs):
            return made
        found.append(doubled := _Doubled(made))
        doubled.pairs = pairs
        return doubled

    try:
        root = json.loads(body, object_pairs_hook=build)
    except RecursionError:
        raise TextError("json: exceeded max depth") from None
    if not found:
        return []
    errors: dict[str, None] = {}
    _collect(root, "", errors)
    return list(errors)[:DUPLICATE_LIMIT]


class _Doubled(dict[str, Any]):
    """An object that had a key twice, with all that it had."""

    __slots__ = ("pairs",)
    pairs: list[tuple[str, Any]]


def _collect(value: Any, path: str, errors: dict[str, None]) -> None:
    if isinstance(value, list):
        for index, item in enumerate(value):
            _collect(item, f"{path}[{index}]", errors)
    elif isinstance(value, dict):
        seen: set[str] = set()
        for key, item in value.pairs if isinstance(value, _Doubled) else value.items():
            below = f"{path}.{key}" if path else key
            if key in seen:
                errors[f"duplicate field {quote(below)}"] = None
            seen.add(key)
            _collect(item, below, errors)
