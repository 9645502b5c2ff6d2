"""What of a Node the scheduler follows, and whether an update has news of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import msgspec

from orchestrator.apimachinery.encoded import Object
from orchestrator.client.view import View
from orchestrator.scheduler.requests import Amounts, amounts
from orchestrator.scheduler.shape import normal_image
from orchestrator.scheduler.taints import Taint, taints
from orchestrator.scheduler.terms import Labels

MAX_ROOMS = 256
"""Sizes of nodes remembered."""
_NO_IMAGES: dict[str, int] = {}


@dataclass(frozen=True, slots=True)
class NodeFacts:
    """What of a Node placement reads. Equal facts mean that an update changes nothing here."""

    name: str
    labels: Labels
    taints: tuple[Taint, ...]
    unschedulable: bool
    allocatable: Amounts
    images: Mapping[str, int]
    """Size in bytes by every name of the image."""


def node_facts(node: Object) -> NodeFacts:
    metadata, spec, status = node["metadata"], node.get("spec") or {}, node.get("status") or {}
    images = {
        normal_image(name): image.get("sizeBytes", 0)
        for image in status.get("images") or ()
        for name in image.get("names") or ()
    }
    return NodeFacts(
        name=metadata["name"],
        labels=metadata.get("labels") or {},
        taints=taints(spec),
        unschedulable=bool(spec.get("unschedulable")),
        allocatable=_room(*(status.get("allocatable") or status.get("capacity") or {}).items()),
        images=images or _NO_IMAGES,
    )


def view_facts(view: View) -> NodeFacts:
    """Of a cached Node, with the name and the labels that the cache holds."""
    return replace(node_facts(view.object), name=view.name, labels=view.labels)


@lru_cache(MAX_ROOMS)
def _room(*resources: tuple[str, Any]) -> Amounts:
    """One object for all nodes with as much room."""
    return amounts(dict(resources))


class _Status(msgspec.Struct):
    """As bytes: they are compared, not read."""

    allocatable: msgspec.Raw = msgspec.Raw()
    capacity: msgspec.Raw = msgspec.Raw()
    images: msgspec.Raw = msgspec.Raw()


_status = msgspec.msgpack.Decoder(_Status).decode


def same_node(old: View, new: View) -> bool:
    """Nothing changed that placement looks at: most updates of a node say that it is still there."""
    if old.uid != new.uid or old.labels != new.labels or old.encoded.rest != new.encoded.rest:
        return False
    before, after = old.encoded.status, new.encoded.status
    if before == after:
        return True
    return bool(before and after) and _status(before) == _status(after)
