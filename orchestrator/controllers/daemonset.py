"""DaemonSet: one pod on every node that its selectors and tolerations admit, none elsewhere.

Pods are tied to their node by affinity and bound by the scheduler. An update replaces them within maxUnavailable, or
puts new ones beside them within maxSurge; one that fails is replaced with growing patience.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

import msgspec

from orchestrator.client.kinds import CONTROLLERREVISIONS, DAEMONSETS, NODES, PODS
from orchestrator.client.protocol import Response
from orchestrator.client.requests import create, delete, update_status
from orchestrator.client.view import View
from orchestrator.controllers.belonging import belonging_keys, still_there
from orchestrator.controllers.claim import Claim, adopt_request, claim, release_request
from orchestrator.controllers.controller import (
    Controller,
    Watched,
    controller_reference,
    own_keys,
    owner_keys,
    refusals,
)
from orchestrator.controllers.controller_history import HASH_LABEL
from orchestrator.controllers.daemonset_plan import Plan, plan, scene, status_of
from orchestrator.controllers.daemonset_pod import daemon_selector, facts, make_pod, node_of
from orchestrator.controllers.outcome import DONE, Outcome, requeue_after, retry
from orchestrator.controllers.pods import ORPHANS, orphans
from orchestrator.controllers.revision_keeper import keep, truncate

BURST_PODS = 250
"""Pods created or deleted in one batch; the next burst waits until the cache has seen it."""
BACKOFF_SECONDS = 1.0
MAX_BACKOFF_SECONDS = 900.0
MAX_BACKOFFS = 16_384
"""Nodes with failed daemons that are remembered; the one that failed longest ago is forgotten first."""


class Backoff(msgspec.Struct, frozen=True):
    delay: float
    until: float


class DaemonSets(Controller, kind=DAEMONSETS):
    """Drives one pod onto each fitting node."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._backoffs: dict[tuple[str, str], Backoff] = {}
        """By uid of the set and name of the node: how long its next failure has to wait."""

    workers: ClassVar[int] = 8

    def watches(self) -> list[Watched]:
        return [
            Watched(DAEMONSETS, own_keys),
            Watched(
                PODS, belonging_keys(DAEMONSETS, lambda: self.cache(DAEMONSETS), daemon_selector), {ORPHANS: orphans}
            ),
            Watched(CONTROLLERREVISIONS, owner_keys(DAEMONSETS), {ORPHANS: orphans}),
            Watched(NODES, self._node_keys),
        ]

    def _node_keys(self, old: View | None, new: View | None) -> Iterable[str]:
        """A node concerns all sets when its labels, its spec or its existence change."""
        if old is not None and new is not None and old.encoded.rest == new.encoded.rest and old.labels == new.labels:
            return ()
        return self.cache(DAEMONSETS).keys()

    async def reconcile(self, key: str) -> Outcome:
        owner = self.cache(DAEMONSETS).get_key(key)
        if owner is None or owner.deleting:
            return DONE
        wanted = owner.facts(facts)
        pods = self.cache(PODS)
        claimed = claim(owner, wanted.selector, pods.by_owner(owner.uid), pods.by_index(ORPHANS, owner.namespace))
        if claimed.adopt and not await still_there(self.client, DAEMONSETS, owner):
            return retry(f"{key} is being deleted: nothing is adopted")
        kept = await keep(self, key, owner, wanted.selector)
        mine = [*claimed.mine, *claimed.adopt]
        now = self.now()
        look = scene(wanted, self.cache(NODES).list(), mine, kept.history.hash, now)
        planned = plan(look, self._waits(owner, now))
        failure = await self._perform_plan(key, owner, planned, claimed, look.hash)
        await truncate(self, key, owner, kept, [view.labels.get(HASH_LABEL, "") for view in mine])
        status = status_of(owner, look, kept.collisions)
        if status != owner.status:
            refused = refusals(await self.write(key, DAEMONSETS, [update_status(DAEMONSETS, owner, status)]))
            if refused and refused[0][1] != "NotFound":
                return retry(refused[0][2])
        if failure:
            return retry(failure)
        return requeue_after(planned.again_seconds) if planned.again_seconds is not None else DONE

    def _waits(self, owner: View, now: float) -> dict[str, float]:
        return {node: held.until - now for (uid, node), held in self._backoffs.items() if uid == owner.uid}

    async def _perform_plan(self, key: str, owner: View, planned: Plan, claimed: Claim, suffix: str) -> str:
        """Do a burst of what is planned. Returns why the first create or delete was refused, or nothing."""
        reference = controller_reference(owner)
        nodes, gone = planned.create[:BURST_PODS], planned.delete[:BURST_PODS]
        writes = [create(PODS, make_pod(owner, suffix, node, reference), owner.namespace) for node in nodes]
        writes += [delete(PODS, view.name, view.namespace, uid=view.uid) for view in gone]
        writes += [adopt_request(PODS, view, reference) for view in claimed.adopt]
        writes += [release_request(PODS, view, owner.uid) for view in claimed.release]
        if not writes:
            return ""
        for view in planned.failed:
            self._failed_pod(owner, view)
        responses = await self.write(key, PODS, writes)
        return self._tell(owner, len(nodes), gone, responses)

    def _failed_pod(self, owner: View, view: View) -> None:
        node, now = node_of(view), self.now()
        held = self._backoffs.pop((owner.uid, node), None)
        fresh = held is None or now > held.until + MAX_BACKOFF_SECONDS
        delay = BACKOFF_SECONDS if fresh or held is None else min(held.delay * 2, MAX_BACKOFF_SECONDS)
        self._backoffs[owner.uid, node] = Backoff(delay, now + delay)
        while len(self._backoffs) > MAX_BACKOFFS:
            del self._backoffs[next(iter(self._backoffs))]
        text = f"Found failed daemon pod {view.key} on node {node}, will try to kill it"
        self.event(DAEMONSETS, owner, "FailedDaemonPod", text, warning=True)

    def _tell(self, owner: View, created: int, deleted: list[View], responses: list[Response]) -> str:
        """Say in events what was done; the first refusal that matters is returned."""
        first = ""
        refused = {position: (reason, message) for position, reason, message in refusals(responses)}
        for position, response in enumerate(responses[: created + len(deleted)]):
            reason, message = refused.get(position, ("", ""))
            if position < created:
                if reason:
                    first = first or message
                    self.event(DAEMONSETS, owner, "FailedCreate", f"Error creating: {message}", warning=True)
                elif response.object is not None:
                    name = response.object.decode_metadata()["name"]
                    self.event(DAEMONSETS, owner, "SuccessfulCreate", f"Created pod: {name}")
            elif not reason:
                self.event(DAEMONSETS, owner, "SuccessfulDelete", f"Deleted pod: {deleted[position - created].name}")
            elif reason != "NotFound":
                first = first or message
                self.event(DAEMONSETS, owner, "FailedDelete", f"Error deleting: {message}", warning=True)
        return first
