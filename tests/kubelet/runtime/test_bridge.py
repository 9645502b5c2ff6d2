"""Network namespaces of pods, on the real kernel: needs root, and rights that a container may not have."""

from __future__ import annotations

import asyncio
import ipaddress
import os
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from orchestrator.kubelet.runtime.process.bridge import BridgeNetwork
from orchestrator.kubelet.runtime.process.images import Images
from orchestrator.kubelet.runtime.process.runtime import ProcessRuntime
from orchestrator.kubelet.runtime.runtime import ContainerConfig, LogOptions, SandboxConfig, State
from tests.kubelet.runtime_conformance import ANY, REAL, UID, Kit, Promise, run, text, wait_for

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.real_loop,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root may make network namespaces"),
]
FOREVER = ("sh", "-c", "trap 'exit 0' TERM; while :; do sleep 0.05; done")
OTHER = "00000000-0000-4000-8000-000000000002"


@pytest.fixture
async def network(tmp_path: Path) -> AsyncIterator[BridgeNetwork]:
    network = BridgeNetwork(str(tmp_path))
    await network.prepare()
    yield network
    await network.release(keep=False)


@pytest.fixture
async def kit(network: BridgeNetwork, tmp_path: Path) -> AsyncIterator[Kit]:
    runtime = ProcessRuntime(tmp_path / "pods", Images(), network)
    yield Kit(runtime, "podium/sh", shell=True, run_forever=FOREVER)
    for pod in await runtime.pods():
        await runtime.remove_pod(pod.uid)
    await runtime.close()


def links() -> str:
    return subprocess.run(["ip", "-brief", "link"], capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("promise", ANY + REAL, ids=lambda one: one.__name__)
async def test_it_keeps_the_promise(promise: Promise, kit: Kit) -> None:
    await promise(kit)


async def serve(kit: Kit, uid: str) -> str:
    """The demo's server in a pod of its own, on every address of its network; the pod's address."""
    config = SandboxConfig(uid, "default", f"pod-{uid[-1]}", 0, hostname=f"host-{uid[-1]}", dns_servers=("10.96.0.10",))
    sandbox = await kit.runtime.create_sandbox(config)
    image_id = await kit.runtime.ensure_image("podium/web", "IfNotPresent")
    container = ContainerConfig("web", 0, "podium/web", image_id, env=(("POD_IP", "0.0.0.0"),))
    await kit.runtime.start_container(await kit.runtime.create_container(uid, container))
    return sandbox.ip


async def answer(ip: str) -> bytes:
    async with asyncio.timeout(10):
        while True:
            try:
                reader, writer = await asyncio.open_connection(ip, 8080)
            except ConnectionRefusedError:
                await asyncio.sleep(0.01)
                continue
            writer.write(b"GET / HTTP/1.1\r\nHost: web\r\nConnection: close\r\n\r\n")
            said = await reader.read()
            writer.close()
            return said


async def test_two_pods_listen_on_one_port_of_all_their_addresses(kit: Kit, network: BridgeNetwork) -> None:
    await kit.runtime.start(lambda uid: None)
    first, second = await serve(kit, UID), await serve(kit, OTHER)
    assert first != second
    assert {ipaddress.IPv4Address(ip) in network.addresses.network for ip in (first, second)} == {True}
    assert [b"200 OK" in await answer(ip) for ip in (first, second)] == [True, True]


async def test_a_pod_reaches_another_and_has_a_name_and_a_resolver_of_its_own(kit: Kit) -> None:
    await kit.runtime.start(lambda uid: None)
    ip = await serve(kit, OTHER)
    await answer(ip)
    config = SandboxConfig(UID, "default", "pod-1", 0, hostname="host-1", dns_servers=("10.96.0.10",))
    await kit.runtime.create_sandbox(config)
    ask = f"import urllib.request as u; print(u.urlopen('http://{ip}:8080/healthz').read())"
    script = f'cat /proc/sys/kernel/hostname /etc/resolv.conf; python3 -c "{ask}"'
    container_id = await run(kit, "sh", "-c", script)
    await wait_for(kit, container_id, State.EXITED)
    said = await text(kit, container_id, LogOptions())
    assert said == b"host-1\nnameserver 10.96.0.10\nb'ok\\n'\n"


async def test_a_pods_interfaces_end_with_it(kit: Kit) -> None:
    await kit.runtime.start(lambda uid: None)
    before = links()
    await serve(kit, UID)
    assert links() != before
    await kit.runtime.remove_pod(UID)
    async with asyncio.timeout(5):
        while True:
            if links() == before:
                return
            await asyncio.sleep(0.02)


async def test_the_bridge_of_an_earlier_life_is_found_with_its_network(network: BridgeNetwork, tmp_path: Path) -> None:
    again = BridgeNetwork(str(tmp_path))
    await again.prepare()
    assert again.addresses.network == network.addresses.network
    await again.release(keep=True)
    assert network.name in links()


async def test_two_owners_have_networks_that_do_not_meet(network: BridgeNetwork) -> None:
    other = BridgeNetwork("elsewhere")
    await other.prepare()
    try:
        assert not other.addresses.network.overlaps(network.addresses.network)
    finally:
        await other.release(keep=False)
    assert other.name not in links()
