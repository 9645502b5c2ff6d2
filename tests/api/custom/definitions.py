"""A definition that uses most of what there is."""

from __future__ import annotations

from typing import Any

SPEC: dict[str, Any] = {
    "type": "object",
    "required": ["cronSpec"],
    "x-kubernetes-validations": [
        {"rule": "self.minReplicas <= self.replicas", "message": "too few"},
        {"rule": "self.cronSpec == oldSelf.cronSpec", "message": "cronSpec is immutable"},
    ],
    "properties": {
        "cronSpec": {"type": "string", "pattern": r"^(\d+|\*)(/\d+)?(\s+(\d+|\*)(/\d+)?){4}$"},
        "image": {"type": "string", "default": "nginx"},
        "replicas": {"type": "integer", "minimum": 1, "maximum": 10, "default": 1},
        "minReplicas": {"type": "integer", "default": 0},
        "port": {"x-kubernetes-int-or-string": True},
        "mode": {"type": "string", "enum": ["Fast", "Slow"]},
        "tags": {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set", "maxItems": 3},
        "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
    },
}
SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["spec"],
    "properties": {
        "spec": SPEC,
        "status": {
            "type": "object",
            "properties": {"replicas": {"type": "integer"}, "labelSelector": {"type": "string"}},
        },
    },
}
SCALE = {"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas"}


def definition(*, schema: dict[str, Any] | None = None, established: bool = True, **names: Any) -> dict[str, Any]:
    named = {"plural": "crontabs", "singular": "crontab", "kind": "CronTab", "listKind": "CronTabList"} | names
    versions = [
        {
            "name": "v1",
            "served": True,
            "storage": True,
            "schema": {"openAPIV3Schema": schema or SCHEMA},
            "subresources": {"status": {}, "scale": {**SCALE, "labelSelectorPath": ".status.labelSelector"}},
            "additionalPrinterColumns": [
                {"name": "Spec", "type": "string", "jsonPath": ".spec.cronSpec"},
                {"name": "Replicas", "type": "integer", "jsonPath": ".spec.replicas"},
                {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
            ],
            "selectableFields": [{"jsonPath": ".spec.image"}],
        },
        {"name": "v1beta1", "served": True, "storage": False, "schema": {"openAPIV3Schema": SCHEMA}},
        {"name": "v1alpha1", "served": False, "storage": False, "schema": {"openAPIV3Schema": SCHEMA}},
    ]
    conditions = [{"type": "Established", "status": "True"}] if established else []
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{named['plural']}.stable.example.com", "uid": "1"},
        "spec": {"group": "stable.example.com", "scope": "Namespaced", "names": named, "versions": versions},
        "status": {"conditions": conditions, "acceptedNames": named},
    }


def crontab(**spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "stable.example.com/v1",
        "kind": "CronTab",
        "metadata": {"name": "one", "namespace": "default"},
        "spec": {"cronSpec": "* * * * */5"} | spec,
    }
