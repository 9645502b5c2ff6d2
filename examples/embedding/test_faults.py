"""Faults by hand, and drawn from a seed."""

import pytest

from orchestrator import Plan


async def test_a_node_that_is_cut_off_is_replaced_and_comes_back(cluster):
    await cluster.apply("web.yaml")
    await cluster.wait("deployment/web", "Available")
    await cluster.partition("node-1")
    await cluster.wait("node/node-1", "Ready=Unknown", timeout=120)
    await cluster.heal()
    await cluster.wait("node/node-1", "Ready")


async def test_pulls_that_fail_are_tried_again(cluster):
    await cluster.fail_pull("nginx:*")
    await cluster.apply("web.yaml")
    await cluster.advance(minutes=1)
    assert (await cluster.get("deployment/web")).status.get("readyReplicas", 0) == 0
    await cluster.heal()
    await cluster.wait("deployment/web", "Available", timeout=600)


@pytest.mark.parametrize("seed", range(3))
async def test_the_site_outlives_what_a_seed_has_for_it(cluster, seed):
    await cluster.apply("web.yaml")
    await cluster.wait("deployment/web", "Available")
    for line in await cluster.suffer(Plan(seed, kinds=("kill", "power_off", "partition", "drop"), seconds=120)):
        print(line)  # 17.302 s  power off node-2
    await cluster.wait("deployment/web", "Available", timeout=900)
