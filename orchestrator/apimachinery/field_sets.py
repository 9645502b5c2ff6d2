"""Sets of fields in the form of ``fieldsV1``, and their algebra (structured-merge-diff's ``fieldpath``).

A set is a tree: ``{"f:spec": {"f:replicas": {}}}`` holds ``.spec.replicas``. A node is a member when it is empty or has
the key ``"."``; other keys are its children: ``f:<field>``, ``k:<keys of a list element>``, ``v:<value in a set>``.
Sets are never changed in place; results share what did not change.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

FieldSet = dict[str, Any]
MEMBER: FieldSet = {}
"""A node that is a member and has no children. Never changed."""


def is_member(node: FieldSet) -> bool:
    return not node or "." in node


def union(left: FieldSet, right: FieldSet) -> FieldSet:
    """Members of either."""
    if left is right or not right:
        return left
    if not left:
        return right
    result = dict(left)
    for key, node in right.items():
        known = result.get(key)
        result[key] = node if known is None else _union_node(known, node)
    return result


def _union_node(left: FieldSet, right: FieldSet) -> FieldSet:
    if not left:
        return right if is_member(right) else {".": MEMBER, **right}
    if not right:
        return left if is_member(left) else {".": MEMBER, **left}
    return union(left, right)


def difference(left: FieldSet, right: FieldSet) -> FieldSet:
    """Members of ``left`` that are not in ``right``; ``left`` itself when none is."""
    if not right or not left:
        return left
    changed: FieldSet | None = None
    keys = right if len(right) < len(left) else left
    for key in keys:
        if key not in right or key not in left:
            continue
        node = left[key]
        rest = _difference_node(node, right[key])
        if rest is node:
            continue
        if changed is None:
            changed = dict(left)
        if rest is None:
            del changed[key]
        else:
            changed[key] = rest
    return left if changed is None else changed


def _difference_node(left: FieldSet, right: FieldSet) -> FieldSet | None:
    """None: nothing is left."""
    member = is_member(left) and not is_member(right)
    children = {key: node for key, node in left.items() if key != "."}
    rest = difference(children, right) if children else children
    if not rest:
        return MEMBER if member else None
    if rest is children and member == is_member(left):
        return left
    return {".": MEMBER, **rest} if member else rest


def without(left: FieldSet, right: FieldSet) -> FieldSet:
    """``left`` without the members of ``right`` and all that is below them."""
    if not left or not right:
        return left
    result: FieldSet = {}
    for key, node in left.items():
        other = right.get(key)
        if other is None:
            result[key] = node
        elif not is_member(other):
            rest = without(node, other)
            if rest or not node:
                result[key] = rest
    return result


def intersection(left: FieldSet, right: FieldSet) -> FieldSet:
    """Members of both."""
    result: FieldSet = {}
    small, large = (left, right) if len(left) <= len(right) else (right, left)
    for key, node in small.items():
        other = large.get(key)
        if other is None or key == ".":
            continue
        both = _intersection_node(node, other)
        if both is not None:
            result[key] = both
    return result


def _intersection_node(left: FieldSet, right: FieldSet) -> FieldSet | None:
    member = is_member(left) and is_member(right)
    children = intersection(left, right) if left and right else MEMBER
    if not children:
        return MEMBER if member else None
    return {".": MEMBER, **children} if member else children


def paths(fields: FieldSet, prefix: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every member as the keys that lead to it, sorted."""
    for key in sorted(fields):
        if key == ".":
            continue
        path = (*prefix, key)
        node = fields[key]
        if is_member(node):
            yield path
        if node:
            yield from paths(node, path)


def path_text(path: tuple[str, ...]) -> str:
    """A path as people read it: ``.spec.ports[port=80,protocol="TCP"].name``."""
    return "".join(map(_element_text, path))


def _element_text(key: str) -> str:
    kind, _, rest = key.partition(":")
    if kind == "f":
        return f".{rest}"
    if kind == "k":
        keys = json.loads(rest)
        return f"[{','.join(f'{name}={_value_text(value)}' for name, value in sorted(keys.items()))}]"
    if kind == "v":
        return f"[={_value_text(json.loads(rest))}]"
    return f"[{rest}]"


def _value_text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
