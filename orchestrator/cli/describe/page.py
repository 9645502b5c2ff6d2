"""The layout of a description: labels padded to one width, nested maps and tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from orchestrator.apimachinery.timestamps import parse_time
from orchestrator.cli.show import happened
from orchestrator.cli.show.table import table

Object = dict[str, Any]
GAP = 2
NONE = "<none>"


class Page:
    """Fields are gathered so that their values line up; a block ends the gathering."""

    def __init__(self) -> None:
        self._fields: list[tuple[str, str | Sequence[str] | None]] = []

    def field(self, label: str, value: Any) -> None:
        self._fields.append((label, NONE if value in (None, "") else str(value)))

    def pairs(self, label: str, values: Mapping[str, Any] | None, joint: str = "=") -> None:
        """A map, one entry to a line."""
        self.many(label, [f"{key}{joint}{shortened(str(value))}" for key, value in sorted((values or {}).items())])

    def many(self, label: str, values: Sequence[str]) -> None:
        self._fields.append((label, list(values) or [NONE]))

    def block(self, label: str, lines: Iterable[str]) -> None:
        """A heading and indented lines, or ``<none>`` beside it."""
        found = list(lines)
        if not found:
            self.field(label, NONE)
            return
        self._fields.append((f"{label}:", None))
        self._fields.extend((f"  {line}", None) for line in found)

    def lines(self) -> list[str]:
        width = max((len(label) for label, value in self._fields if value is not None), default=0) + 1 + GAP
        shown: list[str] = []
        for label, value in self._fields:
            if value is None:
                shown.append(label.rstrip())
                continue
            first, *rest = [value] if isinstance(value, str) else value
            shown.append(f"{label}:".ljust(width) + first)
            shown += [" " * width + line for line in rest]
        return [line.rstrip() for line in shown]


def shortened(text: str, limit: int = 200) -> str:
    line = text.replace("\n", "\\n")
    return line if len(line) <= limit else f"{line[:limit]}..."


def stamp(text: str | None) -> str:
    """``Mon, 02 Jan 2026 03:04:05 +0000``"""
    if not text:
        return "<unset>"
    return datetime.fromtimestamp(parse_time(text), UTC).strftime("%a, %d %b %Y %H:%M:%S +0000")


def ruled(rows: Sequence[Sequence[str]]) -> list[str]:
    """A table whose header is underlined."""
    head, *body = rows
    return table([head, ["-" * len(cell) for cell in head], *body], gap=GAP)


def conditions(found: Sequence[Object] | None, columns: Sequence[tuple[str, str]]) -> list[str]:
    """(heading, field) columns; times are written out."""
    if not found:
        return []
    rows = [[heading for heading, _ in columns]]
    for entry in found:
        cells = [str(entry.get(field) or "") for _, field in columns]
        rows.append(
            [stamp(cell) if field.endswith("Time") else cell for cell, (_, field) in zip(cells, columns, strict=True)]
        )
    return ruled(rows)


def head(page: Page, obj: Object) -> None:
    metadata = obj["metadata"]
    page.field("Name", metadata["name"])
    if metadata.get("namespace"):
        page.field("Namespace", metadata["namespace"])


def marks(page: Page, obj: Object) -> None:
    metadata = obj["metadata"]
    page.pairs("Labels", metadata.get("labels"))
    hidden = "kubectl.kubernetes.io/last-applied-configuration"
    annotations = {key: value for key, value in (metadata.get("annotations") or {}).items() if key != hidden}
    page.pairs("Annotations", annotations, joint=": ")


def controller(obj: Object) -> str:
    owners = [owner for owner in obj["metadata"].get("ownerReferences") or () if owner.get("controller")]
    return f"{owners[0]['kind']}/{owners[0]['name']}" if owners else ""


def events(page: Page, found: Sequence[Object], now: float) -> None:
    rows = [["Type", "Reason", "Age", "From", "Message"]]
    for event in sorted(found, key=happened.when):
        rows.append(
            [
                event.get("type", ""),
                event.get("reason", ""),
                happened.age(event, now),
                happened.reporter(event),
                happened.message(event),
            ]
        )
    page.block("Events", ruled(rows) if len(rows) > 1 else [])
