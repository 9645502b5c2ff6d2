"""Defaults of a structural schema: set where a field is absent, all the way down. Pure."""

from __future__ import annotations

from typing import Any

from orchestrator.apimachinery.copying import deep
from orchestrator.apimachinery.encoded import Object


def has_defaults(schema: Object) -> bool:
    """Whether anything below could be set."""
    if "default" in schema:
        return True
    below = [*schema.get("properties", {}).values(), schema.get("items"), schema.get("additionalProperties")]
    return any(isinstance(each, dict) and has_defaults(each) for each in below)


def set_defaults(value: Any, schema: Object) -> None:
    """In place. A null that may not be null and has a default is absent."""
    if isinstance(value, dict):
        properties = schema.get("properties", {})
        for name, each in properties.items():
            if "default" in each and (name not in value or (value[name] is None and not each.get("nullable"))):
                value[name] = deep(each["default"])
        rest = schema.get("additionalProperties")
        for name, item in value.items():
            each = properties.get(name, rest)
            if isinstance(each, dict):
                set_defaults(item, each)
    elif isinstance(value, list) and isinstance(schema.get("items"), dict):
        for item in value:
            set_defaults(item, schema["items"])
