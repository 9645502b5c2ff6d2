from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from actors import Ref, Restart, System, child
from actors.testing import SimulatedClock
from orchestrator.apiserver.bootstrap.endpoints import Server, api_endpoints
from orchestrator.apiserver.config import ServerConfig
from orchestrator.apiserver.endpoint_reconciler import MASTER_LEASES, RECONCILE_SECONDS, TTL_SECONDS, plan
from orchestrator.apiserver.server import ApiServer
from orchestrator.store.memory_log import MemoryLog
from orchestrator.store.protocol import Batch, Change, LeaseGrant
from orchestrator.store.store import Store
from tests.apiserver.desk import Desk, body_of

FIRST, SECOND, OTHER_PORT = Server(6443, "10.0.0.1"), Server(6443, "10.0.0.2"), Server(6444, "10.0.0.1")


class Servers:
    """API servers over one store."""

    def __init__(self, system: System, clock: SimulatedClock, store: Ref[Any]) -> None:
        self.system = system
        self.clock = clock
        self.store = store
        self.desks: dict[Server, Desk] = {}

    async def start(self, server: Server, *, several: bool = True) -> None:
        config = ServerConfig(advertise_address=server.address, advertise_port=server.port, several=several)
        spec = child(partial(ApiServer, self.store, config), name=_name(server), restart=Restart.TEMPORARY)
        ref = await self.system.spawn(spec)
        self.desks[server] = Desk(self.system, ref)
        await self.clock.advance(RECONCILE_SECONDS)

    async def stop(self, server: Server) -> None:
        await self.system.stop_actor(self.system.ref(_name(server)))

    async def kill(self, server: Server) -> None:
        self.system.kill(_name(server))
        while any(node.path == _name(server) for node in self.system.tree().children):
            await self.clock.advance(0.0)

    async def slices(self, seen_by: Server) -> dict[str, tuple[list[str], int]]:
        listed = await self.desks[seen_by].list("endpointslices")
        found = {}
        for item in listed.items or ():
            one = item.decode()
            addresses = [each["addresses"][0] for each in one["endpoints"]]
            found[one["metadata"]["name"]] = (addresses, one["ports"][0]["port"])
        return found


def _name(server: Server) -> str:
    return f"{server.port}-{server.address}"


@asynccontextmanager
async def servers() -> AsyncIterator[Servers]:
    clock = SimulatedClock()
    async with System(seed=1, clock=clock) as system:
        yield Servers(system, clock, await system.spawn(Store, MemoryLog(), name="store"))


async def test_each_server_stands_in_the_endpoints() -> None:
    async with servers() as made:
        await made.start(FIRST)
        await made.start(SECOND)
        assert await made.slices(FIRST) == {"kubernetes": (["10.0.0.1", "10.0.0.2"], 6443)}
        endpoints = await made.desks[FIRST].get("endpoints", "kubernetes")
        assert endpoints["subsets"][0]["addresses"] == [{"ip": "10.0.0.1"}, {"ip": "10.0.0.2"}]


async def test_a_port_of_its_own_is_a_slice_of_its_own() -> None:
    async with servers() as made:
        await made.start(FIRST)
        await made.start(OTHER_PORT)
        found = await made.slices(FIRST)
        assert found == {"kubernetes": (["10.0.0.1"], 6443), "kubernetes-6444-ipv4": (["10.0.0.1"], 6444)}


async def test_who_died_is_left_out_when_its_lease_is_over() -> None:
    async with servers() as made:
        lease = (await made.store.ask(LeaseGrant(TTL_SECONDS))).lease
        await made.store.ask(Batch([Change(f"{MASTER_LEASES}6443/10.0.0.9", (b"",), lease=lease)]))
        await made.start(FIRST)
        assert await made.slices(FIRST) == {"kubernetes": (["10.0.0.1", "10.0.0.9"], 6443)}
        await made.clock.advance(TTL_SECONDS)
        assert await made.slices(FIRST) == {"kubernetes": (["10.0.0.1"], 6443)}


async def test_who_stops_says_so() -> None:
    async with servers() as made:
        await made.start(FIRST)
        await made.start(SECOND)
        await made.stop(SECOND)
        assert await made.slices(FIRST) == {"kubernetes": (["10.0.0.1"], 6443)}


async def test_the_last_one_that_stops_stays() -> None:
    async with servers() as made:
        await made.start(FIRST)
        await made.stop(FIRST)
        await made.start(SECOND, several=False)
        await made.stop(SECOND)
        await made.start(OTHER_PORT)
        assert await made.slices(OTHER_PORT) == {"kubernetes": (["10.0.0.1"], 6444)}


async def test_who_comes_back_at_once_is_never_left_out() -> None:
    async with servers() as made:
        await made.start(FIRST)
        await made.start(SECOND)
        await made.kill(SECOND)
        await made.start(SECOND)
        for _ in range(4):
            await made.clock.advance(RECONCILE_SECONDS / 2)
            assert await made.slices(FIRST) == {"kubernetes": (["10.0.0.1", "10.0.0.2"], 6443)}


async def test_servers_that_are_well_write_nothing() -> None:
    async with servers() as made:
        await made.start(FIRST)
        await made.start(SECOND)
        before = (await made.desks[FIRST].list("endpointslices")).revision
        await made.clock.advance(10 * RECONCILE_SECONDS)
        assert (await made.desks[FIRST].list("endpointslices")).revision == before


async def test_the_only_server_corrects_what_another_address_left() -> None:
    async with servers() as made:
        await made.start(FIRST, several=False)
        await made.stop(FIRST)
        await made.start(OTHER_PORT, several=False)
        assert await made.slices(OTHER_PORT) == {"kubernetes": (["10.0.0.1"], 6444)}
        endpoints = await made.desks[OTHER_PORT].get("endpoints", "kubernetes")
        assert endpoints["subsets"][0]["ports"][0]["port"] == 6444


async def test_a_slice_of_another_service_stays() -> None:
    async with servers() as made:
        await made.start(FIRST)
        other = {
            "metadata": {"name": "kubernetes-dashboard-x7k2p", "labels": {"kubernetes.io/service-name": "dashboard"}},
            "addressType": "IPv4",
            "endpoints": [{"addresses": ["10.1.0.1"]}],
            "ports": [{"port": 80}],
        }
        assert body_of(await made.desks[FIRST].create("endpointslices", other))["kind"] == "EndpointSlice"
        await made.start(OTHER_PORT)
        assert "kubernetes-dashboard-x7k2p" in await made.slices(FIRST)


def test_what_stands_as_it_should_is_left_alone() -> None:
    wanted = api_endpoints([FIRST, OTHER_PORT])
    assert [change.expect for change in plan(wanted, {}, "now", lambda: "uid")] == [0, 0, 0]
