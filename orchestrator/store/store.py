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
from actors.timer import Alarm
from orchestrator.store.causes import causes, changed
from orchestrator.store.commands import CompactTo
from orchestrator.store.group import FromMember, Group, MemberLost
from orchestrator.store.interned import interned_changes
from orchestrator.store.log import Log
from orchestrator.store.machine import Applied, Machine, code_of
from orchestrator.store.member import Lost, Member
from orchestrator.store.membership import members
from orchestrator.store.notices import Notices
from orchestrator.store.proposals import Proposal, to_command
from orchestrator.store.protocol import (
    Batch,
    Causes,
    Changed,
    Compact,
    Get,
    GetReply,
    LeaseGrant,
    LeaseKeepAlive,
    LeaseList,
    LeaseRevoke,
    LeaseStatus,
    LeaseStatusReply,
    MemberAdd,
    MemberList,
    MemberPromote,
    MemberRemove,
    MoveLeader,
    Range,
    RangeReply,
    Refusal,
    SaveSnapshot,
    SetQuota,
    SnapshotReply,
    StatusReply,
    StoreStatus,
    Txn,
    Unwatch,
    Watch,
    WatchCredit,
    WatchReply,
)
from orchestrator.store.reading import Unreadable, check_revision, get, read
from orchestrator.store.reconfiguring import Reconfiguring
from orchestrator.store.replica import ALONE, Replica
from orchestrator.store.replies import applied, into, kept_alive
from orchestrator.store.retention import COMPACT_SECONDS, DEFAULT_RETENTION, Forgetting, Retention
from orchestrator.store.snapshot import dump
from orchestrator.store.snapshot_file import frame, write
from orchestrator.store.watch import Watches, by_mail
from orchestrator.store.wire import Wire, decode_wire, encode_wire

MAX_WAITING = 8_192
"""Proposals that wait for a commit; more are refused with code "busy"."""
PROGRESS_SECONDS = 30.0
"""Between two rounds of progress frames; who wants to know earlier asks by a credit of 0."""
LEAST_WAIT_SECONDS = 0.01
"""For the end of a lease: a timer that rings a rounding too early may not ring without end."""


class _Again(Tell):
    """Time to tell watchers what their mailboxes did not take."""


class _Progress(Tell):
    """Time for a round of progress frames."""


class _Tick(Tell):
    """The unit of time of a group passed."""


class _Expire(Tell):
    """A lease may have ended."""


class _CompactNow(Tell):
    """Time to look whether history is too old."""


