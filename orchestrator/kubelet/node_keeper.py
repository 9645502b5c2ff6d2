"""Keeps the node's own objects at the API server: registration, lease, status. Every step may be repeated."""

from __future__ import annotations

from sys import intern
from typing import Any

import structlog

from actors import Clock
from orchestrator.apimachinery.errors import StatusError
from orchestrator.client import requests
from orchestrator.client.client import Client
from orchestrator.client.errors import TransportError
from orchestrator.client.kinds import LEASES, NODES
from orchestrator.client.protocol import Want
from orchestrator.kubelet.node import (
    HEARTBEAT_SECONDS,
    LEASE_NAMESPACE,
    NodeConfig,
    lease_object,
    node_object,
    node_status,
    renewal,
)
from orchestrator.kubelet.runtime.runtime import Runtime

log = structlog.get_logger("kubelet")

SILENCE_SECONDS = 2 * HEARTBEAT_SECONDS
"""After so long without a heartbeat the node may have been given up: its next status is not left for later."""


class NodeKeeper:
    """Not an actor: the kubelet calls it. What fails is tried again at the next heartbeat."""

    __slots__ = ("_client", "_clock", "_config", "_leased", "_renewed", "_runtime", "_unreached", "uid")

    def __init__(self, client: Client, config: NodeConfig, runtime: Runtime, clock: Clock) -> None:
        self._client = client
        self._config = config
        self._runtime = runtime
        self._clock = clock
        self._leased = False
        self._renewed = clock.monotonic()
        self._unreached = False
        # Whether the last heartbeats found no API server.
        self.uid = ""
        """Of the Node object; empty until it is registered."""

    async def register(self) -> None:
        """Create the Node, or bring an existing one's labels and status up to date. Raises what the client raises."""
        machine = await self._runtime.machine()
        node = node_object(self._config, machine, self._clock.time())
        try:
            held = await self._client.create(NODES, node)
        except StatusError as refusal:
            if refusal.code != 409:
                raise
            held = await self._client.get(NODES, self._config.name)
            if any(
                held["metadata"].get("labels", {}).get(key) != value
                for key, value in node["metadata"]["labels"].items()
            ):
                labels = {"metadata": {"labels": node["metadata"]["labels"]}}
                held = await self._client.patch(NODES, self._config.name, document=labels)
            await self._write_status(held.get("status"))
        else:
            if not (held.get("status") or {}).get("conditions"):
                await self._write_status(held.get("status"))
        self.uid = intern(held["metadata"]["uid"])

    async def _write_status(self, before: dict[str, Any] | None) -> None:
        machine = await self._runtime.machine()
        status = node_status(self._config, machine, before, self._clock.time())
        await self._client.patch(NODES, self._config.name, document={"status": status}, subresource="status")

    async def heartbeat(self) -> bool:
        """Renew the lease; make it when it is not there. After a silence say at once how the node is.

        True: the API server is reached again, which it was not before."""
        try:
            if self._leased:
                await self._renew()
            else:
                await self._lease()
        except (StatusError, TransportError) as failure:
            self._leased = False
            self._unreached |= isinstance(failure, TransportError)
            log.warning("heartbeat failed", node=self._config.name, reason=str(failure))
            return False
        regained, self._unreached = self._unreached, False
        now = self._clock.monotonic()
        silence, self._renewed = now - self._renewed, now
        if silence > SILENCE_SECONDS:
            await self.report()
        return regained

    async def _renew(self) -> None:
        change = renewal(self._clock.time())
        request = requests.patch(LEASES, self._config.name, LEASE_NAMESPACE, change, want=Want.REVISION)
        await self._client.request(request)

    async def _lease(self) -> None:
        lease = lease_object(self._config.name, self.uid, self._clock.time())
        try:
            await self._client.create(LEASES, lease)
        except StatusError as refusal:
            if refusal.code != 409:
                raise
            await self._renew()
        self._leased = True

    async def report(self) -> None:
        """Write the node's status."""
        try:
            held = await self._client.get(NODES, self._config.name)
            await self._write_status(held.get("status"))
        except (StatusError, TransportError) as failure:
            log.warning("node status was not written", node=self._config.name, reason=str(failure))
            if isinstance(failure, StatusError) and failure.code == 404:
                self.uid = ""
                self._leased = False
