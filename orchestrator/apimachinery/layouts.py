"""Types compiled for comparing and merging: which field sets a value has, what two values differ in.

A compiled layout is made once for each type and lives as long as it. What differs between absent and zero follows the
JSON of Kubernetes' own types: a struct that is no pointer is always there, a field without ``omitempty`` too.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import msgspec

from orchestrator.apimachinery.deduced import DEDUCED
from orchestrator.apimachinery.field_sets import MEMBER, FieldSet, path_text
from orchestrator.apimachinery.interleaving import interleave
from orchestrator.apimachinery.leaf import ABSENT, LEAF, Layout, LayoutError, remove_node
from orchestrator.apimachinery.quoting import quote
from orchestrator.apimachinery.shapes import OMIT_EMPTY, POINTER, FieldShape, Shape

MAX_LAYOUTS = 16_384
"""Compiled types that are kept: all built-in ones, and those of many custom resources."""
MAX_FLAT = 64
"""Combinations of names that a layout remembers the fields of; a type has a few, a map's beyond that are not kept."""
_CONTAINERS = frozenset((dict, list))
_ZEROS: dict[str, Any] = {"string": "", "boolean": False, "int32": 0, "int64": 0, "number": 0}
_encode_json = msgspec.json.Encoder(order="sorted").encode


def _misfit(value: Any, path: str | None, wanted: str) -> FieldSet:
    """What is no map or list where there should be one."""
    if path is None:
        return MEMBER
    raise LayoutError(f"{path}: expected {wanted}, got &{{{value}}}")


class Child:
    """A field of an object: the layout of its type and what stands for it when it is absent."""

    __slots__ = ("absent", "key", "layout", "struct")

    def __init__(self, key: str, layout: Layout, absent: Any = ABSENT, struct: bool = True) -> None:
        self.key = key
        self.layout = layout
        self.absent = absent
        self.struct = struct
        """A named field of a type, not the key of a map."""


