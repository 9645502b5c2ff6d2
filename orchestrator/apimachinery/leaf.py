"""A leaf of a compiled type, which is also what every layout can do."""

from __future__ import annotations

from typing import Any

from orchestrator.apimachinery.field_sets import MEMBER, FieldSet

ABSENT: Any = object()
"""Stands for a value that is not there."""


class LayoutError(ValueError):
    """A value that does not fit its type; the message is structured-merge-diff's."""


class Layout:
    """A leaf: a scalar, or an atomic object, list or map."""

    __slots__ = ()

    def added(self, value: Any) -> FieldSet:
        """All fields of a value that was not there at all."""
        return MEMBER

    def owned(self, value: Any, path: str | None) -> FieldSet:
        """The fields that somebody owns who applies ``value``.

        Raises ``LayoutError`` for what does not fit, with ``path`` in front; without one it is passed over.
        """
        return MEMBER

    def compare(self, old: Any, new: Any) -> tuple[FieldSet | None, FieldSet | None]:
        """What was added or changed, and what was removed, of two values that are there and differ."""
        return MEMBER, None

    def merge(self, live: Any, applied: Any) -> Any:
        return applied

    def remove(self, value: Any, fields: FieldSet) -> Any:
        """``value`` without ``fields``; ``ABSENT`` when nothing is left."""
        return value

    def named(self, fields: FieldSet) -> FieldSet:
        """``fields`` with every struct field on the way as a member too."""
        return fields


def remove_node(layout: Layout, value: Any, node: FieldSet) -> Any:
    """``value`` without what ``node`` lists of it; ``ABSENT`` when the value itself is listed."""
    if not node or "." in node:
        return ABSENT
    return layout.remove(value, node)


LEAF = Layout()
