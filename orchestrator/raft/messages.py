"""What members say to each other. Every message bears the sender's term; ``sender`` and ``to`` are member numbers."""

from __future__ import annotations

import msgspec

from orchestrator.raft.entry import Entry, Mark


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
    """``read`` numbers the latest read that waits for the leader to be confirmed (0: none)."""

    sender: int
    to: int
    term: int
    commit: int
    read: int = 0


class HeartbeatReply(msgspec.Struct, frozen=True, array_like=True, tag=6):
    sender: int
    to: int
    term: int
    read: int = 0


class Install(msgspec.Struct, frozen=True, array_like=True, tag=7):
    """The receiver needs the snapshot at ``mark`` or a later one: its chunks come with the message."""

    sender: int
    to: int
    term: int
    mark: Mark


class TimeoutNow(msgspec.Struct, frozen=True, array_like=True, tag=8):
    """The leader hands over: stand for election at once."""

    sender: int
    to: int
    term: int


Message = Vote | VoteReply | Append | AppendReply | Heartbeat | HeartbeatReply | Install | TimeoutNow
