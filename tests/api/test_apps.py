"""What must hold of workloads, beyond what was recorded."""

from __future__ import annotations

from orchestrator.api.apps import check_stateful_set, default_stateful_set
from orchestrator.apimachinery.encoded import Object


def stateful_set(mounted: str) -> Object:
    labels = {"app": "db"}
    mounts = [{"name": mounted, "mountPath": "/data"}]
    claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    obj: Object = {
        "metadata": {"name": "db", "namespace": "default"},
        "spec": {
            "serviceName": "db",
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"containers": [{"name": "c", "image": "db", "volumeMounts": mounts}]},
            },
            "volumeClaimTemplates": [{"metadata": {"name": "data"}, "spec": claim}],
        },
    }
    default_stateful_set(obj)
    return obj


def test_a_container_may_mount_a_claim_template() -> None:
    assert check_stateful_set(stateful_set("data")) == []


def test_a_mount_without_volume_and_claim_template_is_refused() -> None:
    assert [one.field for one in check_stateful_set(stateful_set("other"))] == [
        "spec.template.spec.containers[0].volumeMounts[0].name"
    ]
