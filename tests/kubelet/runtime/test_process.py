"""The process runtime: real processes, so in real time."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from orchestrator.kubelet.runtime.process.disk import end_shim
from orchestrator.kubelet.runtime.process.figures import start_ticks
from orchestrator.kubelet.runtime.process.images import Images
from orchestrator.kubelet.runtime.process.link import is_served
from orchestrator.kubelet.runtime.process.network import LoopbackNetwork
from orchestrator.kubelet.runtime.process.runtime import ProcessRuntime
from orchestrator.kubelet.runtime.runtime import ContainerConfig, LogOptions, Mount, SandboxConfig, State
from tests.kubelet.runtime_conformance import ANY, REAL, UID, Kit, Promise, find, run, sandbox, text, wait_for

pytestmark = [pytest.mark.slow, pytest.mark.real_loop]

FOREVER = ("sh", "-c", "trap 'exit 0' TERM; while :; do sleep 0.05; done")


@pytest.fixture
async def kit(tmp_path: Path) -> AsyncIterator[Kit]:
    runtime = ProcessRuntime(tmp_path / "pods", Images(), LoopbackNetwork(os.getpid()))
    yield Kit(runtime, "podium/sh", shell=True, run_forever=FOREVER)
    for pod in await runtime.pods():
        await runtime.remove_pod(pod.uid)
    await runtime.close()


@pytest.mark.parametrize("promise", ANY + REAL, ids=lambda one: one.__name__)
async def test_it_keeps_the_promise(promise: Promise, kit: Kit) -> None:
    await promise(kit)


async def said(kit: Kit, container_id: str) -> bytes:
    """The first thing that a container says."""
    async for piece in kit.runtime.logs(container_id, LogOptions(follow=True)):
        return piece
    raise AssertionError(f"{container_id} ended without a word")


async def again(kit: Kit, tmp_path: Path) -> Kit:
    """The daemon was killed: another runtime on the same directory."""
    await kit.runtime.close()
    runtime = ProcessRuntime(tmp_path / "pods", Images(), LoopbackNetwork())
    await runtime.start(lambda uid: None)
    return Kit(runtime, kit.image, shell=True, run_forever=FOREVER)


async def test_a_running_container_is_adopted_and_goes_on(kit: Kit, tmp_path: Path) -> None:
    await kit.runtime.start(lambda uid: None)
    await sandbox(kit)
    container_id = await run(kit)
    before = await find(kit, container_id)
    other = await again(kit, tmp_path)
    assert await find(other, container_id) == before
    await other.runtime.remove_pod(UID)


async def test_what_ends_while_nobody_looks_is_known_afterwards(kit: Kit, tmp_path: Path) -> None:
    await kit.runtime.start(lambda uid: None)
    await sandbox(kit)
    container_id = await run(kit, "sh", "-c", "echo last words; sleep 0.2; exit 9")
    await kit.runtime.close()
    await asyncio.sleep(0.5)
    other = await again(kit, tmp_path)
    found = await find(other, container_id)
    assert (found.state, found.exit_code) == (State.EXITED, 9)
    assert await text(other, container_id, LogOptions()) == b"last words\n"
    await other.runtime.remove_pod(UID)


async def test_a_sandbox_whose_making_was_interrupted_is_made_anew(kit: Kit, tmp_path: Path) -> None:
    """Killed after the shim was started and before the pod's network was: the shim answers, and is of no use."""
    await kit.runtime.start(lambda uid: None)
    await sandbox(kit)
    stored = tmp_path / "pods" / UID / "pod.json"
    stored.write_bytes(stored.read_bytes().replace(b'"ready":true', b'"ready":false'))
    other = await again(kit, tmp_path)
    held = await other.runtime.observe(UID)
    assert held is not None
    assert held.sandbox is not None
    assert not held.sandbox.ready
    assert not is_served(tmp_path / "pods" / UID)
    made = await other.runtime.create_sandbox(SandboxConfig(UID, "default", "pod-1", 1))
    assert made.ready
    assert made.ip == held.sandbox.ip
    await wait_for(other, await run(other), State.RUNNING)
    await other.runtime.remove_pod(UID)


