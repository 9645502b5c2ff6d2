"""A real cluster's state as the beginning, its audit log as the load."""

from pathlib import Path

from orchestrator import Cluster
from orchestrator.testing import recorded

FOLDER = Path(__file__).parent


async def test_a_dump_comes_to_life_and_its_load_is_played(monkeypatch):
    monkeypatch.chdir(FOLDER)
    async with Cluster(nodes=3, clock="virtual") as cluster:
        await recorded.restore(cluster, recorded.load("dump.yaml"))  # kubectl get all,configmaps -A -o yaml
        await recorded.replay(cluster, recorded.audited(Path("audit.log").read_text().splitlines()), speed=10)
        await cluster.wait("deployment/web", "Available", namespace="shop")
        assert (await cluster.get("deployment/web", namespace="shop")).spec.replicas == 4
