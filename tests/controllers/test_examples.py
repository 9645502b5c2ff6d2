"""The controllers of ``examples/controllers``: in a cluster with virtual time, and outside by HTTPS."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from orchestrator import Cluster, run_controllers
from orchestrator.client.kubeconfig import load

FOLDER = Path(__file__).parents[2] / "examples" / "controllers"

pytestmark = [pytest.mark.slow, pytest.mark.real_loop]


def example(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"example_{name}", FOLDER / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


async def define(cluster: Cluster, module: ModuleType) -> None:
    [made] = await cluster.apply(module.DEFINITION)
    await cluster.wait(f"crd/{made.metadata.name}", "Established")


CERTIFICATE = """
apiVersion: example.com/v1
kind: Certificate
metadata: {name: web}
spec: {host: www.example.com}
"""


async def test_a_certificate_is_issued_in_a_whole_cluster_and_says_so() -> None:
    module = example("certificates")
    async with Cluster(nodes=0, clock="virtual") as cluster:
        await define(cluster, module)
        await cluster.run(module.Certificates)
        await cluster.apply(CERTIFICATE)
        await cluster.wait("certificate/web", "Valid")
        secret = await cluster.get("secret/web")
        assert secret.metadata.ownerReferences[0]["kind"] == "Certificate"
        await cluster.delete("certificate/web")
        await cluster.wait("secret/web", "deleted")


DATABASE = """
apiVersion: example.com/v1
kind: Database
metadata: {name: main}
spec: {replicas: 3}
"""


async def test_a_database_runs_and_is_backed_up_before_it_goes() -> None:
    module = example("databases")
    async with Cluster(nodes=3, clock="virtual") as cluster:
        await define(cluster, module)
        await cluster.run(module.Databases)
        await cluster.apply(DATABASE)
        await cluster.wait("database/main", lambda obj: (obj.get("status") or {}).get("ready") == 3)
        await cluster.delete("database/main")
        await cluster.wait("database/main", "deleted")
        await cluster.advance(seconds=1)
        told = [event.reason for event in await cluster.list("events")]
        assert {"Backup", "Completed"} <= set(told)
        await cluster.wait("statefulset/main", "deleted")


async def test_workers_follow_the_queue() -> None:
    module = example("queues")
    queue: dict[str, Any] = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "mail"}}
    async with Cluster(nodes=2, clock="virtual") as cluster:
        await cluster.run(module.Queues)
        queue["metadata"]["annotations"] = {module.WAITING: "35"}
        await cluster.apply(queue)
        await cluster.wait("deployment/mail", lambda obj: (obj.get("status") or {}).get("readyReplicas") == 4)
        queue["metadata"]["annotations"] = {module.WAITING: "0"}
        await cluster.apply(queue)
        await cluster.wait("deployment/mail", lambda obj: obj["spec"]["replicas"] == 0)


async def test_the_same_controller_runs_outside_by_a_kubeconfig_while_it_holds_a_lease(tmp_path: Path) -> None:
    module = example("certificates")
    async with Cluster(nodes=0, serve=True) as cluster:
        await define(cluster, module)
        path = tmp_path / "kubeconfig"
        path.write_text(cluster.kubeconfig())
        running = asyncio.create_task(
            run_controllers(module.Certificates, access=load(path), lease="default/examples"), name="controllers"
        )
        try:
            await cluster.apply(CERTIFICATE)
            await cluster.wait("certificate/web", "Valid", timeout=20)
            lease = await cluster.get("lease/examples-certificates")
            assert lease.spec.holderIdentity
            assert [secret.metadata.name for secret in await cluster.list("secrets")] == ["web"]
        finally:
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running
