"""``meta.k8s.io/v1 Table``: what ``kubectl get`` shows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from orchestrator.apimachinery.encoded import Object


class Column(msgspec.Struct, frozen=True):
    """One column. ``priority`` 0 is always shown, 1 with ``-o wide``; ``format`` "name" marks the object's name."""

    name: str
    type: str = "string"
    format: str = ""
    description: str = ""
    priority: int = 0

    def definition(self) -> Object:
        return {
            "name": self.name,
            "type": self.type,
            "format": self.format,
            "description": self.description,
            "priority": self.priority,
        }


def definitions(columns: Sequence[Column]) -> list[Object]:
    return [column.definition() for column in columns]


def row(cells: list[Any], obj: Object | None = None) -> Object:
    """One row. ``obj`` is what ``includeObject`` asked for: whole, its metadata (``partial``), or None."""
    return {"cells": cells} if obj is None else {"cells": cells, "object": obj}


def partial(obj: Object) -> Object:
    """The ``PartialObjectMetadata`` of an object."""
    return {
        "kind": "PartialObjectMetadata",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": obj.get("metadata", {}),
    }


def table(
    columns: Sequence[Column],
    rows: Iterable[Object],
    revision: int,
    *,
    continue_token: str = "",
    remaining: int | None = None,
) -> Object:
    """A whole table. A later event of a watch passes no columns: only the first one has them."""
    meta: Object = {"resourceVersion": str(revision)} if revision else {}
    if continue_token:
        meta["continue"] = continue_token
    if remaining is not None:
        meta["remainingItemCount"] = remaining
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": meta,
        "columnDefinitions": definitions(columns),
        "rows": list(rows),
    }
