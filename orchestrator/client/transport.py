"""The way to the API server: what both doors, mailbox and HTTPS, do for a client."""

from __future__ import annotations

from typing import Any, Protocol

from actors import Ref
from orchestrator.client.protocol import Request, Response


class Subscription(Protocol):
    """One granted watch."""

    @property
    def watch(self) -> int:
        """The number that its ``Changes`` bear."""
        ...

    async def credit(self, frames: int) -> None:
        """Say that so many more frames may come."""
        ...

    async def close(self) -> None: ...


class Transport(Protocol):
    """Carries requests. An answer from 400 on is returned, not raised; raises ``TransportError`` when none came."""

    @property
    def server(self) -> Ref[Any] | None:
        """Whose end is the end of every watch, where it is an actor of this system: a subscriber watches it."""
        ...

    async def request(self, request: Request) -> Response: ...

    async def batch(self, requests: list[Request]) -> list[Response]:
        """At most ``MAX_BATCH_REQUESTS`` writes, answered one by one in order."""
        ...

    async def watch(self, request: Request, subscriber: Ref[Any], tag: str) -> Subscription:
        """``subscriber`` is told ``Changes`` with this tag, then at most one ``WatchEnded``. Raises ``StatusError``."""
        ...

    async def close(self) -> None: ...
