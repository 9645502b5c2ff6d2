"""What the log commits: the commands of the state machine, and their bytes.

The bytes are a format of their own, apart from the actor protocol: a struct here only grows at its end, so that a log
written by an older version is read by a newer one. ``at`` is the leader's clock in milliseconds when it proposed.
"""

from __future__ import annotations

import msgspec

from orchestrator.store.protocol import Change, Compare


class Write(msgspec.Struct, frozen=True, array_like=True, tag=1):
    """Independent changes, each with its own revision and result."""

    at: int
    changes: list[Change]
    request_id: str = ""


class Transact(msgspec.Struct, frozen=True, array_like=True, tag=2):
    """All of ``success`` or all of ``failure`` at one revision."""

    at: int
    compares: list[Compare]
    success: list[Change]
    failure: list[Change]
    request_id: str = ""


class CompactTo(msgspec.Struct, frozen=True, array_like=True, tag=3):
    at: int
    revision: int


class Grant(msgspec.Struct, frozen=True, array_like=True, tag=4):
    at: int
    ttl_milliseconds: int


class Revoke(msgspec.Struct, frozen=True, array_like=True, tag=5):
    """Ends a lease: asked for, or because the leader saw it expire."""

    at: int
    lease: int
    expired: bool = False


class SetQuota(msgspec.Struct, frozen=True, array_like=True, tag=6):
    """The bytes that keys and history may take (0: no bound). Logged, so that every member refuses the same change."""

    at: int
    quota_bytes: int


Command = Write | Transact | CompactTo | Grant | Revoke | SetQuota

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Command).decode


def encode_command(command: Command) -> bytes:
    return _encode(command)


def decode_command(payload: bytes) -> Command:
    """Raises ``msgspec.DecodeError`` or ``msgspec.ValidationError`` for bytes that no version of ours wrote."""
    command: Command = _decode(payload)
    return command
