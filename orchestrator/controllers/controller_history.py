"""The history of a template as ControllerRevisions bear it: StatefulSets and DaemonSets. Pure.

A revision's data is a strategic merge patch that restores the template. Equal templates share one revision: going back
to an old one gives it the newest number.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from orchestrator.apimachinery.encoded import Object
from orchestrator.client.kinds import CONTROLLERREVISIONS
from orchestrator.client.protocol import Request, Want
from orchestrator.client.requests import create, delete, patch
from orchestrator.client.view import View
from orchestrator.controllers.revisions import template_hash

HASH_LABEL = "controller-revision-hash"
HISTORY_LABEL = "controller.kubernetes.io/hash"
DEFAULT_LIMIT = 10


class History(msgspec.Struct, frozen=True):
    """Where the history has to go: ``name`` is the revision of the template as it stands."""

    name: str
    hash: str
    held: list[View]
    """What is there, oldest first."""
    create: Object | None = None
    renumber: tuple[View, int] | None = None

    def requests(self, namespace: str) -> list[Request]:
        if self.create is not None:
            return [create(CONTROLLERREVISIONS, self.create, namespace)]
        if self.renumber is not None:
            view, number = self.renumber
            change = {"metadata": {"uid": view.uid}, "revision": number}
            return [patch(CONTROLLERREVISIONS, view.name, namespace, change, want=Want.REVISION)]
        return []


def number(view: View) -> int:
    held: int = view.rest.get("revision", 0)
    return held


def data_of(template: Object) -> Object:
    return {"spec": {"template": {**template, "$patch": "replace"}}}


def template_of(revision: Object | None) -> Object:
    """The template that a revision's data restores."""
    stated = (((revision or {}).get("data") or {}).get("spec") or {}).get("template") or {}
    return {name: value for name, value in stated.items() if name != "$patch"}


def history(owner: View, revisions: Iterable[View], reference: Object, collisions: int) -> History:
    """What the template of ``owner`` asks of its revisions."""
    held = sorted(revisions, key=lambda view: (number(view), view.meta.creationTimestamp or "", view.name))
    template = owner.spec.get("template") or {}
    data = data_of(template)
    newest = number(held[-1]) if held else 0
    equal = [view for view in held if (view.rest.get("data") or {}) == data]
    if equal:
        found = equal[-1]
        renumber = (found, newest + 1) if number(found) < newest else None
        return History(found.name, hash_of(found), held, renumber=renumber)
    suffix = template_hash(template, collisions)
    made = _revision(owner, reference, data, suffix, newest + 1)
    return History(made["metadata"]["name"], suffix, held, create=made)


def hash_of(revision: View) -> str:
    labels = revision.labels
    return labels.get(HASH_LABEL) or labels.get(HISTORY_LABEL) or revision.name.rpartition("-")[2]


def _revision(owner: View, reference: Object, data: Object, suffix: str, revision: int) -> Object:
    labels = ((owner.spec.get("template") or {}).get("metadata") or {}).get("labels") or {}
    metadata: Object = {
        "name": f"{owner.name}-{suffix}",
        "namespace": owner.namespace,
        "labels": {**labels, HASH_LABEL: suffix, HISTORY_LABEL: suffix},
        "ownerReferences": [reference],
    }
    if owner.annotations:
        metadata["annotations"] = dict(owner.annotations)
    return {
        "apiVersion": CONTROLLERREVISIONS.api_version,
        "kind": CONTROLLERREVISIONS.kind,
        "metadata": metadata,
        "data": data,
        "revision": revision,
    }


def is_ours(existing: Object, made: Object) -> bool:
    """An equal revision of the same owner: the create of a controller that died before it heard the answer."""
    owners = [held.get("uid") for held in existing["metadata"].get("ownerReferences") or ()]
    return existing.get("data") == made["data"] and made["metadata"]["ownerReferences"][0]["uid"] in owners


def surplus(held: Sequence[View], living: Iterable[str], limit: int) -> list[Request]:
    """Deletes of the oldest revisions beyond ``limit`` that nothing uses; ``living`` are names or hashes in use."""
    used = set(living)
    spare = [view for view in held if view.name not in used and hash_of(view) not in used and not view.deleting]
    excess = len(spare) - max(0, limit)
    return [delete(CONTROLLERREVISIONS, view.name, view.namespace, uid=view.uid) for view in spare[: max(0, excess)]]
