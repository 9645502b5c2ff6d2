"""The store's actor: what is asked of it waits for the next group commit, what is read comes from memory.

Owns the log, the state machine and the watches. Guarantees: a reply to a write is sent after the write is durable and
applied, in the order the writes arrived; a read sees every write that was answered before it; a watcher sees the
changes of a commit before anybody can ask about a later one. If the log fails the actor crashes and nothing that waited
is acknowledged; its next incarnation reads the log anew.
"""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec

from actors import Actor, Down, Exit, Refused, Tell
from orchestrator.store.commands import Command, CompactTo, Revoke
from orchestrator.store.deadlines import Deadlines
from orchestrator.store.interned import Interned
from orchestrator.store.log import Log
from orchestrator.store.machine import Applied, Denied, code_of
from orchestrator.store.proposals import Proposal, to_command
from orchestrator.store.protocol import (
    Batch,
    Compact,
    Get,
    GetReply,
    LeaseGrant,
    LeaseKeepAlive,
    LeaseReply,
    LeaseRevoke,
    Range,
    RangeReply,
    Refusal,
    StatusReply,
    StoreStatus,
    Txn,
    Unwatch,
    Watch,
    WatchCredit,
    WatchReply,
)
from orchestrator.store.reading import Unreadable, check_revision, get, read
from orchestrator.store.replica import Replica
from orchestrator.store.watch import Watches

MAX_WAITING = 8_192
"""Proposals that wait for a commit; more are refused with code "busy"."""
MAX_COMMIT_PROPOSALS = 1_024
"""Proposals in one append: bounds how long the loop is busy applying them."""
PROGRESS_SECONDS = 30.0
"""Between two rounds of progress frames; who wants to know earlier asks by a credit of 0."""
LEASE_CHECK_SECONDS = 0.5
COMPACT_SECONDS = 60.0


class Retention(msgspec.Struct, frozen=True):
    """How much history is kept: a record goes when it is older, or when there are more newer ones."""

    seconds: float = 600.0
    records: int = 200_000


DEFAULT_RETENTION = Retention()


class _Progress(Tell):
    """Time for a round of progress frames."""


class _Expire(Tell):
    """Time to look which leases ended."""


class _CompactNow(Tell):
    """Time to cut the history."""


