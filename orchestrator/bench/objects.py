"""What the benchmark applies: pods of about 2.8 KB once they run, as a small service would have."""

from __future__ import annotations

from orchestrator.apimachinery.encoded import Object

LOST_SECONDS = 5
"""How long a pod of the failure scenario stays on a node that is not ready; Kubernetes' default is 300."""
_TAINTS = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")


def pod_spec() -> Object:
    container = {
        "name": "web",
        "image": "registry.example.com/team/web:1.4.2",
        "ports": [{"name": "http", "containerPort": 8080}],
        "env": [{"name": "LOG_LEVEL", "value": "info"}, {"name": "REGION", "value": "eu-central"}],
        "resources": {"requests": {"cpu": "10m", "memory": "16Mi"}, "limits": {"memory": "64Mi"}},
        "readinessProbe": {"httpGet": {"path": "/ready", "port": "http"}, "periodSeconds": 10},
    }
    return {"containers": [container]}


def deployment(name: str, replicas: int, *, impatient: bool = False) -> Object:
    """``impatient``: its pods leave a lost node after ``LOST_SECONDS``."""
    spec = pod_spec()
    if impatient:
        spec["tolerations"] = [
            {"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": LOST_SECONDS}
            for key in _TAINTS
        ]
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": "default", "labels": {"app": name}},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {"app": name, "tier": "front"}}, "spec": spec},
        },
    }


def pod(name: str) -> Object:
    labels = {"app": "churn", "tier": "front"}
    metadata = {"name": name, "namespace": "default", "labels": labels}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": pod_spec()}


def service(name: str, app: str) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"selector": {"app": app}, "ports": [{"name": "http", "port": 80, "targetPort": "http"}]},
    }
