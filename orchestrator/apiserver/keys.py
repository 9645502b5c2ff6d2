"""Where an object lives in the store: ``<group or "core">/<plural>/<namespace>/<name>``.

Two groups may share one storage (``events.k8s.io`` and the events of the core group); only this module knows it.
"""

from __future__ import annotations

from functools import lru_cache

CORE = "core"
MAX_PREFIXES = 1024
"""Prefixes remembered: more kinds than a cluster has."""

SHARED_STORAGE = {("events.k8s.io", "events"): (CORE, "events")}
"""Resources that are another view of a stored one."""


@lru_cache(MAX_PREFIXES)
def resource_prefix(group: str, plural: str) -> str:
    """The prefix of every object of a resource, with its closing slash."""
    folder, name = SHARED_STORAGE.get((group, plural), (group or CORE, plural))
    return f"{folder}/{name}/"


def list_prefix(group: str, plural: str, namespace: str) -> str:
    """What a list or watch reads: one namespace, or everything."""
    prefix = resource_prefix(group, plural)
    return f"{prefix}{namespace}/" if namespace else prefix


def object_key(group: str, plural: str, namespace: str, name: str) -> str:
    """The key of one object; ``namespace`` is "" for a cluster scoped one."""
    prefix = resource_prefix(group, plural)
    return f"{prefix}{namespace}/{name}" if namespace else prefix + name


def split_key(key: str) -> tuple[str, str, str, str]:
    """``(group, plural, namespace, name)`` of a key, the group "" for core."""
    folder, plural, *rest = key.split("/")
    namespace, name = rest if len(rest) == 2 else ("", rest[0])
    return ("" if folder == CORE else folder), plural, namespace, name
