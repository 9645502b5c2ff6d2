"""The proxy's actor on the simulated dataplane, in virtual time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from actors import Ref, System, child
from orchestrator.client.client import Client
from orchestrator.client.fake import FakeApi
from orchestrator.client.informers import Informers
from orchestrator.client.kinds import ENDPOINTSLICES, EVENTS, SERVICES
from orchestrator.client.mailbox import MailboxTransport
from orchestrator.client.protocol import Identity
from orchestrator.client.recorder import EventWriter, Recorder
from orchestrator.proxy.actor import Proxy
from orchestrator.proxy.dataplane import SimulatedDataplane
from orchestrator.proxy.portals import Endpoint, Front, Place

FRONT = Front("TCP", "127.96.0.9", 80)


class Stage:
    def __init__(self, system: System, client: Client, dataplane: SimulatedDataplane) -> None:
        self.system = system
        self.client = client
        self.dataplane = dataplane

    async def service(self) -> None:
        spec = {"clusterIP": FRONT.address, "ports": [{"name": "http", "port": FRONT.port}]}
        await self.client.create(SERVICES, {"metadata": {"name": "web"}, "spec": spec}, "default")

    async def endpoints(self, name: str, *addresses: str) -> None:
        obj = {
            "metadata": {"name": name, "labels": {"kubernetes.io/service-name": "web"}},
            "ports": [{"name": "http", "port": 8080}],
            "endpoints": [{"addresses": [address], "conditions": {"ready": True}} for address in addresses],
        }
        await self.client.create(ENDPOINTSLICES, obj, "default")

    async def settle(self, seconds: float = 1.0) -> None:
        await self.system.clock.sleep(seconds)

    def behind(self) -> tuple[str, ...]:
        return tuple(endpoint.address for endpoint in self.dataplane.portals[FRONT].endpoints)


@asynccontextmanager
async def stage(dataplane: SimulatedDataplane) -> AsyncIterator[Stage]:
    async with System(seed=1) as system:
        ref = await system.spawn(child(FakeApi), name="api")
        client = Client(MailboxTransport(ref, Identity("test")))
        writer = await system.spawn(child(EventWriter, client, "kube-proxy"), name="events")

        async def spawn(factory: Callable[[], Any], name: str) -> Ref[Any]:
            return await system.spawn(child(factory), name=name)

        informers = Informers(client, spawn)
        proxy = child(Proxy, informers, Recorder(writer), Place(), lambda random, clock: dataplane)
        await system.spawn(proxy, name="proxy")
        yield Stage(system, client, dataplane)


async def test_portals_follow_the_service_and_its_slices() -> None:
    async with stage(SimulatedDataplane()) as on:
        await on.service()
        await on.endpoints("web-1", "10.0.0.1")
        await on.endpoints("web-2", "10.0.0.2")
        await on.settle()
        assert on.behind() == ("10.0.0.1", "10.0.0.2")
        await on.client.delete(ENDPOINTSLICES, "web-1", "default")
        await on.settle()
        assert on.behind() == ("10.0.0.2",)
        await on.client.delete(SERVICES, "web", "default")
        await on.settle()
        assert on.dataplane.portals == {}


async def test_a_port_that_is_taken_is_an_event_once_and_tried_until_it_is_free() -> None:
    dataplane = SimulatedDataplane()
    dataplane.taken[FRONT] = "address already in use"
    async with stage(dataplane) as on:
        await on.service()
        await on.settle(12.0)
        events = (await on.client.list(EVENTS)).objects()
        assert [event["count"] for event in events] == [1]
        assert events[0]["message"] == "cannot listen on TCP 127.96.0.9:80: address already in use"
        dataplane.taken.clear()
        await on.settle(6.0)
        assert FRONT in dataplane.portals


async def test_a_restarted_proxy_opens_everything_anew() -> None:
    async with stage(SimulatedDataplane()) as on:
        await on.service()
        await on.endpoints("web-1", "10.0.0.1")
        await on.settle()
        assert on.system.kill("proxy")
        await on.settle(3.0)
        assert on.dataplane.portals[FRONT].endpoints == (Endpoint("10.0.0.1", 8080),)
