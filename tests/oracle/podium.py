"""Podium's own answers to the cases: a store and an API server without controllers, behind the HTTPS door."""

from __future__ import annotations

import asyncio
import base64
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from actors import System
from orchestrator.apiserver.config import ServerConfig
from orchestrator.apiserver.http.door import HttpDoor
from orchestrator.apiserver.server import ApiServer
from orchestrator.config import ClusterConfig
from orchestrator.daemon import free_port
from orchestrator.pki import Pki, prepare
from orchestrator.store.memory_log import MemoryLog
from orchestrator.store.store import Store
from tests.oracle.cases import setup
from tests.oracle.groups import GROUPS
from tests.oracle.record import Server


async def _serve(pki: Pki, port: int, ready: threading.Event, stop: asyncio.Event) -> None:
    config = ServerConfig(service_cidr="10.96.0.0/12")
    async with System("oracle") as system:
        store = await system.spawn(lambda: Store(MemoryLog()), name="store")
        api = await system.spawn(
            lambda: ApiServer(store, config, tokens=pki.tokens, client_ca=pki.ca_certificate), name="apiserver"
        )
        await system.spawn(lambda: HttpDoor(api, config, host="127.0.0.1", port=port, tls=pki.tls), name="door")
        ready.set()
        await stop.wait()


@contextmanager
def serving(directory: Path) -> Iterator[Server]:
    """A server on a thread of its own, and a client that is its administrator."""
    port = free_port()
    url = f"https://127.0.0.1:{port}"
    config = ClusterConfig(data_dir=directory, listen=("127.0.0.1", port), runtime="simulated")
    pki = prepare(config, url, time.time())
    loop, ready, stop = asyncio.new_event_loop(), threading.Event(), asyncio.Event()
    thread = threading.Thread(target=loop.run_until_complete, args=(_serve(pki, port, ready, stop),), daemon=True)
    thread.start()
    assert ready.wait(30), "the server did not start"
    server = Server(url, token="")
    user = json.loads(pki.kubeconfig)["users"][0]["user"]
    for name, field in (("admin.crt", "client-certificate-data"), ("admin.key", "client-key-data")):
        (directory / name).write_bytes(base64.b64decode(user[field]))
    server.context.load_cert_chain(directory / "admin.crt", directory / "admin.key")
    try:
        yield server
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(30)
        loop.close()


def answers(directory: Path) -> dict[str, dict[str, Any]]:
    """The facts of every answer, by group and case."""
    with serving(directory) as server:
        for case in setup():
            server.send(case)
        return {group: {case.name: server.send(case) for case in cases()} for group, cases in GROUPS.items()}
