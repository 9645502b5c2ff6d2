"""What merging needs to know of a type. The schema's types have this form, of built-in kinds and of custom ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

POINTER = 1
"""Flag of a field: absent differs from zero."""
OMIT_EMPTY = 2
"""Flag of a field: not written when it is empty."""


class FieldShape(Protocol):
    """One field of an object type."""

    @property
    def type(self) -> Shape: ...
    @property
    def default(self) -> Any: ...
    @property
    def flags(self) -> int: ...


class Shape(Protocol):
    """One type. ``kind`` is "object", "list", "map" or a scalar's name; ``items`` is what a list or a map holds."""

    def __hash__(self) -> int: ...
    @property
    def kind(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def fields(self) -> Mapping[str, FieldShape]: ...
    @property
    def items(self) -> Shape | None: ...
    @property
    def list_type(self) -> str: ...
    @property
    def list_map_keys(self) -> tuple[str, ...]: ...
    @property
    def map_type(self) -> str: ...
    @property
    def merge_key(self) -> str: ...
    @property
    def strategies(self) -> tuple[str, ...]: ...
    @property
    def preserve_unknown(self) -> bool: ...
    @property
    def structural(self) -> bool: ...
