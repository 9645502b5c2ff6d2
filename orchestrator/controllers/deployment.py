"""Deployment: the ReplicaSet with its template has all the replicas, reached within the bounds of its strategy.

The plan is in ``deployment_plan`` (with ``rollout``, ``revisions`` and ``deployment_status``); here it is carried out.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.selectors import Selector, from_label_selector
from orchestrator.client.kinds import DEPLOYMENTS, PODS, REPLICASETS
from orchestrator.client.protocol import PatchType, Request, Response, Want
from orchestrator.client.requests import create, delete, patch, update_status
from orchestrator.client.view import View
from orchestrator.controllers import deployment_status as statuses
from orchestrator.controllers import revisions
from orchestrator.controllers.claim import adopt_request, claim, release_request
from orchestrator.controllers.controller import Controller, Watched, controller_reference, own_keys, owner_key, refusals
from orchestrator.controllers.deployment_plan import Change, Plan, plan
from orchestrator.controllers.outcome import DONE, Outcome, requeue_after, retry
from orchestrator.controllers.pods import ORPHANS, orphans, pod
from orchestrator.controllers.rollout import ROLLING, size

STATUS_SECONDS = 0.05
"""A status that only counts on is written at most this often."""


def selector_of(view: View) -> Selector:
    return from_label_selector(view.spec.get("selector") or {})


class Deployments(Controller, kind=DEPLOYMENTS):
    """Drives ReplicaSets to what their Deployment says."""

    workers: ClassVar[int] = 16

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._written_at: dict[str, float] = {}

    def watches(self) -> list[Watched]:
        return [
            Watched(self.kind, own_keys),
            Watched(REPLICASETS, self._replicaset_keys, {ORPHANS: orphans}),
            Watched(PODS, self._pod_keys),
        ]

    def _replicaset_keys(self, old: View | None, new: View | None) -> Iterable[str]:
        keys = dict.fromkeys(owner_key(view, self.kind) for view in (new, old) if view is not None)
        if new is not None and new.owner is None and not new.deleting:
            for candidate in self.cache(self.kind).list(new.namespace):
                if candidate.facts(selector_of).matches(new.labels):
                    keys[candidate.key] = None
        keys.pop("", None)
        return keys

    def _pod_keys(self, old: View | None, new: View | None) -> Iterable[str]:
        """A Deployment that recreates waits for the last of its old pods."""
        if old is None or (new is not None and not pod(new).finished):
            return ()
        owner = self.cache(REPLICASETS).get_key(owner_key(old, REPLICASETS))
        deployment = self.cache(self.kind).get_key(owner_key(owner, self.kind)) if owner is not None else None
        if deployment is None or (deployment.spec.get("strategy") or {}).get("type", ROLLING) == ROLLING:
            return ()
        return (deployment.key,)

    async def reconcile(self, key: str) -> Outcome:
        deployment = self.cache(self.kind).get_key(key)
        if deployment is None:
            self._written_at.pop(key, None)
            return DONE
        held = self.cache(REPLICASETS)
        orphaned = held.by_index(ORPHANS, deployment.namespace)
        claimed = claim(deployment, deployment.facts(selector_of), held.by_owner(deployment.uid), orphaned)
        if claimed.adopt or claimed.release:
            return await self._claim(key, deployment, claimed.adopt, claimed.release)
        now = self.now()
        planned = plan(deployment, claimed.mine, old_pods_run=self._old_pods_run(deployment, claimed.mine), now=now)
        return await self._carry_out(key, deployment, planned, now)

    def _old_pods_run(self, deployment: View, replicasets: list[View]) -> bool:
        new = revisions.find_new(deployment, replicasets)
        pods = self.cache(PODS)
        old = [view for view in replicasets if view is not new]
        return any(not pod(held).finished for view in old for held in pods.by_owner(view.uid))

    async def _claim(self, key: str, deployment: View, adopt: list[View], release: list[View]) -> Outcome:
        live = await self.client.get(self.kind, deployment.name, deployment.namespace)
        if live["metadata"]["uid"] != deployment.uid or "deletionTimestamp" in live["metadata"]:
            return retry("it is being deleted: nothing is adopted")
        reference = controller_reference(deployment)
        requests = [adopt_request(REPLICASETS, view, reference) for view in adopt]
        requests += [release_request(REPLICASETS, view, deployment.uid) for view in release]
        refused = refusals(await self.write(key, REPLICASETS, requests))
        return retry(refused[0][2]) if refused else requeue_after(0.0)

    async def _carry_out(self, key: str, deployment: View, planned: Plan, now: float) -> Outcome:
        writes = self._writes(deployment, planned)
        if writes:
            responses = await self.write(key, REPLICASETS, writes)
            self._say(deployment, planned, responses)
            if planned.create is not None and responses[0].code == 409:
                return await self._collided(key, deployment, planned.create)
            refused = refusals(responses)
            if refused and planned.create is not None:
                return await self._not_created(key, deployment, planned, refused[0][2], now)
            if refused:
                return retry(refused[0][2])
        return await self._report(
            key, deployment, planned.status, now, revision=planned.revision, urgent=planned.create is not None
        )

    def _writes(self, deployment: View, planned: Plan) -> list[Request]:
        writes: list[Request] = []
        if planned.create is not None:
            metadata = {**planned.create["metadata"], "ownerReferences": [controller_reference(deployment)]}
            made = {**planned.create, "metadata": metadata}
            writes.append(create(REPLICASETS, made, want=Want.REVISION))
        writes += [request_of(change) for change in planned.changes]
        writes += [delete(REPLICASETS, view.name, view.namespace, uid=view.uid) for view in planned.delete]
        return writes

    def _say(self, deployment: View, planned: Plan, responses: list[Response]) -> None:
        if planned.create is not None and responses[0].code < 400:
            name, replicas = planned.create["metadata"]["name"], planned.create["spec"]["replicas"]
            if replicas:
                self._scaled(deployment, name, 0, replicas)
        for scale in planned.scales:
            if size(scale.view) != scale.replicas:
                self._scaled(deployment, scale.view.name, size(scale.view), scale.replicas)

    def _scaled(self, deployment: View, name: str, before: int, after: int) -> None:
        way = "up" if after > before else "down"
        text = f"Scaled {way} replica set {name} from {before} to {after}"
        self.event(self.kind, deployment, "ScalingReplicaSet", text)

    async def _collided(self, key: str, deployment: View, made: Object) -> Outcome:
        """The name is taken: by our own ReplicaSet that the cache has not seen, or by another template's."""
        live = await self.client.get(REPLICASETS, made["metadata"]["name"], deployment.namespace)
        owners = live["metadata"].get("ownerReferences", [])
        ours = any(owner["uid"] == deployment.uid and owner.get("controller") for owner in owners)
        if ours and revisions.same_template(live["spec"]["template"], made["spec"]["template"]):
            self.expect(key, REPLICASETS, int(live["metadata"]["resourceVersion"]))
            return requeue_after(0.0)
        status = {**deployment.status, "collisionCount": deployment.status.get("collisionCount", 0) + 1}
        await self.write(key, self.kind, [update_status(self.kind, deployment, status)])
        return retry(f"the name {made['metadata']['name']} is taken by another ReplicaSet")

    async def _not_created(self, key: str, deployment: View, planned: Plan, message: str, now: float) -> Outcome:
        failed = statuses.condition("Progressing", "False", "ReplicaSetCreateError", message, now)
        status = {**planned.status, "conditions": statuses.put(planned.status["conditions"], failed)}
        await self._report(key, deployment, status, now, urgent=True)
        return retry(message)

    async def _report(
        self, key: str, deployment: View, status: Object, now: float, *, revision: str = "", urgent: bool = False
    ) -> Outcome:
        """Write the status, and after it (it holds only at the revision that was seen) the revision annotation."""
        writes: list[Request] = []
        left = self._written_at.get(key, 0.0) + STATUS_SECONDS - now
        due = urgent or left <= 0 or statuses.complete(deployment, status)
        if status != deployment.status and due:
            self._written_at[key] = now
            writes.append(update_status(self.kind, deployment, status))
        if revision:
            change = {"metadata": {"uid": deployment.uid, "annotations": {revisions.REVISION: revision}}}
            place = (self.kind, deployment.name, deployment.namespace)
            writes.append(patch(*place, change, subresource="status", want=Want.REVISION))  # no new generation
        refused = refusals(await self.write(key, self.kind, writes)) if writes else []
        if refused and refused[0][1] != "NotFound":
            return retry(refused[0][2])
        if status != deployment.status and not due:
            return requeue_after(left)
        stuck = statuses.stuck_after(deployment, status, now)
        return requeue_after(stuck) if stuck is not None else DONE


def request_of(change: Change) -> Request:
    """Holds only as long as the spec is the one that was seen: a write that comes late makes nothing undone.

    Kubernetes says the revision; what a ReplicaSet counts in its status meanwhile is no reason to plan anew.
    """
    view = change.view
    operations: list[Object] = [
        {"op": "test", "path": "/metadata/uid", "value": view.uid},
        {"op": "test", "path": "/metadata/generation", "value": view.generation},
    ]
    if change.annotations and not view.annotations:
        operations.append({"op": "add", "path": "/metadata/annotations", "value": {}})
    for name, value in change.annotations.items():
        if view.annotations.get(name) != value:
            operations.append({"op": "add", "path": f"/metadata/annotations/{name.replace('/', '~1')}", "value": value})
    operations += [{"op": "add", "path": f"/spec/{name}", "value": value} for name, value in change.spec.items()]
    return patch(REPLICASETS, view.name, view.namespace, operations, patch_type=PatchType.JSON, want=Want.REVISION)
