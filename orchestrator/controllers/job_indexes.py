"""Sets of completion indexes as text, ``1,3-5,7``, and back. Pure."""

from __future__ import annotations

from collections.abc import Iterable


def parse(text: str | None) -> set[int]:
    found: set[int] = set()
    for piece in (text or "").split(","):
        first, _, last = piece.partition("-")
        if first:
            found.update(range(int(first), int(last or first) + 1))
    return found


def text(indexes: Iterable[int]) -> str:
    """Runs of three and more as a range, two as a list."""
    pieces: list[str] = []
    run: list[int] = []
    for index in sorted(indexes):
        if run and index != run[-1] + 1:
            pieces.append(_piece(run))
            run = []
        run.append(index)
    if run:
        pieces.append(_piece(run))
    return ",".join(pieces)


def _piece(run: list[int]) -> str:
    if len(run) < 3:
        return ",".join(map(str, run))
    return f"{run[0]}-{run[-1]}"
