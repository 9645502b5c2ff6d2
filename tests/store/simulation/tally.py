"""What can happen in a universe, by name, so that what never happens is seen."""

from __future__ import annotations

from collections import Counter

TROUBLES = (
    "message lost",
    "message doubled",
    "message overtaken",
    "message cut off",
    "connection broken",
    "partition both ways",
    "partition one way",
    "partition into two halves",
    "pause",
    "fast clock",
    "slow clock",
    "slow disk",
    "crash",
    "unsynced write lost",
    "unsynced write kept",
    "unsynced write in part",
    "unsynced write torn",
    "unsynced snapshot lost",
    "unsynced snapshot kept",
    "restart of one",
    "restart of all",
    "group of 1",
    "group of 2",
    "group of 3",
    "group of 4",
    "group of 5",
    "learner added",
    "learner promoted",
    "member removed",
    "snapshot written",
    "snapshot installed",
    "compaction",
    "leader changed",
    "leader transferred",
    "client retried",
    "proposal repeated in the log",
    "answers soon forgotten",
    "retry refused as too late",
    "read by lease",
    "read of an old leader",
    "store lease expired",
    "frame not taken by a watcher",
    "watch ended by a snapshot or as slow",
    "old entries come back",
    "log upgraded",
    "log not upgraded when the power went",
    "log upgraded when the power went",
    "older version refused a newer log",
    "message between versions",
    "word of a newer version",
)


class Tally(Counter[str]):
    """How often each happened."""

    def happened(self, trouble: str) -> None:
        self[trouble] += 1

    def rows(self) -> list[str]:
        return [f"{self[trouble]:>12,}  {trouble}" for trouble in TROUBLES]

    def missing(self) -> list[str]:
        return [trouble for trouble in TROUBLES if not self[trouble]]
