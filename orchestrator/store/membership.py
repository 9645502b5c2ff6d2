"""Who the members are, and the changes that one asks of the leader: each moves one member."""

from __future__ import annotations

from orchestrator.raft.config import Config, Unsafe
from orchestrator.raft.core import Raft
from orchestrator.store.protocol import MemberAdd, MemberPromote, MemberRemove, MemberReply

PROMOTE_LAG = 1_000
"""Entries that a learner may lack when it becomes a voter: more, and the group may wait for it at the next loss."""

Change = MemberAdd | MemberPromote | MemberRemove


def members(raft: Raft) -> list[MemberReply]:
    config = raft.config
    return [
        MemberReply(
            member,
            config.addresses.get(member, ""),
            member in config.voters,
            member == raft.leader,
            raft.protocol(member),
        )
        for member in sorted(config.members)
    ]


def reconfigured(raft: Raft, change: Change) -> Config:
    """The membership after ``change``. Raises ``Unsafe`` for what makes no sense, or not yet."""
    config, member = raft.config, change.member
    match change:
        case MemberAdd(address=address):
            if member < 1 or member in config.members:
                raise Unsafe(f"expected a number that no member has, found {member}")
            addresses = {**config.addresses, member: address}
            return Config(config.voters, (*config.learners, member), addresses)
        case MemberPromote():
            if member not in config.learners:
                raise Unsafe(f"expected a learner, found {member}; learners are {list(config.learners)}")
            behind = raft.behind(member)
            if behind is None or behind > PROMOTE_LAG:
                raise Unsafe(f"learner {member} lacks {behind} entries, {PROMOTE_LAG} may be missing: wait for it")
            return Config((*config.voters, member), _without(config.learners, member), config.addresses)
        case MemberRemove():
            if member not in config.members:
                raise Unsafe(f"there is no member {member}, but {list(config.members)}")
            addresses = {number: address for number, address in config.addresses.items() if number != member}
            return Config(_without(config.voters, member), _without(config.learners, member), addresses)


def _without(members: tuple[int, ...], member: int) -> tuple[int, ...]:
    return tuple(other for other in members if other != member)
