"""Claims that wait for their first consumer: the scheduler picks the node, the binder and the provisioner follow."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator.apimachinery.encoded import Object
from orchestrator.client.kinds import PERSISTENTVOLUMES, PODS
from orchestrator.embedding import Cluster

pytestmark = pytest.mark.slow

SELECTED_NODE = "volume.kubernetes.io/selected-node"


def storage_class(provisioner: str = "podium.io/local") -> Object:
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": "wait"},
        "provisioner": provisioner,
        "volumeBindingMode": "WaitForFirstConsumer",
    }


def claim(name: str = "data") -> Object:
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": name},
        "spec": {
            "storageClassName": "wait",
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "1Gi"}},
        },
    }


def pod(name: str = "db", **spec: Any) -> Object:
    mounts = [{"name": "data", "mountPath": "/data"}]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {
            "containers": [{"name": "main", "image": "db:1", "volumeMounts": mounts}],
            "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}],
            **spec,
        },
    }


def volume(name: str, node: str) -> Object:
    term = {"matchExpressions": [{"key": "kubernetes.io/hostname", "operator": "In", "values": [node]}]}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": name},
        "spec": {
            "storageClassName": "wait",
            "accessModes": ["ReadWriteOnce"],
            "capacity": {"storage": "2Gi"},
            "local": {"path": f"/mnt/{name}"},
            "nodeAffinity": {"required": {"nodeSelectorTerms": [term]}},
        },
    }


async def awaited(cluster: Cluster, what: str, goal: str) -> Object:
    found = await cluster.wait(what, goal)
    assert found is not None
    return found


async def test_a_claim_is_provisioned_for_the_node_that_the_scheduler_selected() -> None:
    async with Cluster(nodes=3, seed=1) as cluster:
        await cluster.apply(storage_class())
        await cluster.apply(claim())
        await cluster.pause(5.0)
        waiting = await cluster.get("pvc/data")
        assert (waiting.get("status") or {}).get("phase") != "Bound"
        await cluster.apply(pod())
        placed = await awaited(cluster, "pod/db", "phase=Running")
        held = await awaited(cluster, "pvc/data", "phase=Bound")
        node = placed["spec"]["nodeName"]
        assert held["metadata"]["annotations"][SELECTED_NODE] == node
        made = await cluster.client.get(PERSISTENTVOLUMES, held["spec"]["volumeName"])
        (term,) = made["spec"]["nodeAffinity"]["required"]["nodeSelectorTerms"]
        assert term["matchExpressions"][0]["values"] == [node]
        await cluster.client.delete(PODS, "db", "default", grace_seconds=0)
        await cluster.apply(pod("again"))
        assert (await awaited(cluster, "pod/again", "phase=Running"))["spec"]["nodeName"] == node


async def test_a_pod_goes_where_a_free_volume_is() -> None:
    async with Cluster(nodes=3, seed=1) as cluster:
        await cluster.apply(storage_class("kubernetes.io/no-provisioner"))
        await cluster.apply(claim())
        await cluster.apply(pod())
        await cluster.pause(5.0)
        events = [held["message"] for held in await cluster.list("events")]
        text = "0/3 nodes are available: 3 node(s) didn't find available persistent volumes to bind."
        assert any(message.startswith(text) for message in events), events
        await cluster.apply(volume("disk", "node-2"))
        placed = await awaited(cluster, "pod/db", "phase=Running")
        assert placed["spec"]["nodeName"] == "node-2"
        held = await awaited(cluster, "pvc/data", "phase=Bound")
        assert held["spec"]["volumeName"] == "disk"


async def test_a_pod_waits_for_a_claim_that_is_not_there_yet() -> None:
    async with Cluster(nodes=1, seed=1) as cluster:
        await cluster.apply(storage_class())
        await cluster.apply(pod())
        await cluster.pause(5.0)
        events = [held["message"] for held in await cluster.list("events")]
        text = '0/1 nodes are available: persistentvolumeclaim "data" not found. preemption: '
        assert text + "0/1 nodes are available: 1 Preemption is not helpful for scheduling." in events
        await cluster.apply(claim())
        await awaited(cluster, "pod/db", "phase=Running")
