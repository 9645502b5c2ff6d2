"""Three daemons that are one control plane: one of them is killed in the middle of a rollout, and the rollout ends."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import pytest
from msgspec import structs

from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.errors import StatusError
from orchestrator.cli import datadir, members
from orchestrator.client.client import Client
from orchestrator.client.errors import TransportError
from orchestrator.client.https import HttpTransport
from orchestrator.client.kinds import DEPLOYMENTS, LEASES, NODES
from orchestrator.client.kubeconfig import load
from orchestrator.config import ClusterConfig, document
from orchestrator.pki import share

pytestmark = [pytest.mark.e2e, pytest.mark.real_loop]

REPLICAS = 6
START_SECONDS = 60.0
ROLLOUT_SECONDS = 90.0
"""The successor of the controllers may wait for the lease's 15 s, the rest is the rollout."""
T = TypeVar("T")


class Together:
    """The three, each a process of this test's."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        base = ClusterConfig(data_dir=directory, listen=("127.0.0.1", 0), nodes=0, runtime="simulated")
        self.configs = {config.member: config for config in members.plan(base, 3)}
        self._processes: dict[int, subprocess.Popen[bytes]] = {}
        for member in self.configs:
            share(directory, self.folder(member), time.time())
            self.start(member, nodes=0)
        self.wait()

    def folder(self, member: int) -> Path:
        return self.directory / f"member-{member}"

    def start(self, member: int, nodes: int) -> None:
        settings = json.dumps(document(replace(self.configs[member], nodes=nodes)))
        command = [sys.executable, "-m", "orchestrator.daemon", "--settings", settings]
        with (self.folder(member) / "daemon.log").open("ab") as log:
            self._processes[member] = subprocess.Popen(command, stdout=log, stderr=log)

    def wait(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not all(datadir.read_record(self.folder(member)) for member in self._processes):
            assert time.monotonic() < deadline, f"three members are not up after {START_SECONDS} s"
            time.sleep(0.1)

    def end(self, member: int, number: int) -> None:
        process = self._processes.pop(member)
        process.send_signal(number)
        process.wait(60)

    def end_all(self) -> None:
        for member in list(self._processes):
            self.end(member, signal.SIGKILL)


class Patient:
    """Asks until there is an answer. Which server is asked its transport knows."""

    def __init__(self, transport: HttpTransport) -> None:
        self._transport = transport
        self._client = Client(transport)
        self._first = transport.access

    @property
    def moved(self) -> bool:
        """Whether the first server did not answer and another was asked."""
        return self._transport.access is not self._first

    async def do(self, ask: Callable[[Client], Awaitable[T]]) -> T:
        deadline = time.monotonic() + 30
        while True:
            try:
                return await ask(self._client)
            except TransportError:
                pass
            except StatusError as error:
                if error.code < 500:
                    raise
            if time.monotonic() > deadline:
                raise TimeoutError("no server answered for 30 s")
            await asyncio.sleep(0.1)


@pytest.fixture
def together(tmp_path: Path) -> Iterator[Together]:
    one = Together(tmp_path / "podium")
    try:
        yield one
    finally:
        one.end_all()


@contextlib.asynccontextmanager
async def connected(together: Together, first: int) -> AsyncIterator[Patient]:
    """A client whose first server is that of member ``first``."""
    order = [first, *(member for member in together.configs if member != first)]
    mine, *others = [load(together.folder(member) / "kubeconfig") for member in order]
    transport = HttpTransport(structs.replace(mine, others=tuple(other.server for other in others)))
    try:
        yield Patient(transport)
    finally:
        await transport.close()


def deployment(version: str) -> Object:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "default"},
        "spec": {
            "replicas": REPLICAS,
            "minReadySeconds": 2,
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{"name": "web", "image": f"web:{version}"}]},
            },
        },
    }


async def until(what: str, holds: Callable[[], Awaitable[bool]], seconds: float) -> float:
    began = time.monotonic()
    while not await holds():
        assert time.monotonic() - began < seconds, f"{what}: not within {seconds} s"
        await asyncio.sleep(0.1)
    return time.monotonic() - began


async def status(client: Patient) -> dict[str, Any]:
    found = await client.do(lambda one: one.get(DEPLOYMENTS, "web", "default"))
    state: dict[str, Any] = found.get("status") or {}
    return state if state.get("observedGeneration") == found["metadata"]["generation"] else {}


async def rolled_out(client: Patient) -> bool:
    state = await status(client)
    wanted = {"updatedReplicas": REPLICAS, "readyReplicas": REPLICAS, "replicas": REPLICAS}
    return all(state.get(name) == number for name, number in wanted.items())


async def holder(client: Patient) -> int:
    lease = await client.do(lambda one: one.get(LEASES, "kube-controller-manager", "kube-system"))
    return int(lease["spec"]["holderIdentity"].removeprefix("podium-") or 0)


async def test_a_control_plane_is_killed_in_the_middle_of_a_rollout(together: Together) -> None:
    async with connected(together, 1) as client:
        victim = await holder(client)
    for member in together.configs:
        if member != victim:
            together.end(member, signal.SIGTERM)
            together.start(member, nodes=1)
            together.wait()
    async with connected(together, victim) as client:
        assert await holder(client) == victim
        nodes = await client.do(lambda one: one.list(NODES))
        assert len(nodes.objects()) == 2
        await client.do(lambda one: one.create(DEPLOYMENTS, deployment("1"), "default"))
        await until("the first rollout", lambda: rolled_out(client), ROLLOUT_SECONDS)

        await client.do(lambda one: one.apply(DEPLOYMENTS, deployment("2")))

        async def half() -> bool:
            updated: int = (await status(client)).get("updatedReplicas", 0)
            return 2 <= updated < REPLICAS

        await until("a part of the second rollout", half, ROLLOUT_SECONDS)
        together.end(victim, signal.SIGKILL)
        assert not await rolled_out(client)
        assert client.moved, "the first server is gone, and another was asked"
        await until("the rest of the second rollout", lambda: rolled_out(client), ROLLOUT_SECONDS)
        assert await holder(client) not in (victim, 0)


async def test_each_member_serves_what_another_was_told(together: Together) -> None:
    for first in together.configs:
        async with connected(together, first) as client:
            lease = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease"}
            made = {**lease, "metadata": {"name": f"of-{first}", "namespace": "default"}, "spec": {}}
            await client.do(lambda one, made=made: one.create(LEASES, made, "default"))  # type: ignore[misc]
            assert not client.moved
        for other in together.configs:
            async with connected(together, other) as client:
                await client.do(lambda one, first=first: one.get(LEASES, f"of-{first}", "default"))  # type: ignore[misc]
                assert not client.moved
