"""The rules of every kind by group and kind: those of the group modules, generic ones for what has no module."""

from __future__ import annotations

from functools import cache

from orchestrator.api.apps import RULES as APPS
from orchestrator.api.batch import RULES as BATCH
from orchestrator.api.core import RULES as CORE
from orchestrator.api.schema import schema
from orchestrator.api.strategy import Rules, spec_changed
from orchestrator.api.zeros import zero_status

__all__ = ["Rules", "generic", "rules"]

_ALL = (*CORE, *APPS, *BATCH)
_BY_KIND = {(each.group, each.kind): each for each in _ALL}


@cache
def rules(group: str, kind: str) -> Rules:
    """The rules of a built-in kind; generic ones when no module knows it."""
    known = _BY_KIND.get((group, kind))
    if known is not None:
        return known
    for resource in schema().resources:
        if (resource.group, resource.kind) == (group, kind):
            return generic(group, kind, namespaced=resource.namespaced, has_status="status" in resource.subresources)
    return generic(group, kind)


def generic(
    group: str, kind: str, *, namespaced: bool = True, has_status: bool = False, counted: bool = False
) -> Rules:
    """Correct create, read, update and delete for a kind of which no more is known: metadata is checked, the status
    belongs to its subresource. ``counted``: a change of the spec raises the generation, as of custom resources."""
    return Rules(
        group=group,
        kind=kind,
        namespaced=namespaced,
        has_status=has_status,
        initial_status=zero_status,
        counts=spec_changed if counted else None,
    )