async def test_a_shim_that_nobody_holds_can_be_ended_with_its_programs(kit: Kit, tmp_path: Path) -> None:
    await kit.runtime.start(lambda uid: None)
    await sandbox(kit)
    container_id = await run(kit, "sh", "-c", "echo $$; exec sleep 60")
    program = int(await said(kit, container_id))
    await kit.runtime.close()
    await asyncio.to_thread(end_shim, tmp_path / "pods" / UID)
    assert not is_served(tmp_path / "pods" / UID)
    assert start_ticks(program) == 0
    end_shim(tmp_path / "nowhere")


async def test_a_lost_shim_ends_its_pod(kit: Kit, tmp_path: Path) -> None:
    await kit.runtime.start(lambda uid: None)
    await sandbox(kit)
    container_id = await run(kit, "sh", "-c", "echo $PPID; exec sleep 60")
    shim = await said(kit, container_id)
    os.kill(int(shim), signal.SIGKILL)
    assert (await wait_for(kit, container_id, State.EXITED)).exit_code == 137
    pod = await kit.runtime.observe(UID)
    assert pod is not None
    assert pod.sandbox is not None
    assert not pod.sandbox.ready


async def test_what_a_container_leaves_in_its_session_ends_with_it(kit: Kit) -> None:
    await kit.runtime.start(lambda uid: None)
    await sandbox(kit)
    container_id = await run(kit, "sh", "-c", "sleep 61 & echo $!; wait")
    child = await said(kit, container_id)
    await kit.runtime.kill_container(container_id)
    await wait_for(kit, container_id, State.EXITED)
    assert start_ticks(int(child)) == 0


async def test_mounts_are_found_below_the_working_directory(kit: Kit, tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "key").write_text("value")
    await kit.runtime.start(lambda uid: None)
    await sandbox(kit)
    mounts = (Mount(str(tmp_path / "config"), "/etc/config"),)
    container_id = await run(kit, "sh", "-c", "cat $PODIUM_ROOT/etc/config/key etc/config/key", mounts=mounts)
    await wait_for(kit, container_id, State.EXITED)
    assert await text(kit, container_id, LogOptions()) == b"valuevalue\n"


async def test_the_termination_message_is_read(kit: Kit) -> None:
    await kit.runtime.start(lambda uid: None)
    await sandbox(kit)
    container_id = await run(kit, "sh", "-c", "printf because > dev/termination-log; exit 1")
    assert (await wait_for(kit, container_id, State.EXITED)).message == "because"


async def test_the_demo_web_server_answers_at_the_pods_address(kit: Kit) -> None:
    await kit.runtime.start(lambda uid: None)
    ip = await sandbox(kit)
    image_id = await kit.runtime.ensure_image("podium/web:1.0", "IfNotPresent")
    await kit.runtime.start_container(
        await kit.runtime.create_container(UID, ContainerConfig("web", 0, "podium/web:1.0", image_id))
    )
    async with asyncio.timeout(10):
        while True:
            try:
                reader, writer = await asyncio.open_connection(ip, 8080)
                break
            except ConnectionRefusedError:
                await asyncio.sleep(0.01)
        writer.write(b"GET / HTTP/1.1\r\nHost: web\r\nConnection: close\r\n\r\n")
        answer = await reader.read()
    writer.close()
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert answer.endswith(f"Hello from pod-1 at {ip}\n".encode())


async def test_an_unknown_image_says_what_to_do(kit: Kit) -> None:
    with pytest.raises(Exception, match="register one in the configuration") as failure:
        await kit.runtime.ensure_image("nginx:1.25", "IfNotPresent")
    assert "nginx" in str(failure.value)
