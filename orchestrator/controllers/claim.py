"""Who owns what: a controller adopts what its selector matches and lets go of what it does not. Pure."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from orchestrator.apimachinery.encoded import Object
from orchestrator.client.cache import Selector
from orchestrator.client.kinds import Kind
from orchestrator.client.protocol import Request, Want
from orchestrator.client.requests import patch
from orchestrator.client.view import View


class Claim(msgspec.Struct, frozen=True):
    mine: list[View]
    adopt: list[View]
    """Orphans that match: mine as soon as the reference is written."""
    release: list[View]


def claim(owner: View, selector: Selector, owned: Iterable[View], orphaned: Iterable[View]) -> Claim:
    """An owner on its way out adopts nothing; what is on its way out is neither adopted nor released."""
    mine, release, adopt = [], [], []
    last: dict[str, str] | None = None
    matches = False
    for view in owned:
        if view.meta.labels is not last or last is None:  # those of one template share theirs
            last = view.meta.labels
            matches = selector.matches(view.labels)
        if matches:
            mine.append(view)
        elif not view.deleting and not owner.deleting:
            release.append(view)
    if not owner.deleting:
        adopt = [view for view in orphaned if not view.deleting and selector.matches(view.labels)]
    return Claim(mine, adopt, release)


def adopt_request(kind: Kind, view: View, reference: Object) -> Request:
    references = [held for held in view.metadata.get("ownerReferences", []) if held["uid"] != reference["uid"]]
    return _rewrite(kind, view, [*references, reference])


def release_request(kind: Kind, view: View, owner_uid: str) -> Request:
    references = [held for held in view.metadata.get("ownerReferences", []) if held["uid"] != owner_uid]
    return _rewrite(kind, view, references)


def _rewrite(kind: Kind, view: View, references: list[Object]) -> Request:
    metadata = {"uid": view.uid, "resourceVersion": str(view.revision), "ownerReferences": references or None}
    return patch(kind, view.name, view.namespace, {"metadata": metadata}, want=Want.REVISION)
