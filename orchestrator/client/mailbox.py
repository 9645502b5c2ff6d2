"""The door in the same system: requests go to the API server's actor as frames."""

from __future__ import annotations

from typing import Any

from actors import AskCycle, AskTimeout, Down, MailboxFull, Ref, Refused
from orchestrator.apimachinery import errors
from orchestrator.apimachinery.encoded import decode_part
from orchestrator.client.errors import TransportError
from orchestrator.client.protocol import ApiRequest, BatchRequest, Identity, Request, Response
from orchestrator.store.protocol import Unwatch, WatchCredit

REQUEST_SECONDS = 60.0
"""How long one request may take, as the API server's own default."""


class MailboxSubscription:
    """A watch that the store serves; credit and end go by way of the API server, which knows the store."""

    def __init__(self, api: Ref[Any], watch: int) -> None:
        self._api = api
        self._watch = watch

    @property
    def watch(self) -> int:
        return self._watch

    async def credit(self, frames: int) -> None:
        self._api.tell_nowait(WatchCredit(self._watch, frames))

    async def close(self) -> None:
        self._api.tell_nowait(Unwatch(self._watch))


class MailboxTransport:
    """Asks ``api`` in the name of ``identity``."""

    def __init__(self, api: Ref[Any], identity: Identity, *, timeout_seconds: float = REQUEST_SECONDS) -> None:
        self.api = api
        self._identity = identity
        self._timeout = timeout_seconds

    async def request(self, request: Request) -> Response:
        response: Response = await self._ask(ApiRequest(self._identity, request), str(request.verb))
        return response

    async def batch(self, requests: list[Request]) -> list[Response]:
        reply = await self._ask(BatchRequest(self._identity, requests), f"batch of {len(requests)}")
        responses: list[Response] = reply.responses
        return responses

    async def watch(self, request: Request, subscriber: Ref[Any], tag: str) -> MailboxSubscription:
        response = await self._ask(ApiRequest(self._identity, request, subscriber, tag), "watch")
        if response.code >= 400:
            raise errors.from_status(decode_part(response.body))
        return MailboxSubscription(self.api, response.watch)

    async def close(self) -> None:
        return None

    async def _ask(self, message: Any, what: str) -> Any:
        try:
            return await self.api.ask(message, timeout=self._timeout)
        except (AskTimeout, Down, MailboxFull, AskCycle, Refused) as failure:
            raise TransportError(what, f"{type(failure).__name__}: {failure}") from failure
