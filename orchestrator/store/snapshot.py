"""The state machine as chunks of bytes, and back.

A snapshot is what stood at the oldest revision that is kept, and every change since: from these the history, the index
and the leases' keys follow. It is taken in one moment (values and records are never changed, so a list of them is a
copy) and encoded chunk by chunk afterwards, while the store serves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

import msgspec

from orchestrator.raft.config import Config
from orchestrator.store.history import History, Record
from orchestrator.store.machine import Machine
from orchestrator.store.protocol import BatchReply, Change, TxnReply, Value

CHUNK_BYTES = 512 << 10
"""A chunk is closed when its parts reach this: it takes about a millisecond to encode."""
CHUNK_ITEMS = 1_000


T = TypeVar("T")


class Head(msgspec.Struct, frozen=True, array_like=True, tag=0):
    """The first chunk: everything but keys and history."""

    revision: int
    compacted: int
    quota_bytes: int
    leases_granted: int
    leases: list[tuple[int, int]]
    """Number and time to live in milliseconds."""
    batches: list[tuple[str, BatchReply]]
    transactions: list[tuple[str, TxnReply]]
    order: list[str]
    """The remembered request ids, oldest first."""
    config: Config = Config()
    """Who the members were (nobody: written before there was more than one)."""


class Values(msgspec.Struct, frozen=True, array_like=True, tag=1):
    """Values that stood at the compacted revision."""

    values: list[Value]


class Log(msgspec.Struct, frozen=True, array_like=True, tag=2):
    """Changes since, in order: revision, milliseconds, and what was done. A part that is shared is None."""

    changes: list[tuple[int, int, Change]]


class Unreadable(Exception):
    """Bytes that are no snapshot of ours."""


_encode = msgspec.msgpack.Encoder().encode
_decoder = msgspec.msgpack.Decoder(Head | Values | Log)


def dump(machine: Machine) -> Iterator[bytes]:
    """The machine as it is at the moment of the call; the chunks are encoded as they are asked for."""
    head = _head(machine)
    live = list(machine.live.values())
    return _chunks(head, live, machine.history.frozen(machine.history.compacted))


def load(chunks: Iterable[bytes]) -> Machine:
    """Raises ``Unreadable``."""
    loading = Loading()
    for chunk in chunks:
        loading.add(chunk)
    return loading.finish()


class Loading:
    """A machine that grows chunk by chunk."""

    def __init__(self) -> None:
        self._machine = Machine()
        self._head: Head | None = None

    def add(self, chunk: bytes) -> None:
        try:
            piece = _decoder.decode(chunk)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise Unreadable(f"expected a chunk of a snapshot, found {error}") from error
        if self._head is None and not isinstance(piece, Head):
            raise Unreadable("expected the head of a snapshot first, found another chunk")
        try:
            self._take(piece)
        except (LookupError, TypeError, ValueError) as error:
            raise Unreadable(f"expected what follows from the chunks before, found {error!r}") from error

    def _take(self, piece: Head | Values | Log) -> None:
        if isinstance(piece, Head):
            self._begin(piece)
        elif isinstance(piece, Values):
            self._machine.restore(piece.values)
        else:
            for revision, at, change in piece.changes:
                self._machine.replay(revision, at, change)

    def finish(self) -> Machine:
        if self._head is None:
            raise Unreadable("expected a snapshot, found no chunk")
        self._machine.revision = self._head.revision
        return self._machine

    def _begin(self, head: Head) -> None:
        self._head = head
        machine = self._machine
        machine.history = History(machine.live, head.compacted)
        machine.quota_bytes = head.quota_bytes
        machine.config = head.config
        machine.leases.granted = head.leases_granted
        for lease, ttl in head.leases:
            machine.leases.restore(lease, ttl)
        replies: dict[str, BatchReply | TxnReply] = {**dict(head.batches), **dict(head.transactions)}
        machine.requests.restore([(request, replies[request]) for request in head.order])


def _head(machine: Machine) -> Head:
    remembered = machine.requests.items()
    return Head(
        machine.revision,
        machine.history.compacted,
        machine.quota_bytes,
        machine.leases.granted,
        [(lease.lease, lease.ttl_milliseconds) for lease in machine.leases.all()],
        [(request, reply) for request, reply in remembered if isinstance(reply, BatchReply)],
        [(request, reply) for request, reply in remembered if isinstance(reply, TxnReply)],
        [request for request, _ in remembered],
        machine.config,
    )


def _chunks(head: Head, live: list[Value], log: Iterator[Record]) -> Iterator[bytes]:
    yield _encode(head)
    records = list(log)
    for values in _cut(_base(head.compacted, live, records), _value_bytes):
        yield _encode(Values(values))
    for changed in _cut(_drained(records), _record_bytes):
        yield _encode(Log([(record.revision, record.at, _change(record)) for record in changed]))


def _base(compacted: int, live: list[Value], records: list[Record]) -> Iterator[Value]:
    """What stood at the compacted revision: what did not change since, and what the first change of a key replaced."""
    yield from (value for value in live if value.mod_revision <= compacted)
    seen = set()
    for record in records:
        key = record.value.key
        if key not in seen:
            seen.add(key)
            if record.previous is not None:
                yield record.previous


def _drained(records: list[Record]) -> Iterator[Record]:
    """Each is let go of when it is done with: to free all of them at once is a pause of its own."""
    records.reverse()
    while records:
        yield records.pop()


def _change(record: Record) -> Change:
    """The change that leads from the record's previous value to its value."""
    value, previous = record.value, record.previous
    if record.deleted:
        return Change(value.key, None, cause=record.cause)
    parts: tuple[bytes | None, ...] = value.parts
    fields: dict[str, str] | None = value.fields
    if previous is not None:
        old = previous.parts
        parts = tuple([None if i < len(old) and old[i] is part else part for i, part in enumerate(value.parts)])
        fields = None if value.fields == previous.fields else value.fields
    return Change(value.key, parts, None, fields, value.lease, record.cause)


def _cut(items: Iterable[T], size_of: Callable[[T], int]) -> Iterator[list[T]]:
    """Lists of at most ``CHUNK_ITEMS``, closed when they reach ``CHUNK_BYTES``."""
    chunk: list[T] = []
    size = 0
    for item in items:
        chunk.append(item)
        size += size_of(item)
        if size >= CHUNK_BYTES or len(chunk) >= CHUNK_ITEMS:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk


def _value_bytes(value: Value) -> int:
    return sum(map(len, value.parts))


def _record_bytes(record: Record) -> int:
    return _value_bytes(record.value)
