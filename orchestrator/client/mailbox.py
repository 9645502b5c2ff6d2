"""The door in the same system: requests go to the API server's actor as frames."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

from actors import AskCycle, AskTimeout, Down, MailboxFull, Ref, Refused
from orchestrator.apimachinery import errors
from orchestrator.apimachinery.encoded import decode_part
from orchestrator.client.carrier import Carrier
from orchestrator.client.errors import TransportError
from orchestrator.client.protocol import (
    ApiRequest,
    Batch,
    BatchReply,
    BatchRequest,
    Identity,
    Request,
    Response,
    Verb,
)
from orchestrator.store.protocol import Unwatch, WatchCredit

REQUEST_SECONDS = 60.0
"""How long one request may take, as the API server's own default."""
READS = (Verb.GET, Verb.LIST)
READ_ATTEMPTS = 3
"""A read whose server ended before it answered is asked again: its mailbox keeps it until the next instance is up."""
UNAVAILABLE = 503


class MailboxSubscription:
    """A watch that the store serves; credit and end go by way of the API server, which knows the store."""

    __slots__ = ("_api", "_watch")

    def __init__(self, api: Ref[Any], watch: int) -> None:
        self._api = api
        self._watch = watch

    @property
    def watch(self) -> int:
        return self._watch

    async def credit(self, frames: int) -> None:
        self._api.tell_nowait(WatchCredit(self._watch, frames))

    def close_nowait(self) -> None:
        self._api.tell_nowait(Unwatch(self._watch))

    async def close(self) -> None:
        self.close_nowait()


class MailboxTransport:
    """Asks ``api`` in the name of ``identity``. With a ``carrier`` its batches go together with those of others."""

    __slots__ = ("_carrier", "_identity", "_timeout", "api")

    def __init__(
        self,
        api: Ref[Any],
        identity: Identity,
        carrier: Carrier | None = None,
        *,
        timeout_seconds: float = REQUEST_SECONDS,
    ) -> None:
        self.api = api
        self._carrier = carrier
        self._identity = identity
        self._timeout = timeout_seconds

    @property
    def server(self) -> Ref[Any]:
        return self.api

    async def request(self, request: Request) -> Response:
        attempts = READ_ATTEMPTS if request.verb in READS else 1
        message = ApiRequest(self._identity, request)
        for _ in range(attempts - 1):
            try:
                response: Response = await self._ask(message, str(request.verb))
            except TransportError as failure:
                if not isinstance(failure.__cause__, Down):
                    raise
                continue
            if response.code != UNAVAILABLE:
                return response
        last: Response = await self._ask(message, str(request.verb))
        return last

    async def batch(self, requests: list[Request]) -> list[Response]:
        what = f"batch of {len(requests)}"
        if self._carrier is not None:
            batch = Batch(self._identity, requests)
            together: list[Response] | None = await _answer(self._carrier.batch(batch, self._timeout), what)
            if together is not None:
                return together
        reply: BatchReply = await self._ask(BatchRequest(self._identity, requests), what)
        return reply.responses

    async def watch(self, request: Request, subscriber: Ref[Any], tag: str) -> MailboxSubscription:
        response = await self._ask(ApiRequest(self._identity, request, subscriber, tag), "watch")
        if response.code >= 400:
            raise errors.from_status(decode_part(response.body))
        return MailboxSubscription(self.api, response.watch)

    async def close(self) -> None:
        return None

    async def _ask(self, message: Any, what: str) -> Any:
        return await _answer(self.api.ask(message, timeout=self._timeout), what)


async def _answer(asked: Awaitable[Any], what: str) -> Any:
    try:
        return await asked
    except (AskTimeout, Down, MailboxFull, AskCycle, Refused) as failure:
        raise TransportError(what, f"{type(failure).__name__}: {failure}") from failure
