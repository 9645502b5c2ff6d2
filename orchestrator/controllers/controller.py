"""The actor under every controller: keys in, one reconcile at a time for each, writes out, never on a stale cache.

A controller is level-triggered: it hears which keys want work, never what happened. After its writes a key waits until
the caches have seen their revisions, so no plan is made from a world in which they are missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar

import msgspec

from actors import Actor
from actors.trace import Trace
from orchestrator.apimachinery.errors import StatusError
from orchestrator.client.batcher import Gatherer
from orchestrator.client.cache import Cache, Index
from orchestrator.client.client import Client, status_of
from orchestrator.client.errors import TransportError
from orchestrator.client.informers import Informers
from orchestrator.client.kinds import Kind, kind_for, kind_of
from orchestrator.client.messages import Enqueue
from orchestrator.client.protocol import Options, Request, Response
from orchestrator.client.recorder import NORMAL, WARNING, Recorder, involved
from orchestrator.client.requests import list_, patch
from orchestrator.client.subscription import Keys, OwnerKeys, no_keys
from orchestrator.client.view import View
from orchestrator.client.workqueue import Item, QueueStatistics, WorkQueue
from orchestrator.controllers import actions, conditions
from orchestrator.controllers.outcome import DONE, Outcome, requeue_after, retry

MAX_PACED = 4096
"""Keys remembered with the time of their last reconcile before those out of date are dropped."""
LEAST_SECONDS = 1.0
"""A plan that asks for a moment that has come is made again after this: it may not spin."""
STALE_SECONDS = 0.25
"""A key whose writes the caches have not seen is looked at again after this; their events wake it sooner."""


class Watched(msgspec.Struct, frozen=True):
    """A kind that wakes the controller: ``keys`` (pure) says whose work a change is."""

    kind: Kind
    keys: Keys
    indexes: Mapping[str, Index] = {}


class ControllerStatistics(msgspec.Struct, frozen=True):
    reconciled: int
    failed: int
    crashed: int
    last_error: str
    queue: QueueStatistics


def own_keys(old: View | None, new: View | None) -> Iterable[str]:
    """The object itself."""
    view = new or old
    return (view.key,) if view is not None else ()


def owner_keys(kind: Kind) -> Keys:
    """The controller of the object, before and after, where it is of ``kind``."""

    def keys(old: View | None, new: View | None) -> Iterable[str]:
        found = [owner_key(view, kind) for view in (new, old) if view is not None]
        return dict.fromkeys(key for key in found if key)

    return OwnerKeys(kind.kind, lambda view: owner_key(view, kind), keys)


def owner_key(view: View, kind: Kind) -> str:
    owner = view.owner
    if owner is None or (owner.kind != kind.kind if kind.kind else not _in_group(owner.apiVersion, kind)):
        return ""
    namespace = view.meta.namespace
    return f"{namespace}/{owner.name}" if kind.namespaced and namespace else owner.name


def _in_group(api_version: str, kind: Kind) -> bool:
    return api_version.rpartition("/")[0] == kind.group


class Controller(Actor):
    """Subclass with ``kind`` and either ``plan`` (values in, actions out) or ``reconcile`` (everything else).

    ``class Certificates(Controller, kind="certificates.example.com/v1")`` with ``owns = ["secrets"]`` is complete
    with a ``plan``.
    """

    kind: ClassVar[Kind]
    owns: ClassVar[Sequence[Kind | str]] = ()
    workers: ClassVar[int] = 8
    """Keys in work at once."""
    pace_seconds: ClassVar[float] = 0.0
    """The least time between two reconciles of one key: what comes meanwhile is one more reconcile, not many."""
    finalizer: ClassVar[str] = ""
    """With one, an object is held until ``cleanup`` has nothing more to do for it."""
    manager: ClassVar[str] = "podium-controller"
    """The field manager of what ``Apply`` writes."""

    def __init_subclass__(cls, kind: Kind | str | None = None, **options: Any) -> None:
        super().__init_subclass__(**options)
        if kind is not None:
            cls.kind = kind_of(kind) if isinstance(kind, str) else kind

    def __init__(self, client: Client, informers: Informers, recorder: Recorder | None = None) -> None:
        self.client = client
        self.informers = informers
        self.recorder = recorder or Recorder(None)
        self.caches: dict[str, Cache] = {}
        self._gatherer = Gatherer(client)
        self._barriers: dict[str, dict[str, int]] = {}
        self._unsure: set[str] = set()
        self._ran: dict[str, float] = {}
        """When each key was last reconciled, where there is a pace."""
        self._running = 0
        self._synced = False
        self._catching_up = False
        """A restarted instance: its caches may not have seen what the one before wrote."""
        self._reconciled = 0
        self._failed = 0
        self._crashed = 0
        self._last_error = ""

    # -- what a subclass says -------------------------------------------------------------------------------------

    def watches(self) -> list[Watched]:
        """What wakes it: the kind itself and what it owns."""
        owned = [kind_of(kind) if isinstance(kind, str) else kind for kind in self.owns]
        return [Watched(self.kind, own_keys), *(Watched(kind, owner_keys(self.kind)) for kind in owned)]

    def reads(self) -> Mapping[Kind, Mapping[str, Index]]:
        """Kinds whose caches it looks into without being woken by them, and their indexes."""
        return {}

    async def reconcile(self, key: str) -> Outcome:
        """Bring the world to what the object of ``key`` wants. The default asks ``plan`` and performs its actions."""
        view = self.cache(self.kind).get_key(key)
        if view is None or (view.deleting and self.finalizer not in view.meta.finalizers):
            return DONE
        if not view.deleting and self.finalizer and self.finalizer not in view.meta.finalizers:
            return await self._hold(key, view, [*view.meta.finalizers, self.finalizer])
        observed = actions.Observed(
            view.uid, {held.kind.resource: held for held in self.caches.values() if held.kind != self.kind}
        )
        now = self.now()
        think = self.cleanup if view.deleting else self.plan
        planned = think(view, observed, datetime.fromtimestamp(now, UTC))
        made = () if planned is None else planned if isinstance(planned, tuple) else (planned,)
        outcome = await self._perform(key, view, made, now)
        if view.deleting and outcome == DONE:
            return await self._hold(key, view, [name for name in view.meta.finalizers if name != self.finalizer])
        return outcome

    async def _hold(self, key: str, view: View, finalizers: list[str]) -> Outcome:
        """The finalizers that ``view`` is to have."""
        change = {"metadata": {"resourceVersion": str(view.revision), "finalizers": finalizers or None}}
        refused = refusals(await self.write(key, self.kind, [patch(self.kind, view.name, view.namespace, change)]))
        return retry(refused[0][2]) if refused and refused[0][1] != "NotFound" else DONE

    def plan(self, obj: View, observed: Any, now: datetime) -> actions.Action | tuple[actions.Action, ...] | None:
        """Pure: what to do so that the world is as ``obj`` wants it."""
        raise NotImplementedError(f"{type(self).__name__} defines neither plan nor reconcile")

    def cleanup(self, obj: View, observed: Any, now: datetime) -> actions.Action | tuple[actions.Action, ...] | None:
        """Pure: what to do before ``obj`` may go. It goes when this asks for no other look at it."""
        return None

    # -- what a subclass uses -------------------------------------------------------------------------------------

    def cache(self, kind: Kind) -> Cache:
        return self.caches[kind.label]

    def now(self) -> float:
        """Unix seconds of the cluster's clock."""
        return self.context.clock.time()

    async def write(self, key: str, kind: Kind, writes: list[Request]) -> list[Response]:
        """Do these writes of one kind as one batch; ``key`` rests until the cache of the kind has seen them."""
        alone = self._running <= 1
        try:
            responses = await (self.client.batch(writes) if alone else self._gatherer.submit(writes, self.context.task))
        except TransportError:
            self._unsure.add(key)
            raise
        self.expect(key, kind, max((_revision(response) for response in responses), default=0))
        return responses

    def expect(self, key: str, kind: Kind, revision: int) -> None:
        """``key`` wrote ``kind`` at ``revision``: do not reconcile it before the cache is there."""
        if kind.label in self.caches and revision > self.caches[kind.label].revision:
            held = self._barriers.setdefault(key, {})
            held[kind.label] = max(revision, held.get(kind.label, 0))

    def event(self, kind: Kind, view: View, reason: str, message: str, *, warning: bool = False) -> None:
        self.recorder.event(involved(kind, view), WARNING if warning else NORMAL, reason, message)

    def statistics(self) -> ControllerStatistics:
        return ControllerStatistics(
            self._reconciled, self._failed, self._crashed, self._last_error, self.queue.statistics()
        )

    # -- the actor ------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        self.queue = WorkQueue(self.context.clock, self._wake)
        if self.informers.knows(self.context.ref):
            self._catching_up = True
            self.context.task(self._catch_up(), "catch up")
        reads, watches, me = self.reads(), self.watches(), self.context.ref
        for kind, indexes in [*reads.items(), *((watched.kind, watched.indexes) for watched in watches)]:
            self.caches[kind.label] = await self.informers.cache(kind, indexes)
        # The functions of keys look into the caches: all are there before the first is asked.
        for kind in reads:
            await self.informers.subscribe(kind, me, no_keys, tag="reads")
        for number, watched in enumerate(watches):
            await self.informers.subscribe(watched.kind, me, watched.keys, tag=str(number))

    async def receive(self, message: Any) -> Any:
        if isinstance(message, Enqueue):
            for key, causes in zip(message.keys, message.causes, strict=True):
                self.queue.add(key, causes)
            if not self._synced:
                self._begin()
        return None

    async def stop(self, exit: Any) -> None:
        self.queue.close()

    def _wake(self) -> None:
        """A key is ready: start a worker for it unless enough are at work."""
        if self._synced and self._running < self.workers:
            self._running += 1
            self.context.task(self._work(), "worker")

    async def _catch_up(self) -> None:
        """An instance before this one may have written what the caches have not seen: ask where the server is."""
        while not await self._resolve(""):
            await self.context.clock.sleep(STALE_SECONDS)
        while not await self._fresh(""):
            await self.context.clock.sleep(STALE_SECONDS)
        self._catching_up = False
        self._begin()

    def _begin(self) -> None:
        """Work begins when every cache is complete: before, an absence means nothing."""
        self._synced = not self._catching_up and all(cache.synced for cache in self.caches.values())
        for _ in range(len(self.queue)):
            self._wake()

    async def _work(self) -> None:
        """Work until no key is ready."""
        try:
            while (item := self.queue.pop()) is not None:
                await self._one(item)
        finally:
            self._running -= 1

    async def _one(self, item: Item) -> None:
        key = item.key
        try:
            if (early := self._early(key)) > 0:
                self.queue.add_after(key, early, item.causes)
            elif await self._fresh(key):
                if self.pace_seconds:
                    self._ran[key] = self.context.clock.monotonic()
                self.context.cause = self._trace(item)
                self._conclude(item, await self._guarded(key))
            else:
                self.queue.add_after(key, STALE_SECONDS, item.causes)
        finally:
            self.queue.done(key)

    def _early(self, key: str) -> float:
        """Seconds until the pace allows this key again."""
        if not self.pace_seconds:
            return 0.0
        now = self.context.clock.monotonic()
        if len(self._ran) > MAX_PACED:
            self._ran = {held: at for held, at in self._ran.items() if at + self.pace_seconds > now}
        return self._ran.get(key, -self.pace_seconds) + self.pace_seconds - now

    async def _guarded(self, key: str) -> Outcome:
        """An object that cannot be reconciled fails alone, with its key on record; all others go on."""
        self._reconciled += 1
        try:
            return await self.reconcile(key)
        except (StatusError, TransportError) as failure:
            return retry(str(failure))
        except Exception as failure:
            self._crashed += 1
            self.context.log.exception("reconcile crashed", controller=type(self).__name__, key=key)
            return retry(f"{type(failure).__name__}: {failure}")

    def _conclude(self, item: Item, outcome: Outcome) -> None:
        key = item.key
        if outcome.retry:
            self._failed += 1
            self._last_error = f"{key}: {outcome.reason}"
            delay = self.queue.retry(key, item.causes)
            if self.queue.failures(key) > 3:
                self.context.log.warning("reconcile fails", key=key, reason=outcome.reason, again_seconds=delay)
            return
        self.queue.forget(key)
        if outcome.after_seconds is not None:
            same = outcome.after_seconds < LEAST_SECONDS  # put off, not due later: it is still the same work
            self.queue.add_after(key, outcome.after_seconds, item.causes if same else ())

    async def _fresh(self, key: str) -> bool:
        """Whether the caches have seen all that this key wrote."""
        if key in self._unsure and not await self._resolve(key):
            return False
        held = self._barriers.get(key)
        if held is None:
            return True
        if any(self.caches[label].revision < revision for label, revision in held.items()):
            return False
        del self._barriers[key]
        return True

    async def _resolve(self, key: str) -> bool:
        """A write got no answer: it may have been done up to the revision that the server is at now."""
        try:
            response = await self.client.request(list_(self.kind, options=Options(limit=1)))
        except (StatusError, TransportError):
            return False
        self._unsure.discard(key)
        for cache in self.caches.values():
            self.expect(key, cache.kind, response.revision)
            self.informers.hasten(cache.kind)
        return True

    def _trace(self, item: Item) -> Trace:
        name = self.context.ref.path
        if item.causes:
            return Trace(f"revision-{item.causes[0]}", name, item.key, item.causes[0])
        return Trace(f"timer-{name}-{item.key}", name, item.key)

    async def _perform(self, key: str, view: View, planned: tuple[Any, ...], now: float) -> Outcome:
        outcome = DONE
        for action in planned:
            match action:
                case actions.Apply(obj, owned):
                    await self._apply(key, view, obj, owned)
                case actions.Delete(target):
                    kind = self._kind_of(target.rest)
                    await self.client.delete(kind, target.name, target.namespace, uid=target.uid)
                case actions.SetStatus(status):
                    await self.client.patch(
                        self.kind, view.name, view.namespace, {"status": status}, subresource="status"
                    )
                case actions.SetCondition(type, holds, reason, text):
                    held = view.status.get("conditions") or ()
                    made = conditions.put(held, conditions.make(type, holds, reason, text, now))
                    if made != list(held):
                        await self.client.patch(
                            self.kind, view.name, view.namespace, {"status": {"conditions": made}}, subresource="status"
                        )
                case actions.Emit(reason, text, warning):
                    self.event(self._kind_of(view.rest), view, reason, text, warning=warning)
                case actions.RequeueAt(moment):
                    outcome = requeue_after(max(LEAST_SECONDS, moment.timestamp() - now))
                case actions.RequeueAfter(delay):
                    outcome = requeue_after(delay.total_seconds())
        return outcome

    async def _apply(self, key: str, view: View, obj: Any, owned: bool) -> None:
        metadata = {"namespace": view.namespace, **obj.get("metadata", {})}
        if owned:
            metadata["ownerReferences"] = [controller_reference(view)]
        kind = self._kind_of(obj)
        written = await self.client.apply(kind, {**obj, "metadata": metadata}, manager=self.manager)
        self.expect(key, kind, int(written["metadata"]["resourceVersion"]))

    def _kind_of(self, obj: Mapping[str, Any]) -> Kind:
        api_version, name = obj["apiVersion"], obj["kind"]
        known = kind_for(api_version, name)
        if known is not None:
            return known
        group, _, version = api_version.rpartition("/")
        for cache in self.caches.values():
            if (cache.kind.group, cache.kind.version) == (group, version):
                return msgspec.structs.replace(cache.kind, kind=name)
        return Kind(group, version, name.lower() + "s", name)


def controller_reference(view: View) -> dict[str, Any]:
    """The owner reference that makes ``view`` the controller of something."""
    rest = view.rest
    return {
        "apiVersion": rest["apiVersion"],
        "kind": rest["kind"],
        "name": view.name,
        "uid": view.uid,
        "controller": True,
        "blockOwnerDeletion": True,
    }


def refusals(responses: list[Response]) -> list[tuple[int, str, str]]:
    """Position, reason and message of each answer that is a refusal."""
    found = []
    for position, response in enumerate(responses):
        if response.code >= 400:
            status = status_of(response)
            found.append((position, str(status.get("reason", "")), str(status.get("message", ""))))
    return found


def _revision(response: Response) -> int:
    if response.code >= 400:
        return 0
    return max(response.revision, response.object.revision if response.object is not None else 0)
