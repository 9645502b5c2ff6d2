"""Pods and observations, made short for tests of the kubelet."""

from __future__ import annotations

from typing import Any

from orchestrator.apimachinery.encoded import encode
from orchestrator.apimachinery.timestamps import rfc3339
from orchestrator.kubelet.observed import Observed
from orchestrator.kubelet.pod import Pod, decode_pod
from orchestrator.kubelet.runtime.runtime import Container, Sandbox, State

NOW = 1_800_000_000.0
UID = "11111111-2222-4333-8444-555555555555"
SANDBOX = Sandbox("sandbox", UID, 0, True, "10.64.0.1", NOW)


def manifest(*containers: dict[str, Any], name: str = "web", uid: str = UID, **spec: Any) -> dict[str, Any]:
    """A pod as the API server stores it; ``spec`` overrides."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "default", "uid": uid, "generation": 1},
        "spec": {
            "containers": list(containers) or [container()],
            "restartPolicy": "Always",
            "terminationGracePeriodSeconds": 30,
            "nodeName": "node-1",
            **spec,
        },
        "status": {"phase": "Pending", "qosClass": "BestEffort"},
    }


def container(name: str = "app", image: str = "nginx:1", **fields: Any) -> dict[str, Any]:
    return {"name": name, "image": image, **fields}


def view(obj: dict[str, Any]) -> Pod:
    encoded = encode(obj)
    return decode_pod(encoded.metadata, encoded.status, encoded.rest)


def pod(*containers: dict[str, Any], **spec: Any) -> Pod:
    return view(manifest(*containers, **spec))


def deleted(obj: dict[str, Any], grace: int = 30) -> dict[str, Any]:
    obj["metadata"] |= {"deletionTimestamp": rfc3339(NOW + grace), "deletionGracePeriodSeconds": grace}
    return obj


def running(name: str = "app", *, attempt: int = 0, image: str = "nginx:1", since: float = NOW) -> Container:
    return Container(f"{name}-{attempt}", UID, name, attempt, image, "sha", State.RUNNING, since, since)


def exited(name: str = "app", code: int = 1, *, attempt: int = 0, image: str = "nginx:1", at: float = NOW) -> Container:
    return Container(f"{name}-{attempt}", UID, name, attempt, image, "sha", State.EXITED, at, at, at, code)


def observed(*containers: Container, sandbox: Sandbox | None = SANDBOX, **fields: Any) -> Observed:
    found = Observed(start_time=NOW, sandbox=sandbox, volumes_ready=True, **fields)
    for one in containers:
        if one.name in found.containers:
            found.former[one.name] = found.containers[one.name]
        found.containers[one.name] = one
    return found
