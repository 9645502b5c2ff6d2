"""A cluster in a program: its verbs, its directory, its door, several at once."""

from __future__ import annotations

import asyncio
import gc
import os
import statistics
import threading
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from orchestrator import Cluster, Unmet
from orchestrator.apimachinery.errors import StatusError
from orchestrator.client.kinds import NODES
from orchestrator.config import ConfigError
from orchestrator.embedding.errors import NoSuchNode, NotDeterministic, NotServed, TimeIsReal
from orchestrator.embedding.manifests import ManifestError
from orchestrator.embedding.reference import UnknownKind
from tests.embedding.manifests import POD, WEB


@pytest.fixture
async def cluster() -> AsyncIterator[Cluster]:
    async with Cluster(nodes=3) as held:
        yield held


async def test_what_is_applied_is_got_listed_and_deleted(cluster: Cluster) -> None:
    (applied,) = await cluster.apply(WEB)
    assert applied.metadata.name == "web"
    found = await cluster.wait("deployment/web", "Available")
    assert found is not None
    assert found.status.availableReplicas == 3
    assert [pod.spec.nodeName for pod in await cluster.list("pods", app="web")] != []
    assert await cluster.list("po", app="other") == []
    await cluster.delete("deploy/web")
    await cluster.wait("deployment/web", "deleted")
    assert await cluster.find("deployment", "web") is None
    with pytest.raises(StatusError) as refused:
        await cluster.get("deployment/web")
    assert refused.value.code == 404


async def test_manifests_are_text_files_folders_and_objects(cluster: Cluster, tmp_path: Path) -> None:
    (tmp_path / "web.yaml").write_text(WEB)
    cluster.folder = tmp_path
    assert [one.kind for one in await cluster.apply("web.yaml")] == ["Deployment"]
    assert [one.kind for one in await cluster.apply(tmp_path)] == ["Deployment"]
    assert [one.kind for one in await cluster.apply([POD])] == ["Pod"]
    with pytest.raises(ManifestError, match="there is no such file"):
        await cluster.apply("other.yaml")
    with pytest.raises(ManifestError, match="expected an object with apiVersion and kind"):
        await cluster.apply("a: 1\n")


async def test_a_pod_can_be_made_as_soon_as_the_cluster_is_up(cluster: Cluster) -> None:
    await cluster.apply(POD)
    running = await cluster.wait("pod/one", "phase=Running", timeout=5.0)
    assert running is not None
    assert len((await cluster.client.list(NODES)).items) == 3


async def test_a_watch_sees_each_change_in_order_across_the_end_of_the_server(cluster: Cluster) -> None:
    changes = cluster.watch("configmaps")
    made = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}}
    seen = []

    async def follow() -> None:
        async for change in changes:
            if change.object.metadata.name == "c":
                seen.append((change.type, (change.object.get("data") or {}).get("n")))
            if len(seen) == 4:
                return

    task = asyncio.ensure_future(follow())
    await asyncio.sleep(0.1)
    await cluster.apply({**made, "data": {"n": "1"}})
    await cluster.kill("server/apiserver")
    await cluster.apply({**made, "data": {"n": "2"}})
    await cluster.apply({**made, "data": {"n": "3"}})
    await cluster.delete("configmap/c")
    await task
    assert seen == [("ADDED", "1"), ("MODIFIED", "2"), ("MODIFIED", "3"), ("DELETED", "3")]
    await changes.aclose()


async def test_a_custom_resource_is_known_by_its_definition(cluster: Cluster) -> None:
    names = {"plural": "certificates", "singular": "certificate", "kind": "Certificate", "shortNames": ["cert"]}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": {"type": "object"}}}
    await cluster.apply(
        {
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": "certificates.example.com"},
            "spec": {"group": "example.com", "names": names, "scope": "Namespaced", "versions": [version]},
        }
    )
    kind = await cluster.kind("cert")
    assert (kind.group, kind.resource, kind.kind) == ("example.com", "certificates", "Certificate")
    with pytest.raises(UnknownKind, match="found 'spaceship'"):
        await cluster.kind("spaceship")


