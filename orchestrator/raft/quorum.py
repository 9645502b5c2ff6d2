"""What a majority has."""

from __future__ import annotations

from collections.abc import Collection, Mapping


def majority(voters: Collection[int]) -> int:
    return len(voters) // 2 + 1


def reached(voters: Collection[int], values: Mapping[int, int]) -> int:
    """The highest value that a majority of voters has reached (0 for who is missing)."""
    ranked = sorted((values.get(voter, 0) for voter in voters), reverse=True)
    return ranked[majority(voters) - 1]


def won(voters: Collection[int], votes: Mapping[int, bool]) -> bool | None:
    """Whether the votes are a majority for (True), can no longer become one (False), or neither yet."""
    granted = sum(1 for voter in voters if votes.get(voter) is True)
    refused = sum(1 for voter in voters if votes.get(voter) is False)
    if granted >= majority(voters):
        return True
    return False if len(voters) - refused < majority(voters) else None
