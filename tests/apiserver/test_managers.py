"""Who owns the fields that a component of the process wrote: the name by which tools know it."""

from __future__ import annotations

import pytest

from orchestrator import Cluster
from orchestrator.apiserver.call import manager_of
from orchestrator.embedding import Cluster as Embedded
from tests.cluster.objects import deployment, rolled_out


@pytest.mark.parametrize(
    ("user", "manager"),
    [
        ("system:node:node-1", "kubelet"),
        ("system:serviceaccount:kube-system:replicaset-controller", "kube-controller-manager"),
        ("system:kube-scheduler", "kube-scheduler"),
        ("system:admin", "podium"),
        ("system:serviceaccount:default:default", "unknown"),
        ("jane", "unknown"),
    ],
)
def test_a_user_of_the_process_has_the_name_of_its_program(user: str, manager: str) -> None:
    assert manager_of(user) == manager


async def managers(cluster: Embedded, kind: str, name: str) -> set[tuple[str, str]]:
    found = (await cluster.get(kind, name))["metadata"]["managedFields"]
    return {(entry["manager"], entry.get("subresource", "")) for entry in found}


async def test_a_pod_belongs_to_the_controllers_and_its_status_to_the_kubelet() -> None:
    async with Cluster(nodes=1, seed=1) as cluster:
        await cluster.apply(deployment(replicas=1))
        await cluster.wait("deployment/web", rolled_out)
        (pod,) = await cluster.list("pods")
        assert await managers(cluster, "pods", pod["metadata"]["name"]) == {
            ("kube-controller-manager", ""),
            ("kubelet", "status"),
        }
        assert ("kubelet", "") in await managers(cluster, "nodes", "node-1")
