"""The revisions a workload has been at: ReplicaSets of a Deployment, ControllerRevisions of the others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from orchestrator.apimachinery.selectors import selector_text
from orchestrator.cli.remote.resource import Resource
from orchestrator.cli.remote.session import Session
from orchestrator.cli.terminal import CommandError

Object = dict[str, Any]
REVISION = "deployment.kubernetes.io/revision"
CAUSE = "kubernetes.io/change-cause"
HASH = "pod-template-hash"


class Revision(NamedTuple):
    number: int
    cause: str
    template: Object


def revisions(session: Session, resource: Resource, obj: Object) -> list[Revision]:
    """Oldest first."""
    kind = "replicasets.apps" if resource.resource == "deployments" else "controllerrevisions.apps"
    labels = selector_text(obj["spec"].get("selector"))
    namespace = session.place(resource, obj)
    owned = [entry for entry in session.list(session.find(kind), namespace, labels=labels) if owned_by(entry, obj)]
    found = [
        of_replica_set(entry) if kind.startswith("replicasets") else of_controller_revision(entry) for entry in owned
    ]
    return sorted((entry for entry in found if entry is not None), key=lambda entry: entry.number)


def owned_by(entry: Object, owner: Object) -> bool:
    references = entry["metadata"].get("ownerReferences") or ()
    return any(reference["uid"] == owner["metadata"]["uid"] and reference.get("controller") for reference in references)


def of_replica_set(entry: Object) -> Revision | None:
    annotations = entry["metadata"].get("annotations") or {}
    number = annotations.get(REVISION, "")
    if not number.isdigit():
        return None
    return Revision(int(number), annotations.get(CAUSE, ""), without_hash(entry["spec"]["template"]))


def of_controller_revision(entry: Object) -> Revision | None:
    template = dict(((entry.get("data") or {}).get("spec") or {}).get("template") or {})
    template.pop("$patch", None)
    annotations = entry["metadata"].get("annotations") or {}
    return Revision(entry["revision"], annotations.get(CAUSE, ""), template)


def without_hash(template: Object) -> Object:
    metadata = dict(template.get("metadata") or {})
    metadata["labels"] = {key: value for key, value in (metadata.get("labels") or {}).items() if key != HASH}
    return {**template, "metadata": metadata}


def same(one: Object, other: Object) -> bool:
    return bool(plain(one) == plain(other))


def plain(value: Any) -> Any:
    """Without what is empty: ``creationTimestamp: null`` and missing are the same."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items() if item not in (None, {}, [])}
    return [plain(item) for item in value] if isinstance(value, list) else value


def at(found: Sequence[Revision], number: int, title: str) -> Revision:
    for entry in found:
        if entry.number == number:
            return entry
    known = ", ".join(str(entry.number) for entry in found) or "none"
    raise CommandError(f"{title} has no revision {number}; it has {known}")


def before(found: Sequence[Revision], number: int, title: str) -> Revision:
    """The revision asked for, or the last but one."""
    if number:
        return at(found, number, title)
    if len(found) < 2:
        raise CommandError(f"{title} has no revision before this one")
    return found[-2]
