"""What one says to the store: the actor protocol of a multi-version key-value log (etcd's model, KV of etcd v3).

A key is a path such as ``core/pods/default/web-1`` (the store knows no kinds: to it a key is ordered text). A value
is a tuple of encoded parts; a put may leave a part as ``None`` to share it with the revision before it. Revisions
count committed changes: a ``Txn`` takes one, a ``Batch`` one for each of its changes that is done. A reply is
sent only after the change is durable (fsync, quorum).
"""

from __future__ import annotations

from enum import IntEnum
from functools import cached_property
from typing import Any

import msgspec

from actors import Ask, Ref, Shared, Tell

MAX_TXN_OPS = 128
"""Keys in one atomic transaction (etcd's default bound)."""
MAX_BATCH_OPS = 4096
"""Independent changes in one proposal; a caller with more cuts them."""

Parts = tuple[bytes, ...]


class Value(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A key at a revision. ``version`` counts the puts since the key was created (1 is the create)."""

    key: str
    parts: Parts
    mod_revision: int
    create_revision: int
    version: int
    fields: dict[str, str] = {}
    """What watches and ranges can be filtered by, as the writer declared it (``{"spec.nodeName": "node-1"}``)."""
    lease: int = 0


class Change(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One independent write of a ``Batch`` or one operation of a ``Txn``.

    ``parts=None`` deletes the key. In ``parts`` a None keeps that part as it stands (only over an existing key).
    ``expect``: the mod revision that must stand (0: the key must not exist; None: no condition).
    ``fields=None`` keeps the fields as they stand.
    """

    key: str
    parts: tuple[bytes | None, ...] | None
    expect: int | None = None
    fields: dict[str, str] | None = None
    lease: int = 0
    cause: bytes = b""
    """Why: MessagePack of ``[actor, key, parent revision]``, kept beside the revision."""


class Outcome(IntEnum):
    DONE = 0
    CONFLICT = 1
    """``expect`` did not hold; ``revision`` is the mod revision that stands (0: no such key)."""
    MISSING = 2
    """A delete of a key that is not there, or a put that shares parts with nothing."""
    NO_SPACE = 3
    """The size quota is used up; only deletes and compaction are taken until there is room."""
    NO_LEASE = 4
    """The lease that a put names is not there: it expired or was revoked."""


class Result(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What became of one change: its own revision, or the revision that stood in its way."""

    outcome: Outcome
    revision: int
    previous: Value | None = None
    """For a delete that is done: the last value."""


class BatchReply(msgspec.Struct, frozen=True, array_like=True):
    revision: int
    results: list[Result]


class Batch(Ask[BatchReply]):
    """Many independent changes in one proposal, in order; one that is refused fails alone."""

    changes: list[Change]
    request_id: str = ""
    """A retried proposal with the same id is applied once. Empty: not retried."""


class Target(IntEnum):
    MOD_REVISION = 0
    CREATE_REVISION = 1
    VERSION = 2
    VALUE = 3
    LEASE = 4
    REVISION = 5
    """The store's own revision; the key does not matter. Not every backend has it."""


class Relation(IntEnum):
    EQUAL = 0
    GREATER = 1
    LESS = 2
    NOT_EQUAL = 3


class Compare(msgspec.Struct, frozen=True, array_like=True):
    """``key``'s ``target`` stands in ``relation`` to ``operand``.

    A missing key counts as 0, or as b"" for VALUE, which is the parts joined.
    """

    key: str
    target: Target
    relation: Relation
    operand: int | bytes


class TxnReply(msgspec.Struct, frozen=True, array_like=True):
    succeeded: bool
    revision: int
    results: list[Result]


class Txn(Ask[TxnReply]):
    """If every compare holds do ``success``, else ``failure``: atomic, one revision, at most ``MAX_TXN_OPS``."""

    compares: list[Compare]
    success: list[Change]
    failure: list[Change] = []  # noqa: RUF012
    request_id: str = ""


class RangeReply(msgspec.Struct, frozen=True, array_like=True):
    revision: int
    """The revision that was read: the requested one, or the current."""
    values: list[Value]
    more: bool = False
    count: int = 0
    """All keys in the range at that revision, whatever the limit (filtered ones do not count)."""


class Refusal(IntEnum):
    COMPACTED = 1
    """The revision asked for is older than what is kept: read again from the current one."""
    FUTURE = 2
    """The revision asked for does not exist yet."""
    SLOW = 3
    """The watcher did not take its events within the bound."""
    STOPPED = 4
    """The store stops, or lost its leadership: follow the leader."""


class Range(Ask[RangeReply]):
    """The keys with ``prefix`` that sort after ``after``, at most ``limit`` (0: all), at ``revision`` (0: current).

    Linearizable at revision 0. Raises ``Refused`` with code "compacted" or "future".
    """

    prefix: str
    after: str = ""
    limit: int = 0
    revision: int = 0
    fields: dict[str, str] = {}  # noqa: RUF012
    count_only: bool = False
    before: str = ""
    """Only keys that sort before this one; empty: to the end of the prefix."""


class GetReply(msgspec.Struct, frozen=True, array_like=True):
    revision: int
    values: list[Value | None]


class Get(Ask[GetReply]):
    """These keys, in order, None for one that is not there."""

    keys: list[str]
    revision: int = 0


class WatchReply(msgspec.Struct, frozen=True, array_like=True):
    watch: int
    revision: int
    """The store's revision when the watch began."""


class Watch(Ask[WatchReply]):
    """Every change after ``revision`` to a key with ``prefix`` (or exactly ``key``), in order, no gap, no duplicate.

    ``revision`` 0: from now on; -1: from the very first change on. With ``fields`` only values that match; a value that
    stops matching arrives as a delete and one that starts as a put whose ``created`` is true. The subscriber gets
    ``Changes`` frames, then at most one ``WatchEnded``. A subscriber that dies ends its watch. Raises ``Refused`` with
    code "compacted" or "future".
    """

    subscriber: Ref[Any]
    prefix: str = ""
    key: str = ""
    revision: int = 0
    fields: dict[str, str] = {}  # noqa: RUF012
    previous: bool = False
    """Give each event the value before it."""
    progress: bool = False
    """Send an empty ``Changes`` about every 30 s when nothing happened, so that the revision moves on."""
    credit: int = 64
    """Frames the subscriber takes before it must tell ``WatchCredit``."""
    tag: str = ""
    """The subscriber's own word for this watch; comes back in every frame."""


class Event(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One change as a watcher sees it. A delete has the last value, with ``mod_revision`` the delete's own."""

    deleted: bool
    created: bool
    value: Value
    previous: Value | None = None


_encode_events = msgspec.msgpack.Encoder().encode
_decode_events = msgspec.msgpack.Decoder(list[Event]).decode


class Changes(Shared, dict=True):
    """A frame of a watch. Its events are encoded once for all who are sent them, and decoded by who looks inside."""

    watch: int
    tag: str
    revision: int
    """All changes up to this revision were sent."""
    encoded: memoryview
    """MessagePack of the events."""

    @cached_property
    def events(self) -> list[Event]:
        return _decode_events(self.encoded)

    @classmethod
    def of(cls, watch: int, tag: str, revision: int, events: list[Event]) -> Changes:
        return cls(watch, tag, revision, encoded_events(events))


def encoded_events(events: list[Event]) -> memoryview:
    """``Changes.encoded``."""
    return memoryview(_encode_events(events))


class WatchEnded(Tell):
    watch: int
    tag: str
    reason: Refusal
    message: str


class WatchCredit(Tell):
    """So many more frames may come. With 0 the subscriber asks for progress: an empty ``Changes`` if nothing waits."""

    watch: int
    frames: int


class Unwatch(Tell):
    watch: int


class CompactReply(msgspec.Struct, frozen=True, array_like=True):
    revision: int


class Compact(Ask[CompactReply]):
    """Forget revisions before ``revision`` (what stands at it stays). Refused: "compacted", "future"."""

    revision: int


class LeaseReply(msgspec.Struct, frozen=True, array_like=True):
    lease: int
    ttl_seconds: float


class LeaseGrant(Ask[LeaseReply]):
    """A lease whose keys are deleted when it is not kept alive for ``ttl_seconds``.

    ``lease``: the number it is to have (0: the store chooses). Refused with code "lease exists" when it is taken.
    """

    ttl_seconds: float
    lease: int = 0


class LeaseKeepAlive(Ask[LeaseReply]):
    """Refused with code "lease" when there is none (expired or revoked)."""

    lease: int


class LeaseRevoke(Ask[None]):
    lease: int


class LeaseStatusReply(msgspec.Struct, frozen=True, array_like=True):
    lease: int
    ttl_seconds: float
    left_seconds: float
    keys: list[str]


class LeaseStatus(Ask[LeaseStatusReply]):
    """Refused with code "lease" when there is none."""

    lease: int


class LeaseList(Ask[list[int]]):
    """The leases that live, in the order they were granted."""


class SetQuota(Ask[None]):
    """The bytes that keys and their history may take (0: no bound).

    At the bound puts are ``Outcome.NO_SPACE``; deletes and compaction are taken, and make room.
    """

    quota_bytes: int


class MemberReply(msgspec.Struct, frozen=True, array_like=True):
    """``voter`` False: a learner, which is sent everything and counts for nothing."""

    member: int
    address: str
    voter: bool
    leader: bool
    protocol: int = 0
    """What it speaks to other members, which grows with its version (0: not known here; the leader knows)."""


class MemberList(Ask[list[MemberReply]]):
    """Who the members are, by the log of the member that is asked."""


class MemberAdd(Ask[None]):
    """A learner more. What changes the members is answered when that is committed.

    Refused: "not leader" (the message names who is), "unsafe" for what may not be done now.
    """

    member: int
    address: str


class MemberPromote(Ask[None]):
    """A learner that has caught up becomes a voter. Refused as ``MemberAdd``."""

    member: int


class MemberRemove(Ask[None]):
    """Refused as ``MemberAdd``. The leader may remove itself: it goes when that is committed."""

    member: int


class MoveLeader(Ask[None]):
    """Hand the leadership to another voter; answered when it leads. Refused: "not leader", "unsafe"."""

    member: int


class SnapshotReply(msgspec.Struct, frozen=True, array_like=True):
    revision: int
    bytes: int


class SaveSnapshot(Ask[SnapshotReply]):
    """Write the state as it is now to a new file at ``path``, while serving. Refused: "snapshot"."""

    path: str


class Step(msgspec.Struct, frozen=True, array_like=True):
    """One write in a chain of causes: ``actor`` wrote ``key`` at ``revision``. ``parent`` 0: it began here."""

    revision: int
    key: str
    actor: str
    parent: int
    deleted: bool = False


class Causes(Ask[list[Step]]):
    """How it came to ``revision``: that write, what caused it, and so on to the beginning or the end of the history."""

    revision: int


class Changed(Ask[list[tuple[int, Parts]]]):
    """What ``key`` was, as far as the history reaches: its newest ``limit`` values, oldest first."""

    key: str
    limit: int = 10


class StatusReply(msgspec.Struct, frozen=True, array_like=True):
    revision: int
    compacted: int
    keys: int
    log_entries: int
    log_bytes: int
    raft_term: int
    raft_index: int
    leader: str
    member: str
    watches: int
    commits: int
    """Durable appends since the start; ``changes`` over it is the size of a group commit."""
    changes: int
    used_bytes: int = 0
    """What keys and history take, as the quota counts it."""
    quota_bytes: int = 0
    full: bool = False
    """The alarm: the quota is used up."""


class StoreStatus(Ask[StatusReply]):
    pass
