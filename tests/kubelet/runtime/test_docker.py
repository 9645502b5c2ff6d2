"""The docker runtime, against the engine of this machine."""

from __future__ import annotations

import io
import shutil
import subprocess
import tarfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from orchestrator.kubelet.runtime.docker.runtime import DockerRuntime
from orchestrator.kubelet.runtime.runtime import LogOptions, State
from tests.kubelet.runtime_conformance import ANY, REAL, UID, Kit, Promise, find, run, sandbox, text, wait_for

pytestmark = pytest.mark.e2e

IMAGE = "podium.test/busybox:1"
FOREVER = ("sh", "-c", "trap 'exit 0' TERM; while :; do sleep 0.05; done")
APPLETS = ("sh", "sleep", "cat", "echo", "test")


def busybox() -> bytes:
    """A root file system of Debian's busybox-static."""
    binary = Path(shutil.which("busybox") or "/bin/busybox").read_bytes()
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        entry = tarfile.TarInfo("bin/busybox")
        entry.size, entry.mode = len(binary), 0o755
        tar.addfile(entry, io.BytesIO(binary))
        for name in APPLETS:
            link = tarfile.TarInfo(f"bin/{name}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            tar.addfile(link)
    return buffer.getvalue()


@pytest.fixture(scope="module")
def image() -> str:
    if subprocess.run(["docker", "info"], capture_output=True, timeout=30).returncode != 0:
        pytest.skip("no Docker engine answers")
    if subprocess.run(["docker", "image", "inspect", IMAGE], capture_output=True, timeout=30).returncode != 0:
        subprocess.run(["docker", "import", "-", IMAGE], input=busybox(), check=True, capture_output=True, timeout=60)
    return IMAGE


@pytest.fixture
async def kit(tmp_path: Path, image: str) -> AsyncIterator[Kit]:
    runtime = DockerRuntime(f"test-{tmp_path.name}/node-1", tmp_path)
    yield Kit(runtime, image, shell=True, run_forever=FOREVER)
    for pod in await runtime.pods():
        await runtime.remove_pod(pod.uid)
    await runtime.close()


@pytest.mark.parametrize("promise", ANY + REAL, ids=lambda one: one.__name__)
async def test_it_keeps_the_promise(promise: Promise, kit: Kit) -> None:
    await promise(kit)


async def test_another_kubelet_of_the_same_owner_adopts_what_runs(kit: Kit, tmp_path: Path) -> None:
    await kit.runtime.start(lambda uid: None)
    await sandbox(kit)
    container_id = await run(kit)
    before = await find(kit, container_id)
    await kit.runtime.close()
    assert isinstance(kit.runtime, DockerRuntime)
    await kit.runtime.start(lambda uid: None)
    assert await find(kit, container_id) == before


async def test_another_owner_sees_nothing_of_it(kit: Kit, tmp_path: Path) -> None:
    await kit.runtime.start(lambda uid: None)
    await sandbox(kit)
    other = DockerRuntime("somebody-else", tmp_path)
    assert await other.pods() == []
    await other.close()


async def test_containers_share_the_address_of_their_pod(kit: Kit) -> None:
    await kit.runtime.start(lambda uid: None)
    await sandbox(kit)
    first = await run(kit, "sh", "-c", "cat /proc/self/net/dev | /bin/busybox wc -l", name="one")
    second = await run(kit, "sh", "-c", "cat /proc/self/net/dev | /bin/busybox wc -l", name="two")
    for container_id in (first, second):
        await wait_for(kit, container_id, State.EXITED)
    assert await text(kit, first, LogOptions()) == await text(kit, second, LogOptions())


async def test_the_termination_message_is_read(kit: Kit) -> None:
    await kit.runtime.start(lambda uid: None)
    await sandbox(kit)
    container_id = await run(kit, "sh", "-c", "echo because > /dev/termination-log; exit 1")
    assert (await wait_for(kit, container_id, State.EXITED)).message == "because\n"
    await kit.runtime.remove_pod(UID)
