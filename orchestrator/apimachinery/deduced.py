"""The layout of values whose type nobody knows: custom resources without a schema, unknown fields that are kept."""

from __future__ import annotations

from typing import Any

from orchestrator.apimachinery.field_sets import MEMBER, FieldSet
from orchestrator.apimachinery.leaf import ABSENT, Layout, remove_node


class Deduced(Layout):
    """A value of no known type: maps are merged key by key, everything else is a leaf."""

    __slots__ = ()

    def added(self, value: Any) -> FieldSet:
        if not isinstance(value, dict) or not value:
            return MEMBER
        return {".": MEMBER, **{f"f:{name}": self.added(item) for name, item in value.items()}}

    def owned(self, value: Any, path: str | None) -> FieldSet:
        if not isinstance(value, dict):
            return MEMBER
        return {f"f:{name}": self.added(item) for name, item in value.items()}

    def compare(self, old: Any, new: Any) -> tuple[FieldSet | None, FieldSet | None]:
        if not isinstance(old, dict) or not isinstance(new, dict):
            return MEMBER, None
        changed: FieldSet = {}
        removed: FieldSet = {}
        for name, item in new.items():
            if name not in old:
                changed[f"f:{name}"] = self.added(item)
            elif old[name] != item:
                more, less = self.compare(old[name], item)
                if more is not None:
                    changed[f"f:{name}"] = more
                if less is not None:
                    removed[f"f:{name}"] = less
        removed.update({f"f:{name}": self.added(item) for name, item in old.items() if name not in new})
        return changed or None, removed or None

    def merge(self, live: Any, applied: Any) -> Any:
        if not isinstance(live, dict) or not isinstance(applied, dict):
            return applied
        return {**live, **{name: self.merge(live.get(name), item) for name, item in applied.items()}}

    def remove(self, value: Any, fields: FieldSet) -> Any:
        if not isinstance(value, dict):
            return value
        result: dict[str, Any] = {}
        for name, item in value.items():
            node = fields.get(f"f:{name}")
            rest = item if node is None else remove_node(self, item, node)
            if rest is not ABSENT:
                result[name] = rest
        return result or ABSENT


DEDUCED = Deduced()
