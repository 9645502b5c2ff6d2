"""What changed, in order of revisions, and what each key was before: the window that watches and old reads look into.

Compaction cuts the oldest records. What stands at the compacted revision stays readable.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Iterator

import msgspec

from orchestrator.store.directory import KeyTree
from orchestrator.store.protocol import Parts, Value

RECORD_BYTES = 200
"""What a record is counted as in the size quota beside its key and parts."""
TRIM_RECORDS = 1024
"""Forgotten records at the front of the list before it is cut: a cut costs as much as the records that stay."""


class Record(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One committed change: what a watcher is told, and why it came to be."""

    revision: int
    at: int
    deleted: bool
    value: Value
    """What stands now. For a delete: the last value, with the delete's own mod revision."""
    previous: Value | None
    cause: bytes


class History:
    """Records by revision, and for each key the values that newer ones replaced."""

    def __init__(self, compacted: int = 0) -> None:
        self.compacted = compacted
        self.bytes = 0
        self._records: list[Record] = []
        self._first = 0
        # The position of the oldest record that is kept; those before it wait to be cut.
        self._buried: dict[str, int] = {}
        # Keys that are deleted now but stood within the window, with the revision of the delete.
        self._graves = KeyTree()
        self._replaced: dict[str, deque[Value | int]] = {}
        # A key's replaced values, oldest first; an int is the revision of a delete.

    def __len__(self) -> int:
        return len(self._records) - self._first

    def add(self, record: Record) -> None:
        key = record.value.key
        self._records.append(record)
        self.bytes += RECORD_BYTES + len(key) + fresh_bytes(record)
        if record.previous is None:
            if self._buried.pop(key, 0):
                self._graves.drop(key)
            return
        chain = self._replaced.get(key)
        if chain is None:
            chain = self._replaced[key] = deque()
        chain.append(record.previous)
        if record.deleted:
            chain.append(record.revision)
            self._buried[key] = record.revision
            self._graves.add(key)

    def count(self, value: Value) -> None:
        """A value whose record is not kept counts all the same."""
        self.bytes += RECORD_BYTES + len(value.key) + _unshared(value.parts, ())

    def after(self, revision: int) -> list[Record]:
        """The records with a later revision, in order."""
        return self._records[self._position(revision) :]

    def record(self, revision: int) -> Record | None:
        """The change that made ``revision``, while it is kept."""
        position = bisect_left(self._records, revision, lo=self._first, key=_record_revision)
        found = self._records[position] if position < len(self._records) else None
        return found if found is not None and found.revision == revision else None

    def values(self, key: str) -> list[Value]:
        """What ``key`` was before what it is, oldest first, as far as that is kept."""
        return [value for value in self._replaced.get(key, ()) if not isinstance(value, int)]

    def at(self, key: str, revision: int, live: Value | None) -> Value | None:
        """What ``key`` was at ``revision``, not before ``compacted``; ``live`` is what it is now."""
        if live is not None and live.mod_revision <= revision:
            return live
        found: Value | None = None
        for value in self._replaced.get(key, ()):
            if isinstance(value, int):
                if value > revision:
                    break
                found = None
            elif value.mod_revision > revision:
                break
            else:
                found = value
        return found

    def graves(self, prefix: str, after: str = "", before: str = "") -> Iterator[str]:
        """The keys that are gone now but stood within the window, in order, as ``KeyTree.between``."""
        return self._graves.between(prefix, after, before)

    def grown(self, revision: int, prefix: str, after: str = "", before: str = "") -> int:
        """How many more keys there are in a range now than at ``revision``, from what changed since."""
        grown = 0
        for record in self.after(revision):
            if record.previous is not None and not record.deleted:
                continue
            key = record.value.key
            if key.startswith(prefix) and key > after and not (before and key >= before):
                grown += -1 if record.deleted else 1
        return grown

    def oldest(self) -> Record | None:
        return self._records[self._first] if len(self) else None

    def revision_before(self, at: int) -> int:
        """The last revision whose record is older than ``at`` milliseconds (``compacted`` when there is none)."""
        position = bisect_left(self._records, at, lo=self._first, key=_record_time)
        return self._records[position - 1].revision if position > self._first else self.compacted

    def revision_back(self, records: int) -> int:
        """The revision to compact at so that about ``records`` newest records stay."""
        position = len(self._records) - records - 1
        return self._records[position].revision if position >= self._first else self.compacted

    def compact(self, revision: int) -> None:
        """Forget the records up to ``revision``; what stands at it stays readable."""
        end = self._position(revision)
        for position in range(self._first, end):
            self._forget(self._records[position])
        self._first = end
        self.compacted = max(self.compacted, revision)
        if self._first >= TRIM_RECORDS and self._first * 2 >= len(self._records):
            del self._records[: self._first]
            self._first = 0

    def _forget(self, record: Record) -> None:
        previous = record.previous
        if previous is None:
            return
        key = previous.key
        chain = self._replaced[key]
        chain.popleft()
        self.bytes -= RECORD_BYTES + len(key) + lost_bytes(record)
        if record.deleted:
            chain.popleft()
            self.bytes -= RECORD_BYTES + len(key)
            if self._buried.get(key) == record.revision:
                del self._buried[key]
                self._graves.drop(key)
        if not chain:
            del self._replaced[key]

    def _position(self, revision: int) -> int:
        return bisect_right(self._records, revision, lo=self._first, key=_record_revision)


def fresh_bytes(record: Record) -> int:
    """The bytes that a change brought: the parts that it does not share with the value before."""
    if record.deleted:
        return 0
    return _unshared(record.value.parts, record.previous.parts if record.previous is not None else ())


def lost_bytes(record: Record) -> int:
    """The bytes that go when the value before a change is forgotten."""
    if record.previous is None:
        return 0
    return _unshared(record.previous.parts, () if record.deleted else record.value.parts)


def _unshared(parts: Parts, others: Parts) -> int:
    total = sum(map(len, parts))
    for part, other in zip(parts, others, strict=False):
        if part is other:
            total -= len(part)
    return total


def _record_revision(record: Record) -> int:
    return record.revision


def _record_time(record: Record) -> int:
    return record.at
