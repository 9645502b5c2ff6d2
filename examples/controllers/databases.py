"""A Database is a StatefulSet and a Service; before it goes, its last backup is made."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from orchestrator import Apply, Controller, Emit, RequeueAfter, SetStatus

DEFINITION = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: databases.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {plural: databases, singular: database, kind: Database, shortNames: [db]}
  versions:
  - name: v1
    served: true
    storage: true
    subresources:
      status: {}
      scale: {specReplicasPath: .spec.replicas, statusReplicasPath: .status.ready}
    additionalPrinterColumns:
    - {name: Ready, type: integer, jsonPath: .status.ready}
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            x-kubernetes-validations:
            - {rule: "self.replicas % 2 == 1", message: "a quorum needs an odd number of replicas"}
            properties:
              replicas: {type: integer, minimum: 1, default: 3}
          status:
            type: object
            properties: {ready: {type: integer}}
"""


class Databases(Controller, kind="databases.example.com/v1"):
    """Every Database runs, and none goes without a last backup."""

    owns = ("statefulsets.apps", "services", "jobs.batch")
    finalizer = "example.com/backup"

    def plan(self, database: Any, observed: Any, now: datetime) -> Any:
        held = observed.statefulset
        ready = held.status.get("readyReplicas", 0) if held is not None else 0
        return (
            Apply(service(database.name)),
            Apply(stateful_set(database.name, database.spec["replicas"])),
            SetStatus({"ready": ready}),
        )

    def cleanup(self, database: Any, observed: Any, now: datetime) -> Any:
        job = observed.job
        if job is None:
            return (
                Apply(backup(database.name)),
                Emit("Backup", "making the last backup"),
                RequeueAfter(timedelta(seconds=5)),
            )
        return None if job.status.get("succeeded") else RequeueAfter(timedelta(seconds=5))


def service(name: str) -> dict[str, Any]:
    spec = {"clusterIP": "None", "selector": {"database": name}, "ports": [{"port": 5432}]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}


def stateful_set(name: str, replicas: int) -> dict[str, Any]:
    labels = {"database": name}
    container = {"name": "database", "image": "example.com/database:1"}
    return {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": {"name": name},
        "spec": {
            "serviceName": name,
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
        },
    }


def backup(name: str) -> dict[str, Any]:
    container = {"name": "backup", "image": "example.com/backup:1"}
    pod = {"restartPolicy": "Never", "containers": [container]}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": f"{name}-backup"},
        "spec": {"template": {"spec": pod}},
    }