class Mapped(Layout):
    """An object or a map that is merged key by key."""

    __slots__ = ("_children", "_flat", "_shape", "_typed")

    def __init__(self, shape: Shape, typed: bool) -> None:
        self._shape = shape
        self._typed = typed
        self._children: dict[str, Child | None] = {}
        self._flat: dict[tuple[str, ...], FieldSet] = {}
        # The fields of a value without containers hang on its names alone: conditions, references, sources.

    def child(self, name: str) -> Child | None:
        """None: the type has no such field."""
        try:
            return self._children[name]
        except KeyError:
            child = self._make(name)
            if self._shape.kind != "map":
                self._children[name] = child
            return child

    def _make(self, name: str) -> Child | None:
        shape = self._shape
        if shape.kind == "map":
            return Child(f"f:{name}", layout(shape.items, self._typed), struct=False)
        field = shape.fields.get(name)
        if field is None:
            if shape.preserve_unknown:
                return Child(f"f:{name}", DEDUCED, struct=False)
            return Child(f"f:{name}", layout(shape.items, self._typed), struct=False) if shape.items else None
        return Child(f"f:{name}", layout(field.type, self._typed), self._absent(field))

    def _absent(self, field: FieldShape) -> Any:
        """What the JSON of the Go type has for the field when it was never set."""
        if not self._typed:
            return ABSENT
        kind, flags = field.type.kind, field.flags
        if kind == "object" and not flags & POINTER:
            return {}
        if flags & OMIT_EMPTY:
            return ABSENT
        return None if flags & POINTER else _ZEROS.get(kind)

    def added(self, value: Any) -> FieldSet:
        if not value:
            return MEMBER
        if not _CONTAINERS.isdisjoint(map(type, value.values())):
            return self._added(value)
        names = tuple(value)
        known = self._flat.get(names)
        if known is None:
            known = self._added(value)
            if len(self._flat) < MAX_FLAT:
                self._flat[names] = known
        return known

    def _added(self, value: Any) -> FieldSet:
        result: FieldSet = {".": MEMBER}
        children = self._children
        for name, item in value.items():
            child = children.get(name) or self.child(name)
            if child is not None:
                result[child.key] = child.layout.added(item) if item.__class__ in _CONTAINERS else MEMBER
        return result

    def owned(self, value: Any, path: str | None) -> FieldSet:
        result: FieldSet = {}
        if value and not isinstance(value, dict):
            return _misfit(value, path, "map")
        for name, item in (value or {}).items():
            child = self.child(name)
            if child is None:
                if path is None:
                    continue
                raise LayoutError(f"{path}.{name}: field not declared in schema")
            fields = MEMBER
            if isinstance(item, list) or item:
                fields = child.layout.owned(item, None if path is None else f"{path}.{name}")
            if not fields and child.struct and isinstance(child.layout, Mapped | Listed) and item not in (None, {}):
                continue
            result[child.key] = {".": MEMBER, **fields} if fields and not child.struct else fields
        return result

    def compare(self, old: Any, new: Any) -> tuple[FieldSet | None, FieldSet | None]:
        if not old and not new:
            return MEMBER, None
        changed: FieldSet = {}
        removed: FieldSet = {}
        old, new = old or {}, new or {}
        for name, item in new.items():
            was = old.get(name, ABSENT)
            if was is item or was == item:
                continue
            self._compare_child(name, was, item, changed, removed)
        if not new.keys() >= old.keys():
            for name in [name for name in old if name not in new]:
                self._compare_child(name, old[name], ABSENT, changed, removed)
        return changed or None, removed or None

    def _compare_child(self, name: str, old: Any, new: Any, changed: FieldSet, removed: FieldSet) -> None:
        child = self._children.get(name) or self.child(name)
        if child is None:
            return
        if old is ABSENT:
            old = child.absent
        if new is ABSENT:
            new = child.absent
        if self._typed and ((old is ABSENT and new is None) or (old is None and new is ABSENT)):
            return
        if old is ABSENT:
            changed[child.key] = child.layout.added(new) if new.__class__ in _CONTAINERS else MEMBER
        elif new is ABSENT:
            removed[child.key] = child.layout.added(old) if isinstance(old, (dict, list)) else MEMBER
        elif old != new:
            more, less = child.layout.compare(old, new)
            if more is not None:
                changed[child.key] = more
            if less is not None:
                removed[child.key] = less

    def merge(self, live: Any, applied: Any) -> Any:
        if not isinstance(live, dict) or not isinstance(applied, dict):
            return applied
        result = dict(live)
        for name, item in applied.items():
            child = self.child(name)
            if child is None or name not in live or item is None:
                result[name] = item
            else:
                result[name] = child.layout.merge(live[name], item)
        return result

    def remove(self, value: Any, fields: FieldSet) -> Any:
        if not isinstance(value, dict):
            return value
        result = dict(value)
        for name, item in value.items():
            child = self.child(name)
            node = fields.get(child.key) if child is not None else None
            if child is None or node is None:
                continue
            rest = remove_node(child.layout, item, node)
            if rest is ABSENT:
                del result[name]
            else:
                result[name] = rest
        return result or ABSENT

    def named(self, fields: FieldSet) -> FieldSet:
        result: FieldSet = {}
        for key, node in fields.items():
            child = self.child(key[2:]) if key.startswith("f:") else None
            result[key] = node if child is None or not node else _named_node(child, node)
        return result


def _named_node(child: Child, node: FieldSet) -> FieldSet:
    inner = child.layout.named(node)
    return {".": MEMBER, **inner} if child.struct and "." not in inner else inner


