"""The collector while objects are made by the million and few of them are garbage.

CPython looks for cycles after each seven hundred new objects. Beside a cluster in virtual time, whose hours pass in a
second, that takes a seventh of the time and finds next to none; so it does while a test session imports its modules.
Meanwhile it looks rarely; who has said other thresholds than CPython's own keeps them.

A process that runs a cluster goes further (``Sparing``): pods that come by the thousand stay, and to look at all that
is new stops everything for as long as it takes, to find nothing.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Any

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


PASSES = 7
"""Looks that are left out after one that found nothing to speak of: one in eight objects of a burst is looked at."""
FOUND_OBJECTS = 1_000
"""Garbage in one look from which on each look is worth it."""
OLDEST = 2
"""The generation of which a look is asked for, or is not due in a life."""


class Sparing:
    """Leaves out looks of the collector during a burst that leaves no garbage: what is new then is frozen.

    So garbage in cycles can wait for the end of the burst, at most that of ``PASSES`` thresholds: the first look that
    finds much is the end of it. Whoever knows that the process rests says so: what was frozen belongs to the oldest
    generation then.
    """

    def __init__(self, freeze: Callable[[], None] = gc.freeze, unfreeze: Callable[[], None] = gc.unfreeze) -> None:
        self._freeze = freeze
        self._unfreeze = unfreeze
        self._passes = 0
        self._passing = False

    def begin(self) -> None:
        """For the rest of the process's life; twice is as good as once."""
        if self.heard not in gc.callbacks:
            gc.callbacks.append(self.heard)

    def rest(self) -> None:
        """The burst is over."""
        self._passes = 0
        self._unfreeze()

    def heard(self, phase: str, info: dict[str, Any]) -> None:
        """What CPython says before and after each look."""
        if info["generation"] == OLDEST:
            return
        if phase == "start":
            self._passing = self._passes > 0
            if self._passing:
                self._passes -= 1
                self._freeze()
        elif not self._passing:
            self._passes = PASSES if info["collected"] < FOUND_OBJECTS else 0


SPARING = Sparing()
"""Of this process."""
