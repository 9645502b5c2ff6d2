"""ReplicaSet: as many active pods match its selector and belong to it as ``spec.replicas`` says.

What is missing is created in bursts of one batch, what is too much is deleted in the order of ``victims``; orphans that
match are adopted, owned pods that stop matching are let go. The status counts what the cache shows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar

import msgspec

from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.selectors import Selector, from_label_selector
from orchestrator.client.kinds import PODS, REPLICASETS
from orchestrator.client.protocol import Request, Response, Want
from orchestrator.client.requests import create, delete, update_status
from orchestrator.client.view import View
from orchestrator.controllers import conditions
from orchestrator.controllers.belonging import belonging_keys
from orchestrator.controllers.claim import Claim, adopt_request, claim, release_request
from orchestrator.controllers.controller import Controller, Watched, controller_reference, own_keys, refusals
from orchestrator.controllers.outcome import DONE, Outcome, requeue_after, retry
from orchestrator.controllers.pods import ORPHANS, Pod, available, orphans, pod
from orchestrator.controllers.template import replica_bytes
from orchestrator.controllers.victims import victims

BURST_REPLICAS = 500
"""Pods created or deleted in one batch; the next burst waits until the cache has seen it."""
PROBE_REPLICAS = 1
"""After a refused create one pod tries whether the way is free before the others follow."""
NAMED_REPLICAS = 25
"""Of one burst so many pods are named in Events: more of one object are not recorded anyway."""
STATUS_SECONDS = 0.05
"""A status that only counts on is written at most this often; one that is complete at once."""
NAMESPACE_TERMINATING = "being terminated"


Related = Callable[[], Iterable[View]]


class ReplicaFacts(msgspec.Struct, frozen=True):
    selector: Selector
    replicas: int
    min_ready_seconds: int


class Plan(msgspec.Struct, frozen=True):
    """What one look at the world asks for."""

    create: int
    delete: list[View]
    claim: Claim
    status: Object
    again_seconds: float | None
    """When a ready pod becomes available."""


def facts(view: View) -> ReplicaFacts:
    """The spec of a ReplicaSet, or of a ReplicationController, whose selector is a plain map."""
    spec = view.spec
    selector = spec.get("selector") or {}
    if not ("matchLabels" in selector or "matchExpressions" in selector):
        selector = {"matchLabels": selector}
    return ReplicaFacts(from_label_selector(selector), spec.get("replicas", 1), spec.get("minReadySeconds", 0))


def _selector(view: View) -> Selector:
    return view.facts(facts).selector


def plan(owner: View, owned: Iterable[View], orphaned: Iterable[View], related: Related, now: float) -> Plan:
    """Pure. ``owned`` are the pods with the owner's uid, ``related`` gives those of its sisters (to choose victims)."""
    wanted = owner.facts(facts)
    claimed = claim(owner, wanted.selector, owned, orphaned)
    alive: list[View] = []
    held: list[Pod] = []
    leaving: list[View] = []
    for view in claimed.mine:
        one = pod(view)
        if one.finished:
            continue
        if view.deleting:
            leaving.append(view)
        else:
            alive.append(view)
            held.append(one)
    adopting = [view for view in claimed.adopt if not pod(view).finished]
    difference = len(alive) + len(adopting) - wanted.replicas
    gone: list[View] = []
    if difference > 0 and not owner.deleting:
        gone = victims(alive, related(), min(difference, BURST_REPLICAS), now)
    missing = min(-difference, BURST_REPLICAS) if difference < 0 and not owner.deleting else 0
    status, again = _status(owner, wanted, alive, held, len(leaving), now)
    kept = msgspec.structs.replace(claimed, adopt=adopting)
    return Plan(missing, gone, kept, status, again)


def _status(
    owner: View, wanted: ReplicaFacts, alive: Sequence[View], held: Sequence[Pod], leaving: int, now: float
) -> tuple[Object, float | None]:
    labels = ((owner.spec.get("template") or {}).get("metadata") or {}).get("labels") or {}
    ready = ripe = labeled = 0
    again: float | None = None
    last: dict[str, str] | None = None
    matches = False
    for view, one in zip(alive, held, strict=True):
        if view.meta.labels is not last or last is None:  # those of one template share theirs
            last = view.meta.labels
            matches = labels.items() <= view.labels.items()
        if matches:
            labeled += 1
        if not one.ready:
            continue
        ready += 1
        if not wanted.min_ready_seconds or available(one, wanted.min_ready_seconds, now):
            ripe += 1
        else:
            left = one.ready_since + wanted.min_ready_seconds - now
            again = left if again is None else min(again, left)
    counts = {"fullyLabeledReplicas": labeled, "readyReplicas": ready, "availableReplicas": ripe}
    status: Object = {"replicas": len(alive), **{name: count for name, count in counts.items() if count}}
    if owner.rest.get("kind") == REPLICASETS.kind:
        status["terminatingReplicas"] = leaving
    status["observedGeneration"] = owner.generation
    held_conditions = owner.status.get("conditions")
    if held_conditions:
        status["conditions"] = held_conditions
    return status, again


def with_failure(status: Object, failure: tuple[str, str] | None, now: float) -> Object:
    """``status`` with the ReplicaFailure condition set to (reason, message), or without it."""
    held = status.get("conditions") or []
    if failure is None:
        rest = conditions.drop(held, "ReplicaFailure")
    elif (found := conditions.find(held, "ReplicaFailure")) is not None and found.get("reason") == failure[0]:
        rest = list(held)  # the message names a pod that never was: writing each new one would never end
    else:
        rest = conditions.put(held, conditions.make("ReplicaFailure", True, failure[0], failure[1], now))
    changed = {name: value for name, value in status.items() if name != "conditions"}
    return {**changed, "conditions": rest} if rest else changed


