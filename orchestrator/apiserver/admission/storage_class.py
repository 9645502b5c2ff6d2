"""DefaultStorageClass: a claim that names no class gets the newest default one."""

from __future__ import annotations

from orchestrator.apimachinery.encoded import Object
from orchestrator.apiserver.admission.subject import creates
from orchestrator.apiserver.call import Call, Environment

DEFAULT = "storageclass.kubernetes.io/is-default-class"
BETA_CLASS = "volume.beta.kubernetes.io/storage-class"


def set_storage_class(env: Environment, call: Call, obj: Object, old: Object | None) -> None:
    if not creates(call, "PersistentVolumeClaim", old):
        return
    spec, annotations = obj["spec"], obj["metadata"].get("annotations") or {}
    if spec.get("storageClassName") is not None or BETA_CLASS in annotations:
        return
    defaults = [one for one in env.mirror.items("storage.k8s.io", "storageclasses") if is_default(one)]
    if defaults:
        newest = max(defaults, key=lambda one: (one["metadata"]["creationTimestamp"], one["metadata"]["name"]))
        spec["storageClassName"] = newest["metadata"]["name"]


def is_default(storage_class: Object) -> bool:
    return (storage_class["metadata"].get("annotations") or {}).get(DEFAULT) == "true"
