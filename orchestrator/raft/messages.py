"""What members say to each other. Every message bears the sender's term; ``sender`` and ``to`` are member numbers.

A message only grows at its end, by a field whose default says what a member meant that did not have it: who is older
passes over what it does not know, who is newer fills in what is missing.
"""

from __future__ import annotations

import msgspec

from orchestrator.raft.config import Config
from orchestrator.raft.entry import Entry, Mark

PROTOCOL = 2
"""What this version says and understands. 1 did not say which: that is what a ``HeartbeatReply`` without it means."""


class Vote(msgspec.Struct, frozen=True, array_like=True, tag=1):
    """Asks for a vote (§5.2). ``pre``: would you, in this term? Nothing changes by asking (thesis §9.6)."""

    sender: int
    to: int
    term: int
    last: Mark
    pre: bool = False
    transfer: bool = False
    """The leader wishes it: a member that still hears the leader votes all the same."""


class VoteReply(msgspec.Struct, frozen=True, array_like=True, tag=2):
    sender: int
    to: int
    term: int
    granted: bool
    pre: bool = False


class Append(msgspec.Struct, frozen=True, array_like=True, tag=3):
    """Entries that follow the one at ``previous`` (§5.3)."""

    sender: int
    to: int
    term: int
    previous: Mark
    entries: list[Entry]
    commit: int


class AppendReply(msgspec.Struct, frozen=True, array_like=True, tag=4):
    """``index``: up to where the logs agree. If refused: where they do not, and ``hint`` where they may."""

    sender: int
    to: int
    term: int
    index: int
    refused: bool = False
    hint: Mark = Mark()


class Heartbeat(msgspec.Struct, frozen=True, array_like=True, tag=5):
    """``read`` numbers the round: who answers it confirms that it still followed this leader then.

    ``commit``: of what the peer has. ``committed``: of what the leader has, -1: it does not say.
    """

    sender: int
    to: int
    term: int
    commit: int
    read: int = 0
    committed: int = -1


class HeartbeatReply(msgspec.Struct, frozen=True, array_like=True, tag=6):
    sender: int
    to: int
    term: int
    read: int = 0
    protocol: int = 1
    """The sender's ``PROTOCOL``."""


class Install(msgspec.Struct, frozen=True, array_like=True, tag=7):
    """The whole snapshot at ``mark`` has come (its owner sends it in ``Chunk`` messages), with the membership there.

    From the core it asks the owner to send that snapshot or a later one.
    """

    sender: int
    to: int
    term: int
    mark: Mark
    config: Config


class TimeoutNow(msgspec.Struct, frozen=True, array_like=True, tag=8):
    """The leader hands over: stand for election at once."""

    sender: int
    to: int
    term: int


class Chunk(msgspec.Struct, frozen=True, array_like=True, tag=9):
    """Piece ``number`` (from 0) of the snapshot that ``install`` speaks of. Between the owners: the core sees none."""

    sender: int
    to: int
    install: Install
    number: int
    data: bytes
    last: bool


class ChunkReply(msgspec.Struct, frozen=True, array_like=True, tag=10):
    """All pieces before ``expected`` are there."""

    sender: int
    to: int
    mark: Mark
    expected: int


Message = Vote | VoteReply | Append | AppendReply | Heartbeat | HeartbeatReply | Install | TimeoutNow
Shipment = Chunk | ChunkReply
Wire = Message | Shipment
"""Everything that members say to each other."""
