"""The actor: what is asked of it goes to etcd, what is read comes from the mirror once it is up to date.

Guarantees: those of the store's protocol, with these differences. Changes of a large batch take place side by side,
those of one key in their order. The store's own revision cannot be compared with, and the quota is etcd's own flag. A
write whose connection is lost is refused with code "unknown": with a ``request_id`` it may be retried for 30 s.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable
from typing import Any, TypeVar

from actors import Actor, Down, Exit, Refused, Tell
from orchestrator.store.causes import causes, changed
from orchestrator.store.etcd.batches import Batches
from orchestrator.store.etcd.client import (
    COMPACTED,
    LEASE_EXISTS,
    NO_LEASE,
    EtcdClient,
    EtcdCompacted,
    EtcdRefused,
    EtcdUnavailable,
    EtcdUnknown,
    backoff,
)
from orchestrator.store.etcd.mirror import Mirror
from orchestrator.store.etcd.stored import DEFAULT_PREFIX, FIRST_REVISION, b64, end_of, revision_of, value_of
from orchestrator.store.etcd.transactions import Transactions
from orchestrator.store.history import Record
from orchestrator.store.machine import code_of
from orchestrator.store.proposals import to_command
from orchestrator.store.protocol import (
    Batch,
    Causes,
    Changed,
    Compact,
    CompactReply,
    Get,
    GetReply,
    LeaseGrant,
    LeaseKeepAlive,
    LeaseList,
    LeaseReply,
    LeaseRevoke,
    LeaseStatus,
    LeaseStatusReply,
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
    Value,
    Watch,
    WatchCredit,
    WatchReply,
)
from orchestrator.store.reading import Unreadable, check_revision, get, read
from orchestrator.store.retention import COMPACT_MAX_SECONDS, DEFAULT_RETENTION, Retention
from orchestrator.store.snapshot import dump
from orchestrator.store.snapshot_file import frame, write
from orchestrator.store.store import PROGRESS_SECONDS
from orchestrator.store.watch import Watches, by_mail

START_SECONDS = 10.0
"""How long the first word of etcd is waited for before the start is given up."""
PAGE = 1_000
"""Keys in one range while the mirror is filled."""
REQUEST_LEASE_SECONDS = 60
"""How long what a retried request is known by lives; a new lease is taken at half of it."""
HELD_EVENTS = 1_024
"""Events that are kept back until the batch that made them is answered."""

T = TypeVar("T")


class _Again(Tell):
    """Time to tell watchers what their mailboxes did not take."""


class _Progress(Tell):
    """Time for a round of progress frames."""


class _CompactNow(Tell):
    """Time to cut the history."""


class _RenewLease(Tell):
    """Time for a new lease of remembered requests."""


class EtcdStore(Actor):
    """See the module. ``endpoints``: ``host:port`` or URLs of one cluster's gateways."""

    def __init__(
        self, endpoints: list[str], prefix: str = DEFAULT_PREFIX, retention: Retention = DEFAULT_RETENTION
    ) -> None:
        self._client = EtcdClient(endpoints)
        self._prefix = prefix
        self._retention = retention
        self._mirror = Mirror(prefix)
        self._watches = Watches(by_mail, self._again)
        self._barriers: list[asyncio.Future[int]] = []
        self._barrier_due = asyncio.Event()
        self._started = False
        # Whether the mirror may have been seen: from then on it may not skip a revision.
        self._under_way = 0
        self._held: list[Record] = []
        self._changes = 0

    async def start(self) -> None:
        await self._client.open()
        filled: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.context.task(self._follow(filled), "follow")
        self.context.task(self._ask_barriers(), "barriers")
        try:
            await asyncio.wait_for(filled, START_SECONDS)
        except TimeoutError:
            raise EtcdUnavailable(f"no etcd answers at {self._client.endpoints}: is it up?") from None
        await self._renew_lease()
        self._batches = Batches(self._client, self._mirror, self._prefix, lambda: self._request_lease)
        self._transactions = Transactions(self._client, self._mirror, self._prefix, lambda: self._request_lease)
        await self._barrier()
        self._started = True
        self.context.send_every(PROGRESS_SECONDS, _Progress())
        self.context.send_every(COMPACT_MAX_SECONDS, _CompactNow())
        self.context.send_every(REQUEST_LEASE_SECONDS / 2, _RenewLease())

    async def receive(self, message: Any) -> Any:
        match message:
            case Batch():
                to_command(message, 0)
                return self._later(self._written(self._batches.batch(message)))
            case Txn():
                to_command(message, 0)
                return self._later(self._written(self._transactions.txn(message)))
            case Get() | Range():
                return self._later(self._read(message))
            case Watch():
                return self._later(self._watch(message))
            case WatchCredit(watch=number, frames=frames):
                self._watches.credit(number, frames, self._mirror.machine.revision)
            case Unwatch(watch=number):
                self._watches.close(number)
            case Causes(revision=revision):
                return causes(self._mirror.machine, revision)
            case Changed(key=key, limit=limit):
                return changed(self._mirror.machine, key, limit)
            case Compact(revision=revision):
                return self._later(self._compact_to(revision))
            case LeaseGrant():
                to_command(message, 0)
                return self._later(self._grant(message))
            case LeaseKeepAlive(lease=lease):
                return self._later(self._keep_alive(lease))
            case LeaseRevoke(lease=lease):
                return self._later(self._revoke(lease))
            case LeaseStatus(lease=lease):
                return self._later(self._lease_status(lease))
            case LeaseList():
                return self._later(self._leases())
            case SetQuota():
                raise Refused("invalid", "the quota of an etcd is its own flag, --quota-backend-bytes")
            case SaveSnapshot(path=path):
                return self._later(self._save_snapshot(path))
            case StoreStatus():
                return self._later(self._status())
            case Down(ref=ref):
                self._watches.close_subscriber(ref)
            case _Again():
                self._watches.retry()
            case _Progress():
                self._watches.advance(self._mirror.machine.revision)
            case _CompactNow():
                self.context.task(self._compact(), "compact")
            case _RenewLease():
                self.context.task(self._renew_lease(), "lease")
        return None

    async def stop(self, exit: Exit) -> None:
        self._watches.end_all(Refusal.STOPPED, f"the store stops at revision {self._mirror.machine.revision}")
        await self._client.close()

    def _later(self, work: Awaitable[Any]) -> Any:
        return self.context.later(_refusing(work))

    def _again(self, seconds: float) -> None:
        self.context.signal_after(seconds, _Again())

    # The mirror

    async def _follow(self, filled: asyncio.Future[None]) -> None:
        """Watch from what the mirror has on. Crashes when etcd forgot it meanwhile: the next life begins anew."""
        attempt = 0
        start = FIRST_REVISION
        while True:
            try:
                async for answer in self._client.watch(start):
                    if not filled.done():
                        filled.set_result(None)
                    attempt = 0
                    self._take(answer)
                    start = self._mirror.machine.revision + FIRST_REVISION + 1
            except EtcdCompacted as compacted:
                if self._started:
                    raise
                await self._fill(compacted.revision)
                start = compacted.revision + 1
            except EtcdUnavailable as error:
                self.context.log.warning("etcd is not there", error=str(error))
                await backoff(attempt)
                attempt += 1

    async def _fill(self, revision: int) -> None:
        """The mirror as etcd was at its oldest revision, which may move on before the last page."""
        values: list[Value] = []
        key = self._prefix
        while True:
            body = {"key": b64(key), "range_end": b64(end_of(self._prefix)), "revision": str(revision), "limit": PAGE}
            try:
                answer = await self._client.call("kv/range", body, safe=True)
            except EtcdRefused as error:
                if error.message == COMPACTED:
                    return  # the watch says at which revision to begin instead
                raise
            values += [value_of(kv, self._prefix) for kv in answer.get("kvs", [])]
            if not answer.get("more"):
                break
            key = self._prefix + values[-1].key + "\x00"
        self._mirror.begin(revision - FIRST_REVISION, values)

    def _take(self, answer: dict[str, Any]) -> None:
        records = self._mirror.apply(answer, self._milliseconds())
        self._changes += len(records)
        self._held += records
        if not self._under_way or len(self._held) > HELD_EVENTS:
            self._publish()

    def _publish(self) -> None:
        held, self._held = self._held, []
        if held:
            self._watches.publish(held, self._mirror.machine.revision)

    async def _barrier(self) -> None:
        """Return when the mirror has everything that was answered before now."""
        future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._barriers.append(future)
        self._barrier_due.set()
        await self._mirror.reached(await future)

    async def _ask_barriers(self) -> None:
        """All who wait when a question goes out share its answer; who comes later waits for the next."""
        while True:
            await self._barrier_due.wait()
            self._barrier_due.clear()
            asking, self._barriers = self._barriers, []
            try:
                answer = await self._client.call("kv/range", {"key": b64(self._prefix), "count_only": True}, safe=True)
            except (EtcdRefused, EtcdUnavailable, EtcdUnknown) as error:
                for future in asking:
                    if not future.done():
                        future.set_exception(EtcdUnavailable(str(error)))
                continue
            for future in asking:
                if not future.done():
                    future.set_result(revision_of(answer["header"]["revision"]))

    # Keys

    async def _written(self, work: Awaitable[T]) -> T:
        """The reply, once every watcher was sent what was done."""
        self._under_way += 1
        try:
            reply = await work
            await self._mirror.reached(getattr(reply, "revision", 0))
            return reply
        finally:
            self._under_way -= 1
            self._publish()

    async def _read(self, query: Get | Range) -> GetReply | RangeReply:
        if not 0 < query.revision <= self._mirror.machine.revision:
            await self._barrier()
        machine = self._mirror.machine
        return get(machine, query) if isinstance(query, Get) else read(machine, query)

    async def _watch(self, watch: Watch) -> WatchReply:
        if not 0 < watch.revision <= self._mirror.machine.revision:
            await self._barrier()
        machine, after = self._mirror.machine, max(0, watch.revision)
        if watch.revision:
            check_revision(machine, after)
        missed = machine.history.after(after) if watch.revision else []
        self._publish()
        self.context.watch(watch.subscriber)
        return WatchReply(self._watches.open(watch, machine.revision, missed), machine.revision)

    async def _compact_to(self, revision: int) -> CompactReply:
        await self._barrier()
        check_revision(self._mirror.machine, revision)
        try:
            await self._client.call("kv/compaction", {"revision": str(revision + FIRST_REVISION)})
        except EtcdRefused as error:
            if error.message != COMPACTED:  # another control plane was faster
                raise
        self._mirror.machine.history.compact(revision)
        return CompactReply(self._mirror.machine.history.compacted)

    async def _compact(self) -> None:
        history = self._mirror.machine.history
        by_age = history.revision_before(self._milliseconds() - round(self._retention.seconds * 1000))
        revision = max(by_age, history.revision_back(self._retention.records))
        if revision <= history.compacted:
            return
        try:
            await self._compact_to(revision)
        except (EtcdRefused, EtcdUnavailable, EtcdUnknown, Unreadable) as error:
            self.context.log.warning("compaction", error=str(error))

    # Leases

    async def _grant(self, grant: LeaseGrant) -> LeaseReply:
        body = {"TTL": str(max(1, math.ceil(grant.ttl_seconds))), "ID": str(grant.lease)}
        answer = await self._client.call("lease/grant", body)
        return LeaseReply(int(answer["ID"]), float(answer["TTL"]))

    async def _keep_alive(self, lease: int) -> LeaseReply:
        answer = (await self._client.call("lease/keepalive", {"ID": str(lease)}, safe=True))["result"]
        ttl = float(answer.get("TTL", 0))
        if ttl <= 0:
            raise EtcdRefused(NO_LEASE)
        return LeaseReply(lease, ttl)

    async def _revoke(self, lease: int) -> None:
        answer = await self._client.call("lease/revoke", {"ID": str(lease)})
        await self._mirror.reached(revision_of(answer["header"]["revision"]))

    async def _lease_status(self, lease: int) -> LeaseStatusReply:
        answer = await self._client.call("lease/timetolive", {"ID": str(lease), "keys": True}, safe=True)
        left = float(answer.get("TTL", 0))
        if left < 0:
            raise EtcdRefused(NO_LEASE)
        await self._barrier()
        keys = sorted(key for key, value in self._mirror.machine.live.items() if value.lease == lease)
        return LeaseStatusReply(lease, float(answer.get("grantedTTL", 0)), left, keys)

    async def _leases(self) -> list[int]:
        answer = await self._client.call("lease/leases", {}, safe=True)
        return [int(lease["ID"]) for lease in answer.get("leases", []) if int(lease["ID"]) != self._request_lease]

    async def _renew_lease(self) -> None:
        try:
            answer = await self._client.call("lease/grant", {"TTL": str(REQUEST_LEASE_SECONDS)})
        except (EtcdUnavailable, EtcdUnknown) as error:
            self.context.log.warning("a lease for retried requests", error=str(error))
            return
        self._request_lease = int(answer["ID"])

    # The rest

    async def _save_snapshot(self, path: str) -> SnapshotReply:
        await self._barrier()
        revision, chunks = self._mirror.machine.revision, dump(self._mirror.machine)
        try:
            return SnapshotReply(revision, await self.context.blocking(write, path, frame(chunks)))
        except OSError as error:
            raise Refused("snapshot", f"cannot write {path}: {error.strerror}") from error

    async def _status(self) -> StatusReply:
        await self._barrier()
        answer = await self._client.call("maintenance/status", {}, safe=True)
        machine = self._mirror.machine
        return StatusReply(
            revision=machine.revision,
            compacted=machine.history.compacted,
            keys=len(machine.live),
            log_entries=0,
            log_bytes=int(answer.get("dbSize", 0)),
            raft_term=int(answer.get("raftTerm", 0)),
            raft_index=int(answer.get("raftIndex", 0)),
            leader=str(answer.get("leader", "")),
            member=str(answer["header"].get("member_id", "")),
            watches=len(self._watches),
            commits=self._changes,
            changes=self._changes,
            used_bytes=int(answer.get("dbSizeInUse", 0)),
            full=any("NOSPACE" in text for text in answer.get("errors", [])),
        )

    def _milliseconds(self) -> int:
        return round(self.context.clock.time() * 1000)


async def _refusing(work: Awaitable[T]) -> T:
    """What etcd or the way to it refused, in the words of the store's protocol."""
    try:
        return await work
    except Unreadable as error:
        raise Refused(code_of(error.refusal), str(error), error.limit) from None
    except EtcdRefused as error:
        codes = {COMPACTED: "compacted", NO_LEASE: "lease", LEASE_EXISTS: "lease exists"}
        raise Refused(codes.get(error.message, "invalid"), error.message) from None
    except EtcdUnavailable as error:
        raise Refused("unavailable", str(error)) from None
    except EtcdUnknown as error:
        raise Refused("unknown", str(error)) from None