class ReplicaSets(Controller, kind=REPLICASETS):
    """Drives pods to the count of their ReplicaSet."""

    workers: ClassVar[int] = 16

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._written_at: dict[str, float] = {}
        """When each key's status was last written."""

    def watches(self) -> list[Watched]:
        return [
            Watched(self.kind, own_keys),
            Watched(PODS, belonging_keys(self.kind, lambda: self.cache(self.kind), _selector), {ORPHANS: orphans}),
        ]

    async def reconcile(self, key: str) -> Outcome:
        owner = self.cache(self.kind).get_key(key)
        if owner is None:
            self._written_at.pop(key, None)
            return DONE
        now = self.now()
        pods = self.cache(PODS)
        planned = plan(
            owner, pods.by_owner(owner.uid), pods.by_index(ORPHANS, owner.namespace), lambda: self._related(owner), now
        )
        if planned.claim.adopt and not await self._still_there(owner):
            return retry(f"{key} is being deleted: nothing is adopted")
        failure = await self._manage(key, owner, planned)
        return await self._report(key, owner, planned, failure, now)

    def _related(self, owner: View) -> list[View]:
        """The pods of all sisters with the same controller."""
        parent = owner.owner
        sisters = self.cache(self.kind).by_owner(parent.uid) if parent is not None else [owner]
        return [view for sister in sisters for view in self.cache(PODS).by_owner(sister.uid)]

    async def _still_there(self, owner: View) -> bool:
        """A read past the cache: one that was deleted meanwhile must not adopt."""
        live = await self.client.get(self.kind, owner.name, owner.namespace)
        return live["metadata"]["uid"] == owner.uid and "deletionTimestamp" not in live["metadata"]

    async def _manage(self, key: str, owner: View, planned: Plan) -> tuple[str, str] | None:
        """Do what is planned. Returns (reason, message) of the first create or delete that was refused."""
        reference = controller_reference(owner)
        count = planned.create if not self.queue.failures(key) else min(planned.create, PROBE_REPLICAS)
        creates: list[Request] = []
        if count:
            body = replica_bytes(owner.spec.get("template") or {}, owner.namespace, reference, _generate(owner))
            named = min(count, NAMED_REPLICAS)
            creates = [create(PODS, body, owner.namespace)] * named
            creates += [create(PODS, body, owner.namespace, want=Want.REVISION)] * (count - named)
        deletes = [delete(PODS, view.name, view.namespace, uid=view.uid) for view in planned.delete]
        claims = [adopt_request(PODS, view, reference) for view in planned.claim.adopt]
        claims += [release_request(PODS, view, owner.uid) for view in planned.claim.release]
        if not (creates or deletes or claims):
            return None
        responses = await self.write(key, PODS, [*creates, *deletes, *claims])
        return self._account(owner, planned, responses, len(creates))

    def _account(self, owner: View, planned: Plan, responses: list[Response], created: int) -> tuple[str, str] | None:
        """Say what was done in events."""
        first: tuple[str, str] | None = None
        refused = refusals(responses)
        bad = {position for position, _, _ in refused}
        for position, reason, message in refused:
            if position < created:
                if NAMESPACE_TERMINATING in message:
                    continue
                first = first or ("FailedCreate", message)
                self.event(self.kind, owner, "FailedCreate", f"Error creating: {message}", warning=True)
            elif position < created + len(planned.delete) and reason != "NotFound":
                name = planned.delete[position - created].name
                first = first or ("FailedDelete", message)
                self.event(self.kind, owner, "FailedDelete", f"Error deleting: {name}: {message}", warning=True)
        for position in range(created):
            held = responses[position].object
            if position not in bad and held is not None:
                name = held.decode_metadata()["name"]
                self.event(self.kind, owner, "SuccessfulCreate", f"Created pod: {name}")
        for position, view in enumerate(planned.delete[:NAMED_REPLICAS], created):
            if position not in bad:
                self.event(self.kind, owner, "SuccessfulDelete", f"Deleted pod: {view.name}")
        return first

    async def _report(
        self, key: str, owner: View, planned: Plan, failure: tuple[str, str] | None, now: float
    ) -> Outcome:
        status = planned.status
        if failure is not None or not planned.create:
            status = with_failure(status, failure, now)
        if status != owner.status and self.cache(self.kind).get_key(key) is owner:
            left = self._written_at.get(key, 0.0) + STATUS_SECONDS - now
            if left > 0 and failure is None and not _complete(status, owner):
                return requeue_after(left)
            self._written_at[key] = now
            responses = await self.write(key, self.kind, [update_status(self.kind, owner, status)])
            # A conflict is another change of the owner: it is on its way here, and planned for without a back-off.
            if refusals(responses) and responses[0].code not in (404, 409):
                return retry(refusals(responses)[0][2])
        if failure is not None:
            return retry(failure[1])
        return requeue_after(planned.again_seconds) if planned.again_seconds is not None else DONE


def _generate(owner: View) -> str:
    return f"{owner.name}-"


def _complete(status: Object, owner: View) -> bool:
    """Nothing more is to be expected soon."""
    wanted = owner.spec.get("replicas", 1)
    return bool(status["replicas"] == wanted == status.get("availableReplicas", 0))
