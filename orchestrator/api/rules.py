"""The rules of every kind by group and kind: those of the group modules, generic ones for what has no module."""

from __future__ import annotations

from functools import cache

from orchestrator.api import (
    admissionregistration,
    apiextensions,
    apiregistration,
    apps,
    autoscaling,
    batch,
    certificates,
    coordination,
    core,
    endpoint_slices,
    flowcontrol,
    networking,
    node,
    policy,
    rbac,
    resource,
    scheduling,
    storage,
)
from orchestrator.api.schema import schema
from orchestrator.api.strategy import Rules, spec_changed
from orchestrator.api.zeros import zero_status

__all__ = ["Rules", "generic", "rules"]

_MODULES = (
    core,
    apps,
    batch,
    autoscaling,
    policy,
    networking,
    endpoint_slices,
    rbac,
    storage,
    scheduling,
    coordination,
    certificates,
    admissionregistration,
    node,
    flowcontrol,
    apiextensions,
    apiregistration,
    resource,
)
_BY_KIND: dict[tuple[str, str], Rules] = {(each.group, each.kind): each for module in _MODULES for each in module.RULES}


@cache
def rules(group: str, kind: str) -> Rules:
    """The rules of a built-in kind; generic ones when no module knows it."""
    known = _BY_KIND.get((group, kind))
    if known is not None:
        return known
    for each in schema().resources:
        if (each.group, each.kind) == (group, kind):
            return generic(group, kind, namespaced=each.namespaced, has_status="status" in each.subresources)
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
