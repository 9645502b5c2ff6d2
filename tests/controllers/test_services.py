"""EndpointSlices and Endpoints: who stands behind a Service."""

from __future__ import annotations

from orchestrator.apimachinery.encoded import Object
from orchestrator.client.kinds import ENDPOINTS, ENDPOINTSLICES, NODES, PODS, SERVICES
from orchestrator.controllers.endpoints import EndpointsWriter
from orchestrator.controllers.endpointslice import EndpointSlices
from tests.controllers.stage import Stage, bare_pod, ready_status, service, stage


async def pods(s: Stage, count: int, app: str = "web", **spec: object) -> None:
    for number in range(count):
        made = await s.client.create(PODS, bare_pod(f"{app}-{number}", {"app": app}, nodeName="node-1", **spec))
        status = ready_status(s.system.clock.time(), number)
        await s.client.update_status(PODS, {**made, "status": status})


def addresses(slices: list[Object]) -> set[str]:
    return {address for held in slices for endpoint in held["endpoints"] for address in endpoint["addresses"]}


async def test_a_service_gets_slices_of_at_most_a_hundred() -> None:
    async with stage() as s:
        await s.play(EndpointSlices)
        await pods(s, 150)
        await s.client.create(SERVICES, service())
        await s.settle()
        slices = await s.objects(ENDPOINTSLICES)
        assert sorted(len(held["endpoints"]) for held in slices) == [50, 100]
        assert len(addresses(slices)) == 150
        first = slices[0]
        assert first["metadata"]["labels"]["kubernetes.io/service-name"] == "web"
        assert first["ports"] == [{"name": "", "port": 8080, "protocol": "TCP"}]
        assert first["endpoints"][0]["conditions"] == {"ready": True, "serving": True, "terminating": False}


async def test_a_service_without_pods_has_one_empty_slice() -> None:
    async with stage() as s:
        await s.play(EndpointSlices)
        await s.client.create(SERVICES, service())
        await s.settle()
        (held,) = await s.objects(ENDPOINTSLICES)
        assert held["endpoints"] == []


async def test_a_pod_that_fails_its_readiness_is_not_ready_in_its_slice() -> None:
    async with stage() as s:
        await s.play(EndpointSlices)
        await s.client.create(SERVICES, service())
        await pods(s, 2)
        await s.settle()
        pod = await s.client.get(PODS, "web-0", "default")
        pod["status"]["conditions"][0]["status"] = "False"
        await s.client.update_status(PODS, pod)
        await s.settle(0.3)
        (held,) = await s.objects(ENDPOINTSLICES)
        ready = {endpoint["targetRef"]["name"]: endpoint["conditions"]["ready"] for endpoint in held["endpoints"]}
        assert ready == {"web-0": False, "web-1": True}


async def test_a_burst_of_pods_is_few_writes_of_slices() -> None:
    async with stage() as s:
        await s.play(EndpointSlices)
        await s.client.create(SERVICES, service())
        await s.settle()
        await pods(s, 100)
        await s.settle()
        assert s.api.requests.get("update endpointslices", 0) <= 3
        assert len(addresses(await s.objects(ENDPOINTSLICES))) == 100


async def test_an_endpoint_bears_the_zone_of_its_node() -> None:
    async with stage() as s:
        labels = {"topology.kubernetes.io/zone": "east"}
        await s.client.create(
            NODES, {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "node-1", "labels": labels}}
        )
        await s.play(EndpointSlices)
        await s.client.create(SERVICES, service())
        await pods(s, 1)
        await s.settle()
        (held,) = await s.objects(ENDPOINTSLICES)
        assert held["endpoints"][0]["zone"] == "east"
        assert held["endpoints"][0]["nodeName"] == "node-1"


async def test_named_target_ports_are_those_of_each_pod() -> None:
    async with stage() as s:
        await s.play(EndpointSlices)
        await s.client.create(SERVICES, service(ports=[{"name": "http", "port": 80, "targetPort": "web"}]))
        for name, number in (("one", 8080), ("two", 9090)):
            containers = [{"name": "c", "ports": [{"name": "web", "containerPort": number}]}]
            made = await s.client.create(PODS, bare_pod(name, {"app": "web"}, containers=containers))
            await s.client.update_status(PODS, {**made, "status": ready_status(0, number)})
        await s.settle()
        slices = await s.objects(ENDPOINTSLICES)
        assert sorted(held["ports"][0]["port"] for held in slices) == [8080, 9090]


async def test_a_deleted_pod_leaves_the_slice_and_other_services_alone() -> None:
    async with stage() as s:
        await s.play(EndpointSlices)
        await s.client.create(SERVICES, service())
        await s.client.create(SERVICES, service("other"))
        await pods(s, 2)
        await pods(s, 1, app="other")
        await s.settle()
        before = s.api.requests.get("update endpointslices", 0)
        await s.client.delete(PODS, "web-0", "default")
        await s.settle()
        slices = await s.objects(ENDPOINTSLICES)
        assert len(addresses(slices)) == 2
        assert s.api.requests["update endpointslices"] == before + 1


async def test_endpoints_part_ready_from_unready_addresses() -> None:
    async with stage() as s:
        await s.play(EndpointsWriter)
        await s.client.create(SERVICES, service())
        await pods(s, 2)
        pod = await s.client.get(PODS, "web-0", "default")
        pod["status"]["conditions"][0]["status"] = "False"
        await s.client.update_status(PODS, pod)
        await s.settle(2.0)
        (subset,) = (await s.client.get(ENDPOINTS, "web", "default"))["subsets"]
        assert [held["ip"] for held in subset["addresses"]] == ["10.0.0.2"]
        assert [held["ip"] for held in subset["notReadyAddresses"]] == ["10.0.0.1"]
        assert subset["ports"] == [{"port": 8080, "protocol": "TCP"}]


async def test_endpoints_go_with_their_service() -> None:
    async with stage() as s:
        await s.play(EndpointsWriter)
        await s.client.create(SERVICES, service())
        await s.settle()
        assert len(await s.objects(ENDPOINTS)) == 1
        await s.client.delete(SERVICES, "web", "default")
        await s.settle(2.0)
        assert await s.objects(ENDPOINTS) == []
