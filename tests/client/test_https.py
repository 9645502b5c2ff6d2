"""The HTTPS door: paths, queries, bodies, answers and streams as Kubernetes has them."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
import pytest
from aiohttp import web

from actors import Actor, System
from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.errors import StatusError
from orchestrator.client import requests
from orchestrator.client.client import Client
from orchestrator.client.errors import TransportError
from orchestrator.client.https import HttpTransport, body, path, query
from orchestrator.client.kinds import CONFIGMAPS, DEPLOYMENTS, NODES
from orchestrator.client.kubeconfig import Access
from orchestrator.client.protocol import Options
from orchestrator.store.protocol import Changes, Refusal, WatchEnded


def config(name: str, revision: int) -> Object:
    metadata = {"name": name, "namespace": "default", "uid": "u", "resourceVersion": str(revision)}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}


def test_paths_are_those_of_the_api() -> None:
    assert path(CONFIGMAPS.target("default", "a")) == "/api/v1/namespaces/default/configmaps/a"
    assert path(DEPLOYMENTS.target("x", "web", "scale")) == "/apis/apps/v1/namespaces/x/deployments/web/scale"
    assert path(NODES.target("ignored", "one")) == "/api/v1/nodes/one"


def test_only_options_that_are_set_are_in_the_query() -> None:
    assert query(Options()) == ""
    assert query(Options(label_selector="a=b", limit=5)) == "?labelSelector=a%3Db&limit=5"


def test_the_options_of_a_delete_are_its_body() -> None:
    request = requests.delete(CONFIGMAPS, "a", "default", uid="u-1", grace_seconds=0, propagation="Foreground")
    content = orjson.loads(body(request) or b"")
    assert content["preconditions"] == {"uid": "u-1"}
    assert (content["gracePeriodSeconds"], content["propagationPolicy"]) == (0, "Foreground")


class Subscriber(Actor):
    def __init__(self) -> None:
        self.messages: list[Any] = []

    async def receive(self, message: Any) -> None:
        self.messages.append(message)


async def serve(app: web.Application) -> tuple[web.AppRunner, str]:
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    return runner, f"http://{host}:{port}"


async def items(request: web.Request) -> web.StreamResponse:
    if request.query.get("watch") != "true":
        body = {"kind": "ConfigMapList", "apiVersion": "v1", "metadata": {"resourceVersion": "7"}}
        return web.json_response({**body, "items": [config("one", 5)]})
    answer = web.StreamResponse()
    await answer.prepare(request)
    lines = [
        {"type": "ADDED", "object": config("two", 8)},
        {"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": "9"}}},
    ]
    lines.append({"type": "ERROR", "object": {"kind": "Status", "code": 410, "message": "too old"}})
    for line in lines:
        await answer.write(orjson.dumps(line) + b"\n")
    return answer


async def missing(request: web.Request) -> web.Response:
    status = {"kind": "Status", "code": 404, "reason": "NotFound", "message": "no"}
    return web.json_response(status, status=404)


@pytest.mark.real_loop
async def test_lists_streams_and_refusals_come_as_by_mailbox() -> None:
    app = web.Application()
    app.router.add_get("/api/v1/configmaps", items)
    app.router.add_get("/api/v1/namespaces/default/configmaps/none", missing)
    runner, url = await serve(app)
    transport = HttpTransport(Access(url))
    client = Client(transport)
    async with System() as system:
        listing = await client.list(CONFIGMAPS)
        assert (listing.revision, listing.items[0].revision) == (7, 5)
        assert listing.objects()[0]["kind"] == "ConfigMap"
        with pytest.raises(StatusError):
            await client.get(CONFIGMAPS, "none", "default")
        subscriber = Subscriber()
        ref = await system.spawn(lambda: subscriber)
        await transport.watch(requests.watch(CONFIGMAPS, revision=7), ref, "tag")
        for _ in range(1000):
            await asyncio.sleep(0)
            if subscriber.messages and isinstance(subscriber.messages[-1], WatchEnded):
                break
            await asyncio.sleep(0.001)
        changes = [event for held in subscriber.messages if isinstance(held, Changes) for event in held.events]
        assert [event.value.key for event in changes] == ["core/configmaps/default/two"]
        assert subscriber.messages[-1].reason == Refusal.COMPACTED
    await transport.close()
    await runner.cleanup()


@pytest.mark.real_loop
async def test_the_next_server_is_asked_when_one_is_gone_and_then_stays() -> None:
    asked: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.method)
        return web.json_response({"kind": "ConfigMap", "metadata": {"name": "a", "uid": "1", "resourceVersion": "3"}})

    app = web.Application()
    app.router.add_get("/api/v1/namespaces/default/configmaps/a", answer)
    app.router.add_post("/api/v1/namespaces/default/configmaps", answer)
    runner, url = await serve(app)
    transport = HttpTransport(Access("http://127.0.0.1:1", others=("http://127.0.0.1:2", url)))
    client = Client(transport)
    await client.create(CONFIGMAPS, {"metadata": {"name": "a"}}, "default")
    await client.get(CONFIGMAPS, "a", "default")
    assert asked == ["POST", "GET"]
    await transport.close()
    await runner.cleanup()


@pytest.mark.real_loop
async def test_a_write_whose_answer_was_lost_is_not_written_again() -> None:
    asked: list[str] = []

    async def lose(request: web.Request) -> web.Response:
        asked.append(request.method)
        assert request.transport is not None
        request.transport.close()
        return web.Response()

    async def answer(request: web.Request) -> web.Response:
        asked.append(f"{request.method} again")
        return web.json_response({"kind": "ConfigMap", "metadata": {"name": "a", "uid": "1", "resourceVersion": "3"}})

    runners = []
    urls = []
    for handler in (lose, answer):
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", handler)
        runner, url = await serve(app)
        runners.append(runner)
        urls.append(url)
    transport = HttpTransport(Access(urls[0], others=(urls[1],)))
    client = Client(transport)
    with pytest.raises(TransportError):
        await client.create(CONFIGMAPS, {"metadata": {"name": "a"}}, "default")
    assert asked == ["POST"]
    await client.get(CONFIGMAPS, "a", "default")
    assert asked == ["POST", "GET again"]
    await transport.close()
    for runner in runners:
        await runner.cleanup()


@pytest.mark.real_loop
async def test_a_server_that_is_not_there_is_a_transport_error() -> None:
    client = Client(HttpTransport(Access("http://127.0.0.1:1")))
    with pytest.raises(TransportError, match="expected an answer"):
        await client.get(CONFIGMAPS, "a", "default")
    await client.transport.close()
