"""What a member is told when it is made."""

from __future__ import annotations

from collections.abc import Callable

import msgspec


class Settings(msgspec.Struct, frozen=True):
    """Times are counted in ticks; how long a tick is the owner knows."""

    member: int
    """This member's number, from 1."""
    voters: tuple[int, ...]
    """Who founded the group; nobody for a member that is added to one. What the log says of it counts more."""
    jitter: Callable[[int], int]
    """Given n, a number from 0 to n - 1: how much later than others this member stands for election."""
    election_ticks: int = 10
    heartbeat_ticks: int = 1
    append_bytes: int = 1 << 20
    """Payloads in one append to a member; a single larger entry travels alone."""
    lease_ticks: int = 0
    """How long after a heartbeat that a majority answered a leader serves reads without asking again (0: it always
    asks). Nobody of that majority helps to elect another within ``election_ticks``: the difference is how far the
    members' clocks may run apart meanwhile."""

    def __post_init__(self) -> None:
        if self.member < 1 or (self.voters and self.member not in self.voters):
            raise ValueError(f"expected member {self.member} to be 1 or more and among the voters {self.voters}")
        if not 0 <= self.lease_ticks <= self.election_ticks - 2:
            raise ValueError(f"expected lease_ticks of 0 to {self.election_ticks - 2}, found {self.lease_ticks}")
        if self.election_ticks <= self.heartbeat_ticks:
            raise ValueError(f"expected election_ticks over {self.heartbeat_ticks}, found {self.election_ticks}")
