"""Who belongs to the group, and how an entry of the log says so.

A change is an entry that holds the whole new membership, in effect as soon as it is in a member's log (thesis §4.1).
Voters change one at a time: then any majority before and any majority after have a member in common.
"""

from __future__ import annotations

import msgspec

MARKER = b"\xc1"
"""Begins the payload of a membership entry: the one byte that MessagePack never uses, so no command begins with it."""


class Config(msgspec.Struct, frozen=True, array_like=True):
    """``learners`` are sent everything and count for nothing. ``addresses`` the owner knows how to read."""

    voters: tuple[int, ...] = ()
    learners: tuple[int, ...] = ()
    addresses: dict[int, str] = {}

    @property
    def members(self) -> tuple[int, ...]:
        return (*self.voters, *self.learners)


class Unsafe(Exception):
    """A change of the membership that the leader does not take now."""


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Config).decode


def encode_config(config: Config) -> bytes:
    addresses = dict(sorted(config.addresses.items()))  # every member writes the same bytes
    return MARKER + _encode(Config(config.voters, config.learners, addresses))


def decode_config(payload: bytes) -> Config | None:
    """None for the payload of a command. Raises ``msgspec.MsgspecError`` for what no version of ours wrote."""
    return _decode(payload[1:]) if payload[:1] == MARKER else None


def check_step(old: Config, new: Config) -> None:
    """Raises ``Unsafe`` unless at most one voter comes or goes, one stays, and nobody is both voter and learner."""
    if not new.voters:
        raise Unsafe("a group needs a voter: none would be left")
    if len(set(new.members)) < len(new.members):
        raise Unsafe(f"a member is named twice among voters {new.voters} and learners {new.learners}")
    moved = set(old.voters) ^ set(new.voters)
    if len(moved) > 1:
        raise Unsafe(f"voters change one at a time, found {len(moved)}: {sorted(moved)}")
