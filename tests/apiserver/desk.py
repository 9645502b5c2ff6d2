"""An API server over a store in memory, and short words to ask it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import msgspec

from actors import Actor, Clock, Ref, System
from actors.system import Tap
from orchestrator.apiserver.config import ServerConfig
from orchestrator.apiserver.server import ApiServer
from orchestrator.client.protocol import (
    ApiRequest,
    BatchRequest,
    Identity,
    Options,
    PatchType,
    Request,
    Response,
    Target,
    Verb,
)
from orchestrator.store.memory_log import MemoryLog
from orchestrator.store.store import Store

ADMIN = Identity("admin", ("system:masters", "system:authenticated"))
GROUPS = {
    "endpointslices": ("discovery.k8s.io", "v1"),
    "deployments": ("apps", "v1"),
    "roles": ("rbac.authorization.k8s.io", "v1"),
}
GROUPS |= {"rolebindings": GROUPS["roles"], "poddisruptionbudgets": ("policy", "v1")}
GROUPS |= {
    "priorityclasses": ("scheduling.k8s.io", "v1"),
    "leases": ("coordination.k8s.io", "v1"),
}

encode = msgspec.msgpack.encode


class Collector(Actor):
    """Keeps the frames of a watch."""

    def __init__(self, frames: asyncio.Queue[Any]) -> None:
        self._frames = frames

    async def receive(self, message: Any) -> None:
        self._frames.put_nowait(message)


class Desk:
    """Asks in the name of ``who``; resources by plural, namespaced ones in ``default``."""

    def __init__(self, system: System, api: Ref[Any], who: Identity = ADMIN) -> None:
        self.system = system
        self.api = api
        self.who = who

    def as_(self, user: str, *groups: str) -> Desk:
        return Desk(self.system, self.api, Identity(user, groups))

    async def ask(self, request: Request, subscriber: Ref[Any] | None = None) -> Response:
        response: Response = await self.api.ask(ApiRequest(self.who, request, subscriber))
        return response

    async def batch(self, *requests: Request) -> list[Response]:
        responses: list[Response] = (await self.api.ask(BatchRequest(self.who, list(requests)))).responses
        return responses

    async def create(self, resource: str, body: Any, **more: Any) -> Response:
        return await self.ask(request(Verb.CREATE, resource, body=body, **more))

    async def get(self, resource: str, name: str, **more: Any) -> Any:
        response = await self.ask(request(Verb.GET, resource, name, **more))
        return body_of(response)

    async def list(self, resource: str, **options: Any) -> Response:
        return await self.ask(request(Verb.LIST, resource, options=Options(**options)))

    async def update(self, resource: str, body: Any, subresource: str = "") -> Response:
        name = body["metadata"]["name"]
        return await self.ask(request(Verb.UPDATE, resource, name, body=body, subresource=subresource))

    async def patch(
        self, resource: str, name: str, body: Any, kind: PatchType = PatchType.MERGE, **more: Any
    ) -> Response:
        return await self.ask(request(Verb.PATCH, resource, name, body=body, patch_type=kind, **more))

    async def delete(self, resource: str, name: str, **options: Any) -> Response:
        return await self.ask(request(Verb.DELETE, resource, name, options=Options(**options)))

    async def watch(self, resource: str, **options: Any) -> tuple[Response, asyncio.Queue[Any]]:
        frames: asyncio.Queue[Any] = asyncio.Queue()
        collector = await self.system.spawn(Collector, frames)
        return await self.ask(request(Verb.WATCH, resource, options=Options(**options)), collector), frames


def request(
    verb: Verb,
    resource: str,
    name: str = "",
    *,
    body: Any = None,
    namespace: str = "default",
    subresource: str = "",
    options: Options | None = None,
    patch_type: PatchType | None = None,
) -> Request:
    group, version = GROUPS.get(resource, ("", "v1"))
    if resource in ("namespaces", "nodes", "priorityclasses", "persistentvolumes"):
        namespace = ""
    target = Target(group, version, resource, namespace, name, subresource)
    return Request(verb, target, b"" if body is None else encode(body), patch_type, options or Options())


def body_of(response: Response) -> Any:
    """The object or Status of an answer."""
    return response.object.decode() if response.object is not None else msgspec.msgpack.decode(response.body)


def config_map(name: str, **data: str) -> dict[str, Any]:
    return {"metadata": {"name": name}, "data": data}


def pod(name: str = "", **spec: Any) -> dict[str, Any]:
    metadata = {"name": name} if name else {"generateName": "web-"}
    return {"metadata": metadata, "spec": {"containers": [{"name": "c", "image": "nginx"}], **spec}}


@asynccontextmanager
async def desk(
    config: ServerConfig | None = None, tap: Tap | None = None, clock: Clock | None = None
) -> AsyncIterator[Desk]:
    async with System(seed=1, tap=tap, clock=clock) as system:
        store = await system.spawn(Store, MemoryLog(), name="store")
        api = await system.spawn(partial(ApiServer, store, config or ServerConfig()), name="api")
        made = Desk(system, api)
        await made.create("serviceaccounts", {"metadata": {"name": "default"}})
        yield made
        await system.stop_actor(api)
