"""The server's Table as rows of text; a plain list where the server makes no tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from orchestrator.apimachinery.timestamps import parse_time, short_duration

Object = dict[str, Any]


class Layout(msgspec.Struct, frozen=True):
    """How rows are shown."""

    wide: bool = False
    namespaces: bool = False
    labels: bool = False
    label_columns: tuple[str, ...] = ()
    prefix: str = ""
    """What stands before a name when several types are shown: ``pod/``."""


def columns(definitions: Sequence[Object], layout: Layout) -> list[int]:
    """Which of the table's columns are shown."""
    return [index for index, column in enumerate(definitions) if layout.wide or not column.get("priority")]


def header(definitions: Sequence[Object], layout: Layout) -> list[str]:
    names = [str(definitions[index]["name"]).upper() for index in columns(definitions, layout)]
    if layout.namespaces:
        names.insert(0, "NAMESPACE")
    names += [key.rsplit("/", 1)[-1].upper() for key in layout.label_columns]
    return [*names, "LABELS"] if layout.labels else names


def cells(row: Object, definitions: Sequence[Object], layout: Layout) -> list[str]:
    metadata = (row.get("object") or {}).get("metadata") or {}
    shown = [text(row["cells"][index]) for index in columns(definitions, layout)]
    if shown and layout.prefix:
        shown[0] = layout.prefix + shown[0]
    if layout.namespaces:
        shown.insert(0, metadata.get("namespace", ""))
    labels = metadata.get("labels") or {}
    shown += [labels.get(key, "") for key in layout.label_columns]
    if layout.labels:
        shown.append(",".join(f"{key}={value}" for key, value in sorted(labels.items())) or "<none>")
    return shown


def text(cell: Any) -> str:
    if cell is None:
        return "<none>"
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, list):
        return f"[{' '.join(text(item) for item in cell)}]"
    return str(cell).replace("\n", "\\n")


def as_table(document: Object, now: float) -> Object:
    """A Table of name and age for an answer that is a list, an object or a Table already."""
    if document.get("kind") == "Table":
        return document
    items = document["items"] if isinstance(document.get("items"), list) else [document]
    rows = [{"cells": [item["metadata"]["name"], age(item["metadata"], now)], "object": item} for item in items]
    return {
        "kind": "Table",
        "metadata": document.get("metadata") or {},
        "columnDefinitions": [{"name": "Name"}, {"name": "Age"}],
        "rows": rows,
    }


def age(metadata: Object, now: float) -> str:
    stamp = metadata.get("creationTimestamp")
    return short_duration(now - parse_time(stamp)) if stamp else "<unknown>"
