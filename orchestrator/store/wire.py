"""What the members of a group say to each other beside the core's messages, and the bytes of all of it.

A member that does not lead passes a proposal on, and asks at which revision of the log a read may be served; what
became of a proposal it learns from its own copy of the log. Everything may be lost, doubled or late. A struct here only
grows at its end, so that a member of an older version goes on with a newer one.
"""

from __future__ import annotations

import msgspec

from orchestrator.raft.messages import Wire as RaftWire


class Forward(msgspec.Struct, frozen=True, array_like=True, tag=32):
    """Propose this command (encoded) for me.

    ``since``: it stands in no entry up to there; -1: that is not known, or it bears no request id.
    """

    sender: int
    to: int
    token: int
    payload: bytes
    since: int = -1


class Placed(msgspec.Struct, frozen=True, array_like=True, tag=33):
    """The command stands in the leader's log at ``index`` (0: it was not taken, I do not lead).

    -1: it was not taken, nor will be, for it may stand so far back that its answer is forgotten.
    """

    sender: int
    to: int
    token: int
    index: int
    term: int


class Confirm(msgspec.Struct, frozen=True, array_like=True, tag=34):
    """At which index may a read be served that was asked before now? With ``lease``: and keep that lease alive."""

    sender: int
    to: int
    token: int
    lease: int = 0


class Confirmed(msgspec.Struct, frozen=True, array_like=True, tag=35):
    """``index`` -1: I do not lead. ``ttl_milliseconds`` of the lease that was kept alive, 0: there is none."""

    sender: int
    to: int
    token: int
    index: int
    ttl_milliseconds: int = 0


Wire = RaftWire | Forward | Placed | Confirm | Confirmed

encode_wire = msgspec.msgpack.Encoder().encode
decode_wire = msgspec.msgpack.Decoder(Wire).decode
"""Raises ``msgspec.MsgspecError`` for bytes that no version of ours sent."""
