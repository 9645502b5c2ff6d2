"""A dump of a real cluster is a starting state, an audit log a load."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

from orchestrator import Cluster
from orchestrator.apimachinery.encoded import Object
from orchestrator.testing import recorded
from tests.embedding.manifests import WEB


def fingerprint(obj: Object) -> str:
    return f"{obj['kind']}/{obj['metadata'].get('namespace', '')}/{obj['metadata']['name']}"


async def dumped() -> str:
    """What ``kubectl get -A -o yaml`` prints of a cluster with some life in it."""
    async with Cluster(nodes=2, seed=1) as cluster:
        await cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}})
        await cluster.apply(WEB, namespace="shop")
        service = {"selector": {"app": "web"}, "ports": [{"port": 80}]}
        await cluster.apply(
            {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": service}, namespace="shop"
        )
        job = {"template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "work:1"}]}}}
        await cluster.apply({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "once"}, "spec": job})
        await cluster.wait("deployment/web", "Available", namespace="shop")
        await cluster.wait("job/once", "Complete")
        kinds = (
            "namespaces",
            "nodes",
            "pods",
            "services",
            "deployments",
            "replicasets",
            "jobs",
            "endpointslices",
            "serviceaccounts",
            "configmaps",
        )
        items: list[Any] = [
            json.loads(json.dumps(obj)) for kind in kinds for obj in await cluster.list(kind, namespace=None)
        ]
    return yaml.safe_dump({"apiVersion": "v1", "kind": "List", "items": items})


async def test_a_dump_comes_to_life_again(tmp_path: Path) -> None:
    path = tmp_path / "dump.yaml"
    path.write_text(await dumped())
    dump = recorded.load(path)
    assert len(dump) > 15
    names = {fingerprint(obj) for obj in recorded.wanted(dump)}
    assert {"Deployment/shop/web", "Service/shop/web", "Job/default/once", "Namespace//shop"} <= names
    assert not any(name.startswith(("Pod/", "ReplicaSet/", "Node/")) for name in names)
    async with Cluster(nodes=3, seed=2) as cluster:
        assert await recorded.restore(cluster, dump) == []
        await cluster.wait("deployment/web", "Available", namespace="shop")
        await cluster.wait("job/once", "Complete")


def event(at: str, verb: str, body: Object | None, **more: Any) -> str:
    held = {
        "stage": "ResponseComplete",
        "verb": verb,
        "user": {"username": "alice"},
        "objectRef": {"resource": "configmaps", "namespace": "default", "name": "c", "apiVersion": "v1"},
        "requestReceivedTimestamp": at,
        "responseStatus": {"code": 200},
        "requestObject": body,
        **more,
    }
    return json.dumps(held)


async def test_an_audit_log_is_played_at_its_moments() -> None:
    made = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "c", "namespace": "default"},
        "data": {"n": "1"},
    }
    lines = [
        event("2026-05-01T10:00:00.000000Z", "create", made),
        event("2026-05-01T10:00:01.000000Z", "update", made, user={"username": "system:kube-scheduler"}),
        event("2026-05-01T10:10:00.000000Z", "patch", {"data": {"n": "2"}}),
        event("2026-05-01T10:20:00.000000Z", "delete", None, responseStatus={"code": 404}),
    ]
    acts = list(recorded.audited(lines))
    assert [(act.at, act.verb) for act in acts] == [(0.0, "create"), (600.0, "patch")]
    async with Cluster(nodes=1, seed=1) as cluster:
        began = cluster.system.clock.monotonic()
        assert await recorded.replay(cluster, acts) == []
        assert (await cluster.get("configmap/c")).data.n == "2"
        assert 600.0 <= cluster.system.clock.monotonic() - began < 601.0
        (again,) = await recorded.replay(cluster, acts[:1])
        assert "already exists" in again.reason
