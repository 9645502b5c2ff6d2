"""The caches of a process: one informer for each kind that somebody asked for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec

from actors import Ref
from orchestrator.client.cache import Cache, CacheStatistics, Index, MutableCache
from orchestrator.client.client import Client
from orchestrator.client.informer import Informer
from orchestrator.client.kinds import Kind
from orchestrator.client.messages import Hasten, Subscribed, Synced
from orchestrator.client.subscription import Keys, Subscriptions

Spawn = Callable[[Callable[[], Informer], str], Awaitable[Ref[Any]]]
"""Starts a supervised informer under a name: the composition root says where in the tree."""


SYNC_SECONDS = 60.0
"""How long ``synced`` waits for the first list."""


class _Feed(msgspec.Struct):
    cache: MutableCache
    subscriptions: Subscriptions
    informer: Ref[Any] | None = None
    starting: bool = False


class Informers:
    """Handed to every component of the process. Caches are read only and shared; subscribers are told by mailbox."""

    def __init__(self, client: Client, spawn: Spawn) -> None:
        self._client = client
        self._spawn = spawn
        self._feeds: dict[Kind, _Feed] = {}

    async def cache(self, kind: Kind, indexes: Mapping[str, Index] | None = None) -> Cache:
        """The cache of ``kind``, with these indexes beside what others asked for. It may not be ``synced`` yet."""
        feed = self._feed(kind)
        for name, function in (indexes or {}).items():
            feed.cache.add_index(name, function)
        if not feed.starting:
            await self._start(feed)
        return feed.cache

    async def subscribe(self, kind: Kind, ref: Ref[Any], keys: Keys, tag: str = "") -> Cache:
        """Tell ``ref`` ``Enqueue`` with what ``keys`` (pure) gives for each change, at first for each object.

        A second subscription of the same ref and tag takes the place of the first, as after a restart.
        """
        cache = await self.cache(kind)
        feed = self._feeds[kind]
        feed.subscriptions.add(ref, keys, tag)
        if feed.informer is not None:
            feed.informer.tell_nowait(Subscribed(ref.path))
        return cache

    async def synced(self, kind: Kind, *, timeout_seconds: float = SYNC_SECONDS) -> Cache:
        """The cache of ``kind`` once its first list is in. Raises ``AskTimeout``."""
        cache = await self.cache(kind)
        informer = self._feeds[kind].informer
        if not cache.synced and informer is not None:
            await informer.ask(Synced(), timeout=timeout_seconds)
        return cache

    def hasten(self, kind: Kind) -> None:
        """Have the cache of ``kind`` reach the server's revision soon, though nothing of the kind changes."""
        feed = self._feeds.get(kind)
        if feed is not None and feed.informer is not None:
            feed.informer.tell_nowait(Hasten())

    def knows(self, ref: Ref[Any]) -> bool:
        """Whether somebody subscribed under this ref: then the actor that is starting there is a restarted one."""
        return any(feed.subscriptions.knows(ref.path) for feed in self._feeds.values())

    def unsubscribe(self, ref: Ref[Any]) -> None:
        for feed in self._feeds.values():
            feed.subscriptions.remove(ref.path)

    def kinds(self) -> list[Kind]:
        return list(self._feeds)

    def verify(self) -> list[str]:
        """Where an index says something else than one made anew from the objects would; empty is right."""
        return [fault for feed in self._feeds.values() for fault in feed.cache.verify()]

    def statistics(self) -> dict[str, CacheStatistics]:
        return {kind.label: feed.cache.statistics() for kind, feed in self._feeds.items()}

    def _feed(self, kind: Kind) -> _Feed:
        feed = self._feeds.get(kind)
        if feed is None:
            cache = MutableCache(kind)
            feed = self._feeds[kind] = _Feed(cache, Subscriptions(cache))
        return feed

    async def _start(self, feed: _Feed) -> None:
        cache, subscriptions, client = feed.cache, feed.subscriptions, self._client
        kind = cache.kind
        name = f"informer-{kind.label}"
        if any(other.label == kind.label and held.starting for other, held in self._feeds.items()):
            name = f"{name}-{kind.version}"  # another version of it is followed already
        feed.starting = True
        try:
            feed.informer = await self._spawn(lambda: Informer(client, cache, subscriptions), name)
        finally:
            feed.starting = feed.informer is not None  # who was refused asks again when it is restarted
        feed.informer.tell_nowait(Subscribed(""))
