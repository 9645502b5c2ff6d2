"""What the core wants done, in this order: write, then send, then apply; then it is told so."""

from __future__ import annotations

import msgspec

from orchestrator.raft.entry import Entry, HardState, Mark
from orchestrator.raft.messages import Message


class ReadIndex(msgspec.Struct, frozen=True):
    """A read may be served once ``index`` is applied."""

    token: int
    index: int


class Ready(msgspec.Struct, frozen=True):
    """``early`` may leave before the write (a leader's appends); ``messages`` promise what was written."""

    state: HardState
    entries: list[Entry]
    must_write: bool
    """Whether ``state`` and ``entries`` must be durable now. A commit index alone may wait for the next write."""
    early: list[Message]
    messages: list[Message]
    restore: Mark | None
    """A snapshot that was received takes the place of the state machine and of the log."""
    committed: list[Entry]
    reads: list[ReadIndex]
    lost_reads: list[int]
    """Tokens of reads that this member cannot answer: it does not lead."""
