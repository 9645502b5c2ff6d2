"""From a workload to one of its pods, and from a pod to one of its containers."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from orchestrator.apimachinery.selectors import selector_text
from orchestrator.cli.remote.resource import Resource
from orchestrator.cli.remote.session import Session
from orchestrator.cli.terminal import CommandError

Object = dict[str, Any]
DEFAULT_CONTAINER = "kubectl.kubernetes.io/default-container"


def one(session: Session, resource: Resource, name: str) -> Object:
    """The pod itself, or the pod of a workload or Service that is most likely to answer."""
    found = session.get(resource, name)
    if resource.resource == "pods":
        return found
    selector = labels_of(found)
    if not selector:
        raise CommandError(f"{resource.title(name)} selects no pods")
    pods = session.list(session.find("pods"), session.own_namespace, labels=selector)
    if not pods:
        raise CommandError(f"{resource.title(name)} has no pods now")
    best = min(pods, key=rank)
    if len(pods) > 1:
        print(f"Found {len(pods)} pods, using pod/{best['metadata']['name']}", file=sys.stderr)
    return best


def labels_of(obj: Object) -> str:
    """The label selector of a workload or Service as a query has it."""
    selector = (obj.get("spec") or {}).get("selector") or {}
    if obj["kind"] in ("Service", "ReplicationController"):
        return ",".join(f"{key}={value}" for key, value in sorted(selector.items()))
    return selector_text(selector) if selector else ""


def rank(pod: Object) -> tuple[bool, bool, bool, str]:
    """Smaller is better: not deleted, running, ready, then by name."""
    status = pod.get("status") or {}
    ready = any(entry["type"] == "Ready" and entry["status"] == "True" for entry in status.get("conditions") or ())
    metadata = pod["metadata"]
    return "deletionTimestamp" in metadata, status.get("phase") != "Running", not ready, metadata["name"]


def containers(pod: Object) -> list[str]:
    spec = pod.get("spec") or {}
    entries: Sequence[Object] = [*(spec.get("initContainers") or ()), *(spec.get("containers") or ())]
    return [entry["name"] for entry in entries]


def container(pod: Object, wanted: str) -> str:
    """The container that is named, else the pod's default. Raises ``CommandError``."""
    name = pod["metadata"]["name"]
    known = containers(pod) + [entry["name"] for entry in (pod["spec"].get("ephemeralContainers") or ())]
    if wanted:
        if wanted not in known:
            raise CommandError(f"pod/{name} has no container {wanted!r}; it has {', '.join(known)}")
        return wanted
    default: str = (pod["metadata"].get("annotations") or {}).get(DEFAULT_CONTAINER, "")
    if default in known:
        return default
    names = [entry["name"] for entry in pod["spec"]["containers"]]
    if len(names) > 1:
        print(f"Defaulted to container {names[0]!r} out of: {', '.join(names)}", file=sys.stderr)
    first: str = names[0]
    return first
