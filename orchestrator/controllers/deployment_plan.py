"""What a Deployment asks for next: one step at a time, so that each is made from what is true. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from orchestrator.apimachinery.encoded import Object
from orchestrator.client.view import View
from orchestrator.controllers import deployment_status as statuses
from orchestrator.controllers import revisions
from orchestrator.controllers.rollout import (
    Bounds,
    Scale,
    bounds,
    count,
    is_scaling,
    new_size,
    recreate_old,
    rescale,
    roll_new,
    roll_old,
    size,
    total,
)

HISTORY_LIMIT = 10
"""Old ReplicaSets that are kept when ``revisionHistoryLimit`` is not said."""


class Change(msgspec.Struct):
    """Of a ReplicaSet, as it was seen: annotations and fields of the spec that get another value."""

    view: View
    annotations: dict[str, str] = {}
    spec: Object = {}


class Plan(msgspec.Struct, frozen=True):
    create: Object | None = None
    """The new ReplicaSet."""
    changes: tuple[Change, ...] = ()
    scales: tuple[Scale, ...] = ()
    """What the changes do to sizes, for the Events."""
    delete: tuple[View, ...] = ()
    revision: str = ""
    """The Deployment's own revision annotation, when it has to change."""
    status: Object = {}


def plan(deployment: View, replicasets: Sequence[View], *, old_pods_run: bool, now: float) -> Plan:
    """``replicasets`` are the Deployment's own; ``old_pods_run`` says whether pods of an older template are left."""
    limit = bounds(deployment)
    new = revisions.find_new(deployment, replicasets)
    old = [view for view in replicasets if view is not new]
    collisions = deployment.status.get("collisionCount", 0)
    status = statuses.status(deployment, limit, new, old, collisions=collisions, now=now)
    if deployment.deleting:
        return Plan(status=status)
    if deployment.spec.get("paused") or is_scaling(deployment, replicasets):
        scales = rescale(deployment, limit, new, old)
        gone = _history(deployment, old) if deployment.spec.get("paused") else []
        return _with(deployment, limit, new, old, scales, gone, status)
    if not limit.rolling and (first := recreate_old(old)):
        return _with(deployment, limit, new, old, first, [], status)
    if not limit.rolling and old_pods_run and (new is None or size(new) == 0):
        return _with(deployment, limit, new, old, [], [], status)
    if new is None:
        return _creating(deployment, limit, old, status, now)
    scales = roll_new(limit, new, old) or (roll_old(limit, new, old) if limit.rolling else [])
    gone = _history(deployment, old) if statuses.complete(deployment, status) else []
    return _with(deployment, limit, new, old, scales, gone, status)


def _creating(deployment: View, limit: Bounds, old: Sequence[View], status: Object, now: float) -> Plan:
    revision = revisions.newest_revision(old) + 1
    made = new_replicaset(deployment, limit, revision, new_size(limit, total(old), 0))
    if statuses.has_deadline(deployment):
        text = f'Created new replica set "{made["metadata"]["name"]}"'
        now_true = statuses.condition("Progressing", "True", "NewReplicaSetCreated", text, now)
        status = {**status, "conditions": statuses.renew(status["conditions"], now_true)}
    return Plan(create=made, revision=_changed_revision(deployment, str(revision)), status=status)


def new_replicaset(deployment: View, limit: Bounds, revision: int, replicas: int) -> Object:
    spec = deployment.spec
    template: Object = spec.get("template") or {}
    suffix = revisions.template_hash(template, deployment.status.get("collisionCount", 0))
    metadata = template.get("metadata") or {}
    labels = {**(metadata.get("labels") or {}), revisions.HASH_LABEL: suffix}
    annotations = revisions.new_annotations(deployment, {}, revision, exists=False)
    annotations |= _size_annotations(limit)
    selector: Object = spec.get("selector") or {}
    made_spec: Object = {
        "replicas": replicas,
        "selector": {**selector, "matchLabels": {**(selector.get("matchLabels") or {}), revisions.HASH_LABEL: suffix}},
        "template": {**template, "metadata": {**metadata, "labels": labels}},
    }
    if spec.get("minReadySeconds"):
        made_spec["minReadySeconds"] = spec["minReadySeconds"]
    return {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {
            "name": f"{deployment.name}-{suffix}",
            "namespace": deployment.namespace,
            "labels": labels,
            "annotations": annotations,
        },
        "spec": made_spec,
    }


def _with(
    deployment: View,
    limit: Bounds,
    new: View | None,
    old: Sequence[View],
    scales: Sequence[Scale],
    gone: Sequence[View],
    status: Object,
) -> Plan:
    changes: dict[str, Change] = {}
    revision = ""
    if new is not None:
        wanted = max(revisions.newest_revision(old) + 1, revisions.revision_of(new))
        annotations = revisions.new_annotations(deployment, new.annotations, wanted, exists=True)
        if annotations != new.annotations:
            changes[new.name] = Change(new, annotations)
        revision = _changed_revision(deployment, annotations[revisions.REVISION])
        _keep_min_ready(deployment, new, changes)
    for scale in scales:
        change = changes.setdefault(scale.view.name, Change(scale.view))
        change.spec["replicas"] = scale.replicas
        change.annotations = change.annotations | _size_annotations(limit)
    made = tuple(changes.values())
    return Plan(changes=made, scales=tuple(scales), delete=tuple(gone), revision=revision, status=status)


def _keep_min_ready(deployment: View, new: View, changes: dict[str, Change]) -> None:
    wanted = deployment.spec.get("minReadySeconds", 0)
    if new.spec.get("minReadySeconds", 0) != wanted:
        changes.setdefault(new.name, Change(new)).spec["minReadySeconds"] = wanted


def _size_annotations(limit: Bounds) -> dict[str, str]:
    return {revisions.DESIRED: str(limit.replicas), revisions.MAXIMUM: str(limit.most)}


def _changed_revision(deployment: View, wanted: str) -> str:
    return wanted if deployment.annotations.get(revisions.REVISION) != wanted else ""


def _history(deployment: View, old: Sequence[View]) -> list[View]:
    """The oldest ReplicaSets beyond the limit that are empty in word and deed."""
    limit = deployment.spec.get("revisionHistoryLimit", HISTORY_LIMIT)
    kept = [view for view in old if not view.deleting]
    surplus = len(kept) - limit
    if surplus <= 0:
        return []
    return [view for view in sorted(kept, key=revisions.revision_of)[:surplus] if _is_empty(view)]


def _is_empty(view: View) -> bool:
    seen = view.status.get("observedGeneration", 0)
    return size(view) == 0 and count(view, "replicas") == 0 and view.generation <= seen
