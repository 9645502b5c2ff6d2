"""Controllers that people write: those that installed distributions offer, and any of them run outside of the daemon.

The same class runs in the daemon (entry point ``podium.controllers``), in a program with a kubeconfig against any
Kubernetes (``run_controllers``, ``podium controller``), and in a test (``Cluster.run``).
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from importlib.metadata import entry_points
from typing import Any

import anyio

from actors import Backoff, Intensity, Mailbox, Ref, System, child, drop_oldest
from actors.supervision import ChildSpec
from orchestrator.client.client import Client
from orchestrator.client.election import Election
from orchestrator.client.https import HttpTransport
from orchestrator.client.informer import Informer
from orchestrator.client.informers import Informers
from orchestrator.client.kubeconfig import Access, load
from orchestrator.client.recorder import EventWriter, Recorder
from orchestrator.controllers.controller import Controller

ENTRY_POINTS = "podium.controllers"
RESTARTS = Intensity(restarts=100, within=10.0)
BACKOFF = Backoff(initial=0.05, maximum=10.0)
MAILBOX = Mailbox(capacity=4096)
"""Keys that want work; a subscription is bounded far below."""
EVENTS_MAILBOX = Mailbox(capacity=1024, overflow=drop_oldest)
"""Events are lossy by design."""


def installed() -> Iterator[tuple[str, type[Controller]]]:
    """Name and class of the controllers that installed distributions offer, by name. TypeError: one is none."""
    for entry in sorted(entry_points(group=ENTRY_POINTS), key=lambda entry: entry.name):
        found = entry.load()
        if not (isinstance(found, type) and issubclass(found, Controller)):
            raise TypeError(f"entry point {entry.name} of {ENTRY_POINTS}: expected a Controller class, found {found!r}")
        yield entry.name, found


async def run_controllers(*controllers: type[Controller], access: Access | None = None, lease: str = "") -> None:
    """Run them against a cluster until cancelled; ``access`` None is what kubectl would speak to.

    With ``lease`` (``namespace/name``) only the holder of that Lease works: run as many of these as you like. Raises
    ``KubeconfigError``.
    """
    transport = HttpTransport(access or load())
    client = Client(transport)
    try:
        async with System("controllers", intensity=RESTARTS) as system:
            specs = await _specs(system, client, controllers)
            for spec in specs:
                await system.spawn(_elected(client, lease, spec) if lease else spec)
            await anyio.sleep_forever()
    finally:
        await transport.close()


async def _specs(system: System, client: Client, controllers: tuple[type[Controller], ...]) -> list[ChildSpec]:
    async def spawn(make: Callable[[], Informer], name: str) -> Ref[Any]:
        return await system.spawn(_member(make, name))

    informers = Informers(client, spawn)
    events = await system.spawn(
        child(lambda: EventWriter(client, "podium-controllers"), name="events", mailbox=EVENTS_MAILBOX, backoff=BACKOFF)
    )
    recorder = Recorder(events)
    return [_member(_maker(one, client, informers, recorder), one.__name__.lower()) for one in controllers]


def _maker(
    controller: type[Controller], client: Client, informers: Informers, recorder: Recorder
) -> Callable[[], Controller]:
    return lambda: controller(client, informers, recorder)


def _member(make: Callable[[], Any], name: str) -> ChildSpec:
    return child(make, name=name, mailbox=MAILBOX, backoff=BACKOFF)


def _elected(client: Client, lease: str, spec: ChildSpec) -> ChildSpec:
    """One lease for each controller: they may be led from different processes."""
    namespace, _, name = lease.rpartition("/")
    identity = f"{socket.gethostname()}-{os.getpid()}"
    full = f"{name}-{spec.name}"
    return _member(lambda: Election(client, namespace or "default", full, identity, spec), f"election-{spec.name}")
