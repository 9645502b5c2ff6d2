"""A real cluster's dump as a starting state, or its audit log as a load that is played again.

    async with Cluster(nodes=0) as cluster:
        dump = recorded.load("dump.yaml")            # kubectl get all,configmaps,nodes -A -o yaml
        await recorded.restore(cluster, dump)

What a server, a controller or a kubelet will make again is left out: uids, revisions, owned objects, statuses.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.errors import StatusError
from orchestrator.apimachinery.timestamps import parse_time
from orchestrator.client.kinds import NAMESPACES, Kind
from orchestrator.client.protocol import PatchType
from orchestrator.embedding.cluster import Cluster
from orchestrator.embedding.manifests import objects
from orchestrator.embedding.reference import kind_of_object, words

SERVER_FIELDS = ("uid", "resourceVersion", "generation", "creationTimestamp", "managedFields", "selfLink")
"""Of the metadata: what the next server gives itself."""
MADE_BY_OTHERS = ("Event", "Endpoints", "EndpointSlice", "Lease", "ControllerRevision", "ComponentStatus", "Node")
"""Kinds that components keep by themselves; nodes are the cluster's own."""
SYSTEM_NAMESPACES = ("kube-system", "kube-public", "kube-node-lease")
FIRST = (
    "CustomResourceDefinition",
    "Namespace",
    "ServiceAccount",
    "ConfigMap",
    "Secret",
    "ResourceQuota",
    "LimitRange",
)
"""What others need comes first."""
WRITES = ("create", "update", "patch", "delete")


class Skipped(msgspec.Struct, frozen=True):
    """What was not restored or played, and why."""

    what: str
    reason: str


def load(path: str | Path) -> list[Object]:
    """The objects of a dump: YAML or JSON, Lists taken apart. Raises ``ManifestError``."""
    return list(objects(Path(path)))


def wanted(dump: Iterable[Object]) -> list[Object]:
    """What of a dump a user once asked for, cleaned, in an order in which it can be applied. Pure."""
    found = [clean(obj) for obj in dump if _asked_for(obj)]
    rank = {kind: number for number, kind in enumerate(FIRST)}
    return sorted(found, key=lambda obj: rank.get(obj["kind"], len(FIRST)))


def _asked_for(obj: Object) -> bool:
    meta = obj["metadata"]
    if obj["kind"] in MADE_BY_OTHERS or meta.get("namespace") in SYSTEM_NAMESPACES:
        return False
    if obj["kind"] == "Namespace" and meta["name"] in SYSTEM_NAMESPACES:
        return False
    if obj["kind"] == "Service" and meta["name"] == "kubernetes" and meta.get("namespace") == "default":
        return False
    if meta["name"] in ("default", "kube-root-ca.crt") and obj["kind"] in ("ServiceAccount", "ConfigMap"):
        return False
    return not any(owner.get("controller") for owner in meta.get("ownerReferences") or ())


def clean(obj: Object) -> Object:
    """Without what the server and the components fill in."""
    meta = {name: value for name, value in obj["metadata"].items() if name not in SERVER_FIELDS}
    made = {name: value for name, value in obj.items() if name != "status"} | {"metadata": meta}
    if obj["kind"] == "Service":
        drop = ("clusterIP", "clusterIPs", "healthCheckNodePort")
        headless = obj["spec"].get("clusterIP") == "None"
        made["spec"] = {name: value for name, value in obj["spec"].items() if headless or name not in drop}
    if obj["kind"] == "Pod":
        made["spec"] = {name: value for name, value in obj["spec"].items() if name not in ("nodeName", "volumes")}
        for part in ("containers", "initContainers"):
            if part in made["spec"]:
                made["spec"][part] = [
                    {name: value for name, value in one.items() if name != "volumeMounts"} for one in made["spec"][part]
                ]
    if obj["kind"] == "PersistentVolumeClaim":
        made["spec"] = {name: value for name, value in obj["spec"].items() if name != "volumeName"}
    if obj["kind"] == "Job":
        made["spec"] = _without_generated(obj["spec"])
    return made


def _without_generated(spec: Object) -> Object:
    """A Job's selector and labels bear the uid of its first life."""
    if spec.get("manualSelector"):
        return spec
    template = {**spec["template"]}
    labels = (template.get("metadata") or {}).get("labels") or {}
    generated = ("controller-uid", "batch.kubernetes.io/controller-uid", "job-name", "batch.kubernetes.io/job-name")
    kept = {name: value for name, value in labels.items() if name not in generated}
    template["metadata"] = {**(template.get("metadata") or {}), "labels": kept}
    return {**{name: value for name, value in spec.items() if name != "selector"}, "template": template}


