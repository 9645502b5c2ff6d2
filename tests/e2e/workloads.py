"""Manifests that run on both runtimes: what differs is the image and how a shell is started in it."""

from __future__ import annotations

from typing import Any

from tests.e2e.images import IMAGE

PORT = 8080
SERVE = {
    "process": ("podium/web", None),
    "docker": (
        IMAGE,
        ["sh", "-c", "hostname > /www/index.html && echo ok > /www/healthz && exec httpd -f -p 8080 -h /www"],
    ),
}
SHELL = {"process": "podium/sh", "docker": IMAGE}


def web(runtime: str, name: str, replicas: int = 3, **pod: Any) -> dict[str, Any]:
    """A Deployment whose pods answer with their name at ``/`` and are ready as long as ``/healthz`` answers."""
    image, command = SERVE[runtime]
    container: dict[str, Any] = {
        "name": "web",
        "image": image,
        "ports": [{"name": "http", "containerPort": PORT}],
        "readinessProbe": {"httpGet": {"path": "/healthz", "port": "http"}, "periodSeconds": 1},
        "resources": {"requests": {"cpu": "10m", "memory": "16Mi"}},
    }
    if command:
        container["command"] = command
    return deployment(name, container, replicas, **pod)


def shell(runtime: str, script: str, **more: Any) -> dict[str, Any]:
    """A container that runs ``script``."""
    return {"name": "main", "image": SHELL[runtime], "command": ["sh", "-c", script], **more}


def deployment(name: str, container: dict[str, Any], replicas: int = 1, **pod: Any) -> dict[str, Any]:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "labels": {"app": name}},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"terminationGracePeriodSeconds": 2, "containers": [container], **pod},
            },
        },
    }


def pod(name: str, container: dict[str, Any], **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {"app": name}},
        "spec": {"terminationGracePeriodSeconds": 1, "containers": [container], **spec},
    }


def service(name: str, **spec: Any) -> dict[str, Any]:
    ports = [{"name": "http", "port": 80, "targetPort": "http"}]
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {"selector": {"app": name}, "ports": ports, **spec},
    }
