"""A stage for controllers: a system with the fake API server, informers, and the controllers a test asks for."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from actors import Ref, System, child
from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.timestamps import rfc3339
from orchestrator.client.client import Client
from orchestrator.client.fake import FakeApi
from orchestrator.client.informers import Informers
from orchestrator.client.kinds import PODS, Kind
from orchestrator.client.mailbox import MailboxTransport
from orchestrator.client.protocol import Identity
from orchestrator.client.recorder import EventWriter, Recorder
from orchestrator.controllers.controller import Controller


class Stage:
    def __init__(self, system: System, api: FakeApi, client: Client, informers: Informers, recorder: Recorder) -> None:
        self.system = system
        self.api = api
        self.client = client
        self.informers = informers
        self.recorder = recorder
        self.actors: list[Any] = []

    async def play(self, controller: type[Controller], *args: Any) -> Ref[Any]:
        def make() -> Controller:
            made = controller(self.client, self.informers, self.recorder, *args)
            self.actors.append(made)
            return made

        return await self.system.spawn(child(make), name=controller.__name__)

    async def settle(self, seconds: float = 1.0) -> None:
        """Let the cluster's clock run: everything that is due in the time happens."""
        await self.system.clock.sleep(seconds)

    async def objects(self, kind: Kind, namespace: str | None = None) -> list[Object]:
        return (await self.client.list(kind, namespace)).objects()

    async def make_ready(self, *, when: Callable[[Object], bool] = lambda pod: True) -> int:
        """What a kubelet does: pods that are not, become Running and Ready."""
        count = 0
        for pod in await self.objects(PODS):
            if not pod.get("status", {}).get("conditions") and when(pod):
                await self.client.update_status(PODS, {**pod, "status": ready_status(self.system.clock.time(), count)})
                count += 1
        return count


def ready_status(now: float, number: int = 0) -> Object:
    moment = rfc3339(now)
    return {
        "phase": "Running",
        "podIP": f"10.0.{number // 250}.{number % 250 + 1}",
        "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": moment}],
    }


@asynccontextmanager
async def stage() -> AsyncIterator[Stage]:
    async with System(seed=1) as system:
        api = FakeApi()
        ref = await system.spawn(child(lambda: api), name="api")
        client = Client(MailboxTransport(ref, Identity("test")))
        writer = await system.spawn(child(EventWriter, client, "test"), name="events")

        async def spawn(factory: Callable[[], Any], name: str) -> Ref[Any]:
            return await system.spawn(child(factory), name=name)

        yield Stage(system, api, client, Informers(client, spawn), Recorder(writer))


def deployment(name: str = "web", replicas: int = 3, image: str = "web:1", **spec: Any) -> Object:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": template(name, image),
            "progressDeadlineSeconds": 600,
            **spec,
        },
    }


def replicaset(name: str = "web", replicas: int = 3, **spec: Any) -> Object:
    return {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": template(name, "web:1"),
            **spec,
        },
    }


def template(app: str, image: str) -> Object:
    return {"metadata": {"labels": {"app": app}}, "spec": {"containers": [{"name": "c", "image": image}]}}


def service(name: str = "web", **spec: Any) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {
            "selector": {"app": name},
            "clusterIP": "10.96.0.1",
            "ports": [{"port": 80, "targetPort": 8080}],
            **spec,
        },
    }


def bare_pod(name: str, labels: dict[str, str], **spec: Any) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "default", "labels": labels},
        "spec": {"containers": [{"name": "c", "image": "web:1"}], **spec},
    }
