"""A Deployment's history as its ReplicaSets bear it: template hashes, revision annotations, what is copied. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from orchestrator.apimachinery.encoded import Object
from orchestrator.client.view import View

HASH_LABEL = "pod-template-hash"
REVISION = "deployment.kubernetes.io/revision"
REVISION_HISTORY = "deployment.kubernetes.io/revision-history"
DESIRED = "deployment.kubernetes.io/desired-replicas"
MAXIMUM = "deployment.kubernetes.io/max-replicas"
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
ROLLBACK_TO = "deprecated.deployment.rollback.to"
_OWN = frozenset((REVISION, REVISION_HISTORY, DESIRED, MAXIMUM, LAST_APPLIED, ROLLBACK_TO))
"""Annotations that are not copied from the Deployment to its ReplicaSets."""
MAX_HISTORY_CHARACTERS = 2000
_LETTERS = "bcdfghjklmnpqrstvwxz2456789"
"""What names may be made of without spelling words (apimachinery's rand)."""
_canonical = msgspec.json.Encoder(order="deterministic").encode


def fnv32a(data: bytes, value: int = 0x811C9DC5) -> int:
    for byte in data:
        value = ((value ^ byte) * 0x01000193) & 0xFFFFFFFF
    return value


def template_hash(template: Object, collisions: int) -> str:
    """The suffix of a ReplicaSet's name: equal templates give equal ones, until a collision is counted."""
    value = fnv32a(_canonical(template))
    if collisions:
        value = fnv32a(collisions.to_bytes(4, "little"), value)
    return "".join(_LETTERS[ord(digit) % len(_LETTERS)] for digit in str(value))


def without_hash(template: Object) -> Object:
    """The template without the label that tells ReplicaSets apart."""
    metadata = template.get("metadata") or {}
    labels = metadata.get("labels") or {}
    if HASH_LABEL not in labels:
        return template
    kept = {name: value for name, value in labels.items() if name != HASH_LABEL}
    metadata = {name: value for name, value in metadata.items() if name != "labels"}
    return {**template, "metadata": {**metadata, "labels": kept} if kept else metadata}


def same_template(one: Object, other: Object) -> bool:
    return _plain(without_hash(one)) == _plain(without_hash(other))


def _plain(template: Object) -> Object:
    metadata = {name: value for name, value in (template.get("metadata") or {}).items() if value}
    return {"metadata": metadata, "spec": template.get("spec") or {}}


def revision_of(view: View) -> int:
    try:
        return int(view.annotations.get(REVISION, "0"))
    except ValueError:
        return 0


def newest_revision(replicasets: Iterable[View]) -> int:
    return max((revision_of(view) for view in replicasets), default=0)


def by_age(replicasets: Iterable[View]) -> list[View]:
    """Oldest first, names break ties."""
    return sorted(replicasets, key=lambda view: (view.meta.creationTimestamp or "", view.name))


def find_new(deployment: View, replicasets: Sequence[View]) -> View | None:
    """The ReplicaSet with the Deployment's template; of several the oldest, so that the choice is stable."""
    template = deployment.spec.get("template") or {}
    for view in by_age(replicasets):
        if same_template(view.spec.get("template") or {}, template):
            return view
    return None


def new_annotations(deployment: View, held: Mapping[str, str], revision: int, *, exists: bool) -> dict[str, str]:
    """What the new ReplicaSet's annotations become: the Deployment's own, the revision, those it was before."""
    annotations = dict(held)
    annotations.update({name: value for name, value in deployment.annotations.items() if name not in _OWN})
    previous = held.get(REVISION, "")
    if revision > (int(previous) if previous.isdigit() else 0):
        annotations[REVISION] = str(revision)
        if exists and previous:
            annotations[REVISION_HISTORY] = _extended(held.get(REVISION_HISTORY, ""), previous)
    return annotations


def _extended(history: str, revision: str) -> str:
    entries = [entry for entry in history.split(",") if entry]
    entries.append(revision)
    while len(",".join(entries)) > MAX_HISTORY_CHARACTERS:
        del entries[0]
    return ",".join(entries)
