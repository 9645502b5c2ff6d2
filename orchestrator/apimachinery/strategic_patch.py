"""Strategic merge patch: a merge patch that knows which lists are merged by key, with its ``$`` directives.

Directives: ``$patch`` (delete, replace, merge) in a map or a list's element, ``$retainKeys``,
``$deleteFromPrimitiveList/<field>``, ``$setElementOrder/<field>``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.json_patch import PatchError
from orchestrator.apimachinery.shapes import Shape

DIRECTIVE = "$patch"
RETAIN_KEYS = "$retainKeys"
DELETE_PREFIX = "$deleteFromPrimitiveList/"
ORDER_PREFIX = "$setElementOrder/"


def apply(doc: Object, patch: Object, type: Shape) -> Object:
    """The patched document. Neither argument is changed. Raises ``PatchError``."""
    return _merge_map(doc, patch, type)


def _merge_map(original: Object, patch: Object, type: Shape | None) -> Object:
    directive = patch.get(DIRECTIVE)
    if directive is not None:
        if directive == "replace":
            replaced: Object = _plain({key: value for key, value in patch.items() if key != DIRECTIVE})
            return replaced
        if directive == "delete":
            return {}
        if directive != "merge":
            raise PatchError(f"unknown patch type: {directive} in map: {go_text(patch)}")
    result = _retained(original, patch)
    orders = {key[len(ORDER_PREFIX) :]: value for key, value in patch.items() if key.startswith(ORDER_PREFIX)}
    for key, value in patch.items():
        if key in (DIRECTIVE, RETAIN_KEYS) or key.startswith(ORDER_PREFIX):
            continue
        if key.startswith(DELETE_PREFIX):
            _delete_primitives(result, key[len(DELETE_PREFIX) :], value)
        else:
            _merge_field(result, key, value, type, orders.pop(key, None))
    for key, order in orders.items():
        _reorder(result, key, order, type)
    return result


def _retained(original: Object, patch: Object) -> Object:
    """A copy of ``original`` with only the keys that ``$retainKeys`` names, if it is there."""
    keep = patch.get(RETAIN_KEYS)
    if keep is None:
        return dict(original)
    if not isinstance(keep, list):
        raise PatchError("invalid patch format of retainKeys")
    stray = [key for key, value in patch.items() if not key.startswith("$") and value is not None and key not in keep]
    if stray:
        raise PatchError("invalid patch format of retainKeys")
    return {key: value for key, value in original.items() if key in keep}


def _field_type(type: Shape | None, key: str) -> Shape | None:
    if type is None:
        return None
    field = type.fields.get(key)
    if field is not None:
        return field.type
    return type.items if type.kind == "map" else None


def _merge_field(result: Object, key: str, value: Any, type: Shape | None, order: list[Any] | None) -> None:
    if value is None:
        result.pop(key, None)
        return
    known = result.get(key)
    below = _field_type(type, key)
    if isinstance(known, dict) and isinstance(value, dict):
        if below is not None and "replace" in below.strategies:
            result[key] = _plain(value)
        else:
            result[key] = _merge_map(known, value, below)
    elif isinstance(value, list) and (isinstance(known, list) or order is not None):
        result[key] = _merge_list(known if isinstance(known, list) else [], value, below, order)
    else:
        result[key] = _plain(value)


def _merge_list(original: list[Any], patch: list[Any], type: Shape | None, order: list[Any] | None) -> list[Any]:
    if type is None or "merge" not in type.strategies:
        return [item if not isinstance(item, dict) else _plain(item) for item in patch]
    if not any(isinstance(item, dict) for item in (*patch, *original)):
        merged = list(dict.fromkeys([*original, *patch]))
        return _ordered(merged, patch if order is None else order, original, lambda item: item)
    key = type.merge_key
    if not key:
        raise PatchError("cannot merge lists of maps without a merge key")
    replaced, rest, patch = _special(original, patch, key)
    if replaced:
        return [_plain(item) for item in patch]
    merged = _merge_elements(rest, patch, key, type.items)
    return _ordered(merged, patch if order is None else order, original, lambda item: item.get(key))


def _special(original: list[Any], patch: list[Any], key: str) -> tuple[bool, list[Any], list[Any]]:
    """Whether the list is to be replaced; the original without what is to be deleted; the patch without directives."""
    rest, items, replaced = original, [], False
    for item in patch:
        if not isinstance(item, dict):
            raise PatchError("expected a list of maps, found an element that is none")
        directive = item.get(DIRECTIVE)
        if directive is None:
            items.append(item)
        elif directive == "replace":
            replaced = True
        elif directive == "delete":
            gone = _key_of(item, key)
            rest = [known for known in rest if known.get(key) != gone]
        elif directive == "merge":
            raise PatchError("merging not yet supported")
        else:
            raise PatchError(f"unknown patch type: {directive} in map: {go_text(item)}")
    return replaced, rest, items


def _key_of(item: Object, key: str) -> Any:
    if item.get(key) is None:
        raise PatchError(f"map: {go_text(item)} does not contain declared merge key: {key}")
    return item[key]


def _merge_elements(original: list[Any], patch: list[Any], key: str, type: Shape | None) -> list[Any]:
    merged = list(original)
    for item in patch:
        wanted = _key_of(item, key)
        for position, known in enumerate(merged):
            if known.get(key) == wanted:
                merged[position] = _merge_map(known, item, type)
                break
        else:
            merged.append(_plain(item))
    return merged


def _ordered(merged: list[Any], order: list[Any], live: list[Any], key_of: Callable[[Any], Any]) -> list[Any]:
    """The elements that the patch speaks of in its order, the others put between them as they stood in ``live``."""
    wanted = [key_of(item) for item in order]
    rank = {key: position for position, key in reversed(list(enumerate(wanted)))}
    stood = {key_of(item): position for position, item in reversed(list(enumerate(live)))}
    mine = sorted((item for item in merged if key_of(item) in rank), key=lambda item: rank[key_of(item)])
    others = sorted(
        (item for item in merged if key_of(item) not in rank), key=lambda item: stood.get(key_of(item), len(stood))
    )
    result: list[Any] = []
    left = right = 0
    while left < len(others) and right < len(mine):
        first, second = stood.get(key_of(others[left])), stood.get(key_of(mine[right]))
        if first is not None and second is not None and first < second:
            result.append(others[left])
            left += 1
        else:
            result.append(mine[right])
            right += 1
    return [*result, *others[left:], *mine[right:]]


def _reorder(result: Object, key: str, order: Any, type: Shape | None) -> None:
    """``$setElementOrder`` alone: the list itself is not patched."""
    known = result.get(key)
    below = _field_type(type, key)
    if not isinstance(known, list) or not isinstance(order, list) or below is None:
        return
    merge_key = below.merge_key
    if merge_key:
        result[key] = _ordered(known, order, known, lambda item: item.get(merge_key))
    else:
        result[key] = _ordered(known, order, known, lambda item: item)


def _delete_primitives(result: Object, key: str, values: Any) -> None:
    if not isinstance(values, list):
        raise PatchError("invalid patch format of primitive list")
    known = result.get(key)
    if isinstance(known, list):
        result[key] = [item for item in known if item not in values]


def _plain(value: Any) -> Any:
    """A value of the patch taken over whole: without directives and nulls."""
    if isinstance(value, dict):
        if value.get(DIRECTIVE) == "delete":
            return {}
        return {key: _plain(item) for key, item in value.items() if item is not None and not key.startswith("$")}
    if isinstance(value, list):
        return [_plain(item) for item in value if not (isinstance(item, dict) and DIRECTIVE in item)]
    return value


def go_text(value: Any) -> str:
    """As Go prints it: ``map[a:1 b:[x y]]``."""
    if isinstance(value, dict):
        return f"map[{' '.join(f'{key}:{go_text(value[key])}' for key in sorted(value))}]"
    if isinstance(value, list):
        return f"[{' '.join(map(go_text, value))}]"
    return str(value).lower() if isinstance(value, bool) else str(value)
