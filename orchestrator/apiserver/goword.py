"""Go's words for JSON values, as its decoder's errors have them. Pure."""

from __future__ import annotations

from typing import Any

_WORDS = {list: "array", str: "string", bool: "bool", type(None): "null"}


def word_of(value: Any) -> str:
    """For a value that is no object."""
    return _WORDS.get(type(value), "number")
