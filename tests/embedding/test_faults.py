"""Faults between components: what each does to whom, and that it ends."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from orchestrator import Cluster
from orchestrator.client.kinds import PODS
from orchestrator.embedding.faults import Ambush, Compact, CutWatches, Heal, Lag, Late
from tests.embedding.manifests import POD, WEB


@pytest.fixture
async def cluster() -> AsyncIterator[Cluster]:
    async with Cluster(nodes=2, clock="virtual") as held:
        yield held


async def revision(cluster: Cluster) -> int:
    return (await cluster.client.list(PODS)).revision


async def test_a_cache_behind_a_slow_watch_is_late_and_comes_to_the_same(cluster: Cluster) -> None:
    pods = await cluster.informers.synced(PODS)
    await cluster.do(Lag(30.0, "pods"))
    await cluster.apply(POD)
    await cluster.advance(0.01)
    assert pods.list() == []
    await cluster.advance(31)
    assert [view.name for view in pods.list()] == ["one"]
    assert cluster.counts["frame late"] > 0


async def test_a_watch_that_is_cut_after_a_compaction_lists_again(cluster: Cluster) -> None:
    pods = await cluster.informers.synced(PODS)
    assert await cluster.do(CutWatches("pods", who="system:admin"))
    await cluster.apply(POD)
    assert await cluster.do(Compact())
    await cluster.wait("pod/one", "phase=Running")
    await cluster.advance(5)
    assert [view.revision for view in pods.list()] == [
        item.revision for item in (await cluster.client.list(PODS)).items
    ]
    assert cluster.counts["history lost"] == 1


async def test_a_watch_that_is_cut_silently_is_missed_at_last(cluster: Cluster) -> None:
    pods = await cluster.informers.synced(PODS)
    await cluster.do(CutWatches("pods", silent=True, who="system:admin"))
    await cluster.apply(POD)
    await cluster.advance(30)
    assert pods.list() == []
    await cluster.advance(150)
    assert [view.name for view in pods.list()] == ["one"]


async def test_who_is_killed_after_a_write_finds_it_done(cluster: Cluster) -> None:
    path = "control-plane/controllers/replicaset"
    await cluster.do(Ambush(path, "system:serviceaccount:kube-system:replicaset-controller"))
    await cluster.apply(WEB)
    await cluster.wait("deployment/web", "Available")
    assert cluster.counts["writer killed"] == 1
    assert len(await cluster.list("pods", app="web")) == 3


async def test_a_write_that_is_late_is_given_up_and_arrives(cluster: Cluster) -> None:
    await cluster.do(Late(1.0, 5.0, "system:serviceaccount:kube-system:replicaset-controller"))
    await cluster.apply(WEB)
    await cluster.advance(20)
    assert cluster.counts["write late"] > 0
    await cluster.do(Heal())
    await cluster.wait("deployment/web", "Available")
    await cluster.settle()
    assert len(await cluster.list("pods", app="web")) == 3


async def test_a_node_that_reaches_the_server_again_does_at_once_what_it_missed(cluster: Cluster) -> None:
    await cluster.apply(POD)
    pod = await cluster.wait("pod/one", "phase=Running")
    assert pod is not None
    await cluster.partition([pod.spec.nodeName])
    await cluster.delete("pod/one")
    await cluster.advance(30)
    assert await cluster.find("pod/one") is not None
    await cluster.heal()
    await cluster.wait("pod/one", "deleted", timeout=15)


async def test_a_node_whose_watch_fell_silent_notices_it_with_a_heartbeat(cluster: Cluster) -> None:
    await cluster.apply(POD)
    await cluster.wait("pod/one", "phase=Running")
    await cluster.do(CutWatches("pods", silent=True, who="system:node:*"))
    await cluster.delete("pod/one")
    await cluster.wait("pod/one", "deleted", timeout=105)
