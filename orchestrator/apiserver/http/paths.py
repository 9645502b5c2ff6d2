"""URL paths: which of them name resources, and what they name."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.client.protocol import Target

NAMESPACE_SUBRESOURCES = frozenset(("status", "finalize"))


@dataclass(frozen=True, slots=True)
class ResourcePath:
    """``rest``: what follows the subresource, for ``proxy``. ``watch``: the deprecated ``/watch/`` prefix was used."""

    target: Target
    rest: str = ""
    watch: bool = False


def resource_path(path: str) -> ResourcePath | None:
    """What a path names; None: it is no resource's."""
    parts = [part for part in path.split("/") if part]
    if not parts:
        return None
    if parts[0] == "api" and len(parts) > 2:
        group, version, rest = "", parts[1], parts[2:]
    elif parts[0] == "apis" and len(parts) > 3:
        group, version, rest = parts[1], parts[2], parts[3:]
    else:
        return None
    watch = rest[0] == "watch"
    return _named(group, version, rest[1:] if watch else rest, path, watch)


def _named(group: str, version: str, parts: list[str], path: str, watch: bool) -> ResourcePath | None:
    namespace = ""
    if not parts:
        return None
    if parts[0] == "namespaces" and len(parts) > 2 and not (len(parts) == 3 and parts[2] in NAMESPACE_SUBRESOURCES):
        namespace, parts = parts[1], parts[2:]
    resource, name, subresource = [*parts, "", ""][:3]
    rest = ""
    if len(parts) > 3:
        if subresource != "proxy":
            return ResourcePath(Target(group, version, "", namespace))
        rest = "/" + path.split("/proxy/", 1)[1] if "/proxy/" in path else ""
    return ResourcePath(Target(group, version, resource, namespace, name, subresource), rest, watch)