class Store(Actor):
    """See the module. ``log`` is opened at the start and closed at the end of each incarnation."""

    def __init__(
        self, log: Log, retention: Retention = DEFAULT_RETENTION, member: str = "local", group: Group | None = None
    ) -> None:
        self._group = group
        self._replica = Replica(log, group.settings if group else ALONE, self._send)
        self._forgetting = Forgetting(retention)
        self._compacting = False
        # Whether a compaction was proposed and is not answered yet.
        self._name = member
        self._watches = Watches(by_mail, self._again)
        self._wake = asyncio.Event()
        self._misheard = 0
        self._snapshot: asyncio.Task[None] | None = None
        self._expiry: tuple[float, Alarm] | None = None
        # When the first lease may end, and what wakes us then.

    async def start(self) -> None:
        clock = self.context.clock
        self._notices = Notices(self._transmit, clock)
        self._member = Member(
            self._replica,
            send=self._send,
            now=clock.monotonic,
            name=f"{self._replica.settings.member}-{self._milliseconds():x}-{self.context.random.getrandbits(32):x}",
            watches=self._watches,
            tick_seconds=self._group.tick_seconds if self._group else 0.0,
        )
        await self._member.open()
        self._reconfiguring = Reconfiguring(self._replica.raft, clock, self._wake.set)
        if self._replica.cut:
            self.context.log.warning("log tail cut", found=self._replica.cut)
        self.context.task(self._commit(), "commit")
        if self._group is not None:
            self.context.send_every(self._group.tick_seconds, _Tick())
        self.context.send_every(PROGRESS_SECONDS, _Progress())
        self.context.send_every(COMPACT_SECONDS, _CompactNow())

    def _hear(self, frame: bytes) -> None:
        """Words that we do not know are those of a newer member, or nonsense: the log goes on without them."""
        try:
            said = decode_wire(frame)
        except (msgspec.MsgspecError, UnicodeDecodeError) as wrong:
            self._misheard += 1
            if self._misheard.bit_count() == 1:  # the first, the second, the fourth, ...
                self.context.log.warning("a member is not understood", times=self._misheard, reason=str(wrong))
            return
        self._member.receive(said)
        self._wake.set()

    async def receive(self, message: Any) -> Any:
        match message:
            case Batch() | Txn() | Compact() | LeaseGrant() | LeaseRevoke() | SetQuota():
                return self._propose(message)
            case Get() | Range():
                return self._read(message)
            case FromMember(frame=frame):
                self._hear(frame)
            case _Tick():
                self._catch_up()
            case MemberLost(member=member):
                self._member.lost(member)
                self._wake.set()
            case Watch():
                return self._watch(message)
            case WatchCredit(watch=number, frames=frames):
                self._watches.credit(number, frames, self._machine.revision)
            case Unwatch(watch=number):
                self._watches.close(number)
            case LeaseKeepAlive(lease=lease):
                return self._keep_alive(lease)
            case LeaseStatus(lease=lease):
                return self._lease_status(lease)
            case LeaseList():
                return [lease.lease for lease in self._replica.machine.leases.all()]
            case StoreStatus():
                return self._status()
            case MemberList():
                return members(self._replica.raft)
            case MemberAdd() | MemberPromote() | MemberRemove():
                return self.context.later(self._reconfiguring.change(message))
            case MoveLeader(member=member):
                return self.context.later(self._reconfiguring.move_leader(member))
            case SaveSnapshot(path=path):
                return self.context.later(self._save_snapshot(path))
            case Causes(revision=revision):
                return causes(self._replica.machine, revision)
            case Changed(key=key, limit=limit):
                return changed(self._replica.machine, key, limit)
            case Down(ref=ref):
                self._watches.close_subscriber(ref)
            case _Again():
                self._watches.retry()
            case _Progress():
                self._watches.advance(self._machine.revision)
            case _Expire():
                self._expire()
            case _CompactNow():
                self._compact()
        return None

    async def stop(self, exit: Exit) -> None:
        self._watches.end_all(Refusal.STOPPED, f"the store stops at revision {self._machine.revision}")
        await self._replica.close()

    @property
    def _machine(self) -> Machine:
        return self._replica.machine

    def _propose(self, proposal: Proposal) -> Any:
        """Queue it; the reply comes from the commit."""
        if self._member.waiting >= MAX_WAITING:
            raise Refused("busy", f"{MAX_WAITING} proposals wait for the disk: try again")
        if isinstance(proposal, Batch):
            proposal = Batch(interned_changes(proposal.changes), proposal.request_id)
        future: asyncio.Future[Applied | Lost] = asyncio.get_running_loop().create_future()
        self._member.propose(to_command(proposal, self._milliseconds()), into(future))
        self._wake.set()
        return self.context.later(applied(future))

    async def _commit(self) -> None:
        """The group commit: whatever waits while one append is under way goes into the next."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            busy = True
            while busy:
                if self._replica.restoring and self._snapshot is not None:
                    await asyncio.wait([self._snapshot])
                busy = await self._member.perform()
                self._await_expiry()
                await self._keep_house()

    async def _keep_house(self) -> None:
        """What keeps the log short, its next appends fast and the history bounded, in small steps."""
        self._compact_step()
        log = self._replica.log
        if log.untidy or not self._member.waiting:
            await log.tidy()
        if self._replica.snapshot_due and (self._snapshot is None or self._snapshot.done()):
            self._snapshot = self.context.task(self._replica.snapshot(), "snapshot")

    def _read(self, query: Get | Range) -> Any:
        if self._replica.alone or 0 < query.revision <= self._machine.revision:
            return self._read_now(query)
        return self.context.later(self._read_confirmed(query))

    def _read_now(self, query: Get | Range) -> GetReply | RangeReply:
        try:
            return get(self._machine, query) if isinstance(query, Get) else read(self._machine, query)
        except Unreadable as error:
            raise Refused(code_of(error.refusal), str(error), error.limit) from None

    async def _read_confirmed(self, query: Get | Range) -> GetReply | RangeReply:
        await self._confirm()
        return self._read_now(query)

    async def _confirm(self) -> None:
        """Return when everything is applied here that was answered before. Raises ``Refused``."""
        self._catch_up()
        future: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._member.read(into(future))
        self._wake.set()
        if not await future:
            raise Refused("unavailable", "no leader of the store can be reached: try again")

    def _watch(self, watch: Watch) -> Any:
        if self._replica.alone or 0 < watch.revision <= self._machine.revision:
            return self._watch_now(watch)
        return self.context.later(self._watch_confirmed(watch))

    async def _watch_confirmed(self, watch: Watch) -> WatchReply:
        await self._confirm()
        return self._watch_now(watch)

    def _watch_now(self, watch: Watch) -> WatchReply:
        current = self._machine.revision
        after = max(0, watch.revision)
        try:
            if watch.revision:
                check_revision(self._machine, after)
        except Unreadable as error:
            raise Refused(code_of(error.refusal), str(error), error.limit) from None
        missed = self._machine.history.after(after) if watch.revision else []
        self.context.watch(watch.subscriber)
        return WatchReply(self._watches.open(watch, current, missed), current)

    def _keep_alive(self, number: int) -> Any:
        self._catch_up()
        future: asyncio.Future[int | None] = asyncio.get_running_loop().create_future()
        self._member.keep_alive(number, into(future))
        self._wake.set()
        return self.context.later(kept_alive(number, future))

    def _lease_status(self, number: int) -> LeaseStatusReply:
        lease = self._machine.leases.get(number)
        if lease is None:
            raise Refused("lease", f"there is no lease {number}: it expired or was revoked")
        # A member that does not lead does not know when it ends.
        end = self._member.deadlines.end(number)
        left = end - self.context.clock.monotonic() if end else lease.ttl_milliseconds / 1000
        return LeaseStatusReply(number, lease.ttl_milliseconds / 1000, max(0.0, left), sorted(lease.keys))

    async def _save_snapshot(self, path: str) -> SnapshotReply:
        """The moment is now; the encoding and the writing are a thread's."""
        revision, chunks = self._machine.revision, dump(self._machine)
        try:
            return SnapshotReply(revision, await self.context.blocking(write, path, frame(chunks)))
        except OSError as error:
            raise Refused("snapshot", f"cannot write {path}: {error.strerror}") from error

    def _again(self, seconds: float) -> None:
        self.context.signal_after(seconds, _Again())

    def _await_expiry(self) -> None:
        """Be woken when the first lease may end; without leases nothing ticks."""
        first = self._member.deadlines.first() if self._member.leads else None
        if first is not None and (self._expiry is None or first < self._expiry[0]):
            if self._expiry is not None:
                self._expiry[1].cancel()
            wait = max(LEAST_WAIT_SECONDS, first - self.context.clock.monotonic())
            self._expiry = first, self.context.signal_after(wait, _Expire())

    def _expire(self) -> None:
        self._expiry = None
        self._member.expire(self._milliseconds())
        self._wake.set()

    def _compact(self) -> None:
        if self._member.leads:
            self._forgetting.look(self._machine.history, self._milliseconds())
            self._compact_step()

    def _compact_step(self) -> None:
        if self._compacting or not self._member.leads:
            return
        if revision := self._forgetting.step(self._machine.history):
            self._compacting = True
            self._member.propose(CompactTo(self._milliseconds(), revision), self._on_compacted)
            self._wake.set()

    def _on_compacted(self, _: Applied | Lost) -> None:
        self._compacting = False

    # The group

    def _catch_up(self) -> None:
        self._member.catch_up()
        self._wake.set()

    def _send(self, message: Wire) -> None:
        self._notices.send(message)

    def _transmit(self, message: Wire) -> None:
        if self._group is not None:
            self._group.transport.send(message.to, encode_wire(message))

    def _status(self) -> StatusReply:
        log = self._replica.log.statistics()
        return StatusReply(
            revision=self._machine.revision,
            compacted=self._machine.history.compacted,
            keys=len(self._machine.live),
            log_entries=log.entries,
            log_bytes=log.bytes,
            raft_term=self._replica.raft.term,
            raft_index=self._replica.raft.log.last,
            leader=self._leader(),
            member=self._name,
            watches=len(self._watches),
            commits=log.appends,
            changes=self._member.changes,
            used_bytes=self._machine.history.bytes,
            quota_bytes=self._machine.quota_bytes,
            full=self._machine.full,
        )

    def _leader(self) -> str:
        leader = self._replica.raft.leader
        return self._name if self._group is None else self._group.name(leader) if leader else ""

    def _milliseconds(self) -> int:
        return round(self.context.clock.time() * 1000)
