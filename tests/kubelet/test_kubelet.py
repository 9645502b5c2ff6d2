"""The kubelet as an actor, against the fake API server and the simulated runtime, in virtual time."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from typing import Any

import pytest

from actors import LoopClock, System
from actors.testing import Probe
from orchestrator.client.client import Client
from orchestrator.client.fake import FakeApi
from orchestrator.client.kinds import LEASES, NODES, PODS
from orchestrator.client.mailbox import MailboxTransport
from orchestrator.client.node import STDOUT, Finished, OpenLog, Output
from orchestrator.client.protocol import Identity
from orchestrator.client.recorder import Recorder
from orchestrator.kubelet.heartbeats import Heartbeats
from orchestrator.kubelet.kubelet import Kubelet
from orchestrator.kubelet.materials import BareMaterials
from orchestrator.kubelet.messages import NodeStats
from orchestrator.kubelet.node import LEASE_NAMESPACE, NodeConfig
from orchestrator.kubelet.prober import SimulatedProber
from orchestrator.kubelet.registrations import Registrations
from orchestrator.kubelet.runtime.behaviour import Behaviour, Behaviours, Rule
from orchestrator.kubelet.runtime.simulated import SimulatedRuntime, SimulatedWorld
from tests.kubelet.pods import container, manifest


class CountingRuntime(SimulatedRuntime):
    """Counts what probes ask of it."""

    asked = 0

    def healthy(self, container_id: str, *, readiness: bool, path: str = "") -> bool:
        self.asked += 1
        return super().healthy(container_id, readiness=readiness, path=path)


class Node:
    """One node, its API server, and what a test looks at."""

    def __init__(self, system: System) -> None:
        self.system = system
        self.clock = LoopClock()
        self.api = FakeApi()
        self.client: Client
        self.runtime: CountingRuntime
        self.world: SimulatedWorld
        self.kubelet: Any

    async def start(self, *rules: Rule) -> Node:
        api = await self.system.spawn(lambda: self.api, name="api")
        self.client = Client(MailboxTransport(api, Identity("system:node:node-1", ("system:nodes",))))
        self.world = SimulatedWorld(self.clock, random.Random(1), Behaviours(rules))
        self.runtime = runtime = CountingRuntime(self.world)
        prober = SimulatedProber(runtime)
        shared = (Recorder(None), Registrations(), Heartbeats(self.clock))
        self.kubelet = await self.system.spawn(
            lambda: Kubelet(self.client, NodeConfig("node-1"), runtime, prober, BareMaterials(), *shared),
            name="kubelet",
        )
        return self

    async def create(self, *containers: dict[str, Any], **spec: Any) -> dict[str, Any]:
        return await self.client.create(PODS, manifest(*containers, **spec))

    async def status(self, name: str = "web", after: float = 0.2) -> dict[str, Any]:
        await self.clock.sleep(after)
        status: dict[str, Any] = (await self.client.get(PODS, name, "default"))["status"]
        return status

    def writes(self) -> int:
        return self.api.requests.get("update pods/status", 0)


@pytest.fixture
async def node() -> AsyncIterator[Node]:
    async with System(seed=1) as system:
        node = Node(system)
        yield node
    node.world.close()


def ready(status: dict[str, Any]) -> str:
    return str(next(one["status"] for one in status["conditions"] if one["type"] == "Ready"))


async def test_it_registers_its_node_and_renews_its_lease(node: Node) -> None:
    await node.start()
    await node.clock.sleep(1.0)
    held = await node.client.get(NODES, "node-1")
    assert held["metadata"]["labels"]["kubernetes.io/hostname"] == "node-1"
    assert {one["type"]: one["status"] for one in held["status"]["conditions"]}["Ready"] == "True"
    before = (await node.client.get(LEASES, "node-1", LEASE_NAMESPACE))["spec"]["renewTime"]
    await node.clock.sleep(11.0)
    assert (await node.client.get(LEASES, "node-1", LEASE_NAMESPACE))["spec"]["renewTime"] > before


async def test_a_pod_becomes_ready_with_one_status_write(node: Node) -> None:
    await node.start()
    await node.create()
    status = await node.status()
    assert (status["phase"], ready(status), node.writes()) == ("Running", "True", 1)


async def test_pods_that_were_there_before_the_kubelet_are_run(node: Node) -> None:
    await node.start()
    await node.create()
    node.system.kill("/kubelet")
    await node.client.create(PODS, manifest(name="late"))
    status = await node.status("late", after=5.0)
    assert status["phase"] == "Running"
    assert len(await node.runtime.pods()) == 2


async def test_a_restarted_kubelet_adopts_what_runs(node: Node) -> None:
    await node.start()
    await node.create(container(readinessProbe={"tcpSocket": {"port": 80}}))
    before = await node.status()
    node.system.kill("/kubelet")
    after = await node.status(after=5.0)
    assert ready(before) == "True"
    assert after["containerStatuses"] == before["containerStatuses"]
    assert after["conditions"] == before["conditions"]


async def test_a_crashing_container_backs_off(node: Node) -> None:
    await node.start(Rule(Behaviour(run_seconds=1.0, exit_code=1), image="crash*"))
    await node.create(container(image="crash:1"))
    status = (await node.status(after=3.0))["containerStatuses"][0]
    assert (status["restartCount"], status["state"]["waiting"]["reason"]) == (1, "CrashLoopBackOff")
    status = (await node.status(after=10.0))["containerStatuses"][0]
    assert status["restartCount"] == 2


async def test_a_missing_image_shows_its_error_and_then_its_back_off(node: Node) -> None:
    await node.start()
    await node.create(container(image="foo:non-existent"))
    reasons = [
        (await node.status(after=after))["containerStatuses"][0]["state"]["waiting"]["reason"] for after in (0.2, 3.0)
    ]
    assert reasons == ["ErrImagePull", "ImagePullBackOff"]


async def test_an_unready_container_becomes_ready_when_its_probe_passes(node: Node) -> None:
    await node.start(Rule(Behaviour(ready_after_seconds=4.0)))
    await node.create(container(readinessProbe={"tcpSocket": {"port": 80}, "periodSeconds": 1}))
    assert ready(await node.status(after=2.0)) == "False"
    assert ready(await node.status(after=3.5)) == "True"


async def test_a_container_that_fails_its_liveness_probe_is_restarted(node: Node) -> None:
    await node.start(Rule(Behaviour(healthy_seconds=5.0)))
    await node.create(container(livenessProbe={"tcpSocket": {"port": 80}, "periodSeconds": 1, "failureThreshold": 2}))
    status = (await node.status(after=9.0))["containerStatuses"][0]
    assert status["restartCount"] == 1


async def test_a_start_delay_is_seen_as_pending(node: Node) -> None:
    await node.start(Rule(Behaviour(start_seconds=5.0)))
    await node.create()
    assert (await node.status(after=1.0))["phase"] == "Pending"
    assert (await node.status(after=5.0))["phase"] == "Running"


async def test_a_pod_of_a_job_completes(node: Node) -> None:
    await node.start(Rule(Behaviour(run_seconds=2.0), image="task"))
    await node.create(container(image="task"), restartPolicy="Never")
    assert (await node.status(after=3.0))["phase"] == "Succeeded"


async def test_an_active_deadline_fails_the_pod(node: Node) -> None:
    await node.start()
    await node.create(activeDeadlineSeconds=10)
    status = await node.status(after=11.0)
    assert (status["phase"], status["reason"]) == ("Failed", "DeadlineExceeded")


async def test_a_deleted_pod_keeps_its_grace_and_then_leaves_nothing(node: Node) -> None:
    await node.start(Rule(Behaviour(stop_seconds=3.0)))
    obj = manifest()
    obj["metadata"]["finalizers"] = ["example.com/wait"]
    await node.client.create(PODS, obj)
    await node.clock.sleep(1.0)
    await node.client.delete(PODS, "web", "default")
    await node.clock.sleep(2.0)
    [pod] = await node.runtime.pods()
    assert pod.containers[0].state == "running"
    status = await node.status(after=2.0)
    assert await node.runtime.pods() == []
    assert status["phase"] == "Succeeded"


async def test_a_pod_that_ignores_its_stop_signal_is_killed_after_its_grace(node: Node) -> None:
    await node.start(Rule(Behaviour(stop_seconds=300.0)))
    obj = manifest(terminationGracePeriodSeconds=5)
    obj["metadata"]["finalizers"] = ["example.com/wait"]
    await node.client.create(PODS, obj)
    await node.clock.sleep(1.0)
    await node.client.delete(PODS, "web", "default")
    status = await node.status(after=6.0)
    assert status["containerStatuses"][0]["state"]["terminated"]["exitCode"] == 137


async def test_a_pod_that_the_api_server_forgot_is_removed(node: Node) -> None:
    await node.start()
    await node.create()
    await node.clock.sleep(1.0)
    await node.client.delete(PODS, "web", "default")
    await node.clock.sleep(1.0)
    assert await node.runtime.pods() == []


async def test_a_host_port_that_is_taken_fails_the_second_pod(node: Node) -> None:
    await node.start()
    port = container(ports=[{"containerPort": 80, "hostPort": 8080}])
    await node.create(port)
    await node.clock.sleep(2.0)
    await node.client.create(PODS, manifest(port, name="second"))
    assert (await node.status("web"))["phase"] == "Running"
    status = await node.status("second")
    assert (status["phase"], status["reason"]) == ("Failed", "NodePorts")


async def test_the_statuses_of_many_pods_leave_in_few_batches(node: Node) -> None:
    await node.start()
    for number in range(20):
        await node.client.create(PODS, manifest(name=f"web-{number}"))
    await node.clock.sleep(1.0)
    assert node.writes() == 20
    phases = {pod["status"]["phase"] for pod in (await node.client.list(PODS)).objects()}
    assert phases == {"Running"}


async def test_usage_is_asked_of_the_node(node: Node) -> None:
    await node.start(Rule(Behaviour(cpu_millis=100.0, memory_bytes=1000)))
    await node.create()
    await node.clock.sleep(10.0)
    usage = await node.kubelet.ask(NodeStats())
    assert (usage.node, usage.memory_bytes, usage.pods[0].name) == ("node-1", 1000, "web")


async def test_a_log_is_streamed_to_the_subscriber(node: Node) -> None:
    await node.start(Rule(Behaviour(log_lines=("one", "two"))))
    pod = await node.create()
    await node.clock.sleep(1.0)
    probe = await Probe.spawn(node.system)
    await node.kubelet.ask(OpenLog(pod["metadata"]["uid"], "app", probe.ref))
    assert await probe.get(Output) == Output(STDOUT, b"one\ntwo\n")
    assert await probe.get(Finished) == Finished()


async def test_a_simulated_pod_that_stays_well_is_not_asked_again_and_again(node: Node) -> None:
    await node.start()
    await node.create(container(readinessProbe={"tcpSocket": {"port": 80}, "periodSeconds": 1}))
    assert ready(await node.status()) == "True"
    asked = node.runtime.asked
    await node.clock.sleep(600.0)
    assert node.runtime.asked - asked <= 1


async def test_new_behaviours_are_seen_by_pods_that_were_well(node: Node) -> None:
    await node.start()
    await node.create(container(readinessProbe={"tcpSocket": {"port": 80}, "periodSeconds": 1, "failureThreshold": 1}))
    assert ready(await node.status()) == "True"
    node.world.behaviours = Behaviours((Rule(Behaviour(ready=False)),))
    assert ready(await node.status(after=2.0)) == "False"
    node.world.behaviours = Behaviours()
    assert ready(await node.status(after=2.0)) == "True"


async def test_a_container_that_flaps_is_asked_when_it_changes(node: Node) -> None:
    await node.start(Rule(Behaviour(flapping=(60.0, 30.0))))
    await node.create(container(readinessProbe={"tcpSocket": {"port": 80}, "periodSeconds": 1, "failureThreshold": 1}))
    assert ready(await node.status()) == "True"
    assert ready(await node.status(after=62.0)) == "False"
    assert ready(await node.status(after=30.0)) == "True"
