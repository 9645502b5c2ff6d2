"""What changed, in order of revisions, and what each key was before: the window that watches and old reads look into.

The newest records are kept as they are, older ones packed. Compaction cuts the oldest. What stands at the compacted
revision stays readable.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

import msgspec

from orchestrator.store.directory import KeyTree
from orchestrator.store.packed import BLOCK_RECORDS, Block, Row, former_value, pack, row, unpack
from orchestrator.store.protocol import Parts, Value

RECORD_BYTES = 200
"""What a record is counted as in the size quota beside its key and parts."""
OPEN_RECORDS = 1024
"""Records that are not packed: who lost its watch for a moment finds what it missed among them."""
PACKED_AT_ONCE = 8 * BLOCK_RECORDS
"""Records that are packed together, so that the others are moved seldom: some 0.6 ms."""


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
    """Records by revision, and for each key the revisions at which it was replaced. ``live``: what stands now."""

    def __init__(self, live: Mapping[str, Value], compacted: int = 0) -> None:
        self.compacted = compacted
        self.bytes = 0
        self._live = live
        self._blocks: list[Block] = []
        self._begun = 0
        """Rows of the first block that are forgotten."""
        self._open: list[Record] = []
        self._unpacked: tuple[Block, list[Row]] | None = None
        # The block that was looked into last: the revisions of a busy key are neighbours.
        # Keys that are deleted now but stood within the window, with the revision of the delete.
        self._buried: dict[str, int] = {}
        self._graves = KeyTree()
        # The revisions of the records that replaced or deleted a value of the key, oldest first; a single one alone.
        self._replaced: dict[str, int | array[int]] = {}

    def __len__(self) -> int:
        return len(self._blocks) * BLOCK_RECORDS - self._begun + len(self._open)

    def add(self, record: Record) -> None:
        key = record.value.key
        self._open.append(record)
        self.bytes += RECORD_BYTES + len(key) + fresh_bytes(record)
        if record.previous is None:
            if self._buried.pop(key, 0):
                self._graves.drop(key)
        else:
            chain = self._replaced.get(key)
            if chain is None:
                self._replaced[key] = record.revision
            elif isinstance(chain, int):
                self._replaced[key] = array("Q", (chain, record.revision))
            else:
                chain.append(record.revision)
            if record.deleted:
                self._buried[key] = record.revision
                self._graves.add(key)
        if len(self._open) >= OPEN_RECORDS + PACKED_AT_ONCE:
            self._pack()

    def count(self, value: Value) -> None:
        """A value whose record is not kept counts all the same."""
        self.bytes += RECORD_BYTES + len(value.key) + _unshared(value.parts, ())

    def after(self, revision: int) -> list[Record]:
        """The records with a later revision, in order."""
        opened = self._open
        if not self._blocks or (opened and opened[0].revision <= revision):
            return opened[bisect_right(opened, revision, key=_revision) :]
        return list(_records(self._blocks[self._block(revision) :], opened, self._live, revision))

    def frozen(self, revision: int) -> Iterator[Record]:
        """``after`` as it is at the moment of the call; packed records are opened when they are asked for."""
        blocks, opened = self._blocks[self._block(revision) :], list(self._open)
        return _records(blocks, opened, dict(self._live) if blocks else {}, revision)

    def _block(self, revision: int) -> int:
        """The number of the block in which what came after ``revision`` begins."""
        return max(bisect_right(self._blocks, revision, key=_revision) - 1, 0)

    def record(self, revision: int) -> Record | None:
        """A change that made ``revision`` (a transaction has several), while it is kept."""
        if revision <= self.compacted:
            return None
        found = self._find(revision)
        return self._whole(found) if isinstance(found, Row) else found

    def values(self, key: str) -> list[Value]:
        """What ``key`` was before what it is, oldest first, as far as that is kept."""
        found = []
        following: Value | None = None
        for revision in reversed(self._chain(key)):
            following = self._former(key, revision, following)
            found.append(following)
        return found[::-1]

    def at(self, key: str, revision: int, live: Value | None) -> Value | None:
        """What ``key`` was at ``revision``, not before ``compacted``; ``live`` is what it is now."""
        if live is not None and live.mod_revision <= revision:
            return live
        chain = self._chain(key)
        position = bisect_right(chain, revision)
        if position == len(chain):
            return None
        found = self._former(key, chain[position])
        return found if found.mod_revision <= revision else None

    def graves(self, prefix: str, after: str = "", before: str = "") -> Iterator[str]:
        """The keys that are gone now but stood within the window, in order, as ``KeyTree.between``."""
        return self._graves.between(prefix, after, before)

    def grown(self, revision: int, prefix: str, after: str = "", before: str = "") -> int:
        """How many more keys there are in a range now than at ``revision``, from what changed since."""
        grown = 0
        for key, deleted in self._turns(revision):
            if key.startswith(prefix) and key > after and not (before and key >= before):
                grown += -1 if deleted else 1
        return grown

    def _turns(self, revision: int) -> Iterator[tuple[str, bool]]:
        """The keys that came, and those that went (True), after ``revision``."""
        opened = self._open
        if self._blocks and not (opened and opened[0].revision <= revision):
            for block in islice(self._blocks, self._block(revision), None):
                for each in unpack(block):
                    if each.revision > revision and (each.former is None or each.deleted):
                        yield each.key, each.deleted
        for record in islice(opened, bisect_right(opened, revision, key=_revision), None):
            if record.previous is None or record.deleted:
                yield record.value.key, record.deleted

    def oldest(self) -> Record | None:
        if self._blocks:
            return self._whole(unpack(self._blocks[0])[self._begun])
        return self._open[0] if self._open else None

    def revision_before(self, at: int) -> int:
        """The last revision whose record is older than ``at`` milliseconds (``compacted`` when there is none)."""
        position = bisect_left(self._open, at, key=_time)
        if position:
            return self._open[position - 1].revision
        number = bisect_left(self._blocks, at, key=_time)
        if not number:
            return self.compacted
        older = [each.revision for each in unpack(self._blocks[number - 1]) if each.at < at]
        return max(older[-1], self.compacted)

    def revision_back(self, records: int) -> int:
        """The revision to compact at so that about ``records`` newest records stay."""
        position = len(self._open) - records - 1
        if position >= 0:
            return self._open[position].revision
        position += len(self._blocks) * BLOCK_RECORDS
        if position < self._begun:
            return self.compacted
        number, within = divmod(position, BLOCK_RECORDS)
        return unpack(self._blocks[number])[within].revision

    def compact(self, revision: int) -> None:
        """Forget the records up to ``revision``; what stands at it stays readable."""
        gone = 0
        for block in self._blocks:
            if block.revision > revision:
                break
            rows = unpack(block)
            ends = bisect_right(rows, revision, key=_revision)
            for each in rows[self._begun : ends]:
                self._forget(each)
            self._begun = ends % BLOCK_RECORDS
            if ends < BLOCK_RECORDS:
                break
            gone += 1
        del self._blocks[:gone]
        if not self._blocks:
            end = bisect_right(self._open, revision, key=_revision)
            for record in self._open[:end]:
                self._forget(row(record))
            del self._open[:end]
        self.compacted = max(self.compacted, revision)

    def _forget(self, row: Row) -> None:
        if row.former is None:
            return
        key = row.key
        chain = self._replaced[key]
        if isinstance(chain, int) or len(chain) == 1:
            del self._replaced[key]
        else:
            del chain[0]
        self.bytes -= RECORD_BYTES + len(key) + row.lost_bytes
        if row.deleted:
            self.bytes -= RECORD_BYTES + len(key)
            if self._buried.get(key) == row.revision:
                del self._buried[key]
                self._graves.drop(key)

    def _pack(self) -> None:
        opened = self._open
        for first in range(0, PACKED_AT_ONCE, BLOCK_RECORDS):
            self._blocks.append(pack(opened[first : first + BLOCK_RECORDS]))
        del opened[:PACKED_AT_ONCE]

    def _whole(self, row: Row) -> Record:
        if row.deleted:
            previous = former_value(row, None)
            assert previous is not None, "only what is there is deleted"
            return Record(row.revision, row.at, True, at_revision(previous, row.revision), previous, row.cause)
        value = self._brought(row.key, row.revision)
        return Record(row.revision, row.at, False, value, former_value(row, value), row.cause)

    def _brought(self, key: str, revision: int) -> Value:
        """What the put of ``revision`` made of the key: what the next change replaced, or what stands."""
        chain = self._chain(key)
        position = bisect_right(chain, revision)
        return self._former(key, chain[position]) if position < len(chain) else self._live[key]

    def _chain(self, key: str) -> Sequence[int]:
        chain = self._replaced.get(key, ())
        return (chain,) if isinstance(chain, int) else chain

    def _former(self, key: str, revision: int, following: Value | None = None) -> Value:
        """What the record of ``revision`` replaced; ``following`` is what it brought, where that is known."""
        chain = self._chain(key)
        rows: list[Row] = []
        found: Value | None = None
        for at in islice(chain, bisect_left(chain, revision), None):  # until one needs nothing of what came after it
            record = self._find(at, key)
            if not isinstance(record, Row):
                found = record.previous if record is not None else None
                break
            rows.append(record)
            if record.whole:
                break
            if following is not None:
                found = following
                break
        else:
            found = self._live[key]
        for each in reversed(rows):
            found = former_value(each, None if each.deleted else found)
        assert found is not None, "the chain names replacements only"
        return found

    def _find(self, revision: int, key: str = "") -> Record | Row | None:
        """A record of ``revision`` (of ``key``): a transaction has many, perhaps in several blocks."""
        position = bisect_left(self._open, revision, key=_revision)
        for record in islice(self._open, position, None):
            if record.revision != revision:
                break
            if key in ("", record.value.key):
                return record
        number = max(bisect_left(self._blocks, revision, key=_revision) - 1, 0)
        for block in islice(self._blocks, number, None):
            if block.revision > revision:
                break
            if self._unpacked is None or self._unpacked[0] is not block:
                self._unpacked = block, unpack(block)
            for each in self._unpacked[1]:
                if each.revision == revision and key in ("", each.key):
                    return each
        return None


def _records(blocks: list[Block], opened: list[Record], live: Mapping[str, Value], revision: int) -> Iterator[Record]:
    """The records after ``revision``. The newest are looked at first: they say what the older ones brought."""
    following = {record.value.key: record.previous for record in reversed(opened) if record.previous is not None}
    found: list[Record] = []
    for block in reversed(blocks):
        for each in reversed(unpack(block)):
            if each.revision <= revision:
                break
            previous = former_value(each, value := None if each.deleted else following.get(each.key) or live[each.key])
            if value is None:
                assert previous is not None, "only what is there is deleted"
                value = at_revision(previous, each.revision)
            if previous is not None:
                following[each.key] = previous
            found.append(Record(each.revision, each.at, each.deleted, value, previous, each.cause))
    yield from reversed(found)
    yield from opened[bisect_right(opened, revision, key=_revision) :]


def at_revision(value: Value, revision: int) -> Value:
    """``value`` as a watcher sees it go at ``revision``."""
    return Value(value.key, value.parts, revision, value.create_revision, value.version, value.fields, value.lease)


def fresh_bytes(record: Record) -> int:
    """The bytes that a change brought: the parts that it does not share with the value before."""
    if record.deleted:
        return 0
    return _unshared(record.value.parts, record.previous.parts if record.previous is not None else ())


def _unshared(parts: Parts, others: Parts) -> int:
    total = sum(map(len, parts))
    for part, other in zip(parts, others, strict=False):
        if part is other:
            total -= len(part)
    return total


def _revision(each: Record | Row | Block) -> int:
    return each.revision


def _time(each: Record | Block) -> int:
    return each.at
