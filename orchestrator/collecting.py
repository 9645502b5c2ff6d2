"""The collector while objects are made by the million and few of them are garbage.

CPython looks for cycles after each seven hundred new objects. Beside a cluster in virtual time, whose hours pass in a
second, that takes a seventh of the time and finds next to none; so it does while a test session imports its modules.
Meanwhile it looks rarely; who has said other thresholds than CPython's own keeps them.
"""

from __future__ import annotations

import gc

COLLECT_OBJECTS = 50_000, 20, 100
"""Thresholds of the three generations."""
OWN = ((700, 10, 10), (2000, 10, 10), (2000, 10, 0))
"""CPython's, which differ from version to version."""


class Leisure:
    """Who wants it so is counted: the collector is the process's, and the last one sets it back."""

    def __init__(self) -> None:
        self._count = 0
        self._before = OWN[0]

    def begin(self) -> None:
        self._count += 1
        if self._count == 1 and gc.get_threshold() in OWN:
            self._before = gc.get_threshold()
            gc.set_threshold(*COLLECT_OBJECTS)

    def end(self) -> None:
        self._count -= 1
        if self._count == 0 and gc.get_threshold() == COLLECT_OBJECTS:
            gc.set_threshold(*self._before)


LEISURE = Leisure()
