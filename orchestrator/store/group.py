"""What a store is told when it is one of several: its place among them, and the way to the others."""

from __future__ import annotations

from typing import Protocol

import msgspec

from actors import Tell
from orchestrator.raft.settings import Settings

TICK_SECONDS = 0.02
"""Fine, so that two members seldom stand for election in the same one."""
ELECTION_TICKS = 25
"""A leader that is not heard for 0.5 s is replaced: the disk and the loop of a busy member answer well within."""
HEARTBEAT_TICKS = 5
LEASE_TICKS = 12
"""Half of it: the clocks of two members may differ by a factor of nearly two over a quarter of a second."""


class FromMember(Tell):
    """A message of another member, as ``wire`` encodes it."""

    frame: bytes


class MemberLost(Tell):
    """The connection to another member is over: if it led, its successor is elected at once."""

    member: int


class Transport(Protocol):
    """The way to the other members. What is sent may be lost, come twice, late, or in another order."""

    def send(self, to: int, frame: bytes) -> None:
        """Never waits and never raises. The other end tells its store ``FromMember(frame)``."""


class Group(msgspec.Struct, frozen=True):
    settings: Settings
    transport: Transport
    tick_seconds: float = TICK_SECONDS

    def name(self, member: int) -> str:
        return f"member-{member}"
