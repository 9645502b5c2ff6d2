"""etcd's JSON gateway as a client: one call, one answer; a watch is a stream of answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import orjson

CALL_SECONDS = 10.0
CONNECT_SECONDS = 2.0
MAX_CONNECTIONS = 64
COMPACTED = "etcdserver: mvcc: required revision has been compacted"
NO_SPACE = "etcdserver: mvcc: database space exceeded"
NO_LEASE = "etcdserver: requested lease not found"
LEASE_EXISTS = "etcdserver: lease already exists"

Json = dict[str, Any]


class EtcdRefused(Exception):
    """etcd's own word: nothing was done."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class EtcdUnavailable(Exception):
    """No endpoint could be reached: nothing was done."""


class EtcdUnknown(Exception):
    """The connection was lost over the call: it may or may not have been done."""


class EtcdCompacted(Exception):
    """A watch asked for a revision that is gone; ``revision`` is the oldest that is kept."""

    def __init__(self, revision: int) -> None:
        super().__init__(f"compacted at {revision}")
        self.revision = revision


class EtcdClient:
    """Speaks to the first of ``endpoints`` that answers, and stays with it."""

    def __init__(self, endpoints: list[str]) -> None:
        self._endpoints = [one if "://" in one else f"http://{one}" for one in endpoints]
        self._session: aiohttp.ClientSession | None = None

    @property
    def endpoints(self) -> str:
        return ", ".join(self._endpoints)

    async def open(self) -> None:
        connector = aiohttp.TCPConnector(limit=0, limit_per_host=MAX_CONNECTIONS)
        self._session = aiohttp.ClientSession(connector=connector, auto_decompress=False)

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def call(self, path: str, body: Json, *, safe: bool = False) -> Json:
        """``safe``: doing it twice does no harm. Raises ``EtcdRefused``, ``EtcdUnavailable``, ``EtcdUnknown``."""
        assert self._session is not None, "the client is open"
        data = orjson.dumps(body)
        timeout = aiohttp.ClientTimeout(total=CALL_SECONDS, sock_connect=CONNECT_SECONDS)
        for _ in range(2 * len(self._endpoints)):
            try:
                async with self._session.post(f"{self._endpoints[0]}/v3/{path}", data=data, timeout=timeout) as answer:
                    return _taken(await answer.read())
            except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError):
                self._next()
            except (aiohttp.ClientError, TimeoutError) as error:
                if not safe:
                    raise EtcdUnknown(f"{path} at {self._endpoints[0]}: {error!r}") from error
                self._next()
        raise EtcdUnavailable(f"none of {', '.join(self._endpoints)} answers")

    async def watch(self, start_revision: int) -> AsyncIterator[Json]:
        """The answers of a watch of all keys. Raises ``EtcdCompacted``, ``EtcdUnavailable`` when it ends."""
        assert self._session is not None, "the client is open"
        body = {"create_request": {"key": "AA==", "range_end": "AA==", "start_revision": start_revision}}
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS)
        url = f"{self._endpoints[0]}/v3/watch"
        try:
            async with self._session.post(url, data=orjson.dumps(body), timeout=timeout) as answer:
                rest = b""
                async for piece in answer.content.iter_any():
                    *lines, rest = (rest + piece).split(b"\n")
                    for line in lines:
                        yield _watched(line)
        except (aiohttp.ClientError, TimeoutError) as error:
            self._next()
            raise EtcdUnavailable(f"watching {url}: {error!r}") from error
        raise EtcdUnavailable(f"{url} ended the watch")

    def _next(self) -> None:
        self._endpoints.append(self._endpoints.pop(0))


def _taken(body: bytes) -> Json:
    try:
        found: Json = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise EtcdRefused(f"expected JSON, found {body[:80]!r}") from error
    if "error" in found:
        refusal = found["error"]
        raise EtcdRefused(refusal if isinstance(refusal, str) else str(refusal.get("message", refusal)))
    if "code" in found and "message" in found:
        raise EtcdRefused(found["message"])  # as the gateway of 3.6 and later says it
    return found


def _watched(line: bytes) -> Json:
    found = _taken(line)
    result: Json = found["result"]
    if result.get("canceled"):
        if "compact_revision" in result:
            raise EtcdCompacted(int(result["compact_revision"]))
        raise EtcdUnavailable(f"etcd ended the watch: {result.get('cancel_reason', 'no reason')}")
    return result


async def backoff(attempt: int) -> None:
    """Before the next try."""
    await asyncio.sleep(min(1.0, 0.05 * 2**attempt))
