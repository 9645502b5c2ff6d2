"""Pods from a template: encoded once, the same bytes for each replica. Pure."""

from __future__ import annotations

from typing import Any

from orchestrator.apimachinery.encoded import Object, encode_part


def pod_object(template: Object, namespace: str, owner: Object, *, name: str = "", generate_name: str = "") -> Object:
    """A pod as ``template`` describes it, controlled by ``owner`` (an owner reference)."""
    stated: dict[str, Any] = template.get("metadata") or {}
    metadata: Object = {"name": name} if name else {"generateName": generate_name}
    metadata["namespace"] = namespace
    for key in ("labels", "annotations", "finalizers"):
        if stated.get(key):
            metadata[key] = stated[key]
    metadata["ownerReferences"] = [owner]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template.get("spec") or {}}


def replica_bytes(template: Object, namespace: str, owner: Object, generate_name: str) -> bytes:
    """The body of a create: every replica without a name of its own has the same."""
    return encode_part(pod_object(template, namespace, owner, generate_name=generate_name))
