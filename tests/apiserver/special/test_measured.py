"""``metrics.k8s.io`` at the API server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from actors import System
from orchestrator.api.usage import Amount, Measure, Measured, Usage
from orchestrator.apiserver.config import ServerConfig
from orchestrator.apiserver.server import ApiServer
from orchestrator.client.protocol import Options, Request, Response, Target, Verb
from orchestrator.store.memory_log import MemoryLog
from orchestrator.store.store import Store
from tests.apiserver.desk import Desk, body_of, pod

MEASURED = Measured(1_000_000.0, 15.0, {"c": Amount(250_000_000, 3 * 1024 * 1024 + 5)})


async def measure() -> Usage:
    return Usage({"default/one": MEASURED, "default/two": MEASURED, "default/gone": MEASURED}, {"n": MEASURED})


@asynccontextmanager
async def desk(source: Measure | None = measure) -> AsyncIterator[Desk]:
    async with System(seed=1) as system:
        store = await system.spawn(Store, MemoryLog(), name="store")
        api = await system.spawn(partial(ApiServer, store, ServerConfig(), measure=source), name="api")
        made = Desk(system, api)
        await made.create("serviceaccounts", {"metadata": {"name": "default"}})
        for name in ("one", "two"):
            await made.create("pods", pod() | {"metadata": {"name": name, "labels": {"app": name}}})
        yield made
        await system.stop_actor(api)


async def ask(d: Desk, verb: Verb, resource: str = "pods", name: str = "", labels: str = "") -> Response:
    target = Target("metrics.k8s.io", "v1beta1", resource, "default" if resource == "pods" else "", name)
    return await d.ask(Request(verb, target, options=Options(label_selector=labels)))


async def test_the_metrics_of_a_pod_are_rate_memory_and_window() -> None:
    async with desk() as d:
        found = body_of(await ask(d, Verb.GET, name="one"))
        assert (found["kind"], found["window"]) == ("PodMetrics", "15.000s")
        assert found["containers"] == [{"name": "c", "usage": {"cpu": "250000000n", "memory": "3Mi"}}]


async def test_listed_are_the_pods_that_are_there_and_selected() -> None:
    async with desk() as d:
        everything = [one.decode()["metadata"]["name"] for one in (await ask(d, Verb.LIST)).items or ()]
        selected = [one.decode()["metadata"]["name"] for one in (await ask(d, Verb.LIST, labels="app=two")).items or ()]
        assert (everything, selected) == (["one", "two"], ["two"])


async def test_a_pod_that_was_not_measured_is_not_found() -> None:
    async with desk() as d:
        await d.create("pods", pod("new"))
        response = await ask(d, Verb.GET, name="new")
        assert (response.code, body_of(response)["details"]["group"]) == (404, "metrics.k8s.io")


async def test_a_node_that_is_not_there_has_no_metrics() -> None:
    async with desk() as d:
        assert (await ask(d, Verb.GET, "nodes", "n")).code == 404
        await d.create("nodes", {"metadata": {"name": "n"}})
        assert body_of(await ask(d, Verb.GET, "nodes", "n"))["usage"] == {"cpu": "250000000n", "memory": "3Mi"}


async def test_metrics_are_not_written() -> None:
    async with desk() as d:
        assert (await ask(d, Verb.DELETE, name="one")).code == 405


async def test_without_a_source_the_answer_is_unavailable() -> None:
    async with desk(None) as d:
        assert (await ask(d, Verb.LIST)).code == 503


async def test_who_may_not_read_metrics_is_refused() -> None:
    async with desk() as d:
        assert (await ask(d.as_("nobody"), Verb.LIST)).code == 403
