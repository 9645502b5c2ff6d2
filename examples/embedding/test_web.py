"""A test of one's own Deployment."""

import pytest

from orchestrator import Unmet


async def test_pods_leave_a_dead_node(cluster):
    await cluster.apply("web.yaml")  # beside the test, or in the working directory
    await cluster.wait("deployment/web", "Available")
    await cluster.kill("node-1")
    await cluster.advance(minutes=6)
    nodes = {pod.spec.nodeName for pod in await cluster.list("pods", app="web")}
    assert nodes == {"node-2", "node-3"}


def test_the_same_verbs_block_where_a_test_is_not_async(cluster):
    cluster.apply("web.yaml")
    cluster.wait("deployment/web", "Available")
    assert len(cluster.list("pods", app="web")) == 3


@pytest.mark.cluster(nodes=1, cpu="250m")
async def test_a_wait_in_vain_says_what_was_missing(cluster):
    await cluster.apply("web.yaml")
    with pytest.raises(Unmet, match="2 of 3 pods ready"):
        await cluster.wait("deployment/web", "Available", timeout=30)


@pytest.mark.cluster(shared=True)
async def test_one_cluster_may_serve_many_tests_each_in_its_namespace(cluster):
    await cluster.apply("web.yaml")
    await cluster.wait("deployment/web", "Available")
    assert await cluster.list("pods", namespace="default") == []
