"""A client of its own process that creates pods over HTTPS, one POST each: ``python -m bench.scheduler.outside FILE``.

``FILE`` is a kubeconfig. A line on standard input says which shape, in which namespace, how many; a line on standard
output says that they are created. The requests are plain HTTP/1.1 on kept connections, as cheap for the client as they
can be: what is measured is the server.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bench.scheduler.shapes import PODS
from orchestrator.client.kubeconfig import Access, load

CONNECTIONS = 100
"""Enough that the server is measured and not the round trip (scheduler_perf creates pods with 30 workers)."""
LENGTH = b"content-length:"


def tls(access: Access) -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=access.authority.decode())
    with tempfile.NamedTemporaryFile() as pair:
        pair.write(access.certificate + b"\n" + access.key)
        pair.flush()
        context.load_cert_chain(pair.name)
    return context


class Connection:
    """One request after the other."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str) -> None:
        self._reader = reader
        self._writer = writer
        self._host = host

    async def create(self, path: str, body: bytes, waiting: Iterator[int]) -> None:
        head = f"POST {path} HTTP/1.1\r\nHost: {self._host}\r\nContent-Type: application/json\r\n"
        request = f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
        for _ in waiting:
            self._writer.write(request)
            status = await self._answer()
            if status != 201:
                raise RuntimeError(f"POST {path}: expected 201, found {status}")

    async def _answer(self) -> int:
        head = await self._reader.readuntil(b"\r\n\r\n")
        lines = head.split(b"\r\n")
        length = next(int(line[len(LENGTH) :]) for line in lines if line[: len(LENGTH)].lower() == LENGTH)
        await self._reader.readexactly(length)
        return int(lines[0].split()[1])

    def close(self) -> None:
        self._writer.close()


async def serve(kubeconfig: Path) -> None:
    access = load(kubeconfig)
    server = urlsplit(access.server)
    host, port = server.hostname or "", server.port or 443
    context = tls(access)
    connections = [
        Connection(*await asyncio.open_connection(host, port, ssl=context), f"{host}:{port}")
        for _ in range(CONNECTIONS)
    ]
    print("ready", flush=True)
    while line := await asyncio.to_thread(sys.stdin.readline):
        await _create(connections, json.loads(line))
        print("done", flush=True)
    for connection in connections:
        connection.close()


async def _create(connections: list[Connection], asked: dict[str, Any]) -> None:
    pod = {"apiVersion": "v1", "kind": "Pod", **PODS[asked["shape"]]}
    path = f"/api/v1/namespaces/{asked['namespace']}/pods"
    waiting = iter(range(asked["count"]))
    body = json.dumps(pod).encode()
    await asyncio.gather(*(connection.create(path, body, waiting) for connection in connections))


if __name__ == "__main__":
    from orchestrator.fastloop import new_loop

    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(serve(Path(sys.argv[1])))