class Listed(Layout):
    """A list whose elements are told apart: by some of their fields, or by their value."""

    __slots__ = ("_defaults", "_items", "_keys", "_only", "_prefix", "_shape", "_typed")

    def __init__(self, shape: Shape, typed: bool) -> None:
        self._shape = shape
        self._typed = typed
        self._items: Layout | None = None
        keys = shape.list_map_keys if shape.list_type == "map" else ()
        self._keys = tuple(sorted(keys))
        fields = shape.items.fields if shape.items is not None and keys else {}
        self._only = self._keys[0] if len(self._keys) == 1 else ""
        self._prefix = f'k:{{"{self._only}":'
        self._defaults = {key: fields[key].default for key in keys if key in fields}

    @property
    def items(self) -> Layout:
        if self._items is None:
            self._items = layout(self._shape.items, self._typed)
        return self._items

    def element(self, item: Any) -> str:
        """What the element is known by. Raises ``LayoutError`` when a key without default is missing."""
        if not self._keys:
            return "v:" + _encode_json(item).decode()
        if self._only and item.__class__ is dict:
            value = item.get(self._only)
            if value.__class__ is str and value.isascii() and value.isprintable() and not _needs_escape(value):
                return f'{self._prefix}"{value}"}}'
        if not isinstance(item, dict):
            raise LayoutError(f"expected map, got {item!r}")
        keys: dict[str, Any] = {}
        for key in self._keys:
            value = item.get(key)
            if value is None:
                value = self._defaults.get(key)
            if value is None:
                text = f"associative list with keys has an element that omits key field {quote(key)}"
                raise LayoutError(f"{text} (and doesn't have default value)")
            keys[key] = value
        return "k:" + _encode_json(keys).decode()

    def elements(self, items: list[Any] | None) -> dict[str, Any]:
        """Elements by what they are known by; of duplicates the first; those without a key are passed over."""
        result: dict[str, Any] = {}
        for item in items or ():
            try:
                result.setdefault(self.element(item), item)
            except LayoutError:
                continue
        return result

    def added(self, value: Any) -> FieldSet:
        if not value:
            return MEMBER
        result: FieldSet = {".": MEMBER}
        for key, item in self.elements(value).items():
            result[key] = self.items.added(item)
        return result

    def owned(self, value: Any, path: str | None) -> FieldSet:
        result: FieldSet = {}
        if value and not isinstance(value, list):
            return _misfit(value, path, "list")
        for position, item in enumerate(value or ()):
            try:
                key = self.element(item)
            except LayoutError as error:
                if path is None:
                    continue
                raise LayoutError(f"{path}: element {position}: {error}") from None
            if key in result and path is not None:
                raise LayoutError(f"{path}: duplicate entries for key {_key_text(key)}")
            fields = self.items.owned(item, None if path is None else path + _key_text(key))
            result[key] = {".": MEMBER, **fields} if fields else MEMBER
        return result

    def compare(self, old: Any, new: Any) -> tuple[FieldSet | None, FieldSet | None]:
        if not old and not new:
            return MEMBER, None
        changed: FieldSet = {}
        removed: FieldSet = {}
        olds, news = self.elements(old), self.elements(new)
        for key, item in news.items():
            was = olds.get(key, ABSENT)
            if was is ABSENT:
                changed[key] = self.items.added(item)
            elif was is not item and was != item:
                more, less = self.items.compare(was, item)
                if more is not None:
                    changed[key] = more
                if less is not None:
                    removed[key] = less
        for key, item in olds.items():
            if key not in news:
                removed[key] = self.items.added(item)
        return changed or None, removed or None

    def merge(self, live: Any, applied: Any) -> Any:
        """Applied elements in their order, live ones that were not applied stay where they stood among them."""
        if not isinstance(live, list) or not isinstance(applied, list):
            return applied
        news = self.elements(applied)
        olds = self.elements(live)
        return interleave(
            self._keyed(live), list(news), lambda key: self._merged(olds.get(key, ABSENT), news[key]), news
        )

    def _keyed(self, items: list[Any]) -> list[tuple[str, Any]]:
        result: list[tuple[str, Any]] = []
        for position, item in enumerate(items):
            try:
                result.append((self.element(item), item))
            except LayoutError:
                result.append((f"i:{position}", item))
        return result

    def _merged(self, live: Any, applied: Any) -> Any:
        return applied if live is ABSENT else self.items.merge(live, applied)

    def remove(self, value: Any, fields: FieldSet) -> Any:
        if not isinstance(value, list):
            return value
        result: list[Any] = []
        for key, item in self._keyed(value):
            node = fields.get(key)
            rest = item if node is None else remove_node(self.items, item, node)
            if rest is not ABSENT:
                result.append(rest)
        return result or ABSENT

    def named(self, fields: FieldSet) -> FieldSet:
        return {key: self.items.named(node) if node else node for key, node in fields.items()}


def _needs_escape(text: str) -> bool:
    return '"' in text or "\\" in text


def _key_text(key: str) -> str:
    return path_text((key,))


@lru_cache(MAX_LAYOUTS)
def layout(shape: Shape | None, typed: bool = True) -> Layout:
    """The compiled form of a type. ``typed`` is false for custom resources, which have no zero values."""
    return LEAF if shape is None else _compile(shape, typed)


def _compile(shape: Shape, typed: bool) -> Layout:
    if shape.kind in ("object", "map"):
        if shape.map_type == "atomic":
            return LEAF
        if shape.kind == "object" and not shape.fields and shape.preserve_unknown:
            return DEDUCED
        return Mapped(shape, typed)
    if shape.kind == "list" and (shape.list_type == "set" or (shape.list_type == "map" and shape.list_map_keys)):
        return Listed(shape, typed)
    return LEAF
