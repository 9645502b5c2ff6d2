"""Every kind that the API serves, for those who care for all: from the schema and from CustomResourceDefinitions."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from orchestrator.api.schema import schema
from orchestrator.client.kinds import Kind
from orchestrator.client.view import View

NOT_KEPT = frozenset((("", "events"), ("events.k8s.io", "events"), ("", "componentstatuses"), ("", "bindings")))
"""Kinds that nobody collects: short-lived ones and those that are not stored."""


@cache
def served() -> tuple[Kind, ...]:
    """The built-in kinds that can be listed, watched and deleted, each in its first version."""
    found: dict[tuple[str, str], Kind] = {}
    for resource in schema().resources:
        place = (resource.group, resource.plural)
        if place in found or place in NOT_KEPT or not {"list", "watch", "delete"} <= set(resource.verbs):
            continue
        found[place] = Kind(resource.group, resource.version, resource.plural, resource.kind, resource.namespaced)
    return tuple(found.values())


def defined(definitions: Iterable[View]) -> list[Kind]:
    """The kinds of the CustomResourceDefinitions that are established, in their stored version."""
    found = []
    for view in definitions:
        conditions = view.status.get("conditions") or ()
        if any(held.get("type") == "Established" and held.get("status") == "True" for held in conditions):
            spec = view.spec
            version = next((held["name"] for held in spec["versions"] if held.get("storage")), "")
            names = spec["names"]
            found.append(Kind(spec["group"], version, names["plural"], names["kind"], spec["scope"] == "Namespaced"))
    return found
