"""What may never happen, read from the log alone: each observer yields a sentence for each thing that did. Pure."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.quantity import Quantity
from orchestrator.apimachinery.timestamps import parse_time
from orchestrator.testing.swarm.log import Change, why

ENDED = ("Succeeded", "Failed")
WITNESSED = ("endpointslices", "replicasets", "resourcequotas", "statefulsets", "jobs", "daemonsets", "nodes", "leases")
LAG_SECONDS = 120.0
"""How far back what a controller knows may be, with every fault at once."""

Observer = Callable[[Sequence[Change]], Iterator[str]]


def revision_order(changes: Sequence[Change]) -> Iterator[str]:
    """Revisions grow; each change of a key follows the one before it."""
    last = 0
    standing: dict[str, tuple[int, int]] = {}
    for change in changes:
        value = change.record.value
        if change.revision < last:
            yield f"revision order: {change.revision} after {last}"
        last = change.revision
        if value.mod_revision != change.revision:
            yield f"revision order: {change.key} says {value.mod_revision} at revision {change.revision}"
        before = standing.pop(change.key, None)
        if change.deleted:
            continue
        expected = 1 if before is None else before[1] + 1
        if value.version != expected:
            yield f"revision order: {change.key} has version {value.version} after {expected - 1}"
        standing[change.key] = (change.revision, value.version)


def quota_kept(changes: Sequence[Change]) -> Iterator[str]:
    """At no revision that makes a pod are there more in a namespace than its quota says."""
    hard: dict[str, int] = {}
    pods: dict[str, dict[str, bool]] = {}
    for change in changes:
        if change.resource == "resourcequotas":
            limits = change.object().get("spec", {}).get("hard", {})
            if change.deleted:
                hard.pop(change.namespace, None)
            elif "pods" in limits:
                hard[change.namespace] = int(limits["pods"])
        elif change.resource == "pods":
            held = pods.setdefault(change.namespace, {})
            held.pop(change.key, None)
            if not change.deleted and _phase(change.object()) not in ENDED:
                held[change.key] = True
            if change.created and len(held) > hard.get(change.namespace, len(held)):
                yield f"quota exceeded: {len(held)} pods in {change.namespace}, its quota is {hard[change.namespace]}"


def owners_known(changes: Sequence[Change]) -> Iterator[str]:
    """A controller owns only in the name of what is or was; one object has at most one controller; no orphan stays."""
    living: dict[str, str] = {}
    known: set[str] = set()
    owned: dict[str, list[str]] = {}
    for change in changes:
        meta = change.object()["metadata"]
        uid = meta["uid"]
        if change.deleted:
            living.pop(uid, None)
            owned.pop(change.key, None)
            continue
        living[uid] = change.key
        known.add(uid)
        references = meta.get("ownerReferences") or []
        owned[change.key] = [held["uid"] for held in references]
        controllers = [held for held in references if held.get("controller")]
        if len(controllers) > 1:
            yield f"owner rules: {change.key} has {len(controllers)} controllers at revision {change.revision}"
        for held in references if change.created else ():
            if held["uid"] not in known:
                yield f"owner rules: {change.key} was made for {held['kind']} {held['name']}, which never was"
    for key, uids in owned.items():
        if uids and not any(uid in living for uid in uids):
            yield f"owner rules: {key} outlived all its owners"


def host_ports_free(changes: Sequence[Change]) -> Iterator[str]:
    """No two pods that have not ended are bound to one node with one port of the host."""
    taken: dict[str, set[tuple[str, int]]] = {}
    for change in changes:
        if change.resource != "pods":
            continue
        pod = change.object()
        before = taken.pop(change.key, set())
        node = pod["spec"].get("nodeName")
        if change.deleted or not node or _phase(pod) in ENDED:
            continue
        ports = {
            (node, held["hostPort"])
            for one in pod["spec"]["containers"]
            for held in one.get("ports") or ()
            if "hostPort" in held
        }
        for place in sorted(ports - before):
            if any(place in others for others in taken.values()):
                yield f"host port: {change.key} was bound to {place[0]}, where port {place[1]} is taken"
        taken[change.key] = ports


def placement_sound(changes: Sequence[Change]) -> Iterator[str]:
    """A pod is bound once, to a node that is there and has room for it."""
    nodes: dict[str, Object] = {}
    bound: dict[str, tuple[str, int]] = {}
    for change in changes:
        if change.resource == "nodes":
            nodes.pop(change.name, None)
            if not change.deleted:
                nodes[change.name] = change.object()
        if change.resource != "pods":
            continue
        pod = change.object()
        before = bound.pop(change.key, None)
        node = pod["spec"].get("nodeName")
        if change.deleted or not node or _phase(pod) in ENDED:
            continue
        bound[change.key] = (node, _cpu_millis(pod))
        if before is not None and before[0] == node:
            continue
        if before is not None and not change.created:
            yield f"placement: {change.key} moved from {before[0]} to {node}"
        yield from _room(change, node, nodes, bound, pod)


def _room(
    change: Change, node: str, nodes: dict[str, Object], bound: dict[str, tuple[str, int]], pod: Object
) -> Iterator[str]:
    if node not in nodes:
        yield f"placement: {change.key} was bound to {node}, which is not there"
        return
    room = Quantity.parse(nodes[node]["status"]["allocatable"]["cpu"]).milli()
    used = sum(cpu for place, cpu in bound.values() if place == node)
    if used > room:
        yield f"placement: {node} has {room}m of cpu, {change.key} makes it {used}m"
    if any(owner["kind"] == "DaemonSet" for owner in pod["metadata"].get("ownerReferences") or ()):
        return
    for taint in nodes[node].get("spec", {}).get("taints") or ():
        added = taint.get("timeAdded")
        if taint["effect"] in ("NoSchedule", "NoExecute") and added is not None and _age(change, added) > LAG_SECONDS:
            yield f"placement: {change.key} was bound to {node}, which has had the taint {taint['key']} for long"


def ordinals_in_order(changes: Sequence[Change]) -> Iterator[str]:
    """A pod of a StatefulSet is made after the one before it was ready."""
    ready: set[str] = set()
    for change in changes:
        if change.resource != "pods":
            continue
        pod = change.object()
        if not change.deleted and is_ready(pod):
            ready.add(change.key)
        owners = pod["metadata"].get("ownerReferences") or ()
        if not change.created or not any(owner["kind"] == "StatefulSet" for owner in owners):
            continue
        base, _, ordinal = change.key.rpartition("-")
        before = f"{base}-{int(ordinal) - 1}"
        if int(ordinal) > 0 and before not in ready:
            yield f"ordinals: {change.key} was made before {before} was ever ready"


def surge_bounded(changes: Sequence[Change]) -> Iterator[str]:
    """The ReplicaSets of a Deployment never want more than it and its surge (25%, rounded up) allow."""
    wanted: dict[str, list[tuple[float, int]]] = {}
    sets: dict[str, dict[str, int]] = {}
    for change in changes:
        obj = change.object()
        if change.resource == "deployments" and not change.deleted:
            wanted.setdefault(obj["metadata"]["uid"], []).append((change.at, obj["spec"]["replicas"]))
        if change.resource != "replicasets":
            continue
        owner = next((held["uid"] for held in obj["metadata"].get("ownerReferences") or ()), None)
        if owner not in wanted:
            continue
        held = sets.setdefault(owner, {})
        before = held.pop(change.key, 0)
        if change.deleted:
            continue
        held[change.key] = obj["spec"]["replicas"]
        known = wanted[owner]
        recent = [number for at, number in known if at > change.at - LAG_SECONDS] + [known[-1][1]]
        earlier = [number for at, number in known if at <= change.at - LAG_SECONDS][-1:]
        most = max(recent + earlier)
        if held[change.key] > before and sum(held.values()) > most + math.ceil(most / 4):
            yield f"surge: {change.key} makes {sum(held.values())} replicas, its Deployment wants {most}"


def endpoints_ready(changes: Sequence[Change]) -> Iterator[str]:
    """No slice says for long that a pod is ready which is not, or is gone."""
    unready: dict[str, float] = {}
    listed: dict[str, dict[str, str]] = {}
    for change in changes:
        if change.resource == "pods":
            uid = change.object()["metadata"]["uid"]
            if not change.deleted and is_ready(change.object()):
                unready.pop(uid, None)
            else:
                unready.setdefault(uid, change.at)
        elif change.resource == "endpointslices":
            listed.pop(change.key, None)
            if not change.deleted:
                listed[change.key] = _ready_targets(change.object())
        for key, targets in listed.items():
            for uid in targets.keys() & unready.keys():
                if change.at - unready[uid] > LAG_SECONDS:
                    yield f"ready endpoints: {key} says that {targets[uid]} is ready, which it has not been for long"
                    unready[uid] = math.inf


def _ready_targets(held: Object) -> dict[str, str]:
    return {
        endpoint["targetRef"]["uid"]: endpoint["targetRef"]["name"]
        for endpoint in held.get("endpoints") or ()
        if endpoint["conditions"].get("ready") and "targetRef" in endpoint
    }


def names_unique_in_log(changes: Sequence[Change]) -> Iterator[str]:
    """A pod that is made has a uid that no pod had before it, and no node and no status of an earlier life."""
    seen: set[str] = set()
    for change in changes:
        if change.resource != "pods" or not change.created:
            continue
        pod = change.object()
        uid = pod["metadata"]["uid"]
        if uid in seen:
            yield f"identity: {change.key} was made with the uid of an earlier pod"
        seen.add(uid)


def collected_rightly(changes: Sequence[Change]) -> Iterator[str]:
    """The garbage collector deletes only what has no owner left that is to stay."""
    solid: dict[str, bool] = {}
    marked: dict[str, bool] = {}
    for change in changes:
        meta = change.object()["metadata"]
        doomed = change.deleted or "deletionTimestamp" in meta
        if doomed and not marked.get(meta["uid"]) and why(change).actor.endswith("/garbage-collector"):
            for owner in meta.get("ownerReferences") or ():
                if solid.get(owner["uid"]):
                    yield f"garbage: {change.key} was collected, its owner {owner['kind']} {owner['name']} is there"
        marked[meta["uid"]] = doomed
        solid[meta["uid"]] = not change.deleted and "foregroundDeletion" not in (meta.get("finalizers") or ())


def foreground_waited(changes: Sequence[Change], lag: float) -> Iterator[str]:
    """What is deleted in the foreground goes after all that blocks it."""
    blocking: dict[str, dict[str, float]] = {}
    since: dict[str, float] = {}
    foreground: set[str] = set()
    for change in changes:
        meta = change.object()["metadata"]
        uid = meta["uid"]
        since.setdefault(uid, change.at)
        for held in meta.get("ownerReferences") or ():
            if held.get("blockOwnerDeletion"):
                blocking.setdefault(held["uid"], {})[change.key] = since[uid]
            if change.deleted:
                blocking.get(held["uid"], {}).pop(change.key, None)
        if "foregroundDeletion" in (meta.get("finalizers") or ()):
            foreground.add(uid)
        if change.deleted and uid in foreground:
            for key, at in blocking.get(uid, {}).items():
                if change.at - at > lag:
                    yield f"foreground: {change.key} is gone before {key}"


def ordinals_settled(changes: Sequence[Change], lag: float) -> Iterator[str]:
    """A pod of a StatefulSet is made while the one before it is ready."""
    unready: dict[str, float] = {}
    for change in changes:
        if change.resource != "pods":
            continue
        pod = change.object()
        if not change.deleted and is_ready(pod) and "deletionTimestamp" not in pod["metadata"]:
            unready.pop(change.key, None)
        else:
            unready.setdefault(change.key, change.at)
        if not change.created or not _owned_by(pod, "StatefulSet"):
            continue
        base, _, ordinal = change.key.rpartition("-")
        since = unready.get(f"{base}-{int(ordinal) - 1}", change.at)
        if change.at - since > lag:
            yield f"ordinals: {change.key} was made, the one before it has not been ready for {change.at - since:.0f} s"


def replicas_bounded(changes: Sequence[Change], lag: float) -> Iterator[str]:
    """A ReplicaSet never has more pods than it wanted of late, unless a write arrived long after it was given up."""
    wanted: dict[str, list[tuple[float, int]]] = {}
    pods: dict[str, set[str]] = {}
    for change in changes:
        obj = change.object()
        meta = obj["metadata"]
        if change.resource == "replicasets" and not change.deleted:
            wanted.setdefault(meta["uid"], []).append((change.at, obj["spec"]["replicas"]))
        if change.resource != "pods":
            continue
        owner = next((held["uid"] for held in meta.get("ownerReferences") or () if held["kind"] == "ReplicaSet"), "")
        held = pods.setdefault(owner, set())
        held.discard(change.key)
        if not owner or change.deleted or "deletionTimestamp" in meta or _phase(obj) in ENDED:
            continue
        held.add(change.key)
        if change.created and len(held) > (most := _most(wanted.get(owner, []), change.at, lag)):
            yield f"replicas: {change.key} makes {len(held)} pods, its ReplicaSet wants {most}"


def _most(known: Sequence[tuple[float, int]], now: float, lag: float) -> int:
    """The most that was wanted within ``lag`` seconds."""
    recent = [number for at, number in known if at > now - lag]
    earlier = [number for at, number in known if at <= now - lag][-1:]
    return max(recent + earlier, default=0)


def _owned_by(pod: Object, kind: str) -> bool:
    return any(owner["kind"] == kind for owner in pod["metadata"].get("ownerReferences") or ())


OBSERVERS: tuple[Observer, ...] = (
    revision_order,
    quota_kept,
    owners_known,
    placement_sound,
    host_ports_free,
    ordinals_in_order,
    surge_bounded,
    endpoints_ready,
    names_unique_in_log,
    collected_rightly,
)
BOUNDED: tuple[Callable[[Sequence[Change], float], Iterator[str]], ...] = (foreground_waited, ordinals_settled)
"""Those that judge by how far behind a controller may be."""


def witnessed(changes: Sequence[Change]) -> Counter[str]:
    """How often there was something to judge."""
    found: Counter[str] = Counter(changes=len(changes))
    for change in changes:
        if change.deleted:
            continue
        if change.resource == "pods":
            found["pods made"] += change.created
            for held in (change.object().get("status") or {}).get("containerStatuses") or ():
                reason = ((held.get("state") or {}).get("waiting") or {}).get("reason", "")
                found["pull failed"] += reason in ("ErrImagePull", "ImagePullBackOff")
        elif change.resource in WITNESSED:
            found[change.resource] += 1
    return found


def is_ready(pod: Object) -> bool:
    held = (pod.get("status") or {}).get("conditions") or ()
    return any(one["type"] == "Ready" and one["status"] == "True" for one in held)


def _phase(pod: Object) -> str:
    return str((pod.get("status") or {}).get("phase", ""))


def _cpu_millis(pod: Object) -> int:
    asked: Any = [one.get("resources", {}).get("requests", {}).get("cpu", "0") for one in pod["spec"]["containers"]]
    return sum(Quantity.parse(text).milli() for text in asked)


def _age(change: Change, moment: str) -> float:
    return change.at - parse_time(moment)
