"""Any actor may be killed at any time and the cluster converges."""

from __future__ import annotations

import pytest

from orchestrator.client.kinds import DEPLOYMENTS
from orchestrator.testing import SimulatedCluster
from orchestrator.kubelet.runtime.behaviour import Behaviour, Rule
from tests.cluster.objects import check_rollout, deployment, rolled_out, service

SLOW_START = Rule(Behaviour(start_seconds=0.3, jitter_seconds=0.2))


@pytest.mark.slow
async def test_a_rollout_completes_whichever_actor_is_killed_in_its_middle() -> None:
    async with SimulatedCluster(nodes=3, seed=1) as cluster:
        cluster.behave(SLOW_START)
        await cluster.apply_object(deployment(image="nginx:0"))
        await cluster.apply_object(service())
        await cluster.wait(DEPLOYMENTS, "web", rolled_out)
        for number, path in enumerate(cluster.paths(), 1):
            image = f"nginx:{number}"
            await cluster.apply_object(deployment(image=image))
            await cluster.system.clock.sleep(0.4)
            assert not rolled_out(await cluster.get(DEPLOYMENTS, "web"))
            began = cluster.system.clock.monotonic()
            killed = cluster.kill(path)
            await cluster.wait(DEPLOYMENTS, "web", rolled_out, seconds=60.0)
            took = cluster.system.clock.monotonic() - began
            await cluster.settle()
            await check_rollout(cluster, "web", 20, image)
            print(path, killed, round(took, 2))
