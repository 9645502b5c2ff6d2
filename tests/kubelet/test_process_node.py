"""A node with real processes: what the kubelet, its materials and its prober do together."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from actors import LoopClock, System
from orchestrator.client.client import Client
from orchestrator.client.fake import FakeApi
from orchestrator.client.kinds import CONFIGMAPS, PODS, SECRETS
from orchestrator.client.mailbox import MailboxTransport
from orchestrator.client.protocol import Identity
from orchestrator.client.recorder import Recorder
from orchestrator.kubelet.full_materials import FullMaterials
from orchestrator.kubelet.heartbeats import Heartbeats
from orchestrator.kubelet.kubelet import Kubelet
from orchestrator.kubelet.network_prober import NetworkProber
from orchestrator.kubelet.node import NodeConfig
from orchestrator.kubelet.registrations import Registrations
from orchestrator.kubelet.runtime.process.images import Images
from orchestrator.kubelet.runtime.process.network import LoopbackNetwork
from orchestrator.kubelet.runtime.process.runtime import ProcessRuntime
from orchestrator.kubelet.runtime.runtime import LogOptions
from orchestrator.kubelet.volumes.sources import Sources
from orchestrator.kubelet.volumes.volumes import Volumes
from tests.kubelet.pods import container, manifest

pytestmark = [pytest.mark.slow, pytest.mark.real_loop]

Node = tuple[Client, ProcessRuntime]


@pytest.fixture
async def node(tmp_path: Path) -> AsyncIterator[Node]:
    async with System() as system:
        api = await system.spawn(FakeApi, name="api")
        client = Client(MailboxTransport(api, Identity("system:node:node-1")))
        runtime = ProcessRuntime(tmp_path / "pods", Images(), LoopbackNetwork(os.getpid()))
        sources = Sources(client, LoopClock())
        config = NodeConfig("node-1")
        volumes = Volumes(tmp_path / "volumes", sources)
        materials = FullMaterials(config, await runtime.machine(), volumes, sources)
        prober = NetworkProber(runtime, config.address)
        shared = (Recorder(None), Registrations(), Heartbeats(LoopClock()))
        await system.spawn(Kubelet, client, config, runtime, prober, materials, *shared, name="kubelet")
        yield client, runtime
        for pod in await runtime.pods():
            await runtime.remove_pod(pod.uid)


async def until(client: Client, phase: str, *, ready: bool = False, name: str = "web") -> dict[str, Any]:
    async with asyncio.timeout(15):
        while True:
            status: dict[str, Any] = (await client.get(PODS, name, "default"))["status"]
            conditions = {one["type"]: one["status"] for one in status.get("conditions", ())}
            if status.get("phase") == phase and (not ready or conditions["Ready"] == "True"):
                return status
            await asyncio.sleep(0.02)


async def test_the_demo_becomes_ready_by_its_http_probe(node: Node) -> None:
    client, _ = node
    probe = {"httpGet": {"path": "/readyz", "port": 8080}, "periodSeconds": 1}
    await client.create(PODS, manifest(container(image="podium/web:1", readinessProbe=probe)))
    status = await until(client, "Running", ready=True)
    assert status["podIP"].startswith("127.")
    assert status["containerStatuses"][0]["containerID"].startswith("process://")


async def test_environment_and_files_come_from_config_maps_and_secrets(node: Node) -> None:
    client, runtime = node
    await client.create(CONFIGMAPS, {"metadata": {"name": "c", "namespace": "default"}, "data": {"color": "red"}})
    await client.create(SECRETS, {"metadata": {"name": "s", "namespace": "default"}, "data": {"key": "aGlkZGVu"}})
    script = "echo $COLOR $NAME $GREETING; cat etc/secret/key"
    app = container(
        image="podium/sh",
        command=["sh", "-c", script],
        env=[
            {"name": "COLOR", "valueFrom": {"configMapKeyRef": {"name": "c", "key": "color"}}},
            {"name": "NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
            {"name": "GREETING", "value": "hello-$(NAME)"},
        ],
        volumeMounts=[{"name": "secret", "mountPath": "/etc/secret"}],
    )
    volumes = [{"name": "secret", "secret": {"secretName": "s"}}]
    await client.create(PODS, manifest(app, volumes=volumes, restartPolicy="Never"))
    await until(client, "Succeeded")
    [pod] = await runtime.pods()
    text = b"".join([piece async for piece in runtime.logs(pod.containers[0].id, LogOptions())])
    assert text == b"red web hello-web\nhidden\n"


async def test_a_missing_config_map_holds_the_container_back_until_it_is_there(node: Node) -> None:
    client, _ = node
    app = container(image="podium/sh", command=["sh", "-c", "exit 0"], envFrom=[{"configMapRef": {"name": "c"}}])
    await client.create(PODS, manifest(app, restartPolicy="Never"))
    async with asyncio.timeout(10):
        while True:
            status = (await client.get(PODS, "web", "default"))["status"]
            state = (status.get("containerStatuses") or [{}])[0].get("state", {})
            if state.get("waiting", {}).get("reason") == "CreateContainerConfigError":
                break
            await asyncio.sleep(0.02)
    assert state["waiting"]["message"] == 'configmap "c" not found'
    await client.create(CONFIGMAPS, {"metadata": {"name": "c", "namespace": "default"}, "data": {}})
    await until(client, "Succeeded")
