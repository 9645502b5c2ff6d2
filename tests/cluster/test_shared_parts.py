"""The bytes of an object are in the memory of a process once, whoever holds them."""

from __future__ import annotations

from typing import Any

from orchestrator import Cluster
from orchestrator.client.kinds import PODS
from orchestrator.kubelet.kubelet import Kubelet
from tests.cluster.objects import deployment, rolled_out


def held_by_kubelets(cluster: Any) -> dict[str, tuple[bytes, ...]]:
    inner = [getattr(cell.actor, "_inner", cell.actor) for cell in cluster.system.cells.values()]
    records = [record for actor in inner if isinstance(actor, Kubelet) for record in actor._records.values()]
    return {record.title: (record.metadata, record.status, record.rest) for record in records}


async def test_store_informer_and_kubelet_hold_the_very_same_bytes_of_a_running_pod() -> None:
    async with Cluster(nodes=2, seed=1) as cluster:
        await cluster.apply(deployment(replicas=6))
        await cluster.wait("deployment/web", rolled_out)
        await cluster.settle()
        store: Any = cluster.system.cells["server/store"].actor
        live = store._replica.machine.live
        kubelets = held_by_kubelets(cluster)
        assert len(kubelets) == 6
        cache = await cluster.informers.cache(PODS)
        for title, parts in kubelets.items():
            stored = live[f"core/pods/{title}"].parts
            assert [mine is its for mine, its in zip(parts, stored, strict=True)] == [True] * 3, title
            view = cache.get_key(title)
            assert view is not None
            seen = view.encoded.parts()
            assert [mine is its for mine, its in zip(seen, stored, strict=True)] == [True] * 3, title
