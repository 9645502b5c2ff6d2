"""The links between components and the API server: they can lose, delay and be cut."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Coroutine
from fnmatch import fnmatchcase
from typing import Any

from actors import Clock, Ref
from orchestrator.apimachinery.errors import StatusError
from orchestrator.client.errors import TransportError
from orchestrator.client.mailbox import MailboxSubscription, MailboxTransport
from orchestrator.client.protocol import Request, Response, Verb
from orchestrator.client.transport import Subscription
from orchestrator.embedding.faults import Lost
from orchestrator.store.protocol import Refusal, WatchEnded

UNREACHABLE_SECONDS = 5.0
"""After which a request into a cut link fails."""
CUT = "the link is cut"
READS = (Verb.GET, Verb.LIST, Verb.WATCH)
GONE = 410


class Links:
    """What is wrong with the links now. ``tell`` is told of each loss, ``spawn`` runs what goes on by itself, ``kill``
    ends the actor at a path. ``counts`` says how often each thing befell somebody."""

    def __init__(
        self,
        clock: Clock,
        source: random.Random,
        tell: Callable[[Lost], object],
        *,
        spawn: Callable[[Coroutine[Any, Any, Any], str], object],
        kill: Callable[[str], bool],
        counts: Counter[str],
    ) -> None:
        self.clock = clock
        self.random = source
        self.tell = tell
        self.spawn = spawn
        self.kill = kill
        self.counts = counts
        self.drops: dict[str, float] = {}
        self.delays: dict[str, float] = {}
        self.lags: dict[str, float] = {}
        self.lates: dict[str, tuple[float, float]] = {}
        """Which share of requests is late, and by how many seconds at most."""
        self.ambushes: dict[str, str] = {}
        """By user, the path of the actor whose next write is its last act."""
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
        for rules in (self.drops, self.delays, self.lags, self.lates, self.ambushes):
            rules.clear()
        self._cut.clear()

    def cut_watches(self, who: str, resource: str, *, silent: bool) -> bool:
        """End those of users and for resources that match; False: there was none."""
        users = [user for user in self._open if fnmatchcase(user, who)]
        found = [held for user in users for held in self._open[user] if fnmatchcase(held.resource, resource)]
        for subscription in found:
            self._open[subscription.user].remove(subscription)
            subscription.silence()
            if not silent:
                subscription.end()
            self.counts["watch silenced" if silent else "watch cut"] += 1
        return bool(found)

    def lag(self, kind: str) -> float:
        """Seconds by which the next frame of a watch of ``kind`` is late."""
        most = _worst(self.lags, kind)
        if most <= 0.0:
            return 0.0
        self.counts["frame late"] += 1
        return most * self.random.random()

    def late(self, user: str) -> float:
        """Seconds by which a write of ``user`` arrives after it was given up; 0: it is not late."""
        for pattern, (share, seconds) in self.lates.items():
            if fnmatchcase(user, pattern) and self.random.random() < share:
                self.counts["write late"] += 1
                return seconds * self.random.random()
        return 0.0

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
        await self._slow(user)
        await self._lose(user, request, target, answer=False)

    async def back(self, user: str, request: str, target: str) -> None:
        """The way of its answer. Raises ``TransportError``."""
        if user in self._cut:
            self.tell(Lost(user, request, target, True))
            await self.clock.sleep(UNREACHABLE_SECONDS)
            raise TransportError(request, CUT)
        await self._slow(user)
        await self._lose(user, request, target, answer=True)

    async def ambush(self, user: str) -> None:
        """A write of ``user`` was done: whoever lay in wait for it strikes before it hears so."""
        path = self.ambushes.pop(user, None)
        if path is not None and self.kill(path):
            self.counts["writer killed"] += 1
            await self.clock.sleep(UNREACHABLE_SECONDS)

    async def _slow(self, user: str) -> None:
        if (seconds := _worst(self.delays, user)) > 0:
            self.counts["request delayed"] += 1
            await self.clock.sleep(seconds * self.random.random())

    async def _lose(self, user: str, request: str, target: str, *, answer: bool) -> None:
        share = _worst(self.drops, user)
        if share and self.random.random() < share / 2:  # half of the losses on each way
            self.tell(Lost(user, request, target, answer))
            self.counts["answer lost" if answer else "request lost"] += 1
            raise TransportError(request, f"the {'answer' if answer else 'request'} was lost")


def _worst(rules: dict[str, float], user: str) -> float:
    if not rules:
        return 0.0
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
        writes = request.verb not in READS
        if writes and self._links.lates:
            await self._given_up(lambda: self._inner.request(request), str(request.verb))
        response = await self._inner.request(request)
        if writes:
            await self._links.ambush(self._user)
        await self._links.back(self._user, str(request.verb), target)
        return response

    async def batch(self, requests: list[Request]) -> list[Response]:
        await self._links.go(self._user, "batch", str(len(requests)))
        if self._links.lates:
            await self._given_up(lambda: self._inner.batch(requests), "batch")
        responses = await self._inner.batch(requests)
        await self._links.ambush(self._user)
        await self._links.back(self._user, "batch", str(len(requests)))
        return responses

    async def _given_up(self, ask: Callable[[], Coroutine[Any, Any, Any]], what: str) -> None:
        """A write that is late is on its way by itself. Raises ``TransportError`` for one."""
        links = self._links
        seconds = links.late(self._user)
        if seconds > 0.0:
            links.spawn(_arrive(links.clock, seconds, ask), f"late {what} of {self._user}")
            await links.clock.sleep(seconds * links.random.random())
            raise TransportError(what, "there was no answer in time")

    async def watch(self, request: Request, subscriber: Ref[Any], tag: str) -> Subscription:
        resource = request.target.resource
        await self._links.go(self._user, "watch", resource)
        try:
            inner = await self._inner.watch(request, subscriber, tag)
        except StatusError as refused:
            self._links.counts["history lost"] += refused.code == GONE
            raise
        subscription = LinkSubscription(inner, self._links, self._user, resource, subscriber, tag)
        self._links.opened(self._user, subscription)
        return subscription

    async def close(self) -> None:
        await self._inner.close()


async def _arrive(clock: Clock, seconds: float, ask: Callable[[], Coroutine[Any, Any, Any]]) -> None:
    await clock.sleep(seconds)
    try:
        await ask()
    except (TransportError, StatusError):
        return  # nobody waits for the answer


class LinkSubscription:
    """A watch over a link: once the link was cut it is silent for ever, as a connection is whose other end is gone."""

    def __init__(
        self, inner: MailboxSubscription, links: Links, user: str, resource: str, subscriber: Ref[Any], tag: str
    ) -> None:
        self._inner = inner
        self._links = links
        self.user = user
        self._subscriber = subscriber
        self._tag = tag
        self.resource = resource

    @property
    def watch(self) -> int:
        return self._inner.watch

    async def credit(self, frames: int) -> None:
        await self._inner.credit(frames)

    def silence(self) -> None:
        """The server sends no more frames, and its subscriber is not told."""
        self._inner.close_nowait()

    def end(self) -> None:
        """Tell the subscriber, as a connection that is reset does."""
        self._subscriber.tell_nowait(WatchEnded(self.watch, self._tag, Refusal.STOPPED, "the watch was cut"))

    async def close(self) -> None:
        self._links.closed(self.user, self)
        await self._inner.close()
