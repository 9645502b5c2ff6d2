"""The state machine behind the log: keys with revisions, decided by nothing but the commands in their order.

Pure: every member that applies the same commands holds the same state, byte for byte of its snapshot. It counts the
revisions itself: a ``Write`` takes one for each change that is done, a ``Transact`` and a ``Revoke`` one in all.
"""

from __future__ import annotations

from typing import assert_never

import msgspec

from orchestrator.raft.config import Config
from orchestrator.store.commands import Command, CompactTo, Grant, Revoke, SetQuota, Transact, Write
from orchestrator.store.compare import holds
from orchestrator.store.directory import KeyTree
from orchestrator.store.fields import FieldIndex
from orchestrator.store.history import History, Record, at_revision
from orchestrator.store.leases import Leases
from orchestrator.store.protocol import (
    BatchReply,
    Change,
    CompactReply,
    LeaseReply,
    Outcome,
    Refusal,
    Result,
    TxnReply,
    Value,
)
from orchestrator.store.requests import Requests

NO_FIELDS: dict[str, str] = {}
"""Shared by all values without fields. Never written to."""

Reply = BatchReply | TxnReply | CompactReply | LeaseReply | None


class Denied(msgspec.Struct, frozen=True):
    """A command that the state does not admit: nothing was done."""

    code: str
    message: str


class Applied(msgspec.Struct, frozen=True):
    """What a command did: the answer to who proposed it, and the records that watchers are told of."""

    reply: Reply | Denied
    records: list[Record]


