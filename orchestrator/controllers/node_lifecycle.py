"""Node lifecycle: a node not heard from for 40 s is Ready Unknown and tainted, and its pods are marked not ready.

Hearing is a renewed Lease or a new status, timed by our own clock since we first saw it: neither a node's wrong clock
nor a restart of this controller makes a node seem dead. When no node is ready nothing is evicted.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from sys import intern
from typing import Any, ClassVar

import msgspec

from actors import Tell
from orchestrator.apimachinery.encoded import Object
from orchestrator.client.cache import Index
from orchestrator.client.kinds import LEASES, NODES, PODS, Kind
from orchestrator.client.protocol import Want
from orchestrator.client.requests import patch
from orchestrator.client.view import View
from orchestrator.controllers.controller import Controller, Watched, own_keys, refusals
from orchestrator.controllers.node_health import ready, unknown_conditions, unready, unready_conditions, wanted_taints
from orchestrator.controllers.outcome import DONE, Outcome, retry
from orchestrator.controllers.pods import BY_NODE, by_node

GRACE_SECONDS = 40.0
"""Silence after which a node is taken for lost."""
PERIOD_SECONDS = 5.0
"""How often all nodes are looked at."""
LEASE_NAMESPACE = "kube-node-lease"


class Monitor(Tell):
    """Look at every node's heartbeat."""


class Heard(msgspec.Struct):
    """The last sign of life of one node, and when this controller saw it."""

    lease: int
    status: bytes
    heartbeat: str
    """What ``status`` says."""
    at: float


class NodeLifecycle(Controller, kind=NODES):
    """Judges nodes and says so in their conditions and taints."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._heard: dict[str, Heard] = {}
        self._silent: set[str] = set()
        self._looked = math.inf

    async def start(self) -> None:
        await super().start()
        self.context.send_every(PERIOD_SECONDS, Monitor())

    def watches(self) -> list[Watched]:
        return [Watched(NODES, own_keys)]

    def reads(self) -> Mapping[Kind, Mapping[str, Index]]:
        return {LEASES: {}, PODS: {BY_NODE: by_node}}

    workers: ClassVar[int] = 16

    async def receive(self, message: Any) -> Any:
        if isinstance(message, Monitor):
            if all(cache.synced for cache in self.caches.values()):
                self._monitor()
            return None
        return await super().receive(message)

    def _monitor(self) -> None:
        now = self.context.clock.monotonic()
        self._excuse(now)
        nodes = self.cache(NODES)
        before = set(self._silent)
        for node in nodes.list():
            self._listen(node, now)
        for name in [name for name in self._heard if name not in nodes]:
            del self._heard[name]
            self._silent.discard(name)
        for name in sorted(before ^ self._silent):
            self.queue.add(name)

    def _excuse(self, now: float) -> None:
        """A look that comes late follows a stall of our own, in which nobody was heard: it is no silence of theirs."""
        late, self._looked = now - self._looked - PERIOD_SECONDS, now
        if late > PERIOD_SECONDS:
            for held in self._heard.values():
                held.at += late

    def _listen(self, node: View, now: float) -> None:
        found = self.cache(LEASES).get(LEASE_NAMESPACE, node.name)
        lease = found.revision if found is not None else 0
        held = self._heard.get(node.name)
        status = node.encoded.status
        beat = held.heartbeat if held is not None and held.status is status else _heartbeat(node)
        if held is None or held.lease != lease or beat not in ("", held.heartbeat):
            self._heard[node.name] = Heard(lease, status, beat, now)
            self._silent.discard(node.name)
            return
        held.status, held.heartbeat = status, beat
        if now - held.at >= GRACE_SECONDS:
            self._silent.add(node.name)

    async def reconcile(self, key: str) -> Outcome:
        node = self.cache(NODES).get_key(key)
        if node is None:
            return DONE
        now = self.now()
        self._listen(node, self.context.clock.monotonic())
        changed = unknown_conditions(node, now) if key in self._silent else None
        if changed is not None:
            refused = refusals(await self.write(key, NODES, [_status(node, changed)]))
            if refused and refused[0][1] != "NotFound":
                return retry(refused[0][2])
            self.event(NODES, node, "NodeNotReady", f"Node {key} status is now: NodeNotReady")
        state = "Unknown" if key in self._silent else ready(node)
        wanted = wanted_taints(node, state, now, evict=state == "False" or self._anybody_ready())
        if wanted is not None:
            change = {"metadata": {"uid": node.uid}, "spec": {"taints": wanted or None}}
            refused = refusals(await self.write(key, NODES, [patch(NODES, key, "", change, want=Want.REVISION)]))
            if refused and refused[0][1] != "NotFound":
                return retry(refused[0][2])
        return await self._mark_pods(key, now) if state != "True" else DONE

    def _anybody_ready(self) -> bool:
        return any(node.name not in self._silent and ready(node) == "True" for node in self.cache(NODES).list())

    async def _mark_pods(self, key: str, now: float) -> Outcome:
        """Pods of a node that is not ready are not ready either, whatever their last status said."""
        marks = [
            patch(
                PODS,
                view.name,
                view.namespace,
                {"metadata": {"uid": view.uid}, "status": {"conditions": unready_conditions(view, now)}},
                subresource="status",
                want=Want.REVISION,
            )
            for view in unready(self.cache(PODS).by_index(BY_NODE, key))
        ]
        if not marks:
            return DONE
        refused = [found for found in refusals(await self.write(key, PODS, marks)) if found[1] != "NotFound"]
        return retry(refused[0][2]) if refused else DONE


def _heartbeat(node: View) -> str:
    """The node's own last word; "" when the last word is ours, that it is unknown."""
    for condition in node.status.get("conditions") or ():
        if condition.get("type") == "Ready" and condition.get("status") != "Unknown":
            return intern(f"{condition['status']} {condition.get('lastHeartbeatTime', '')}")
    return ""


def _status(node: View, changed: list[Object]) -> Any:
    change = {"metadata": {"uid": node.uid}, "status": {"conditions": changed}}
    return patch(NODES, node.name, "", change, subresource="status", want=Want.REVISION)
