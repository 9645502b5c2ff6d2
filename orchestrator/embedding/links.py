"""The links between components and the API server: they can lose, delay and be cut."""

from __future__ import annotations

import random
from collections.abc import Callable
from fnmatch import fnmatchcase
from typing import Any

from actors import Clock, Ref
from orchestrator.client.errors import TransportError
from orchestrator.client.mailbox import MailboxSubscription, MailboxTransport
from orchestrator.client.protocol import Request, Response
from orchestrator.client.transport import Subscription
from orchestrator.embedding.faults import Lost

UNREACHABLE_SECONDS = 5.0
"""After which a request into a cut link fails."""
CUT = "the link is cut"


class Links:
    """What is wrong with the links now. ``tell`` is told of each loss."""

    def __init__(self, clock: Clock, source: random.Random, tell: Callable[[Lost], object]) -> None:
        self.clock = clock
        self.random = source
        self.tell = tell
        self.drops: dict[str, float] = {}
        self.delays: dict[str, float] = {}
        self._cut: set[str] = set()
        self._open: dict[str, list[LinkSubscription]] = {}

    def cut(self, user: str) -> None:
        """No request arrives, and no frame of a watch that is open, even after the link is mended."""
        self._cut.add(user)
        for subscription in self._open.pop(user, ()):
            subscription.silence()

    def is_cut(self, user: str) -> bool:
        return user in self._cut

    def heal(self) -> None:
        self.drops.clear()
        self.delays.clear()
        self._cut.clear()

    def opened(self, user: str, subscription: LinkSubscription) -> None:
        held = self._open.setdefault(user, [])
        held.append(subscription)

    def closed(self, user: str, subscription: LinkSubscription) -> None:
        held = self._open.get(user, [])
        if subscription in held:
            held.remove(subscription)

    async def go(self, user: str, request: str, target: str) -> None:
        """The way of a request. Raises ``TransportError``."""
        if user in self._cut:
            self.tell(Lost(user, request, target, False))
            await self.clock.sleep(UNREACHABLE_SECONDS)
            raise TransportError(request, CUT)
        if (seconds := _worst(self.delays, user)) > 0:
            await self.clock.sleep(seconds * self.random.random())
        await self._lose(user, request, target, answer=False)

    async def back(self, user: str, request: str, target: str) -> None:
        """The way of its answer. Raises ``TransportError``."""
        if user in self._cut:
            self.tell(Lost(user, request, target, True))
            await self.clock.sleep(UNREACHABLE_SECONDS)
            raise TransportError(request, CUT)
        await self._lose(user, request, target, answer=True)

    async def _lose(self, user: str, request: str, target: str, *, answer: bool) -> None:
        share = _worst(self.drops, user)
        if share and self.random.random() < share / 2:  # half of the losses on each way
            self.tell(Lost(user, request, target, answer))
            raise TransportError(request, f"the {'answer' if answer else 'request'} was lost")


def _worst(rules: dict[str, float], user: str) -> float:
    return max((amount for pattern, amount in rules.items() if fnmatchcase(user, pattern)), default=0.0)


class LinkTransport:
    """``inner`` over the link of ``user``."""

    def __init__(self, inner: MailboxTransport, links: Links, user: str) -> None:
        self._inner = inner
        self._links = links
        self._user = user

    @property
    def server(self) -> Ref[Any] | None:
        return self._inner.server

    async def request(self, request: Request) -> Response:
        target = f"{request.target.resource}/{request.target.namespace}/{request.target.name}"
        await self._links.go(self._user, str(request.verb), target)
        response = await self._inner.request(request)
        await self._links.back(self._user, str(request.verb), target)
        return response

    async def batch(self, requests: list[Request]) -> list[Response]:
        await self._links.go(self._user, "batch", str(len(requests)))
        responses = await self._inner.batch(requests)
        await self._links.back(self._user, "batch", str(len(requests)))
        return responses

    async def watch(self, request: Request, subscriber: Ref[Any], tag: str) -> Subscription:
        await self._links.go(self._user, "watch", request.target.resource)
        subscription = LinkSubscription(await self._inner.watch(request, subscriber, tag), self._links, self._user)
        self._links.opened(self._user, subscription)
        return subscription

    async def close(self) -> None:
        await self._inner.close()


class LinkSubscription:
    """A watch over a link: once the link was cut it is silent for ever, as a connection is whose other end is gone."""

    def __init__(self, inner: MailboxSubscription, links: Links, user: str) -> None:
        self._inner = inner
        self._links = links
        self._user = user

    @property
    def watch(self) -> int:
        return self._inner.watch

    async def credit(self, frames: int) -> None:
        await self._inner.credit(frames)

    def silence(self) -> None:
        """The server sends no more frames, and its subscriber is not told."""
        self._inner.close_nowait()

    async def close(self) -> None:
        self._links.closed(self._user, self)
        await self._inner.close()
