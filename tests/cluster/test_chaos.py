"""Any actor may be killed at any time and the cluster converges."""

from __future__ import annotations

import random

import pytest

from orchestrator.embedding import Cluster
from orchestrator.kubelet.runtime.behaviour import Behaviour, Rule
from tests.cluster.objects import check_rollout, components, deployment, rolled_out, service

SLOW_START = Rule(Behaviour(start_seconds=0.3, jitter_seconds=0.2))
SLOWER_START = Rule(Behaviour(start_seconds=0.3, jitter_seconds=0.5))
MIDDLE_SECONDS = 0.4
"""After which a rollout of 20 such pods is about half done."""
HEALED_SECONDS = 5.0
"""A rollout with a kill in its middle takes no longer: nobody waits for a silence to be noticed."""
KILL_SECONDS = 0.05
KILLS = 60


@pytest.mark.slow
async def test_a_rollout_completes_whichever_actor_is_killed_in_its_middle() -> None:
    async with Cluster(nodes=3, seed=1) as cluster:
        cluster.behave(SLOW_START)
        await cluster.apply(deployment(image="nginx:0"))
        await cluster.apply(service())
        await cluster.wait("deployment/web", rolled_out)
        for number, path in enumerate(components(cluster), 1):
            image = f"nginx:{number}"
            await cluster.apply(deployment(image=image))
            await cluster.pause(MIDDLE_SECONDS)
            assert not rolled_out(await cluster.find("deployment/web")), "the kill came too late to mean anything"
            assert await cluster.kill(path), path
            await cluster.wait("deployment/web", rolled_out, timeout=HEALED_SECONDS)
            await cluster.settle()
            await check_rollout(cluster, "web", 20, image)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 6))
async def test_a_rollout_of_100_pods_survives_a_random_kill_every_50_ms(seed: int) -> None:
    choice = random.Random(seed)
    async with Cluster(nodes=5, seed=seed) as cluster:
        cluster.behave(SLOWER_START)
        await cluster.apply(deployment(replicas=100, image="nginx:0"))
        await cluster.apply(service())
        await cluster.wait("deployment/web", rolled_out)
        await cluster.apply(deployment(replicas=100, image="nginx:1"))
        for _ in range(KILLS):
            await cluster.pause(KILL_SECONDS)
            await cluster.kill(choice.choice(components(cluster)))
        await cluster.wait("deployment/web", rolled_out)
        await cluster.settle()
        await check_rollout(cluster, "web", 100, "nginx:1")
        assert cluster.system.statistics().restarts >= KILLS // 2


@pytest.mark.parametrize("path", ["server/store", "server/apiserver", "server"])
async def test_a_crash_of_the_server_is_noticed_at_once(path: str) -> None:
    """What is deployed right after it is seen by all who watch, long before a silence would show."""
    async with Cluster(nodes=2, seed=3) as cluster:
        await cluster.apply(deployment(replicas=2))
        await cluster.wait("deployment/web", rolled_out)
        await cluster.kill(path)
        await cluster.pause(0.0)
        await cluster.apply(deployment(replicas=4, image="nginx:2"))
        await cluster.wait("deployment/web", rolled_out, timeout=2.0)
