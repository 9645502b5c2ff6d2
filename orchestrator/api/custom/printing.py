"""Columns of a custom kind's tables: its ``additionalPrinterColumns``, else its age. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from orchestrator.api.cells import NAME, NAME_AND_AGE, name_and_created, name_of
from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.jsonpath import PathError, find, text
from orchestrator.apimachinery.tables import Column
from orchestrator.apimachinery.timestamps import age

Row = Callable[[Object, float], list[Any]]


def columns_of(version: Object) -> tuple[tuple[Column, ...], Row]:
    """The columns and the function that fills a row, of one version of a definition."""
    given = version.get("additionalPrinterColumns") or []
    if not given:
        return NAME_AND_AGE, name_and_created
    columns = tuple(
        Column(
            each["name"],
            each.get("type", "string"),
            each.get("format", ""),
            each.get("description", ""),
            each.get("priority", 0),
        )
        for each in given
    )
    cells = [(each["jsonPath"], each.get("type", "string")) for each in given]

    def row(obj: Object, now: float) -> list[Any]:
        return [name_of(obj), *(_cell(obj, path, kind, now) for path, kind in cells)]

    return (NAME, *columns), row


def _cell(obj: Object, path: str, kind: str, now: float) -> Any:
    """What stands at the path, if it is of the column's type; a missing value is an empty cell."""
    try:
        found = find(path, obj)
    except PathError:
        return None
    if not found:
        return None
    value = found[0] if len(found) == 1 else None
    match kind:
        case "string":
            return text(value) if value is not None else " ".join(map(text, found))
        case "date":
            return age(value, now) if isinstance(value, str) else None
        case "boolean":
            return value if isinstance(value, bool) else None
        case "integer":
            return value if isinstance(value, int) and not isinstance(value, bool) else None
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None
