"""Times inside of objects, for rules in CEL. Pure.

The engine takes times and durations as variables of their own only. So an object goes to it with text in their place,
and a rule sees, in the place of the object, what an expression made from the schema makes of it.
"""

from __future__ import annotations

import json

from orchestrator.api.custom.cel import escaped
from orchestrator.apimachinery.encoded import Object

TYPES = {"date-time": "TIMESTAMP", "duration": "DURATION"}
_READERS = {"date-time": "timestamp", "duration": "duration"}


def timed(place: str, schema: Object, depth: int = 0) -> str:
    """The object at ``place`` with times and durations as such, in CEL; "" where it has none, or open fields."""
    made = _made(place, schema, depth)
    return f"({place} == null ? dyn(null) : {made})" if made and schema.get("nullable") else made


def _made(place: str, schema: Object, depth: int) -> str:
    if schema.get("type") == "string" and schema.get("format") in TYPES:
        return f"dyn({_READERS[schema['format']]}({place}))"
    if isinstance(schema.get("items"), dict):
        one = f"x{depth}"
        inner = timed(one, schema["items"], depth + 1)
        return f"dyn({place}.map({one}, {inner}))" if inner else ""
    properties = schema.get("properties", {})
    if not properties or schema.get("x-kubernetes-preserve-unknown-fields") or schema.get("additionalProperties"):
        return ""
    return _fields(place, properties, depth)


def _fields(place: str, properties: Object, depth: int) -> str:
    entries, any_time = [], False
    for name, below in properties.items():
        key = json.dumps(escaped(name))
        field = f"{place}[{key}]"
        inner = timed(field, below, depth)
        any_time = any_time or bool(inner)
        entries.append(f"?{key}: {key} in {place} ? optional.of({inner or f'dyn({field})'}) : optional.none()")
    return f"dyn({{{', '.join(entries)}}})" if any_time else ""
