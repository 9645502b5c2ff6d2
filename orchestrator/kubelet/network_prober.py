"""Probes over the network and inside of containers: HTTP, TCP, gRPC health, commands."""

from __future__ import annotations

import asyncio
import ssl
from typing import TYPE_CHECKING

from orchestrator.kubelet.grpc_health import is_serving
from orchestrator.kubelet.hook import Commands
from orchestrator.kubelet.pod import Container, HttpGet, Probe
from orchestrator.kubelet.probe import Kind
from orchestrator.kubelet.prober import Answer
from orchestrator.kubelet.runtime.errors import ExecTimeout, RuntimeFailure

if TYPE_CHECKING:
    import aiohttp

MAX_BODY_BYTES = 10 * 1024
MAX_PROBES = 64
"""Probes under way on one node; more wait, within their own timeout."""
USER_AGENT = "kube-probe/1.37"


class NetworkProber:
    """One per node. ``host`` is where pods on the node's own network are."""

    def __init__(self, runtime: Commands, host: str) -> None:
        self.waits = True
        self._runtime = runtime
        self._host = host
        self._slots = asyncio.Semaphore(MAX_PROBES)

    async def ask(self, container: Container, kind: Kind, probe: Probe, *, container_id: str, ip: str) -> Answer:
        seconds = float(max(probe.timeout_seconds, 1))
        try:
            async with asyncio.timeout(seconds), self._slots:
                return await self._ask(container, probe, container_id, ip or self._host, seconds)
        except TimeoutError:
            return Answer(False, f"no answer within {seconds:g}s")
        except (OSError, RuntimeFailure, ValueError) as failure:
            return Answer(False, str(failure))

    async def _ask(self, container: Container, probe: Probe, container_id: str, ip: str, seconds: float) -> Answer:
        if probe.exec is not None:
            return await self._exec(probe.exec.command, container_id, seconds)
        if probe.http_get is not None:
            return await _http(probe.http_get, port_of(container, probe.http_get.port), ip)
        if probe.tcp_socket is not None:
            target = probe.tcp_socket.host or ip
            _, writer = await asyncio.open_connection(target, port_of(container, probe.tcp_socket.port))
            writer.close()
            return Answer(True)
        if probe.grpc is not None:
            serving = await is_serving(ip, probe.grpc.port, probe.grpc.service)
            return Answer(serving, "" if serving else "the gRPC health service does not say SERVING")
        return Answer(False, "expected one of exec, httpGet, tcpSocket, grpc, found none")

    async def _exec(self, command: list[str], container_id: str, seconds: float) -> Answer:
        try:
            result = await self._runtime.exec(container_id, command, seconds)
        except ExecTimeout as failure:
            return Answer(False, failure.message)
        return Answer(result.code == 0, result.output.decode(errors="replace").strip()[-512:])


def port_of(container: Container, port: int | str) -> int:
    """A port by number, or by the name that the container gives it."""
    if isinstance(port, int) or port.isdigit():
        return int(port)
    for one in container.ports or ():
        if one.name == port:
            return one.container_port
    raise ValueError(f"expected a port named {port!r} in container {container.name}, found none")


async def _http(get: HttpGet, port: int, ip: str) -> Answer:
    import aiohttp

    headers = {"User-Agent": USER_AGENT, "Accept": "*/*"}
    headers |= {one["name"]: one.get("value", "") for one in get.http_headers}
    host = get.host or ip
    path = get.path if get.path.startswith("/") else f"/{get.path}"
    url = f"{get.scheme.lower()}://{f'[{host}]' if ':' in host else host}:{port}{path}"
    connector = aiohttp.TCPConnector(ssl=_unverified() if get.scheme == "HTTPS" else True, force_close=True)
    try:
        async with aiohttp.ClientSession(connector=connector) as session, session.get(url, headers=headers) as response:
            return await _judge(response)
    except aiohttp.ClientError as failure:
        return Answer(False, f'Get "{url}": {failure}')


async def _judge(response: aiohttp.ClientResponse) -> Answer:
    await response.content.read(MAX_BODY_BYTES)
    good = 200 <= response.status < 400
    return Answer(good, "" if good else f"HTTP probe failed with statuscode: {response.status}")


def _unverified() -> ssl.SSLContext:
    """Probes do not verify certificates, as in Kubernetes."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
