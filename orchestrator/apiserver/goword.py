"""Go's words for JSON values, as its decoder's errors have them. Pure."""

from __future__ import annotations

import re
from typing import Any

TYPE_META = (
    r'Go value of type struct { APIVersion string "json:\"apiVersion,omitempty\""; '
    r'Kind string "json:\"kind,omitempty\"" }'
)
"""What every body is decoded into first."""
_WORDS = {list: "array", str: "string", bool: "bool", type(None): "null"}


def word_of(value: Any) -> str:
    """For a value that is no object."""
    return _WORDS.get(type(value), "number")


_REFUSED = re.compile(r"json: cannot unmarshal (\w+) into .* of type (\S+)").fullmatch
_KINDS = {"array": "slice", "object": "map", "number": "int64"}


def restored(text: str) -> str:
    """What Go's converter of loose objects says where its decoder says ``text``."""
    found = _REFUSED(text)
    if found is None:
        return text
    kind, wanted = _KINDS.get(found[1], found[1]), found[2]
    if wanted.startswith("[]"):
        return f"cannot restore slice from {kind}"
    if wanted.startswith("map["):
        return f"cannot restore map from {kind}"
    return f"cannot restore struct from: {kind}" if "." in wanted else f"unrecognized type: {wanted}"
