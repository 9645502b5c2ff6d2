"""The collector beside a cluster in virtual time, whose hours in a second are a million objects that end soon.

CPython looks for cycles after each seven hundred new objects, which takes a seventh of such a time and finds next to
none. While such a cluster lives it looks rarely; who has said other thresholds than CPython's own keeps them.
"""

from __future__ import annotations

import gc

COLLECT_OBJECTS = 50_000, 20, 100
"""Thresholds of the three generations."""
OWN = ((700, 10, 10), (2000, 10, 10), (2000, 10, 0))
"""CPython's, which differ from version to version."""


class Leisure:
    """How many such clusters live: the collector is the process's, so the last one sets it back."""

    def __init__(self) -> None:
        self._clusters = 0
        self._before = OWN[0]

    def begin(self) -> None:
        self._clusters += 1
        if self._clusters == 1 and gc.get_threshold() in OWN:
            self._before = gc.get_threshold()
            gc.set_threshold(*COLLECT_OBJECTS)

    def end(self) -> None:
        self._clusters -= 1
        if self._clusters == 0 and gc.get_threshold() == COLLECT_OBJECTS:
            gc.set_threshold(*self._before)


LEISURE = Leisure()
