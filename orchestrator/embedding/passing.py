"""A client whose requests let virtual time pass: an answer may take a restart, and a restart takes time."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any, Protocol

from actors import Ref
from orchestrator.client.protocol import Request, Response
from orchestrator.client.transport import Subscription, Transport


class Passing(Protocol):
    def __call__(self) -> AbstractContextManager[None]: ...


class PassingTransport:
    """``inner``; time passes while a request is under way."""

    def __init__(self, inner: Transport, passing: Passing) -> None:
        self._inner = inner
        self._passing = passing

    @property
    def server(self) -> Ref[Any] | None:
        return self._inner.server

    async def request(self, request: Request) -> Response:
        with self._passing():
            return await self._inner.request(request)

    async def batch(self, requests: list[Request]) -> list[Response]:
        with self._passing():
            return await self._inner.batch(requests)

    async def watch(self, request: Request, subscriber: Ref[Any], tag: str) -> Subscription:
        with self._passing():
            return await self._inner.watch(request, subscriber, tag)

    async def close(self) -> None:
        await self._inner.close()
