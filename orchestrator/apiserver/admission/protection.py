"""StorageObjectInUseProtection: claims and volumes get the finalizer that keeps them while they are used."""

from __future__ import annotations

from orchestrator.apimachinery.encoded import Object
from orchestrator.apiserver.call import Call, Environment

FINALIZERS = {
    "PersistentVolumeClaim": "kubernetes.io/pvc-protection",
    "PersistentVolume": "kubernetes.io/pv-protection",
    "VolumeAttributesClass": "kubernetes.io/vac-protection",
}


def protect(env: Environment, call: Call, obj: Object, old: Object | None) -> None:
    finalizer = FINALIZERS.get(call.resource.kind)
    if finalizer is None or old is not None or call.subresource:
        return
    finalizers = obj["metadata"].get("finalizers") or []
    if finalizer not in finalizers:
        obj["metadata"]["finalizers"] = [*finalizers, finalizer]
