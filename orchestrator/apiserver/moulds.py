"""Status updates that are equal but for what is an object's own are checked, compared and given owners once.

A ReplicaSet's pods write statuses that differ in an address and in the uid within a container's id. The first takes the
whole way; what came out is kept with holes where those texts stood, and the next whose bytes are the same but for them
is cast from it. That holds because the outcome of a status write whose metadata is sent back as read hangs on nothing
else than the statuses, the managed fields, the manager and the second; where a kind's rules look at more, the kind
says no address (``Rules.own_address``) and has no moulds.
"""

from __future__ import annotations

import re
from collections.abc import Hashable
from typing import Generic, Protocol, TypeVar

import msgspec

from orchestrator.api.strategy import Rules
from orchestrator.apimachinery.encoded import Encoded
from orchestrator.apimachinery.metadata import managed_fields
from orchestrator.apiserver.call import Call
from orchestrator.apiserver.write import Write, changed_parts
from orchestrator.client.splice import cut
from orchestrator.store.protocol import Change, Value

MAX_MOULDS = 512
"""Moulds kept, some 4 KB each; the table is emptied when it is full."""

_encode = msgspec.msgpack.Encoder().encode
MANAGED = _encode("managedFields")
NEVER = b"\xc1"
"""The one byte that MessagePack has no use for: what holes are marked with, so that nothing sent looks like one."""
_HOLES = (b"\xc1\x00", b"\xc1\x01", b"\xc1\x02")
"""An address as a value, an address as the key of a managed field, and the uid within any text."""
_NAMES = (b"0", b"1", b"2")
"""Of the holes, in a mould."""
_address = re.compile(r"(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)\.){3}(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)").fullmatch
_uid = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}").fullmatch


class _Metadata(msgspec.Struct):
    uid: str = ""
    deletionTimestamp: str | None = None
    managedFields: msgspec.Raw = msgspec.Raw(b"")


_metadata = msgspec.msgpack.Decoder(_Metadata).decode

Key = tuple[str, str, str, int, bytes, bytes, bytes]


class Cast:
    """One status write as its mould is looked for: what is its own, and the rest with holes."""

    __slots__ = ("_current", "_managed", "_own", "_status", "key")

    def __init__(self, call: Call, current: Value, status: bytes, managed: bytes, own: tuple[bytes, ...]) -> None:
        self._current = current
        self._managed = managed
        self._own = own
        self._status = status
        old = current.parts[1]
        self.key: Key = (
            call.resource.kind,
            call.resource.api_version,
            call.manager,
            int(call.now),
            self._hollow(managed),
            self._hollow(old),
            self._hollow(status),
        )

    def _hollow(self, part: bytes) -> bytes:
        for text, hole in zip(self._own, _HOLES, strict=True):
            if text:
                part = part.replace(text, hole)
        return part

    def _filled(self, mould: bytes) -> bytes:
        return mould % dict(zip(_NAMES, self._own, strict=True))

    def write(self, mould: bytes) -> Write:
        """The write that the mould gives this status."""
        current = self._current
        metadata, _, rest = current.parts
        before, after = cut(metadata, MANAGED, self._managed)
        made = Encoded(b"".join((before, MANAGED, self._filled(mould), after)), self._status, rest)
        change = Change(current.key, changed_parts(made, current), current.mod_revision)
        return Write(made, change, key=current.key)

    def mould(self, write: Write) -> bytes | None:
        """What the write that took the whole way leaves behind; None when nothing can be cast from it."""
        encoded, change = write.encoded, write.change
        if encoded is None or change is None or change.parts is None or encoded.status != self._status:
            return None
        mould = _mould(self._hollow(managed_fields(encoded.metadata)))
        again = self.write(mould)
        return mould if again.encoded == encoded and again.change == change else None


def _mould(part: bytes) -> bytes:
    """A part with holes as the format that fills them in one pass."""
    part = part.replace(b"%", b"%%")
    for hole, name in zip(_HOLES, _NAMES, strict=True):
        part = part.replace(hole, b"%(" + name + b")b")
    return part


class Casting(Protocol):
    """A write that may be cast."""

    @property
    def key(self) -> Hashable: ...
    def write(self, mould: bytes) -> Write: ...
    def mould(self, write: Write) -> bytes | None: ...


C = TypeVar("C", bound=Casting)


class Moulds(Generic[C]):
    """The managed fields that came out, by all that they hang on."""

    def __init__(self) -> None:
        self._known: dict[Hashable, bytes] = {}

    def write(self, cast: C) -> Write | None:
        """None: it has to go the whole way."""
        mould = self._known.get(cast.key)
        return None if mould is None else cast.write(mould)

    def remember(self, cast: C, write: Write) -> None:
        mould = cast.mould(write)
        if mould is not None:
            if len(self._known) >= MAX_MOULDS:
                self._known.clear()
            self._known[cast.key] = mould


def cast_of(its: Rules, call: Call, current: Value, status: bytes) -> Cast | None:
    """None: the kind has no moulds, or this write is one that hangs on more than they hold."""
    if its.own_address is None or call.options.field_manager or call.request.problems or not status:
        return None
    metadata = _metadata(current.parts[0])
    managed = bytes(metadata.managedFields)
    if not managed or metadata.deletionTimestamp or _uid(metadata.uid) is None:
        return None
    try:
        address = its.own_address(status)
    except (msgspec.DecodeError, msgspec.ValidationError):
        return None  # The check of types says what is wrong with it.
    if address and _address(address) is None:
        return None
    if NEVER in managed or NEVER in current.parts[1] or NEVER in status:
        return None
    key = _encode(f'k:{{"ip":"{address}"}}') if address else b""
    return Cast(call, current, status, managed, (_encode(address) if address else b"", key, metadata.uid.encode()))
