"""The node agent: one actor per node that makes the node's pods what their objects say.

It owns the node's pods as ``Record``s, all of which it can rebuild from the API server and the runtime; killed at any
moment it lists again, adopts what runs and removes what nobody wants. Every pod is driven by ``Driver``: in line on a
runtime that never waits, else by a task that lives only while there is something to do. Statuses leave in batches.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import structlog

from actors import Actor, Clock, Down
from orchestrator.apimachinery.errors import StatusError
from orchestrator.apimachinery.interned import interned_at
from orchestrator.client import requests
from orchestrator.client.client import Client
from orchestrator.client.errors import TransportError
from orchestrator.client.kinds import PODS
from orchestrator.client.node import OpenAttach, OpenExec, OpenLog, OpenPort
from orchestrator.client.recorder import Recorder
from orchestrator.client.transport import Subscription
from orchestrator.kubelet.admission import refuse
from orchestrator.kubelet.driver import Driver
from orchestrator.kubelet.executor import Executor
from orchestrator.kubelet.heartbeats import Heartbeats
from orchestrator.kubelet.hook import Hooks
from orchestrator.kubelet.materials import Materials
from orchestrator.kubelet.messages import (
    Describe,
    Heartbeat,
    KubeletStatus,
    Listen,
    Look,
    NodeStats,
    Open,
    PodStats,
    Refresh,
    Register,
    Wake,
)
from orchestrator.kubelet.node import STATUS_HEARTBEATS, NodeConfig
from orchestrator.kubelet.node_keeper import NodeKeeper
from orchestrator.kubelet.opening import open_session
from orchestrator.kubelet.phase import is_terminal
from orchestrator.kubelet.pod import decode_uid
from orchestrator.kubelet.prober import Prober
from orchestrator.kubelet.probes import Probes
from orchestrator.kubelet.record import Record
from orchestrator.kubelet.registrations import Registrations
from orchestrator.kubelet.reporter import Reporter
from orchestrator.kubelet.runtime.errors import RuntimeFailure
from orchestrator.kubelet.runtime.runtime import Runtime
from orchestrator.kubelet.status import Host
from orchestrator.kubelet.status_writer import StatusWriter
from orchestrator.kubelet.usage import node_usage, pod_usages
from orchestrator.kubelet.wakes import Wakes
from orchestrator.store.protocol import Changes, Event, Refusal, WatchEnded

CREDIT_FRAMES = 16
"""Frames taken before the server is told that more may come (it grants 64)."""
BACKOFF_FIRST_SECONDS = 0.05
BACKOFF_MAX_SECONDS = 10.0
"""Between attempts to list, watch or register; half of each delay is random."""
REFRESH_SECONDS = 10.0
"""Between two looks at what the files of volumes are made of."""
SILENCE_SECONDS = 90.0
"""A watch that shows no progress for so long is opened anew."""

log = structlog.get_logger("kubelet")


class PodWorkers(NamedTuple):
    """What drives the pods of a node."""

    driver: Driver
    writer: StatusWriter
    wakes: Wakes


class Kubelet(Actor):
    """``runtime`` and ``prober`` belong to this node alone and outlive the actor. ``registrations`` and
    ``heartbeats`` are those of all kubelets of the process. ``clock`` None is the system's."""

    def __init__(
        self,
        client: Client,
        config: NodeConfig,
        runtime: Runtime,
        prober: Prober,
        materials: Materials,
        recorder: Recorder,
        registrations: Registrations,
        heartbeats: Heartbeats,
        clock: Clock | None = None,
    ) -> None:
        self._clock = clock
        self._registrations = registrations
        self._heartbeats = heartbeats
        self._client = client
        self._config = config
        self._runtime = runtime
        self._prober = prober
        self._materials = materials
        self._recorder = recorder
        self._records: dict[str, Record] = {}
        self._watch: Subscription | None = None
        self._attempt = 0
        self._tag = ""
        # Of the watch that is open now: frames of an instance before this one may still be in the mailbox.
        self._failures = 0
        self._beats = 0
        self._revision = 0
        self._listed = False
        self._frames = 0
        self._heard = 0.0
        self._refreshing = False
        self._node: NodeKeeper
        self._workers: PodWorkers | None = None
        # Made with the first pod: most nodes of a large fleet that only waits have none.

    async def start(self) -> None:
        self._tag = f"{self.context.random.getrandbits(32):08x}/0"
        self._node = NodeKeeper(self._client, self._config, self._runtime, self._clock or self.context.clock)
        await self._runtime.start(self._look)
        if self._materials.needs_object:
            self.context.send_every(REFRESH_SECONDS, Refresh())
        if self._config.register:
            self._registrations.ask(self.context.ref)
        else:
            self.context.ref.tell_nowait(Open(0))

    def _pod_workers(self) -> PodWorkers:
        if self._workers is None:
            self._workers = self._assemble()
        return self._workers

    def _assemble(self) -> PodWorkers:
        context = self.context
        clock = self._clock or context.clock
        host = Host(self._config.address, self._runtime.name)
        reporter = Reporter(self._recorder, normal=self._config.normal_events)
        spawn, poke = context.task, self._look
        writer = StatusWriter(self._client, host, clock, spawn=spawn, forget=self._forget)
        probes = Probes(self._prober, reporter, clock, spawn=spawn, poke=poke)
        hooks = Hooks(self._runtime, self._prober, clock)
        executor = Executor(self._runtime, self._materials, hooks, reporter, clock, host, spawn=spawn, poke=poke)
        driver = Driver(self._runtime, executor, probes, writer, clock)
        return PodWorkers(driver, writer, Wakes(clock, self._ring))

    async def receive(self, message: Any) -> Any:
        match message:
            case Changes():
                await self._changes(message)
            case Look(uid=uid):
                await self._drive_all([self._records[uid]] if uid in self._records else [])
            case Wake():
                await self._look_again(self._pod_workers().wakes.due(self._records))
            case Refresh():
                self._refresh_soon()
            case Heartbeat():
                await self._beat()
            case Listen():
                if self._is_silent():
                    await self._hear_anew("no progress")
            case Register():
                await self._register()
            case Open(attempt=attempt):
                if attempt == self._attempt:
                    await self._open()
            case WatchEnded():
                self._ended(message)
            case Down():
                await self._server_down(message)
            case PodStats(uid=uid):
                return await pod_usages(self._runtime, uid)
            case NodeStats():
                return await node_usage(self._runtime, self._config.name, self._now())
            case OpenLog() | OpenExec() | OpenAttach() | OpenPort():
                opening = open_session(message, self._records, self._runtime, self.context, self._config.address)
                return self.context.later(opening, "open session")
            case Describe():
                return self._describe()
        return None

    def _refresh_soon(self) -> None:
        if not self._refreshing:
            self._refreshing = True
            self.context.task(self._refresh(), "volume refresh")

    async def _refresh(self) -> None:
        """Files follow their ConfigMaps and Secrets, tokens are renewed before they end."""
        try:
            for record in list(self._records.values()):
                observed = record.observed
                if not observed.volumes_ready or observed.terminating_since is not None or record.finished:
                    continue
                pod = record.pod()
                if is_terminal(pod):
                    continue
                try:
                    await self._materials.prepare(pod, record.object())
                except RuntimeFailure as failure:
                    log.warning("volumes were not refreshed", pod=record.title, reason=failure.message)
        finally:
            self._refreshing = False

    async def stop(self, exit: Any) -> None:
        if self._workers is not None:
            self._workers.wakes.stop()
        self._registrations.done(self.context.ref)
        self._heartbeats.leave(self.context.ref)
        if self._watch is not None:
            await self._watch.close()
        await self._runtime.close()

    def _now(self) -> float:
        return (self._clock or self.context.clock).time()

    def _look(self, uid: str) -> None:
        self.context.ref.tell_nowait(Look(uid))

    def _ring(self) -> None:
        self.context.ref.tell_nowait(Wake())

    # the node's own objects

    async def _register(self) -> None:
        try:
            await self._come()
        finally:
            self._registrations.done(self.context.ref)

    async def _come(self) -> None:
        try:
            await self._node.register()
        except (StatusError, TransportError) as failure:
            log.warning("the node could not register", node=self._config.name, reason=str(failure))
            self.context.send_after(self._delay(), Register())
            return
        self._failures = 0
        await self._node.heartbeat()
        self._heartbeats.join(self.context.ref, self.context.random.randrange(self._config.heartbeat_slots))
        if not self._listed:
            await self._open()

    async def _report(self) -> None:
        if not self._node.uid:
            try:
                await self._node.register()
            except (StatusError, TransportError) as failure:
                log.warning("the node could not register", node=self._config.name, reason=str(failure))
            return
        await self._node.report()

    async def _beat(self) -> None:
        if await self._node.heartbeat():
            # What the watch had to say meanwhile was lost on the way, and it may never say anything again.
            await self._hear_anew("the API server is reached again")
        elif self._is_silent():
            # Behind the frames that came while the API server was asked: on a busy machine that takes long.
            self.context.ref.tell_nowait(Listen())
        self._beats += 1
        if self._beats % STATUS_HEARTBEATS == 0:
            await self._report()

    def _is_silent(self) -> bool:
        return self._watch is not None and self.context.clock.monotonic() - self._heard > SILENCE_SECONDS

    async def _hear_anew(self, reason: str) -> None:
        if self._watch is not None:
            await self._watch.close()
            self._watch = None
            self._again(reason)

    # the node's pods

    async def _open(self) -> None:
        self._attempt += 1
        self._tag = f"{self._tag.partition('/')[0]}/{self._attempt}"
        server = self._client.transport.server
        if server is not None:
            self.context.watch(server)
        fields = f"spec.nodeName={self._config.name}"
        try:
            if not self._listed:
                await self._list(fields)
            request = requests.watch(PODS, revision=self._revision, fields=fields)
            self._watch = await self._client.transport.watch(request, self.context.ref, self._tag)
        except TransportError as failure:
            self._again(str(failure))
        except StatusError as failure:
            self._listed = self._listed and failure.code != 410
            self._again(str(failure))
        else:
            self._failures, self._frames = 0, 0
            self._heard = self.context.clock.monotonic()

    async def _list(self, fields: str) -> None:
        listing = await self._client.list(PODS, fields=fields)
        self._listed, self._revision = True, listing.revision
        touched: list[Record] = []
        metadata = [(item.decode_metadata(), item) for item in listing.items]
        here = {meta["uid"] for meta, _ in metadata}
        # Who came first has the first claim on what only one can have, such as a host port.
        for _, item in sorted(metadata, key=lambda pair: str(pair[0].get("creationTimestamp"))):
            record = self._put(item.metadata, item.status, item.rest, item.revision)
            if record is not None:
                touched.append(record)
        for record in list(self._records.values()):
            if record.uid not in here:
                record.observed.gone = True
                touched.append(record)
        await self._remove_orphans(here)
        await self._drive_all(touched)

    async def _remove_orphans(self, here: set[str]) -> None:
        """What the runtime holds of pods that the API server does not know."""
        for held in await self._runtime.pods():
            if held.uid not in here and held.uid not in self._records:
                log.info("orphan removed", pod=f"{held.namespace}/{held.name}", uid=held.uid)
                await self._runtime.remove_pod(held.uid)
                await self._materials.forget(held.uid)

    async def _changes(self, message: Changes) -> None:
        if message.tag != self._tag:
            return
        self._heard = self.context.clock.monotonic()
        touched: dict[str, Record] = {}
        for event in message.events:
            record = self._take(event)
            if record is not None:
                touched[record.uid] = record
        self._revision = max(self._revision, message.revision)
        if touched:
            await self._drive_all(list(touched.values()))
        self._frames += 1
        if self._frames >= CREDIT_FRAMES and self._watch is not None:
            await self._watch.credit(self._frames)
            self._frames = 0

    def _take(self, event: Event) -> Record | None:
        if not event.deleted:
            metadata, status, rest = event.value.parts
            return self._put(metadata, status, rest, event.value.mod_revision)
        key = event.value.key.rsplit("/", 2)
        record = next((one for one in self._records.values() if [one.namespace, one.name] == key[1:]), None)
        if record is not None:
            record.observed.gone = True
        return record

    def _put(self, metadata: bytes, status: bytes, rest: bytes, revision: int) -> Record | None:
        """The record of this object when it may need work."""
        uid = decode_uid(metadata)
        record = self._records.get(uid)
        if record is not None:
            held = (record.metadata, record.status, record.rest)
            metadata, status, rest = interned_at(revision, (metadata, status, rest), held)
            return record if record.take(metadata, status, rest, revision) else None
        metadata, status, rest = interned_at(revision, (metadata, status, rest))
        record = Record(metadata, status, rest, revision, self._now())
        record.observed.verdict = refuse(record, self._records)
        self._records[uid] = record
        return record

    async def _look_again(self, due: list[Record]) -> None:
        """Pods that are probed and are well need no plan."""
        driven = []
        workers = self._pod_workers()
        for record in due:
            if await workers.driver.probe(record):
                workers.wakes.note(record)
            else:
                driven.append(record)
        if driven:
            await self._drive_all(driven)

    async def _drive_all(self, records: list[Record]) -> None:
        if not records:
            return
        workers = self._pod_workers()
        for record in records:
            if not self._runtime.waits:
                await workers.driver.drive(record)
                workers.wakes.note(record)
            elif record.working:
                record.again = True
            else:
                record.working = True
                self.context.task(self._drive(record, workers), f"pod {record.title}")
        workers.writer.flush_soon()

    async def _drive(self, record: Record, workers: PodWorkers) -> None:
        try:
            await workers.driver.drive(record)
            while record.again and not record.finished:
                await workers.driver.drive(record)
        finally:
            record.working = False
        workers.wakes.note(record)
        workers.writer.flush_soon()

    def _forget(self, record: Record) -> None:
        if self._records.get(record.uid) is record:
            del self._records[record.uid]

    def _ended(self, message: WatchEnded) -> None:
        if message.tag != self._tag:
            return
        self._watch = None
        self._listed = self._listed and message.reason not in (Refusal.COMPACTED, Refusal.FUTURE)
        self._again(message.message)

    async def _server_down(self, down: Down) -> None:
        """The server ended, perhaps before it could end the watch: resume from what was seen last."""
        if self._watch is None:
            return
        await self._watch.close()
        self._watch = None
        self._again(str(down))

    def _again(self, reason: str) -> None:
        log.info("kubelet opens its watch again", node=self._config.name, reason=reason)
        self.context.send_after(self._delay(), Open(self._attempt))

    def _delay(self) -> float:
        delay = min(BACKOFF_FIRST_SECONDS * 2.0 ** min(self._failures, 20), BACKOFF_MAX_SECONDS)
        self._failures += 1
        share: float = self.context.random.random()
        return delay * (0.5 + share / 2)

    def _describe(self) -> KubeletStatus:
        driving = sum(record.working for record in self._records.values())
        return KubeletStatus(self._config.name, len(self._records), driving, bool(self._node.uid))
