"""The DNS actor: keeps the zone from the informers and answers over UDP and TCP.

It holds nothing that a list does not bring back. A question is answered in line from memory; only names outside of
the cluster wait, each in a task of its own within ``upstream``'s bound.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any, cast

import msgspec
from dnslib import RCODE, DNSError, DNSRecord

from actors import Actor, Ask, Exit, Tell
from orchestrator.client.cache import Cache
from orchestrator.client.informers import Informers
from orchestrator.client.kinds import ENDPOINTSLICES, SERVICES
from orchestrator.client.messages import Enqueue
from orchestrator.client.view import View
from orchestrator.dns.answer import answer, fits
from orchestrator.dns.upstream import Upstream
from orchestrator.dns.zone import SERVICE_LABEL, Zone, endpoints_of, service_of

MAX_TCP_CONNECTIONS = 128
TCP_IDLE_SECONDS = 10.0
RETRY_SECONDS = 5.0
"""Between attempts to listen where the address is taken."""


class DnsStatistics(msgspec.Struct, frozen=True):
    address: str
    port: int
    questions: int
    forwarded: int
    failed: int


class DnsStatus(Ask[DnsStatistics]):
    """How it does, and where it listens."""


class Listen(Tell):
    """Try again to open the sockets."""


class DnsServer(Actor):
    """``port`` 0 takes a free one. ``upstream`` are servers for names outside of ``domain``."""

    def __init__(
        self, informers: Informers, *, domain: str, host: str, port: int = 53, upstream: Sequence[str] = ()
    ) -> None:
        self._informers = informers
        self._domain = domain
        self._host = host
        self._port = port
        self._upstream = Upstream(upstream)
        self._zone = Zone()
        self._questions = self._forwarded = self._failed = 0
        self._connections = 0
        self._udp: asyncio.DatagramTransport | None = None
        self._tcp: asyncio.Server | None = None
        self._refused = False

    async def start(self) -> None:
        self._services = await self._informers.subscribe(SERVICES, self.context.ref, _keys)
        self._slices = await self._informers.subscribe(ENDPOINTSLICES, self.context.ref, _keys)
        await self._listen()

    async def _listen(self) -> None:
        """Open both sockets; an address that is taken is said once and tried again."""
        try:
            if self._udp is None:
                self._udp, _ = await asyncio.get_running_loop().create_datagram_endpoint(
                    lambda: _Datagrams(self), local_addr=(self._host, self._port)
                )
                self._port = self._udp.get_extra_info("sockname")[1]
            self._tcp = await asyncio.start_server(self._serve, self._host, self._port)
        except OSError as error:
            if not self._refused:
                self.context.log.warning("DNS cannot listen", address=f"{self._host}:{self._port}", reason=str(error))
            self._refused = True
            self.context.send_after(RETRY_SECONDS, Listen())
        else:
            self._refused = False

    async def stop(self, exit: Exit) -> None:
        if self._udp is not None:
            self._udp.close()
        if self._tcp is not None:
            self._tcp.close()

    async def receive(self, message: Any) -> Any:
        match message:
            case Enqueue(kind=SERVICES.label):
                self._follow_services(self._services, message.keys)
            case Enqueue():
                self._follow_slices(self._slices, message.keys)
            case Listen():
                await self._listen()
            case DnsStatus():
                return DnsStatistics(self._host, self._port, self._questions, self._forwarded, self._failed)
        return None

    def _follow_services(self, cache: Cache, keys: Iterable[str]) -> None:
        for key in keys:
            view = cache.get_key(key)
            namespace, _, name = key.partition("/")
            if view is None:
                self._zone.drop_service(namespace, name)
            else:
                self._zone.put_service(service_of(namespace, name, view.spec))

    def _follow_slices(self, cache: Cache, keys: Iterable[str]) -> None:
        for key in keys:
            view = cache.get_key(key)
            service = view.labels.get(SERVICE_LABEL) if view is not None else None
            if view is None or service is None:
                self._zone.drop_slice(key)
            else:
                self._zone.put_slice(key, (view.namespace, service), endpoints_of(view.rest))

    # Questions

    def local(self, data: bytes) -> tuple[DNSRecord, DNSRecord | None] | None:
        """The question and its reply (None: ask upstream); None for what is no question at all."""
        self._questions += 1
        try:
            query = DNSRecord.parse(data)
            if query.header.qr or not query.questions:
                raise DNSError("not a question")
            return query, answer(query, self._zone, self._domain)
        except (DNSError, ValueError, IndexError):
            self._failed += 1
            return None

    async def forwarded(self, query: DNSRecord, data: bytes) -> bytes:
        self._forwarded += 1
        reply = await self._upstream.ask(data)
        if reply is not None:
            return reply
        refused = query.reply(ra=1)
        refused.header.rcode = RCODE.SERVFAIL
        packed: bytes = refused.pack()
        return packed

    def forward_datagram(self, query: DNSRecord, data: bytes, send: Any) -> None:
        async def later() -> None:
            send(await self.forwarded(query, data))

        self.context.task(later(), "upstream")

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One TCP connection: questions one after the other, each with its length before it (RFC 7766)."""
        self._connections += 1
        try:
            if self._connections <= MAX_TCP_CONNECTIONS:
                await self._converse(reader, writer)
        except (asyncio.IncompleteReadError, TimeoutError, OSError):
            pass  # the client went away, or said nothing for too long
        finally:
            self._connections -= 1
            writer.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            size = await asyncio.wait_for(reader.readexactly(2), TCP_IDLE_SECONDS)
            data = await asyncio.wait_for(reader.readexactly(int.from_bytes(size, "big")), TCP_IDLE_SECONDS)
            found = self.local(data)
            if found is None:
                return
            query, reply = found
            packed = reply.pack() if reply is not None else await self.forwarded(query, data)
            writer.write(len(packed).to_bytes(2, "big") + packed)
            await writer.drain()


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, server: DnsServer) -> None:
        self._server = server

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        found = self._server.local(data)
        if found is None:
            return
        query, reply = found
        if reply is not None:
            self._transport.sendto(fits(query, reply), addr)
        else:
            self._server.forward_datagram(query, data, lambda packed: self._transport.sendto(packed, addr))


def _keys(old: View | None, new: View | None) -> Iterable[str]:
    view = new or old
    return (view.key,) if view is not None else ()