class Store(Actor):
    """See the module. ``log`` is opened at the start and closed at the end of each incarnation."""

    def __init__(self, log: Log, retention: Retention = DEFAULT_RETENTION, member: str = "local") -> None:
        self._replica = Replica(log)
        self._retention = retention
        self._member = member
        self._watches = Watches(lambda ref, message: ref.tell_nowait(message))
        self._deadlines = Deadlines()
        self._interned = Interned()
        self._waiting: list[tuple[Command, asyncio.Future[Applied] | None]] = []
        self._wake = asyncio.Event()
        self._changes = 0
        self._snapshot: asyncio.Task[None] | None = None

    async def start(self) -> None:
        await self._replica.open()
        if self._replica.cut:
            self.context.log.warning("log tail cut", found=self._replica.cut)
        now = self.context.clock.monotonic()
        for lease in self._replica.machine.leases.all():
            self._deadlines.set(lease.lease, now + lease.ttl_milliseconds / 1000)
        self.context.task(self._commit(), "commit")
        self.context.send_every(PROGRESS_SECONDS, _Progress())
        self.context.send_every(LEASE_CHECK_SECONDS, _Expire())
        self.context.send_every(COMPACT_SECONDS, _CompactNow())

    async def receive(self, message: Any) -> Any:
        match message:
            case Batch() | Txn() | Compact() | LeaseGrant() | LeaseRevoke():
                return self._propose(message)
            case Get() | Range():
                return self._read(message)
            case Watch():
                return self._watch(message)
            case WatchCredit(watch=number, frames=frames):
                self._watches.credit(number, frames, self._replica.machine.revision)
            case Unwatch(watch=number):
                self._watches.close(number)
            case LeaseKeepAlive(lease=lease):
                return self._keep_alive(lease)
            case StoreStatus():
                return self._status()
            case Down(ref=ref):
                self._watches.close_subscriber(ref.path)
            case _Progress():
                self._watches.advance(self._replica.machine.revision)
            case _Expire():
                self._expire()
            case _CompactNow():
                self._compact()
        return None

    async def stop(self, exit: Exit) -> None:
        self._watches.end_all(Refusal.STOPPED, f"the store stops at revision {self._replica.machine.revision}")
        await self._replica.close()

    def _propose(self, proposal: Proposal) -> Any:
        """Queue it; the reply comes from the commit."""
        if len(self._waiting) >= MAX_WAITING:
            raise Refused("busy", f"{MAX_WAITING} proposals wait for the disk: try again")
        if isinstance(proposal, Batch):
            proposal = Batch(self._interned.changes(proposal.changes), proposal.request_id)
        future: asyncio.Future[Applied] = asyncio.get_running_loop().create_future()
        self._enqueue(to_command(proposal, self._milliseconds()), future)
        return self.context.later(_answer(future))

    def _enqueue(self, command: Command, future: asyncio.Future[Applied] | None) -> None:
        self._waiting.append((command, future))
        self._wake.set()

    async def _commit(self) -> None:
        """The group commit: whatever waits while one append is under way goes into the next."""
        while True:
            await self._wake.wait()
            taken, self._waiting = self._waiting[:MAX_COMMIT_PROPOSALS], self._waiting[MAX_COMMIT_PROPOSALS:]
            if not self._waiting:
                self._wake.clear()
            applied = await self._replica.commit([command for command, _ in taken])
            self._publish(applied)
            for (command, future), result in zip(taken, applied, strict=True):
                self._follow_leases(command, result)
                if future is not None and not future.done():
                    future.set_result(result)
            await self._keep_house()

    async def _keep_house(self) -> None:
        """What keeps the log short and its next appends fast, when nothing waits or it is high time."""
        log = self._replica.log
        if log.untidy or not self._waiting:
            await log.tidy()
        if self._replica.snapshot_due and (self._snapshot is None or self._snapshot.done()):
            self._snapshot = self.context.task(self._replica.snapshot(), "snapshot")

    def _publish(self, applied: list[Applied]) -> None:
        records = [record for result in applied for record in result.records]
        if records:
            self._changes += len(records)
            self._watches.publish(records, self._replica.machine.revision)

    def _read(self, query: Get | Range) -> GetReply | RangeReply:
        try:
            return get(self._replica.machine, query) if isinstance(query, Get) else read(self._replica.machine, query)
        except Unreadable as error:
            raise Refused(code_of(error.refusal), str(error), error.limit) from None

    def _watch(self, watch: Watch) -> WatchReply:
        current = self._replica.machine.revision
        try:
            if watch.revision:
                check_revision(self._replica.machine, watch.revision)
        except Unreadable as error:
            raise Refused(code_of(error.refusal), str(error), error.limit) from None
        missed = self._replica.machine.history.after(watch.revision) if watch.revision else []
        self.context.watch(watch.subscriber)
        return WatchReply(self._watches.open(watch, current, missed), current)

    def _keep_alive(self, number: int) -> LeaseReply:
        lease = self._replica.machine.leases.get(number)
        if lease is None or number not in self._deadlines:
            raise Refused("lease", f"there is no lease {number}: it expired or was revoked")
        self._deadlines.set(number, self.context.clock.monotonic() + lease.ttl_milliseconds / 1000)
        return LeaseReply(number, lease.ttl_milliseconds / 1000)

    def _follow_leases(self, command: Command, applied: Applied) -> None:
        """A lease that was granted begins to run out; one that ended is no longer waited for."""
        if isinstance(applied.reply, LeaseReply):
            self._deadlines.set(applied.reply.lease, self.context.clock.monotonic() + applied.reply.ttl_seconds)
        elif isinstance(command, Revoke):
            self._deadlines.drop(command.lease)

    def _expire(self) -> None:
        for lease in self._deadlines.take_due(self.context.clock.monotonic()):
            self._enqueue(Revoke(self._milliseconds(), lease, expired=True), None)

    def _compact(self) -> None:
        history = self._replica.machine.history
        now = self._milliseconds()
        by_age = history.revision_before(now - round(self._retention.seconds * 1000))
        revision = max(by_age, history.revision_back(self._retention.records))
        if revision > history.compacted:
            self._enqueue(CompactTo(now, revision), None)

    def _status(self) -> StatusReply:
        log = self._replica.log.statistics()
        return StatusReply(
            revision=self._replica.machine.revision,
            compacted=self._replica.machine.history.compacted,
            keys=len(self._replica.machine.live),
            log_entries=log.entries,
            log_bytes=log.bytes,
            raft_term=self._replica.raft.term,
            raft_index=self._replica.raft.log.last,
            leader=self._member,
            member=self._member,
            watches=len(self._watches),
            commits=log.appends,
            changes=self._changes,
        )

    def _milliseconds(self) -> int:
        return round(self.context.clock.time() * 1000)


async def _answer(future: asyncio.Future[Applied]) -> Any:
    reply = (await future).reply
    if isinstance(reply, Denied):
        raise Refused(reply.code, reply.message)
    return reply
