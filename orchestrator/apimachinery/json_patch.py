"""JSON patch (RFC 6902) with the error texts of the library that Kubernetes uses (negative indices included)."""

from __future__ import annotations

from typing import Any

from orchestrator.apimachinery.copying import deep

MAX_OPERATIONS = 10_000
"""Operations in one patch, the API server's bound."""

_MISSING = object()
_GO = "[]handlers.jsonPatchOp"


class PatchError(ValueError):
    """A patch that does not apply (422 for the client): a failed test or a place that is not there."""


class PatchFormatError(PatchError):
    """A patch that is none (400 for the client)."""


def apply(doc: Any, patch: Any) -> Any:
    """The patched document. ``doc`` is not changed. Raises ``PatchError``, ``PatchFormatError``."""
    if not isinstance(patch, list) or not all(isinstance(operation, dict) for operation in patch):
        raise PatchFormatError(
            f"error decoding patch: json: cannot unmarshal {_json_kind(patch)} into Go value of type {_GO}"
        )
    if len(patch) > MAX_OPERATIONS:
        text = f"The allowed maximum operations in a JSON patch is {MAX_OPERATIONS}, got {len(patch)}"
        raise PatchFormatError(text)
    root = [deep(doc)]
    for operation in patch:
        _apply_one(root, operation)
    return root[0]


def _json_kind(patch: Any) -> str:
    """Go's word for the JSON value that is no list of operations."""
    if isinstance(patch, list):
        odd = next((item for item in patch if not isinstance(item, dict)), None)
        return "array" if isinstance(odd, list) else _json_kind(odd)
    if isinstance(patch, dict):
        return "object"
    if isinstance(patch, bool):
        return "bool"
    return "string" if isinstance(patch, str) else "number"


def _apply_one(root: list[Any], operation: dict[str, Any]) -> None:
    word = operation.get("op")
    path = operation.get("path")
    if word not in ("add", "remove", "replace", "move", "copy", "test"):
        raise PatchError(f"Unexpected kind: {word if isinstance(word, str) else 'unknown'}")
    if not isinstance(path, str):
        raise PatchError(f"{word} operation failed to decode path: missing value")
    if word in ("move", "copy") and not isinstance(operation.get("from"), str):
        raise PatchError(f"{word} operation failed to decode from: operation, missing from field: missing value")
    _OPERATIONS[word](root, path, operation)


def _keys(path: str) -> list[str]:
    return [part.replace("~1", "/").replace("~0", "~") for part in path.split("/")[1:]]


def _container(root: list[Any], path: str) -> tuple[Any, str]:
    """The dict or list that holds the last key of ``path`` (``_MISSING`` when there is none), and that key."""
    keys = _keys(path)
    if not keys:
        return root, "0"
    node = root[0]
    for key in keys[:-1]:
        if isinstance(node, dict):
            node = node.get(key, _MISSING)
        elif isinstance(node, list):
            try:
                node = node[_index(node, key, len(node))]
            except PatchError:
                return _MISSING, keys[-1]
        else:
            return _MISSING, keys[-1]
    return (node if isinstance(node, (dict, list)) else _MISSING), keys[-1]


def _index(items: list[Any], key: str, size: int) -> int:
    try:
        index = int(key)
    except ValueError:
        text = f"value was not a proper array index: '{key}': strconv.Atoi: parsing \"{key}\": invalid syntax"
        raise PatchError(text) from None
    if index >= size or index < -size:
        raise PatchError(f"Unable to access invalid index: {index}: invalid index referenced")
    return index + size if index < 0 else index


def _get(container: Any, key: str) -> Any:
    if isinstance(container, dict):
        return container.get(key, _MISSING)
    return container[_index(container, key, len(container))]


def _value(operation: dict[str, Any]) -> Any:
    """The operation's value; an absent one is null, as upstream takes it."""
    return deep(operation.get("value"))


