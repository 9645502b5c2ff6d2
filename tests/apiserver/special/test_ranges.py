"""Two API servers over one store: what one gives away the other does not, however close together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from actors import Mailbox, System, child
from orchestrator.apiserver.config import ServerConfig
from orchestrator.apiserver.server import ApiServer
from orchestrator.apiserver.special.ranges import GUARD
from orchestrator.client.protocol import Response
from orchestrator.store.memory_log import MemoryLog
from orchestrator.store.protocol import Get
from orchestrator.store.store import Store
from tests.apiserver.desk import Desk, body_of

CONFIG = ServerConfig(service_cidr="10.96.0.0/26", node_port_first=30000, node_port_last=30059)
"""So small that two who do not know of each other soon choose alike."""
SERVERS = 2


@asynccontextmanager
async def desks() -> AsyncIterator[list[Desk]]:
    async with System(seed=1) as system:
        store = await system.spawn(child(Store, MemoryLog(), name="store", mailbox=Mailbox(8192), later=8192))
        servers = [
            await system.spawn(partial(ApiServer, store, CONFIG), name=f"api-{number}") for number in range(SERVERS)
        ]
        yield [Desk(system, server) for server in servers]
        for server in servers:
            await system.stop_actor(server)


def service(name: str, **spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": name}, "spec": {"ports": [{"port": 80}], "type": "NodePort", **spec}}


async def guard(desk: Desk) -> Any:
    return (await desk.system.ref("store").ask(Get([GUARD]))).values[0]


async def both(one: Desk, other: Desk, **spec: Any) -> tuple[Response, Response]:
    return await asyncio.gather(
        one.create("services", service("a", **spec)), other.create("services", service("b", **spec))
    )


async def test_services_made_at_once_at_two_servers_have_addresses_and_ports_of_their_own() -> None:
    async with desks() as made:
        answers = await asyncio.gather(
            *[made[number % SERVERS].create("services", service(f"s-{number}")) for number in range(40)]
        )
        specs = [body_of(answer)["spec"] for answer in answers]
        assert [answer.code for answer in answers] == [201] * 40
        assert len({spec["clusterIP"] for spec in specs}) == 40
        assert len({spec["ports"][0]["nodePort"] for spec in specs}) == 40


async def test_an_address_asked_for_at_two_servers_at_once_is_given_to_one() -> None:
    async with desks() as (one, other):
        answers = await both(one, other, clusterIP="10.96.0.20")
        assert sorted(answer.code for answer in answers) == [201, 422]
        refused = next(body_of(answer) for answer in answers if answer.code == 422)
        assert "provided IP is already allocated" in refused["message"]


async def test_a_node_port_asked_for_at_two_servers_at_once_is_given_to_one() -> None:
    async with desks() as (one, other):
        answers = await both(one, other, ports=[{"port": 80, "nodePort": 30007}])
        assert sorted(answer.code for answer in answers) == [201, 422]


async def test_a_name_that_is_taken_is_refused_and_what_came_with_it_is_made() -> None:
    async with desks() as (one, _):
        await one.create("services", service("a"))
        again, beside = await both(one, one)
        assert (again.code, body_of(again)["reason"]) == (409, "AlreadyExists")
        assert beside.code == 201


async def test_an_update_that_takes_a_port_is_guarded_too() -> None:
    async with desks() as (one, other):
        for desk, name in ((one, "a"), (other, "b")):
            await desk.create("services", service(name, type="ClusterIP"))

        async def open_port(desk: Desk, name: str) -> int:
            found = await desk.get("services", name)
            found["spec"]["type"], found["spec"]["ports"] = "NodePort", [{"port": 80, "nodePort": 30007}]
            return (await desk.update("services", found)).code

        assert sorted(await asyncio.gather(open_port(one, "a"), open_port(other, "b"))) == [200, 422]


async def test_what_takes_nothing_leaves_the_guard_alone() -> None:
    async with desks() as (one, _):
        await one.create("services", service("a"))
        before = await guard(one)
        await one.create("services", service("headless", clusterIP="None", type="ClusterIP"))
        await one.patch("services", "a", {"metadata": {"labels": {"x": "y"}}})
        await one.delete("services", "a")
        assert await guard(one) == before


async def test_an_address_that_another_server_took_back_is_given_again() -> None:
    async with desks() as (one, other):
        for _ in range(3):
            for desk in (one, other):
                assert (await desk.create("services", service("a", clusterIP="10.96.0.20"))).code == 201
                assert (await desk.delete("services", "a")).code == 200
                await one.system.clock.sleep(0.1)
