"""An autoscaler on a measure of one's own: as many workers as there are tens of jobs waiting."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from orchestrator import Apply, Controller

WAITING = "example.com/waiting"
"""The annotation in which the queue's server says how many jobs wait."""
JOBS_EACH = 10
MOST = 20


class Queues(Controller, kind="configmaps"):
    """Every ConfigMap that tells a queue's length has a Deployment of workers that fits it."""

    owns = ("deployments.apps",)

    def plan(self, queue: Any, observed: Any, now: datetime) -> Any:
        if WAITING not in queue.annotations:
            return None
        wanted = min(MOST, -(-int(queue.annotations[WAITING]) // JOBS_EACH))
        return Apply(workers(queue.name, wanted))


def workers(name: str, replicas: int) -> dict[str, Any]:
    labels = {"queue": name}
    container = {"name": "worker", "image": "example.com/worker:1"}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
        },
    }
