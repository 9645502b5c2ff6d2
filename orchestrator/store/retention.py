"""How much history is kept, and when the rest goes: a step at a time, so that no commit waits for a long one."""

from __future__ import annotations

import msgspec

from orchestrator.store.history import History

COMPACT_SECONDS = 5.0
"""Between two looks whether history is too old."""
COMPACT_REVISIONS = 4096
COMPACT_MAX_SECONDS = 60.0
"""So many revisions are worth a command of their own; fewer go once a minute, so that an idle store hardly writes."""
STEP_RECORDS = 1024
"""Forgotten by one command: about a millisecond, in which nothing else is done."""
CATCH_UP_STEPS = 16
"""What is too much is gone after about so many commands, however large the batches are that go on coming."""


class Retention(msgspec.Struct, frozen=True):
    """How much history is kept: a record goes when it is older, or when there are more newer ones."""

    seconds: float = 600.0
    records: int = 200_000


DEFAULT_RETENTION = Retention()


class Forgetting:
    """What of a ``History`` is to go by a ``Retention``. Who leads asks, and proposes a compaction to all members."""

    def __init__(self, retention: Retention) -> None:
        self._retention = retention
        self._target = 0
        # The revision up to which what there is may go, by the last look.
        self._looked_at = 0

    def look(self, history: History, now: int) -> None:
        """To be called every ``COMPACT_SECONDS``. ``now``: Unix milliseconds."""
        due = now - self._looked_at >= COMPACT_MAX_SECONDS * 1000
        if not due and len(history) < COMPACT_REVISIONS:
            return
        by_age = history.revision_before(now - round(self._retention.seconds * 1000))
        revision = max(by_age, history.revision_back(self._retention.records))
        if revision - history.compacted >= (1 if due else COMPACT_REVISIONS):
            self._looked_at = now
            self._target = revision

    def step(self, history: History) -> int:
        """The revision to compact at now, 0 for none. Ask again once that is done."""
        extra = len(history) - self._retention.records
        target = self._target
        if extra >= STEP_RECORDS:
            target = max(target, history.revision_back(self._retention.records))
        if target <= history.compacted:
            return 0
        records = max(STEP_RECORDS, extra // CATCH_UP_STEPS)
        return min(target, history.revision_back(max(0, len(history) - records)))
