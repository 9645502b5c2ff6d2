"""Columns of text, as wide as their widest cell."""

from __future__ import annotations

from collections.abc import Sequence

GAP = 3


def widths(rows: Sequence[Sequence[str]], least: Sequence[int] = ()) -> list[int]:
    """The width of each column; ``least`` are those of rows printed before."""
    found = list(least)
    for row in rows:
        found.extend([0] * (len(row) - len(found)))
        for index, cell in enumerate(row):
            found[index] = max(found[index], len(cell))
    return found


def line(row: Sequence[str], columns: Sequence[int], gap: int = GAP) -> str:
    padded = [cell.ljust(width + gap) for cell, width in zip(row, columns, strict=False)]
    return "".join(padded).rstrip()


def table(rows: Sequence[Sequence[str]], gap: int = GAP) -> list[str]:
    """The rows as lines, the header is the first of them."""
    columns = widths(rows)
    return [line(row, columns, gap) for row in rows]
