"""``-o custom-columns=NAME:.metadata.name,NODE:.spec.nodeName``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from orchestrator.apimachinery import jsonpath
from orchestrator.cli.terminal import CommandError

Object = dict[str, Any]


def parse(spec: str) -> list[tuple[str, str]]:
    """(heading, path) pairs. Raises ``CommandError``."""
    found = []
    for part in spec.split(","):
        heading, colon, path = part.partition(":")
        if not heading or not colon or not path:
            raise CommandError(f"custom-columns: expected HEADING:.path, found {part!r}", code=2)
        found.append((heading, path))
    return found


def rows(spec: str, objects: Sequence[Object], *, headings: bool = True) -> list[list[str]]:
    columns = parse(spec)
    shown = [[heading for heading, _ in columns]] if headings else []
    for obj in objects:
        shown.append(
            [",".join(jsonpath.text(value) for value in jsonpath.find(path, obj)) or "<none>" for _, path in columns]
        )
    return shown