async def test_what_is_wrong_is_said(cluster: Cluster) -> None:
    with pytest.raises(NoSuchNode, match="nodes node-1, node-2, node-3, found 'node-9'"):
        await cluster.kill("node-9")
    with pytest.raises(NotServed, match="serve=True"):
        cluster.kubeconfig()
    with pytest.raises(ValueError, match="such as deployment/web, found 'deployment'"):
        await cluster.get("deployment")
    with pytest.raises(ConfigError, match='expected "real", "virtual"'):
        Cluster(clock="fast")


@pytest.mark.real_loop
async def test_a_seed_and_a_jump_need_what_they_need() -> None:
    with pytest.raises(NotDeterministic, match=r"orchestrator.testing.run\(main, seed=7\)"):
        Cluster(seed=7)
    with pytest.raises(ConfigError, match="simulated disk"):
        Cluster(clock="virtual", data_dir="somewhere")
    async with Cluster() as cluster:
        with pytest.raises(TimeIsReal, match=r'Cluster\(clock="virtual"\)'):
            await cluster.advance(hours=1)


@pytest.mark.real_loop
async def test_state_in_a_directory_is_found_by_the_next_start(tmp_path: Path) -> None:
    async with Cluster(data_dir=tmp_path) as cluster:
        await cluster.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "kept"}})
    async with Cluster(data_dir=tmp_path) as cluster:
        assert (await cluster.get("configmap/kept")).metadata.name == "kept"


@pytest.mark.real_loop
async def test_clusters_of_one_process_know_nothing_of_each_other() -> None:
    async with Cluster(clock="virtual") as one, Cluster(clock="virtual") as two:
        await asyncio.gather(one.apply(POD), two.wait("pod/one", "deleted", timeout=1.0))
        await asyncio.gather(one.advance(hours=1), two.advance(minutes=1))
        assert one.system.clock.monotonic() > two.system.clock.monotonic() + 3000
        assert await two.find("pod/one") is None


WARM = 80
"""Starts until the caches of the process are full and its last arena, a megabyte, is begun."""


@pytest.mark.slow
@pytest.mark.real_loop
async def test_a_hundred_starts_and_stops_leave_nothing_behind(capsys: pytest.CaptureFixture[str]) -> None:
    """The warm-up lets the caches of the process fill; from then on memory stays within a megabyte."""
    starts, stops, cpu = [], [], []
    tasks, threads, memory, files = asyncio.all_tasks(), threading.active_count(), 0, 0
    for number in range(WARM + 100):
        if number == WARM:
            gc.collect()
            memory, files = resident(), descriptors()
        began, spent = time.perf_counter(), time.process_time()
        cluster = await Cluster(nodes=3).__aenter__()
        await cluster.client.list(NODES)
        up, spent = time.perf_counter(), time.process_time() - spent
        await cluster.__aexit__(None, None, None)
        starts.append(up - began)
        stops.append(time.perf_counter() - up)
        cpu.append(spent)
        del cluster
    await asyncio.sleep(0)
    gc.collect()
    grown = resident() - memory
    with capsys.disabled():
        print(f"\nstart to first answer: {spread(starts)}, {spread(cpu)} of CPU; stop: {spread(stops)}")
        print(f"memory of 100 more: {grown / 1024:+.0f} KiB")
    assert asyncio.all_tasks() == tasks
    assert threading.active_count() == threads
    assert descriptors() == files
    assert grown < 1024 * 1024
    assert statistics.median(cpu) < 0.05


def spread(seconds: list[float]) -> str:
    return f"median {statistics.median(seconds) * 1e3:.1f}, p95 {statistics.quantiles(seconds, n=20)[-1] * 1e3:.1f} ms"


def resident() -> int:
    """Bytes of memory that the process holds now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


async def test_a_wait_in_vain_raises_after_its_time(cluster: Cluster) -> None:
    began = cluster.system.clock.monotonic()
    with pytest.raises(Unmet) as unmet:
        await cluster.wait("deployment/web", "Available", timeout=30.0)
    assert str(unmet.value) == "waited for deployment/web Available: it is not there"
    assert cluster.system.clock.monotonic() - began == pytest.approx(30.0, abs=0.1)
