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
    lease: int = 0
    """The number it is to have; 0: the next."""


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


class _Numbered(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A ``Change`` whose shared parts are numbers."""

    key: str
    parts: tuple[bytes | int | None, ...] | None
    expect: int | None
    fields: dict[str, str] | None
    lease: int
    cause: bytes


class _SharedWrite(msgspec.Struct, frozen=True, array_like=True, tag=7):
    """A ``Write`` of which some parts are equal, as those of a hundred replicas are: each is there once."""

    at: int
    changes: list[_Numbered]
    request_id: str
    parts: list[bytes]


MIN_SHARED_BYTES = 64
"""A shorter part is not worth a number."""

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Command | _SharedWrite).decode


def encode_command(command: Command) -> bytes:
    if isinstance(command, Write) and len(command.changes) > 1:
        numbers = _shared_parts(command.changes)
        if numbers:
            return _encode(_numbered(command, numbers))
    return _encode(command)


def decode_command(payload: bytes) -> Command:
    """Raises ``msgspec.DecodeError`` or ``msgspec.ValidationError`` for bytes that no version of ours wrote."""
    try:
        command: Command | _SharedWrite = _decode(payload)
    except UnicodeDecodeError as error:
        raise msgspec.DecodeError(str(error)) from error
    return _whole(command) if isinstance(command, _SharedWrite) else command


def _shared_parts(changes: list[Change]) -> dict[bytes, int]:
    """The numbers of the parts that come more than once."""
    seen: set[bytes] = set()
    numbers: dict[bytes, int] = {}
    for change in changes:
        for part in change.parts or ():
            if part is not None and len(part) >= MIN_SHARED_BYTES:
                if part in seen:
                    numbers.setdefault(part, len(numbers))
                else:
                    seen.add(part)
    return numbers


def _numbered(write: Write, numbers: dict[bytes, int]) -> _SharedWrite:
    changes = [
        _Numbered(
            change.key,
            # A part without a number stands for itself, the absent one too.
            None if change.parts is None else tuple([numbers.get(part, part) for part in change.parts]),  # type: ignore[arg-type]
            change.expect,
            change.fields,
            change.lease,
            change.cause,
        )
        for change in write.changes
    ]
    return _SharedWrite(write.at, changes, write.request_id, list(numbers))


def _whole(write: _SharedWrite) -> Write:
    """Raises ``msgspec.ValidationError`` for a number that no part has."""
    parts = write.parts
    try:
        changes = [
            Change(
                change.key,
                None
                if change.parts is None
                else tuple([parts[part] if isinstance(part, int) else part for part in change.parts]),
                change.expect,
                change.fields,
                change.lease,
                change.cause,
            )
            for change in write.changes
        ]
    except IndexError as error:
        raise msgspec.ValidationError(f"a part's number: expected less than {len(parts)}") from error
    return Write(write.at, changes, write.request_id)