class Machine:
    """See the module. Values and records are shared with readers and never changed."""

    def __init__(self) -> None:
        self.revision = 0
        self.quota_bytes = 0
        self.config = Config()
        """Who the members are, as far as the log was applied."""
        self.leases = Leases()
        self.requests = Requests()
        self.live: dict[str, Value] = {}
        self.history = History(self.live)
        self.tree = KeyTree()
        self.fields = FieldIndex()

    def apply(self, command: Command) -> Applied:
        match command:
            case Write():
                return self._write(command)
            case Transact():
                return self._transact(command)
            case CompactTo():
                return self._compact(command)
            case Grant():
                return self._grant(command)
            case Revoke():
                return self._revoke(command)
            case SetQuota():
                self.quota_bytes = command.quota_bytes
                return Applied(None, [])
            case _:
                assert_never(command)

    @property
    def full(self) -> bool:
        """Whether the size quota is used up."""
        return bool(self.quota_bytes) and self.history.bytes >= self.quota_bytes

    def restore(self, values: list[Value]) -> None:
        """Take in values of a snapshot that stood at its oldest revision; the machine is new."""
        for value in values:
            self.tree.add(value.key)
            self._replace(value.key, None, value)
            self.history.count(value)

    def replay(self, revision: int, at: int, change: Change) -> None:
        """Take in a change of a snapshot's history: it was done, at this revision."""
        self.revision = revision
        self._do(change, at)

    def _write(self, command: Write) -> Applied:
        answered = self.requests.get(command.request_id)
        if answered is not None:
            return Applied(answered, [])
        results: list[Result] = []
        records: list[Record] = []
        for change in command.changes:
            refused = self._refusal(change)
            if refused is not None:
                results.append(refused)
                continue
            self.revision += 1
            record = self._do(change, command.at)
            records.append(record)
            results.append(_result(record))
        reply = BatchReply(self.revision, results)
        self.requests.remember(command.request_id, reply)
        return Applied(reply, records)

    def _transact(self, command: Transact) -> Applied:
        answered = self.requests.get(command.request_id)
        if answered is not None:
            return Applied(answered, [])
        succeeded = all(holds(compare, self.live.get(compare.key), self.revision) for compare in command.compares)
        changes = command.success if succeeded else command.failure
        refusals = [self._refusal(change) for change in changes]
        records: list[Record] = []
        if any(refusals):
            results = [refused or Result(Outcome.DONE, 0) for refused in refusals]
            reply = TxnReply(False, self.revision, results)
        else:
            if changes:
                self.revision += 1
            records = [self._do(change, command.at) for change in changes]
            reply = TxnReply(succeeded, self.revision, [_result(record) for record in records])
        self.requests.remember(command.request_id, reply)
        return Applied(reply, records)

    def _compact(self, command: CompactTo) -> Applied:
        if command.revision > self.revision:
            return Applied(Denied(code_of(Refusal.FUTURE), _future(command.revision, self.revision)), [])
        if command.revision < self.history.compacted:
            return Applied(Denied(code_of(Refusal.COMPACTED), _compacted(command.revision, self.history.compacted)), [])
        self.history.compact(command.revision)
        return Applied(CompactReply(self.history.compacted), [])

    def _grant(self, command: Grant) -> Applied:
        lease = self.leases.grant(command.ttl_milliseconds, command.lease)
        if lease is None:
            return Applied(Denied("lease exists", f"there is a lease {command.lease} already"), [])
        return Applied(LeaseReply(lease.lease, command.ttl_milliseconds / 1000), [])

    def _revoke(self, command: Revoke) -> Applied:
        if command.lease not in self.leases:
            return Applied(Denied("lease", f"there is no lease {command.lease}: it expired or was revoked"), [])
        keys = self.leases.revoke(command.lease)
        if keys:
            self.revision += 1
        return Applied(None, [self._do(Change(key, None), command.at) for key in keys])

    def _refusal(self, change: Change) -> Result | None:
        """Why ``change`` cannot be done now, or None."""
        standing = self.live.get(change.key)
        revision = standing.mod_revision if standing is not None else 0
        if change.expect is not None and change.expect != revision:
            return Result(Outcome.CONFLICT, revision)
        parts = change.parts
        if parts is None:
            return Result(Outcome.MISSING, 0) if standing is None else None
        if None in parts and (standing is None or len(standing.parts) < len(parts)):
            return Result(Outcome.MISSING, revision)
        if change.lease and change.lease not in self.leases:
            return Result(Outcome.NO_LEASE, revision)
        if self.full:
            return Result(Outcome.NO_SPACE, revision)
        return None

    def _do(self, change: Change, at: int) -> Record:
        """One change that nothing stands against, at the current revision."""
        if change.parts is None:
            return self._delete(change, at)
        return self._put(change, change.parts, at)

    def _put(self, change: Change, parts: tuple[bytes | None, ...], at: int) -> Record:
        key, revision = change.key, self.revision
        previous = self.live.get(key)
        fresh = self.fields.shared(change.fields) if change.fields else NO_FIELDS
        if previous is None:
            fields = fresh
            value = Value(key, parts, revision, revision, 1, fields, change.lease)  # type: ignore[arg-type]
            self.tree.add(key)
        else:
            key = previous.key  # one string for all revisions
            fields = previous.fields if change.fields is None else fresh
            shared = tuple([previous.parts[i] if part is None else part for i, part in enumerate(parts)])
            version = previous.version + 1
            value = Value(key, shared, revision, previous.create_revision, version, fields, change.lease)
        self._replace(key, previous, value)
        record = Record(revision, at, False, value, previous, change.cause)
        self.history.add(record)
        return record

    def _delete(self, change: Change, at: int) -> Record:
        previous = self.live[change.key]
        self._replace(change.key, previous, None)
        self.tree.drop(change.key)
        gone = at_revision(previous, self.revision)
        record = Record(self.revision, at, True, gone, previous, change.cause)
        self.history.add(record)
        return record

    def _replace(self, key: str, previous: Value | None, value: Value | None) -> None:
        old_lease = previous.lease if previous is not None else 0
        new_lease = value.lease if value is not None else 0
        if old_lease != new_lease:
            self.leases.move(key, old_lease, new_lease)
        self.fields.move(
            key,
            previous.fields if previous is not None else NO_FIELDS,
            value.fields if value is not None else NO_FIELDS,
        )
        if value is None:
            del self.live[key]
        else:
            self.live[key] = value


def code_of(refusal: Refusal) -> str:
    """The code of the ``Refused`` that an asker gets: "compacted", "future", "slow", "stopped"."""
    return refusal.name.lower()


def _result(record: Record) -> Result:
    return Result(Outcome.DONE, record.revision, record.previous if record.deleted else None)


def _future(revision: int, current: int) -> str:
    return f"revision {revision} is in the future: the current one is {current}"


def _compacted(revision: int, compacted: int) -> str:
    return f"revision {revision} is compacted: the oldest that is kept is {compacted}"
