"""The order of a list that is merged from the elements of two."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def interleave(
    live: list[tuple[str, Any]],
    applied: list[str],
    merged: Callable[[str], Any],
    wanted: dict[str, Any],
) -> list[Any]:
    """The order of structured-merge-diff: shared elements as applied, live ones before the shared one they preceded."""
    result: list[Any] = []
    known = {key for key, _ in live}
    shared = [key for key in applied if key in known]
    done: set[str] = set()
    left = right = turn = 0
    while left < len(live) or right < len(applied):
        if left < len(live):
            key, item = live[left]
            if right < len(applied):
                if key == applied[right]:
                    done.add(key)
                    result.append(merged(key))
                    left, right, turn = left + 1, right + 1, turn + 1
                    continue
                if key in wanted and turn < len(shared) and shared[turn] != key:
                    left += 1
                    continue
            if key not in wanted:
                result.append(item)
                left += 1
                continue
            if key in done:
                left += 1
        if right < len(applied):
            key = applied[right]
            done.add(key)
            result.append(merged(key))
            right += 1
            if turn < len(shared) and shared[turn] == key:
                turn += 1
    return result
