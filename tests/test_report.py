from __future__ import annotations

from orchestrator.cli.status_view import render
from orchestrator.cluster import Cluster
from orchestrator.config import ClusterConfig
from orchestrator.report import Report


async def test_a_report_counts_nodes_and_draws_every_actor() -> None:
    async with Cluster(ClusterConfig(nodes=2, runtime="simulated")) as cluster:
        await cluster.system.clock.sleep(2.0)
        report = Report(cluster.system, cluster.store, cluster.client, cluster.system.clock)
        found = await report()
        assert found["nodes"] == {"ready": 2, "total": 2}
        assert {branch["name"] for branch in found["tree"]["children"]} >= {"server", "control-plane", "nodes"}
        lines = render(found, 100)
        assert "2 nodes" in lines[0]
        assert any("scheduler" in line for line in lines)
