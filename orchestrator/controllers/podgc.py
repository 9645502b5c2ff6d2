"""Pod collection: no pod is left on a node that is gone, none that was never bound outlives its deletion, and of the
finished ones only so many are kept."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

import msgspec

from actors import Tell
from orchestrator.client.batcher import Batcher
from orchestrator.client.cache import Cache
from orchestrator.client.kinds import NODES, PODS
from orchestrator.client.protocol import Request, Want
from orchestrator.client.requests import delete
from orchestrator.client.view import View
from orchestrator.controllers.controller import Controller, Watched
from orchestrator.controllers.disruption_target import disrupted
from orchestrator.controllers.outcome import DONE, Outcome, retry
from orchestrator.controllers.pods import BY_NODE, FAILED, by_node, created_at, pod
from orchestrator.controllers.taints import NO_EXECUTE, NO_SCHEDULE, OUT_OF_SERVICE, taints

PERIOD_SECONDS = 20.0
QUARANTINE_SECONDS = 40.0
"""A node must be missing for so long before its pods are taken for orphans."""
KEPT_FINISHED = 12_500
"""Finished pods that may stay (kube-controller-manager's terminated-pod-gc-threshold)."""
FINISHED = "finished"
REASON = "DeletionByPodGC"


class Look(Tell):
    """Look for nodes that are gone and for too many finished pods."""


class Reason(msgspec.Struct, frozen=True):
    """Why a pod is collected; ``message`` is empty where nothing is written into its status."""

    message: str = ""


def finished(view: View) -> Iterable[str]:
    """Index: the pods that have ended."""
    return (FINISHED,) if pod(view).finished else ()


def out_of_service(node: View) -> bool:
    return any(
        taint["key"] == OUT_OF_SERVICE and taint.get("effect") in (NO_EXECUTE, NO_SCHEDULE) for taint in taints(node)
    )


def why(view: View, node: View | None, *, node_lost: bool) -> Reason | None:
    """Pure: whether and why this pod has to be collected."""
    held = pod(view)
    if not held.node:
        return Reason() if view.deleting else None
    if node is None:
        return Reason("PodGC: node no longer exists") if node_lost else None
    if view.deleting and not held.ready and out_of_service(node):
        return Reason("PodGC: node is out of service")
    return None


def surplus(pods: Sequence[View], kept: int = KEPT_FINISHED) -> list[View]:
    """The oldest finished pods beyond what is kept."""
    excess = len(pods) - kept
    return sorted(pods, key=lambda view: (created_at(view), view.name))[:excess] if excess > 0 else []


class PodCollector(Controller, kind=PODS):
    """Deletes by force: there is no kubelet that could end these pods."""

    workers: ClassVar[int] = 64

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._missing: dict[str, float] = {}
        """Since when each node that pods name has been missing."""
        self._surplus: set[str] = set()
        self._batcher = Batcher(self.client, lambda work, name: self.context.task(work, name))

    async def start(self) -> None:
        await super().start()
        self.context.send_every(PERIOD_SECONDS, Look())

    async def receive(self, message: Any) -> Any:
        if isinstance(message, Look):
            if all(cache.synced for cache in self.caches.values()):
                self._look()
            return None
        return await super().receive(message)

    def watches(self) -> list[Watched]:
        return [
            Watched(PODS, self._pod_keys, {BY_NODE: by_node, FINISHED: finished}),
            Watched(NODES, self._node_keys),
        ]

    def _pod_keys(self, old: View | None, new: View | None) -> Iterable[str]:
        return (new.key,) if new is not None and new.deleting and not pod(new).node else ()

    def _node_keys(self, old: View | None, new: View | None) -> Iterable[str]:
        if new is None or not out_of_service(new):
            return ()
        return [view.key for view in self.cache(PODS).by_index(BY_NODE, new.name)]

    def _look(self) -> None:
        now = self.now()
        pods: Cache = self.cache(PODS)
        missing = [name for name in pods.values(BY_NODE) if name not in self.cache(NODES)]
        self._missing = {name: self._missing.get(name, now) for name in missing}
        for name, since in self._missing.items():
            if now - since >= QUARANTINE_SECONDS:
                for view in pods.by_index(BY_NODE, name):
                    self.queue.add(view.key)
        for node in self.cache(NODES).list():
            if out_of_service(node):  # its pods may have begun to end since it was marked
                for view in pods.by_index(BY_NODE, node.name):
                    self.queue.add(view.key)
        for view in surplus(pods.by_index(FINISHED, FINISHED)):
            self._surplus.add(view.key)
            self.queue.add(view.key)

    async def reconcile(self, key: str) -> Outcome:
        view = self.cache(PODS).get_key(key)
        over = key in self._surplus
        self._surplus.discard(key)
        if view is None:
            return DONE
        name = pod(view).node
        lost = name in self._missing and self.now() - self._missing[name] >= QUARANTINE_SECONDS
        reason = Reason() if over else why(view, self.cache(NODES).get("", name), node_lost=lost)
        if reason is None:
            return DONE
        if reason.message and not pod(view).finished:
            await self._batcher.submit(disrupted(view, REASON, reason.message, self.now(), phase=FAILED))
        response = await self._batcher.submit(_forced(view))
        return retry(f"delete answered {response.code}") if response.code >= 400 and response.code != 404 else DONE


def _forced(view: View) -> Request:
    return delete(PODS, view.name, view.namespace, uid=view.uid, grace_seconds=0, want=Want.REVISION)
