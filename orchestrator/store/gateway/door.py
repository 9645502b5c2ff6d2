"""The door's actor: it listens, finds the handler of a path, answers. It is who the store tells about watches.

Guarantees: the requests of one connection are answered in their order; what is wrong with one is its answer, never the
end of another. Bound: ``MAX_CONNECTIONS``; each has one request under way and a few that wait (see ``http``).
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import orjson

from actors import Actor, Ask, Exit, Ref
from orchestrator.store.gateway.answers import Header, Json, id_of, member_id
from orchestrator.store.gateway.errors import HTTP_STATUS, NOT_FOUND, UNIMPLEMENTED, GatewayError, translate
from orchestrator.store.gateway.http import Connection, Request
from orchestrator.store.gateway.kv import PUMPS, Puts, Reader, change_of, refused
from orchestrator.store.gateway.leases import Leases
from orchestrator.store.gateway.maintenance import VERSION, Maintenance
from orchestrator.store.gateway.messages import (
    CompactionRequest,
    DeleteRangeRequest,
    LeaseGrantRequest,
    LeaseRequest,
    MemberAddRequest,
    MemberRequest,
    MoveLeaderRequest,
    Nothing,
    PutRequest,
    QuotaRequest,
    RangeRequest,
    TxnRequest,
    decode,
)
from orchestrator.store.gateway.txn import Transactions, check_put
from orchestrator.store.gateway.watching import Streams
from orchestrator.store.protocol import BatchReply, Changes, Get, StoreStatus, WatchEnded

MAX_CONNECTIONS = 20_000
BACKLOG = 1_024
MAX_SOCKET_PATH = 107
"""Bytes: of ``sockaddr_un``."""
HEALTH_SECONDS = 5.0
"""In which a read must be answered: without a majority none is."""
PUT = b"/v3/kv/put"
Handler = Callable[[Any], Awaitable[Json]]


class Listening(Ask[str]):
    """Where the door listens, as a URL."""


class Gateway(Actor):
    """Serves on ``host`` and ``port`` (0: a free one), or on the socket file ``path``, for its owner alone."""

    def __init__(self, store: Ref[Any], *, host: str = "127.0.0.1", port: int = 0, path: str = "") -> None:
        self._store = store
        self._address = (host, port)
        self._path = path
        self._connections: set[Connection] = set()
        self._server: asyncio.Server | None = None
        self.url = ""

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        if len(self._path.encode()) > MAX_SOCKET_PATH:
            self.context.log.warning("no gateway: the kernel takes no socket at such a long path", path=self._path)
        elif self._path:
            os.makedirs(os.path.dirname(self._path), mode=0o700, exist_ok=True)
            _remove(self._path)
            self._server = await loop.create_unix_server(self._connection, self._path, backlog=BACKLOG)
            os.chmod(self._path, 0o600)
            self.url = f"unix:{self._path}"
        else:
            self._server = await loop.create_server(self._connection, *self._address, backlog=BACKLOG)
            host, port = self._server.sockets[0].getsockname()[:2]
            self.url = f"http://{host}:{port}"
        status = await self._store.ask(StoreStatus())
        self._header = Header(id_of("cluster"), member_id(status.member))
        self._header.term = max(1, status.raft_term)
        self._puts = Puts(self._store)
        self._streams = Streams(self._store, self.context.ref, self._header)
        self._maintenance = Maintenance(self._store, self._header, self.url)
        self._routes = self._table()
        for number in range(PUMPS):
            self.context.task(self._puts.pump(), f"puts-{number}")

    async def receive(self, message: Any) -> Any:
        match message:
            case Changes() | WatchEnded():
                self._streams.receive(message)
            case Listening():
                return self.url
        return None

    async def stop(self, exit: Exit) -> None:
        if self._server is not None:
            self._server.close()
        for connection in list(self._connections):
            connection.close()
        if self._path:
            _remove(self._path)

    def _table(self) -> dict[bytes, tuple[type[msgspec.Struct], Handler]]:
        reader = Reader(self._store, self._header)
        transactions = Transactions(self._store, self._header, reader, self._puts)
        leases = Leases(self._store, self._header)
        self._transactions = transactions
        maintenance = self._maintenance
        return {
            b"/v3/kv/range": (RangeRequest, reader.range),
            b"/v3/kv/deleterange": (DeleteRangeRequest, transactions.delete_range),
            b"/v3/kv/txn": (TxnRequest, transactions.txn),
            b"/v3/kv/compaction": (CompactionRequest, reader.compact),
            b"/v3/lease/grant": (LeaseGrantRequest, leases.grant),
            b"/v3/lease/revoke": (LeaseRequest, leases.revoke),
            b"/v3/kv/lease/revoke": (LeaseRequest, leases.revoke),
            b"/v3/lease/keepalive": (LeaseRequest, leases.keep_alive),
            b"/v3/lease/timetolive": (LeaseRequest, leases.time_to_live),
            b"/v3/kv/lease/timetolive": (LeaseRequest, leases.time_to_live),
            b"/v3/lease/leases": (LeaseRequest, leases.leases),
            b"/v3/kv/lease/leases": (LeaseRequest, leases.leases),
            b"/v3/maintenance/status": (Nothing, lambda _: maintenance.status()),
            b"/v3/maintenance/alarm": (Nothing, lambda _: maintenance.alarms()),
            b"/v3/maintenance/defragment": (Nothing, lambda _: maintenance.defragment()),
            b"/v3/podium/quota": (QuotaRequest, maintenance.quota),
            b"/v3/cluster/member/list": (Nothing, lambda _: maintenance.members()),
            b"/v3/cluster/member/add": (MemberAddRequest, maintenance.add_member),
            b"/v3/cluster/member/promote": (MemberRequest, maintenance.promote_member),
            b"/v3/cluster/member/remove": (MemberRequest, maintenance.remove_member),
            b"/v3/maintenance/transfer-leadership": (MoveLeaderRequest, maintenance.move_leader),
        }

    def _connection(self) -> Connection:
        connection = Connection(self._serve, self._connections.discard)
        if len(self._connections) >= MAX_CONNECTIONS:
            asyncio.get_running_loop().call_soon(connection.close)
        self._connections.add(connection)
        return connection

    # One request

    def _serve(self, request: Request) -> None:
        if request.path == PUT and request.method == b"POST":
            self._put(request)
        elif request.method == b"GET":
            self._get(request)
        else:
            self.context.task(self._handle(request), "request")

    def _put(self, request: Request) -> None:
        """The way of most requests, without a task of its own."""
        try:
            put = decode(request.body, PutRequest)
            if put.prev_kv or put.ignore_value or put.ignore_lease:
                check_put(put)
                self.context.task(self._guarded(request, self._transactions.put(put)), "put")
                return
            change = change_of(put)
        except GatewayError as error:
            _fail(request, error)
            return
        header = self._header

        def done(reply: BatchReply | GatewayError, place: int) -> None:
            if isinstance(reply, GatewayError):
                _fail(request, reply)
                return
            result = reply.results[place]
            if result.outcome:
                error = refused(result)
                assert error is not None, "an outcome that is not done is refused"
                _fail(request, error)
                return
            request.answer(header.put(result.revision))

        self._puts.put(change, done)

    def _get(self, request: Request) -> None:
        if request.path == b"/version":
            request.answer(orjson.dumps({"etcdserver": VERSION, "etcdcluster": VERSION}))
        elif request.path == b"/health":
            self.context.task(self._health(request), "health")
        else:
            _fail(request, GatewayError(UNIMPLEMENTED, "Method Not Allowed"))

    async def _health(self, request: Request) -> None:
        """etcd's: healthy while there is no alarm and a read is answered."""
        try:
            await self._store.ask(Get([]), HEALTH_SECONDS)
            healthy = not (await self._store.ask(StoreStatus())).full
        except Exception:
            healthy = False
        request.answer(orjson.dumps({"health": "true" if healthy else "false"}), 200 if healthy else 503)

    async def _handle(self, request: Request) -> None:
        if request.path == b"/v3/watch":
            await self._streamed(request, self._streams.open(request))
        elif request.path == b"/v3/maintenance/snapshot":
            await self._streamed(request, self._maintenance.snapshot(request))
        else:
            await self._guarded(request, self._routed(request))

    async def _routed(self, request: Request) -> Json:
        route = self._routes.get(request.path)
        if route is None:
            raise GatewayError(NOT_FOUND, "Not Found")
        kind, handler = route
        return await handler(decode(request.body, kind))

    async def _guarded(self, request: Request, work: Awaitable[Json]) -> None:
        try:
            answer = await work
        except Exception as error:
            _fail(request, translate(error))
        else:
            request.answer(orjson.dumps(answer))

    async def _streamed(self, request: Request, work: Awaitable[None]) -> None:
        try:
            await work
        except Exception as error:
            _fail(request, translate(error))


def _remove(path: str) -> None:
    """A socket that a killed process left, or our own."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)


def _fail(request: Request, error: GatewayError) -> None:
    body = orjson.dumps({"error": error.message, "message": error.message, "code": error.code})
    request.answer(body, HTTP_STATUS[error.code])
