"""JSONPath templates as kubectl has them: ``{range .items[*]}{.metadata.name}{"\\n"}{end}``.

A template is text with expressions in braces. Fields, ``[0]``, ``[-1]``, ``[1:3]``, ``[*]``, ``['a','b']``, ``..name``
and filters ``[?(@.type=="Ready")]`` are known. A missing field gives nothing. Source: the Kubernetes page
"JSONPath Support".
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

Step = Callable[[Any], Iterator[Any]]
Node = tuple[str, Any]
"""("text", str), ("path", steps) or ("range", (steps, nodes))."""

_NAME = re.compile(r"(?:\\.|[^\\.\[\]{}()\s'\",=!<>&|])+")
_SLICE = re.compile(r"(-?\d*):(-?\d*)(?::(\d+))?")
_FILTER = re.compile(r"\s*(.+?)\s*(?:(==|!=|<=|>=|<|>)\s*(.+?)\s*)?", re.DOTALL)
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "==": lambda a, b: bool(a == b),
    "!=": lambda a, b: bool(a != b),
    "<": lambda a, b: bool(a < b),
    "<=": lambda a, b: bool(a <= b),
    ">": lambda a, b: bool(a > b),
    ">=": lambda a, b: bool(a >= b),
}


def render(template: str, obj: Any) -> str:
    """What the template says of ``obj``. Raises ``PathError`` when it cannot be read."""
    nodes, rest = _nodes(_pieces(template), 0, inside=False)
    assert rest == len(_pieces(template))
    return "".join(_write(nodes, obj))


def find(path: str, obj: Any) -> list[Any]:
    """What one path (with or without braces, with or without the first dot) finds."""
    text = path.strip()
    if text.startswith("{") and text.endswith("}"):
        text = text[1:-1].strip()
    return list(_walk(_steps(text if text.startswith((".", "[", "$", "@")) else f".{text}"), obj))


def text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False) if value is not None else ""


class PathError(ValueError):
    """A template or path that cannot be read; the message is one line."""


def _wrong(what: str) -> PathError:
    return PathError(f"jsonpath: {what}")


def _pieces(template: str) -> list[tuple[bool, str]]:
    """(is an expression, text) in order; braces in quotes do not end an expression."""
    found: list[tuple[bool, str]] = []
    rest = template
    while rest:
        start = rest.find("{")
        if start < 0:
            found.append((False, rest))
            break
        if start:
            found.append((False, rest[:start]))
        end = _closing(rest, start)
        found.append((True, rest[start + 1 : end].strip()))
        rest = rest[end + 1 :]
    return found


def _closing(text: str, start: int) -> int:
    quote = ""
    index = start + 1
    while index < len(text):
        character = text[index]
        if quote and character == "\\":
            index += 1
        elif quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        elif character == "}":
            return index
        index += 1
    raise _wrong(f"expected }} after {text[start:]!r}")


def _nodes(pieces: Sequence[tuple[bool, str]], at: int, *, inside: bool) -> tuple[list[Node], int]:
    found: list[Node] = []
    while at < len(pieces):
        expression, body = pieces[at]
        at += 1
        if not expression:
            found.append(("text", body))
        elif body == "end":
            if not inside:
                raise _wrong("{end} without {range}")
            return found, at
        elif body.startswith("range"):
            children, at = _nodes(pieces, at, inside=True)
            found.append(("range", (_steps(body[5:].strip()), children)))
        elif body[:1] in ("'", '"'):
            found.append(("text", _unquoted(body)))
        else:
            found.append(("path", _steps(body)))
    if inside:
        raise _wrong("{range} without {end}")
    return found, at


def _unquoted(body: str) -> str:
    if len(body) < 2 or body[-1] != body[0]:
        raise _wrong(f"expected a quoted text, found {body!r}")
    return re.sub(r"\\(.)", lambda found: {"n": "\n", "t": "\t", "r": "\r"}.get(found[1], found[1]), body[1:-1])


def _write(nodes: Sequence[Node], obj: Any) -> Iterator[str]:
    for kind, value in nodes:
        if kind == "text":
            yield value
        elif kind == "path":
            yield " ".join(text(found) for found in _walk(value, obj))
        else:
            steps, children = value
            for item in _walk(steps, obj):
                yield from _write(children, item)


def _walk(steps: Sequence[Step], obj: Any) -> Iterator[Any]:
    values: Iterator[Any] = iter((obj,))
    for step in steps:
        values = _each(step, values)
    return values


def _each(step: Step, values: Iterator[Any]) -> Iterator[Any]:
    for value in values:
        yield from step(value)


def _steps(body: str) -> list[Step]:
    rest = body
    found: list[Step] = []
    if rest[:1] in ("$", "@"):
        rest = rest[1:]
    while rest:
        step, rest = _step(rest, first=not found)
        if step is not None:
            found.append(step)
    return found


def _step(rest: str, *, first: bool) -> tuple[Step | None, str]:
    if rest.startswith(".."):
        name = _NAME.match(rest, 2)
        if name is None:
            return _descendants, rest[2:]
        return _deep(_plain(name[0])), rest[name.end() :]
    if rest == "." and first:
        return None, ""
    if rest.startswith(".["):
        return None, rest[1:]
    if rest.startswith("["):
        end = _bracket(rest)
        return _subscript(rest[1:end].strip()), rest[end + 1 :]
    name = _NAME.match(rest, 1 if rest.startswith(".") else 0)
    if name is None or not (rest.startswith(".") or first):
        raise _wrong(f"expected .field or [index], found {rest!r}")
    return (_all if name[0] == "*" else _field(_plain(name[0]))), rest[name.end() :]


def _plain(name: str) -> str:
    return re.sub(r"\\(.)", r"\1", name)


def _bracket(rest: str) -> int:
    """Where the bracket that opens ``rest`` closes."""
    depth, quote = 0, ""
    for index, character in enumerate(rest):
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        elif character == "[":
            depth += 1
        elif character == "]":
            depth -= 1
            if depth == 0:
                return index
    raise _wrong(f"expected ] after {rest!r}")


def _subscript(inner: str) -> Step:
    if inner == "*":
        return _all
    if inner.startswith("?(") and inner.endswith(")"):
        return _filter(inner[2:-1])
    if inner[:1] in ("'", '"'):
        names = [_plain(part[1:-1]) for part in re.findall(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"", inner)]
        return _union([_field(name) for name in names])
    steps = []
    for part in inner.split(","):
        part = part.strip()
        sliced = _SLICE.fullmatch(part)
        if sliced is not None:
            steps.append(_slice(*(int(bound) if bound else None for bound in sliced.groups())))
        elif re.fullmatch(r"-?\d+", part):
            steps.append(_index(int(part)))
        else:
            raise _wrong(f"expected an index, found {part!r}")
    return _union(steps)


def _field(name: str) -> Step:
    def step(value: Any) -> Iterator[Any]:
        if isinstance(value, dict) and name in value:
            yield value[name]

    return step


def _all(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        yield from value.values()
    elif isinstance(value, list):
        yield from value


def _index(number: int) -> Step:
    def step(value: Any) -> Iterator[Any]:
        if isinstance(value, list) and -len(value) <= number < len(value):
            yield value[number]

    return step


def _slice(start: int | None, stop: int | None, stride: int | None) -> Step:
    def step(value: Any) -> Iterator[Any]:
        if isinstance(value, list):
            yield from value[start:stop:stride]

    return step


def _union(steps: Sequence[Step]) -> Step:
    def step(value: Any) -> Iterator[Any]:
        for each in steps:
            yield from each(value)

    return step


def _descendants(value: Any) -> Iterator[Any]:
    yield value
    for child in _all(value):
        yield from _descendants(child)


def _deep(name: str) -> Step:
    pick = _field(name)

    def step(value: Any) -> Iterator[Any]:
        for found in _descendants(value):
            yield from pick(found)

    return step


def _filter(condition: str) -> Step:
    parsed = _FILTER.fullmatch(condition)
    if parsed is None or not parsed[1]:
        raise _wrong(f"expected a condition, found {condition!r}")
    left, operator, right = parsed.groups()

    def step(value: Any) -> Iterator[Any]:
        for item in value if isinstance(value, list) else ():
            if _holds(left, operator, right, item):
                yield item

    return step


def _holds(left: str, operator: str | None, right: str | None, item: Any) -> bool:
    one = _operand(left, item)
    if operator is None or right is None:
        return bool(one)
    other = _operand(right, item)
    if not one or not other:
        return False
    try:
        return _COMPARE[operator](one[0], other[0])
    except TypeError:
        return False


def _operand(written: str, item: Any) -> list[Any]:
    if written.startswith("@"):
        return list(_walk(_steps(written), item))
    if written[:1] in ("'", '"'):
        return [_unquoted(written)]
    try:
        return [json.loads(written)]
    except ValueError as error:
        raise _wrong(f"expected @.field, a number or a quoted text, found {written!r}") from error
