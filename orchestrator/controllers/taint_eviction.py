"""Taint eviction: no pod stays on a node with a NoExecute taint longer than it tolerates."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from orchestrator.apimachinery.timestamps import parse_time
from orchestrator.client.batcher import Batcher
from orchestrator.client.kinds import NODES, PODS
from orchestrator.client.requests import delete
from orchestrator.client.view import View
from orchestrator.controllers.controller import Controller, Watched
from orchestrator.controllers.disruption_target import disrupted
from orchestrator.controllers.outcome import DONE, Outcome, requeue_after, retry
from orchestrator.controllers.pods import BY_NODE, by_node, pod
from orchestrator.controllers.taints import evicting, tolerated_seconds

REASON = "DeletionByTaintManager"
MESSAGE = "Taint manager: deleting due to NoExecute taint"


def due(view: View, node: View, now: float) -> float | None:
    """When the pod has to go; None when it may stay. The time runs from the youngest of the taints."""
    found = node.facts(evicting)
    if not found or view.deleting or pod(view).finished:
        return None
    seconds = tolerated_seconds(view.spec.get("tolerations") or (), found)
    if seconds is None:
        return None
    since = max((parse_time(added) for _, _, added in found if added), default=now)
    return since + seconds if seconds else now


class TaintEviction(Controller, kind=PODS):
    """Deletes pods when their time on a tainted node is over."""

    workers: ClassVar[int] = 64

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._batcher = Batcher(self.client, lambda work, name: self.context.task(work, name))

    def watches(self) -> list[Watched]:
        return [Watched(PODS, self._pod_keys, {BY_NODE: by_node}), Watched(NODES, self._node_keys)]

    def _pod_keys(self, old: View | None, new: View | None) -> Iterable[str]:
        if new is None or new.deleting:
            return ()
        name = pod(new).node
        if not name or (old is not None and pod(old).node == name):
            return ()
        node = self.cache(NODES).get("", name)
        return (new.key,) if node is not None and node.facts(evicting) else ()

    def _node_keys(self, old: View | None, new: View | None) -> Iterable[str]:
        before = old.facts(evicting) if old is not None else ()
        if new is None or new.facts(evicting) == before:
            return ()
        return [view.key for view in self.cache(PODS).by_index(BY_NODE, new.name)]

    async def reconcile(self, key: str) -> Outcome:
        view = self.cache(PODS).get_key(key)
        node = self.cache(NODES).get("", pod(view).node) if view is not None else None
        moment = due(view, node, self.now()) if view is not None and node is not None else None
        if view is None or moment is None:
            return DONE
        if moment > self.now():
            return requeue_after(moment - self.now())
        self.event(PODS, view, "TaintManagerEviction", f"Marking for deletion Pod {key}")
        await self._batcher.submit(disrupted(view, REASON, MESSAGE, self.now()))
        response = await self._batcher.submit(delete(PODS, view.name, view.namespace, uid=view.uid))
        return retry(f"delete answered {response.code}") if response.code >= 400 and response.code != 404 else DONE
