"""A cluster with an HTTPS door, beside clients in the same loop."""

from __future__ import annotations

import asyncio
import os
import ssl

import pytest

from orchestrator import Cluster

pytestmark = [pytest.mark.real_loop, pytest.mark.slow]


async def test_a_client_that_goes_silent_keeps_no_connection_of_a_stopped_cluster_open() -> None:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    async with Cluster(nodes=0, serve=True):  # whatever a first start opens for good
        pass
    before = len(os.listdir("/proc/self/fd"))
    async with Cluster(nodes=0, serve=True) as cluster:
        assert cluster.config.listen is not None
        reader, writer = await asyncio.open_connection(*cluster.config.listen, ssl=context)
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: podium\r\n\r\n")
        await reader.readline()
        writer.transport.pause_reading()  # type: ignore[attr-defined]
    for _ in range(5):
        await asyncio.sleep(0)
    assert len(os.listdir("/proc/self/fd")) - before <= 1, "the client's own"
    writer.transport.abort()
    await asyncio.sleep(0)
