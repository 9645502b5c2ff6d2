"""What the store asks of its log, whatever it is kept in.

A log is reopened by the same object after ``close``, so that a supervised restart of the store finds it again.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from typing import Protocol

import msgspec

from orchestrator.raft.entry import Entry, HardState, Mark


class Recovered(msgspec.Struct, frozen=True):
    """What was found at ``open``. The entries follow each other, beginning right after ``snapshot``, or before it."""

    state: HardState
    snapshot: Mark
    entries: list[Entry]
    cut: str = ""
    """What was cut off the end because its writing was not completed. Nothing in it was acknowledged."""


class LogStatistics(msgspec.Struct, frozen=True):
    entries: int
    bytes: int
    """Payload and frame of the entries that are kept, not of the snapshot."""
    appends: int
    """Durable appends since ``open``."""
    rewrite: bool = False
    """Whether a snapshot is due whatever the size: what is there is to be written in another way."""


class Log(Protocol):
    """A durable sequence of entries, one snapshot, and the hard state.

    Every call that changes it returns when the change would survive a power cut, or raises ``LogFailed`` and must not
    be called again before ``close`` and ``open``: what became of the change is unknown. One call at a time.
    """

    async def open(self) -> Recovered: ...

    async def append(self, state: HardState, entries: list[Entry]) -> None:
        """Write both at once. Entries that stand at the same indices, and all after them, are replaced."""

    async def save_snapshot(self, mark: Mark, chunks: Iterable[bytes]) -> None:
        """Replace the snapshot. Until this returns the one before it is what ``open`` finds.

        ``append`` may be called meanwhile: it waits for one chunk at most.
        """

    def read_snapshot(self) -> AsyncIterator[bytes]:
        """The chunks of the snapshot that ``open`` found or ``save_snapshot`` completed last."""

    async def truncate(self, through: int) -> None:
        """Forget the entries up to ``through``, which the snapshot covers."""

    async def tidy(self) -> None:
        """Housekeeping that would only delay an append; called when nothing waits."""

    @property
    def untidy(self) -> bool:
        """Whether ``tidy`` is due even when appends wait."""

    async def close(self) -> None:
        """Waits for what is under way. Safe to call twice, and after a failure."""

    def statistics(self) -> LogStatistics: ...
