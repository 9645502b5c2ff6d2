from __future__ import annotations

import io
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import aiohttp
import pytest

from orchestrator.apiserver.config import ServerConfig
from orchestrator.apiserver.http.door import HttpDoor
from tests.apiserver.desk import config_map, desk

pytestmark = pytest.mark.real_loop
TABLE = {"Accept": "application/json;as=Table;v=v1;g=meta.k8s.io"}


@asynccontextmanager
async def door() -> AsyncIterator[aiohttp.ClientSession]:
    """A session with the door of a server that authorizes everybody."""
    config = ServerConfig(authorize=False)
    async with desk(config) as api:
        made: list[HttpDoor] = []

        def make() -> HttpDoor:
            made.append(HttpDoor(api.api, config))
            return made[-1]

        actor = await api.system.spawn(partial(make), name="door")
        async with aiohttp.ClientSession(f"http://127.0.0.1:{made[0].port}") as session:
            yield session
        await api.system.stop_actor(actor)


async def fetch(session: aiohttp.ClientSession, path: str, method: str = "GET", **more: Any) -> tuple[int, Any]:
    async with session.request(method, path, **more) as response:
        return response.status, json.loads(await response.read())


async def test_an_object_travels_as_json() -> None:
    async with door() as session:
        where = "/api/v1/namespaces/default/configmaps"
        code, made = await fetch(session, where, "POST", json=config_map("a", x="1"))
        assert (code, made["kind"], made["data"]) == (201, "ConfigMap", {"x": "1"})
        assert await fetch(session, f"{where}/a") == (200, made)


async def test_a_list_may_be_a_table() -> None:
    async with door() as session:
        _, table = await fetch(session, "/api/v1/namespaces", headers=TABLE)
        assert table["kind"] == "Table"
        assert table["rows"][0]["cells"][0] == "default"


async def test_a_body_that_is_too_large_is_refused() -> None:
    async with door() as session:
        code, status = await fetch(
            session, "/api/v1/namespaces/default/configmaps", "POST", data=io.BytesIO(b"x" * 3_200_000)
        )
        assert (code, status["reason"]) == (413, "RequestEntityTooLarge")


async def test_an_unknown_content_type_is_refused() -> None:
    async with door() as session:
        headers = {"Content-Type": "text/html"}
        code, status = await fetch(session, "/api/v1/namespaces", "POST", data=b"<p>", headers=headers)
        assert (code, status["reason"]) == (415, "UnsupportedMediaType")


async def test_initial_events_end_with_their_bookmark() -> None:
    async with door() as session:
        query = "watch=true&timeoutSeconds=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan"
        async with session.get(f"/api/v1/namespaces?{query}&allowWatchBookmarks=true") as response:
            lines = [json.loads(await response.content.readline()) for _ in range(5)]
        assert [line["type"] for line in lines] == ["ADDED"] * 4 + ["BOOKMARK"]
        assert lines[-1]["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}


async def test_aggregated_discovery_is_named_in_its_content_type() -> None:
    async with door() as session:
        accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json"
        async with session.get("/apis", headers={"Accept": accept}) as response:
            assert response.headers["Content-Type"] == accept.partition(",")[0]


@pytest.mark.parametrize("path", ["/healthz", "/livez", "/readyz", "/livez/ping"])
async def test_a_healthy_server_says_ok(path: str) -> None:
    async with door() as session, session.get(path) as response:
        assert await response.text() == "ok"


async def test_requests_and_actors_are_counted_in_the_metrics() -> None:
    async with door() as session:
        await fetch(session, "/api/v1/namespaces/default")
        async with session.get("/metrics") as response:
            lines = (await response.text()).splitlines()
        labels = 'verb="GET",group="",version="v1",resource="namespaces",subresource="",code="200"'
        assert f"apiserver_request_total{{{labels}}} 1" in lines
        assert 'podium_actors{kind="ApiServer"} 1' in lines
