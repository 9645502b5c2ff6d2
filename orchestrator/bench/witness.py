"""What an outside watcher saw of each pod, in order, and what of it must not be. Moments come with the events.

A pod is seen unbound, then bound to one node, then Ready, at three growing revisions, whatever the load.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

MAX_FAULTS = 100
"""Faults told in words; all are counted."""


class _Condition(msgspec.Struct):
    type: str
    status: str


class _Metadata(msgspec.Struct):
    name: str = ""
    uid: str = ""
    resourceVersion: str = "0"
    deletionTimestamp: str | None = None
    labels: dict[str, str] = {}


class _Spec(msgspec.Struct):
    nodeName: str = ""


class _Status(msgspec.Struct):
    conditions: list[_Condition] = []


class _Pod(msgspec.Struct):
    metadata: _Metadata = msgspec.field(default_factory=_Metadata)
    spec: _Spec = msgspec.field(default_factory=_Spec)
    status: _Status = msgspec.field(default_factory=_Status)


class WatchLine(msgspec.Struct):
    type: str
    object: _Pod


decode_line = msgspec.json.Decoder(WatchLine).decode


class Seen(msgspec.Struct):
    """One pod: revisions and the moments at which the watcher heard of them (0: not yet)."""

    name: str
    app: str
    template: str
    created: int = 0
    created_at: float = 0.0
    node: str = ""
    bound: int = 0
    ready: int = 0
    ready_at: float = 0.0
    is_ready: bool = False
    deleting: bool = False


class Witness:
    """The pods that are there by uid, and what became of those that are not."""

    def __init__(self) -> None:
        self.pods: dict[str, Seen] = {}
        self.fault_count = 0
        self.faults: list[str] = []
        self.starts: list[float] = []
        """Seconds from created to Ready, as the watcher heard of both."""
        self.ready = 0
        self.events = 0

    def take(self, line: WatchLine, now: float) -> None:
        """One event that arrived at ``now``."""
        pod = line.object
        if line.type == "BOOKMARK":
            return
        self.events += 1
        meta = pod.metadata
        seen = self.pods.get(meta.uid)
        if line.type == "DELETED":
            if seen is not None:
                self._set_ready(seen, False)
                del self.pods[meta.uid]
            return
        revision = int(meta.resourceVersion)
        if seen is None:
            labels = meta.labels
            seen = Seen(meta.name, labels.get("app", ""), labels.get("pod-template-hash", ""), revision, now)
            self.pods[meta.uid] = seen
            if pod.spec.nodeName:
                self._fault(f"{meta.name} was never seen unbound")
        self._follow(seen, pod, revision, now)

    def _follow(self, seen: Seen, pod: _Pod, revision: int, now: float) -> None:
        node = pod.spec.nodeName
        if node and not seen.node:
            seen.node, seen.bound = node, revision
            if revision <= seen.created:
                self._fault(f"{seen.name} was bound at revision {revision}, created at {seen.created}")
        elif node != seen.node:
            self._fault(f"{seen.name} moved from {seen.node} to {node or 'nowhere'}")
        seen.deleting = pod.metadata.deletionTimestamp is not None
        ready = any(one.type == "Ready" and one.status == "True" for one in pod.status.conditions)
        if ready and not seen.ready:
            seen.ready, seen.ready_at = revision, now
            self.starts.append(now - seen.created_at)
            if not seen.node or revision <= seen.bound:
                self._fault(f"{seen.name} was Ready at revision {revision}, bound at {seen.bound or 'none'}")
        self._set_ready(seen, ready and not seen.deleting)

    def _set_ready(self, seen: Seen, ready: bool) -> None:
        if ready != seen.is_ready:
            seen.is_ready = ready
            self.ready += 1 if ready else -1

    def _fault(self, what: str) -> None:
        self.fault_count += 1
        if len(self.faults) < MAX_FAULTS:
            self.faults.append(what)


def percentiles(values: Sequence[float]) -> dict[str, Any]:
    """p50, p90, p99 and the largest, in the unit of ``values``."""
    if not values:
        return {}
    ordered = sorted(values)
    at = {name: ordered[min(len(ordered) - 1, int(len(ordered) * share))] for name, share in SHARES}
    return {name: round(value, 6) for name, value in at.items()} | {"max": round(ordered[-1], 6), "count": len(ordered)}


SHARES = (("p50", 0.5), ("p90", 0.9), ("p99", 0.99))
