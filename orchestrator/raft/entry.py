"""What a member must keep on disk: the entries of the log and the state beside them."""

from __future__ import annotations

import msgspec


class Entry(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One place in the log. An empty payload is the leader's own entry that opens its term."""

    index: int
    term: int
    payload: bytes = b""


class HardState(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The state that must be durable before a message that follows from it is sent. ``vote`` 0: none in this term."""

    term: int = 0
    vote: int = 0
    commit: int = 0


class Mark(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The place in the log that a snapshot stands for (0, 0: the empty state)."""

    index: int = 0
    term: int = 0
