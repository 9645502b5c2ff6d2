"""A few served resources, and a session that answers from a dict."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

from orchestrator.cli.remote.connection import ApiError, Connection
from orchestrator.cli.remote.discovery import Discovery
from orchestrator.cli.remote.resource import Resource
from orchestrator.cli.remote.session import Session
from orchestrator.client.kubeconfig import Access

PODS = Resource("", "v1", "pods", "pod", "Pod", True, ("po",), ("all",), ("get", "list"), ("log",))
SERVICES = Resource("", "v1", "services", "service", "Service", True, ("svc",), ("all",))
NODES = Resource("", "v1", "nodes", "node", "Node", False, ("no",))
EVENTS = Resource("", "v1", "events", "event", "Event", True, ("ev",))
DEPLOYMENTS = Resource(
    "apps", "v1", "deployments", "deployment", "Deployment", True, ("deploy",), ("all",), (), ("scale",)
)
OLD_DEPLOYMENTS = Resource("apps", "v1beta1", "deployments", "deployment", "Deployment", True, preferred=False)
METRIC_PODS = Resource("metrics.k8s.io", "v1beta1", "pods", "", "PodMetrics", True)
SERVED = (PODS, SERVICES, NODES, EVENTS, DEPLOYMENTS, OLD_DEPLOYMENTS, METRIC_PODS)


class Answers:
    """Stands for a connection: documents by path, everything else is not found."""

    def __init__(self, documents: dict[str, dict[str, Any]]) -> None:
        self.access = Access(server="https://example:6443")
        self.warnings: list[str] = []
        self.asked: list[str] = []
        self._documents = documents

    def get(self, path: str, query: Any = None, *, accept: str = "") -> dict[str, Any]:
        self.asked.append(path)
        if path not in self._documents:
            raise ApiError({"code": 404, "reason": "NotFound", "message": f"{path} not found"})
        return self._documents[path]


def session(documents: dict[str, dict[str, Any]] | None = None) -> Session:
    connection = cast(Connection, Answers(documents or {}))
    served = Discovery(connection, Path("/nonexistent"), now=0.0)
    served._resources = SERVED
    served._fresh = True
    return Session(connection, served, "default", now=1000.0)
