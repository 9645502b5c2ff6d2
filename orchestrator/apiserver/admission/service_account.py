"""ServiceAccount: every pod runs as an account of its namespace and finds that account's token in a volume."""

from __future__ import annotations

import hashlib

from orchestrator.apimachinery.encoded import Object
from orchestrator.apiserver.admission.subject import creates
from orchestrator.apiserver.call import Call, Environment
from orchestrator.apiserver.keys import object_key

MOUNT_PATH = "/var/run/secrets/kubernetes.io/serviceaccount"
TOKEN_SECONDS = 3607
"""Upstream's odd number: it tells a projected token of admission from one that a user asked for."""
MIRROR = "kubernetes.io/config.mirror"
_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"


def set_account(env: Environment, call: Call, obj: Object, old: Object | None) -> None:
    if not creates(call, "Pod", old):
        return
    if MIRROR in (obj["metadata"].get("annotations") or {}):
        _check_mirror(call, obj)
        return
    spec = obj["spec"]
    name = spec.get("serviceAccountName") or "default"
    spec["serviceAccountName"] = spec["serviceAccount"] = name
    account = env.mirror.get(object_key("", "serviceaccounts", call.namespace, name))
    if account is None:
        why = f'error looking up service account {call.namespace}/{name}: serviceaccount "{name}" not found'
        raise call.forbidden(why, obj["metadata"].get("name", ""))
    if _mounts(spec, account):
        _mount_token(spec, call.namespace, name)
    if not spec.get("imagePullSecrets") and account.get("imagePullSecrets"):
        spec["imagePullSecrets"] = account["imagePullSecrets"]


def _check_mirror(call: Call, obj: Object) -> None:
    if obj["spec"].get("serviceAccountName"):
        raise call.forbidden("a mirror pod may not reference service accounts", obj["metadata"].get("name", ""))


def _mounts(spec: Object, account: Object) -> bool:
    wanted = spec.get("automountServiceAccountToken")
    if wanted is None:
        wanted = account.get("automountServiceAccountToken")
    return wanted is not False


def volume_name(namespace: str, account: str) -> str:
    """The same for all pods of an account, so that pods of one template are equal to the byte."""
    digest = hashlib.sha256(f"{namespace}/{account}".encode()).digest()
    return "kube-api-access-" + "".join(_ALPHABET[byte % len(_ALPHABET)] for byte in digest[:5])


def _mount_token(spec: Object, namespace: str, account: str) -> None:
    volumes = spec.get("volumes") or []
    name = next((name for one in volumes if (name := one.get("name") or "").startswith("kube-api-access-")), "")
    needed = False
    for kind in ("initContainers", "containers"):
        containers = spec.get(kind)
        if not containers:
            continue
        finished = []
        for container in containers:
            mounts = container.get("volumeMounts") or []
            if any(mount.get("mountPath") == MOUNT_PATH for mount in mounts):
                finished.append(container)
                continue
            needed = True
            mount = {"name": name or volume_name(namespace, account), "readOnly": True, "mountPath": MOUNT_PATH}
            finished.append(container | {"volumeMounts": [*mounts, mount]})
        spec[kind] = finished
    if needed and not name:
        spec["volumes"] = [*volumes, token_volume(volume_name(namespace, account))]


def token_volume(name: str) -> Object:
    namespace = {"path": "namespace", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}}
    return {
        "name": name,
        "projected": {
            "sources": [
                {"serviceAccountToken": {"expirationSeconds": TOKEN_SECONDS, "path": "token"}},
                {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
                {"downwardAPI": {"items": [namespace]}},
            ],
            "defaultMode": 420,
        },
    }