def _insert(container: Any, key: str, value: Any) -> None:
    if isinstance(container, dict):
        container[key] = value
    elif key == "-":
        container.append(value)
    else:
        container.insert(_index(container, key, len(container) + 1), value)


def _delete(container: Any, key: str) -> None:
    if isinstance(container, list):
        del container[_index(container, key, len(container))]
    elif key in container:
        del container[key]
    else:
        raise PatchError(f"Unable to remove nonexistent key: {key}: missing value")


def _add(root: list[Any], path: str, operation: dict[str, Any]) -> None:
    container, key = _container(root, path)
    if container is root:
        root[0] = _value(operation)
        return
    if container is _MISSING:
        raise PatchError(f'add operation does not apply: doc is missing path: "{path}": missing value')
    try:
        _insert(container, key, _value(operation))
    except PatchError as error:
        raise PatchError(f"error in add for path: '{path}': {error}") from None


def _remove(root: list[Any], path: str, operation: dict[str, Any]) -> None:
    container, key = _container(root, path)
    if container is _MISSING:
        raise PatchError(f'remove operation does not apply: doc is missing path: "{path}": missing value')
    try:
        _delete(container, key)
    except PatchError as error:
        raise PatchError(f"error in remove for path: '{path}': {error}") from None


def _replace(root: list[Any], path: str, operation: dict[str, Any]) -> None:
    container, key = _container(root, path)
    if container is _MISSING:
        raise PatchError(f"replace operation does not apply: doc is missing path: {path}: missing value")
    try:
        missing = _get(container, key) is _MISSING
    except PatchError:
        missing = True
    if missing:
        raise PatchError(f"replace operation does not apply: doc is missing key: {path}: missing value")
    if isinstance(container, dict):
        container[key] = _value(operation)
    else:
        container[_index(container, key, len(container))] = _value(operation)


def _taken(root: list[Any], operation: dict[str, Any], word: str) -> tuple[Any, str, Any]:
    source = operation["from"]
    container, key = _container(root, source)
    if container is _MISSING:
        raise PatchError(f"{word} operation does not apply: doc is missing from path: {source}: missing value")
    try:
        value = _get(container, key)
    except PatchError as error:
        raise PatchError(f"error in {word} for path: '{key}': {error}") from None
    return container, key, None if value is _MISSING and word == "copy" else value


def _move(root: list[Any], path: str, operation: dict[str, Any]) -> None:
    container, key, value = _taken(root, operation, "move")
    try:
        _delete(container, key)
    except PatchError as error:
        raise PatchError(f"error in move for path: '{key}': {error}") from None
    _put_taken(root, path, value, "move")


def _copy(root: list[Any], path: str, operation: dict[str, Any]) -> None:
    _source, _key, value = _taken(root, operation, "copy")
    _put_taken(root, path, deep(value), "copy")


def _put_taken(root: list[Any], path: str, value: Any, word: str) -> None:
    container, key = _container(root, path)
    if container is root:
        root[0] = value
        return
    if container is _MISSING:
        raise PatchError(f"{word} operation does not apply: doc is missing destination path: {path}: missing value")
    try:
        _insert(container, key, value)
    except PatchError as error:
        raise PatchError(f"error in {word} for path: '{path}': {error}") from None


def _test(root: list[Any], path: str, operation: dict[str, Any]) -> None:
    container, key = _container(root, path)
    if container is _MISSING:
        raise PatchError(f"test operation does not apply: is missing path: {path}: missing value")
    try:
        value = _get(container, key)
    except PatchError as error:
        raise PatchError(f"error in test for path: '{path}': {error}") from None
    found = None if value is _MISSING else value
    if not _same(found, operation.get("value")):
        raise PatchError(f"testing value {path} failed: test failed")


def _same(left: Any, right: Any) -> bool:
    """JSON equality: true is not 1."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(_same(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(_same, left, right))
    return bool(left == right)


_OPERATIONS = {"add": _add, "remove": _remove, "replace": _replace, "move": _move, "copy": _copy, "test": _test}
