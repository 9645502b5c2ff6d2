"""With the ``kubernetes`` package: put an image on a Deployment, wait until it is rolled out, go back if it is not."""

from __future__ import annotations

import time
from typing import Any

from kubernetes import client, watch


class NotReleased(Exception):
    """The new pods did not become ready; the Deployment is as it was before. ``reasons`` is what the pods say."""

    def __init__(self, name: str, image: str, reasons: list[str]) -> None:
        super().__init__(f"{name}: expected {image} to be ready, found {', '.join(reasons) or 'no pod'}")
        self.reasons = reasons


def release(api: client.ApiClient, name: str, image: str, *, namespace: str = "default", seconds: int = 60) -> int:
    """The generation that is rolled out. Raises ``NotReleased``."""
    apps = client.AppsV1Api(api)
    before = apps.read_namespaced_deployment(name, namespace)
    container = before.spec.template.spec.containers[0]
    made = apps.patch_namespaced_deployment(name, namespace, _image(container.name, image))
    if _rolled_out(apps, made, seconds):
        return int(made.metadata.generation)
    reasons = waiting_reasons(api, namespace, made.spec.selector.match_labels)
    apps.patch_namespaced_deployment(name, namespace, _image(container.name, container.image))
    raise NotReleased(name, image, reasons)


def waiting_reasons(api: client.ApiClient, namespace: str, labels: dict[str, str]) -> list[str]:
    """Why containers wait, each reason once."""
    selector = ",".join(f"{name}={value}" for name, value in labels.items())
    pods = client.CoreV1Api(api).list_namespaced_pod(namespace, label_selector=selector).items
    states = [status.state for pod in pods for status in pod.status.container_statuses or []]
    return sorted({state.waiting.reason for state in states if state.waiting is not None})


def _image(container: str, image: str) -> dict[str, Any]:
    return {"spec": {"template": {"spec": {"containers": [{"name": container, "image": image}]}}}}


def _rolled_out(apps: client.AppsV1Api, made: Any, seconds: int) -> bool:
    """Watch it from the change on; False when ``seconds`` are over."""
    end = time.monotonic() + seconds
    stream = watch.Watch()
    events = stream.stream(
        apps.list_namespaced_deployment,
        made.metadata.namespace,
        field_selector=f"metadata.name={made.metadata.name}",
        resource_version=made.metadata.resource_version,
        timeout_seconds=seconds,
    )
    for event in events:
        if _is_complete(event["object"], made.metadata.generation):
            stream.stop()
            return True
        if time.monotonic() >= end:
            break
    return False


def _is_complete(deployment: Any, generation: int) -> bool:
    status, wanted = deployment.status, deployment.spec.replicas
    return bool(
        (status.observed_generation or 0) >= generation
        and status.updated_replicas == wanted
        and status.available_replicas == wanted
        and status.replicas == wanted
    )
