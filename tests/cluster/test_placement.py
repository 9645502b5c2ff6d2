"""Any component but the store runs in a worker process, unchanged: a rollout is the same, and a killed worker is."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

import pytest

from orchestrator.apimachinery.encoded import Object
from orchestrator.client.kinds import DEPLOYMENTS
from orchestrator.config import ClusterConfig, ConfigError, document, settings
from orchestrator.embedding import Cluster
from orchestrator.placement import CONTROLLER_PARTS, PARTS, parse
from tests.cluster.objects import walk

TOUCHED = ("deployment-controller", "replicaset-controller", "endpointslice-controller", "garbage-collector-controller")
"""Controllers that a rollout cannot do without."""
PODS_OF_A_LONG_ROLLOUT = 150


def web(image: str, replicas: int) -> Object:
    labels = {"app": "web"}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "default"},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"containers": [{"name": "web", "image": image}], "terminationGracePeriodSeconds": 0},
            },
        },
    }


SERVICE: Object = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "web", "namespace": "default"},
    "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]},
}


class PlacedCluster(Cluster):
    """A simulated cluster in real time, some of it in worker processes."""

    def __init__(self, place: dict[str, str], nodes: int = 2) -> None:
        super().__init__(nodes)
        self.config = ClusterConfig(nodes=nodes, runtime="simulated", place=place)


def rolled_out(image: str, replicas: int) -> Callable[[Object | None], bool]:
    def done(found: Object | None) -> bool:
        if found is None or found["spec"]["template"]["spec"]["containers"][0]["image"] != image:
            return False
        status = found.get("status", {})
        counts = [status.get(name) for name in ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas")]
        return counts == [replicas] * 4 and status.get("observedGeneration") == found["metadata"]["generation"]

    return done


async def roll_out(cluster: Cluster) -> None:
    """Create, serve, update, scale, delete: each step until it has come about."""
    await cluster.apply(SERVICE)
    await cluster.apply(web("web:1", 3))
    await cluster.wait("deployment/web", rolled_out("web:1", 3))
    await ready_addresses(cluster, 3)
    await cluster.apply(web("web:2", 3))
    await cluster.wait("deployment/web", rolled_out("web:2", 3))
    await cluster.apply(web("web:2", 1))
    await cluster.wait("deployment/web", rolled_out("web:2", 1))
    await ready_addresses(cluster, 1)
    await cluster.client.delete(DEPLOYMENTS, "web", "default")

    async def gone() -> bool:
        return not await cluster.list("pods", app="web")

    await until(gone)


async def ready_addresses(cluster: Cluster, count: int) -> None:
    async def ready() -> bool:
        slices = await cluster.list("endpointslices", selector="kubernetes.io/service-name=web")
        return sum(len(one["addresses"]) for found in slices for one in found.get("endpoints") or ()) == count

    await until(ready)


async def until(true: Callable[[], Awaitable[bool]], seconds: float = 30.0) -> None:
    async with asyncio.timeout(seconds):
        while not await true():  # noqa: ASYNC110 (other processes set no event)
            await asyncio.sleep(0.05)


def processes() -> list[int]:
    """The worker processes below this one."""
    found = subprocess.run(["ps", "-o", "pid=,args=", "--ppid", str(os.getpid())], capture_output=True, text=True)
    return [int(line.split()[0]) for line in found.stdout.splitlines() if "actors.remoting.worker" in line]


async def roll_out_with(place: dict[str, str], workers: int) -> None:
    async with PlacedCluster(place) as cluster:
        assert len(processes()) == workers
        await roll_out(cluster)
        assert not [node.path for node in walk(cluster.system.tree()) if node.statistics.restarts]
    assert not processes()


@pytest.mark.slow
@pytest.mark.real_loop
@pytest.mark.parametrize("part", ["scheduler", *TOUCHED, "kubelets"])
async def test_a_rollout_does_not_see_where_a_component_runs(part: str) -> None:
    await roll_out_with({part: "worker"}, 1)


@pytest.mark.prove
@pytest.mark.real_loop
@pytest.mark.parametrize("part", [part for part in CONTROLLER_PARTS if part not in TOUCHED])
async def test_a_rollout_does_not_see_where_any_other_controller_runs(part: str) -> None:
    await roll_out_with({part: "worker"}, 1)


@pytest.mark.slow
@pytest.mark.real_loop
async def test_everything_but_the_server_runs_in_three_workers() -> None:
    await roll_out_with({"all": "others", "scheduler": "scheduling", "kubelets": "nodes"}, 3)


@pytest.mark.slow
@pytest.mark.real_loop
async def test_a_worker_that_is_killed_in_the_middle_of_a_rollout_is_made_up_for() -> None:
    place = {"scheduler": "worker", "controllers": "worker", "kubelets": "worker"}
    async with PlacedCluster(place, nodes=3) as cluster:
        for number in range(3):
            image = f"web:{number}"
            await cluster.apply(web(image, PODS_OF_A_LONG_ROLLOUT))
            await until(partial(begun, cluster, image))
            [pid] = processes()
            os.kill(pid, signal.SIGKILL)
            found = await cluster.find("deployment/web")
            assert not rolled_out(image, PODS_OF_A_LONG_ROLLOUT)(found), "it was done before the worker was killed"
            await cluster.wait("deployment/web", rolled_out(image, PODS_OF_A_LONG_ROLLOUT))
            [again] = processes()
            assert again != pid
        pods = await cluster.list("pods", app="web")
        alive = [pod for pod in pods if not pod["metadata"].get("deletionTimestamp")]
        assert len(alive) == PODS_OF_A_LONG_ROLLOUT


async def begun(cluster: Cluster, image: str) -> bool:
    """Whether there are pods of the new template."""
    pods = await cluster.list("pods", app="web")
    return any(pod["spec"]["containers"][0]["image"] == image for pod in pods)


def test_what_can_be_placed_is_said() -> None:
    assert parse("scheduler=a, deployment-controller=b") == {"scheduler": "a", "deployment-controller": "b"}
    assert parse("all=w,dns=x") == {**dict.fromkeys(PARTS, "w"), "dns": "x"}
    for wrong in ("store=w", "scheduler", "scheduler=", "scheduler=podium", "scheduler=a/b"):
        with pytest.raises(ConfigError, match="place: expected"):
            parse(wrong)
    with pytest.raises(ConfigError, match="found 'apiserver'"):
        ClusterConfig(place={"apiserver": "w"})


def test_the_settings_of_a_cluster_travel_to_its_workers() -> None:
    config = ClusterConfig(
        data_dir=Path("/srv/podium"), listen=("::1", 6443), nodes=3, runtime="process", place={"dns": "w"}
    )
    assert ClusterConfig(**settings(document(config))) == config
    assert ClusterConfig(**settings(document(ClusterConfig()))) == ClusterConfig()