async def restore(cluster: Cluster, dump: Iterable[Object]) -> list[Skipped]:
    """Apply what a user once asked for; what was refused comes back with the reason."""
    skipped = []
    known = {obj["metadata"]["name"] for obj in (await cluster.client.list(NAMESPACES)).objects()}
    for obj in wanted(dump):
        space = obj["metadata"].get("namespace")
        if space and space not in known:
            known.add(space)
            await cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": space}})
        if obj["kind"] == "Namespace":
            known.add(obj["metadata"]["name"])
        try:
            await cluster.apply(obj)
        except (StatusError, LookupError) as refusal:
            skipped.append(Skipped(f"{obj['kind']} {space or ''}/{obj['metadata']['name']}", str(refusal)))
    return skipped


class Act(msgspec.Struct, frozen=True):
    """One write of an audit log. ``at`` is seconds since its first."""

    at: float
    verb: str
    kind: Kind
    namespace: str
    name: str
    subresource: str
    body: Object
    patch_type: PatchType | None


def audited(lines: Iterable[str]) -> Iterator[Act]:
    """The writes that users made and the server did, from an audit log at the level Request or above. Pure.

    Components' own requests are left out: the cluster's components make them anew.
    """
    began: float | None = None
    for line in lines:
        event = json.loads(line) if line.strip() else {}
        if not _is_a_user_s_write(event):
            continue
        at = parse_time(event["requestReceivedTimestamp"])
        began = at if began is None else began
        ref = event["objectRef"]
        kind = kind_of_object(event.get("requestObject") or {}) or _kind(ref)
        if kind is None:
            continue
        body = event.get("requestObject") or {}
        yield Act(
            at - began,
            event["verb"],
            kind,
            ref.get("namespace", ""),
            ref.get("name") or (body.get("metadata") or {}).get("name", ""),
            ref.get("subresource", ""),
            body,
            _patch_type(event) if event["verb"] == "patch" else None,
        )


def _is_a_user_s_write(event: dict[str, Any]) -> bool:
    if event.get("stage") != "ResponseComplete" or event.get("verb") not in WRITES or "objectRef" not in event:
        return False
    user = (event.get("user") or {}).get("username", "")
    accounts = user.startswith("system:serviceaccount:") and not user.startswith("system:serviceaccount:kube-system:")
    if user.startswith("system:") and not accounts and user != "system:admin":
        return False
    return int((event.get("responseStatus") or {}).get("code", 200)) < 400


def _kind(ref: dict[str, Any]) -> Kind | None:
    group = ref.get("apiGroup", "")
    return words().get(f"{ref['resource']}.{group}" if group else ref["resource"])


def _patch_type(event: dict[str, Any]) -> PatchType:
    """An audit event does not say which patch it was: a list is a JSON patch, an apply names its manager's verb."""
    if isinstance(event.get("requestObject"), list):
        return PatchType.JSON
    return (
        PatchType.APPLY
        if "fieldManager=" in event.get("requestURI", "") and "force=" in event["requestURI"]
        else PatchType.MERGE
    )


async def replay(cluster: Cluster, acts: Iterable[Act], *, speed: float = 1.0) -> list[Skipped]:
    """Do it again at its moments, ``speed`` times as fast; what is refused now comes back with the reason."""
    clock = cluster.system.clock
    began, skipped = clock.monotonic(), []
    for act in acts:
        wait = began + act.at / speed - clock.monotonic()
        if wait > 0:
            await cluster.pause(wait)
        try:
            await _do(cluster, act)
        except StatusError as refusal:
            skipped.append(Skipped(f"{act.verb} {act.kind.label} {act.namespace}/{act.name}", str(refusal)))
    return skipped


async def _do(cluster: Cluster, act: Act) -> None:
    client = cluster.client
    match act.verb:
        case "create" if act.subresource:
            await client.create_sub(act.kind, act.name, act.namespace, act.subresource, act.body)
        case "create":
            await client.create(act.kind, clean(act.body), act.namespace)
        case "update":
            await client.update(act.kind, clean(act.body))
        case "patch":
            await client.patch(
                act.kind,
                act.name,
                act.namespace,
                act.body,
                patch_type=act.patch_type or PatchType.MERGE,
                subresource=act.subresource,
            )
        case _:
            await client.delete(act.kind, act.name, act.namespace)
