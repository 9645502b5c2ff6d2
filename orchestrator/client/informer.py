"""The actor that keeps one cache true: list, then watch from the list's revision, then again when the watch ends.

Guarantees: every change is applied in order and once; subscribers are told after the cache shows the change; killed
and restarted at any moment the informer lists again and tells the difference.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from actors import Actor, Down, ReceiveTimeout, Tell
from orchestrator.apimachinery.encoded import Encoded
from orchestrator.apimachinery.errors import StatusError
from orchestrator.apimachinery.interned import interned_at
from orchestrator.client import requests
from orchestrator.client.cache import Change, MutableCache
from orchestrator.client.client import Client
from orchestrator.client.errors import TransportError
from orchestrator.client.messages import Hasten, Subscribed, Synced
from orchestrator.client.subscription import Subscriptions
from orchestrator.client.transport import Subscription
from orchestrator.store.protocol import Changes, Event, Refusal, WatchEnded

CREDIT_FRAMES = 16
"""Frames taken before the server is told that more may come (it grants 64)."""
BACKOFF_FIRST_SECONDS = 0.05
BACKOFF_MAX_SECONDS = 30.0
"""Between attempts to list or watch; half of each delay is random so that informers do not come in step."""
SILENCE_SECONDS = 90.0
"""A watch that shows no progress for so long (the server sends some each 30 s) is opened anew."""
SILENCE_SLACK_SECONDS = 0.1
"""The timeout rings when the sum of two numbers has come, and the difference may then be a hair less."""
RETRY_FLUSH_SECONDS = 0.02
RETRY_FLUSH_MAX_SECONDS = 1.0
"""When a subscriber's mailbox was full it is told again after the first, then less and less often."""
HISTORY_LOST = 410


class Open(Tell):
    """List if needed and watch; of an older attempt it is ignored."""

    attempt: int


class Flush(Tell):
    """Tell subscribers what their mailboxes did not take."""


class Informer(Actor):
    """Owns the writing side of ``cache`` and ``subscriptions``, which outlive it."""

    def __init__(self, client: Client, cache: MutableCache, subscriptions: Subscriptions) -> None:
        self._client = client
        self._cache = cache
        self._subscriptions = subscriptions
        self._watch: Subscription | None = None
        self._attempt = 0
        self._life = ""
        self._failures = 0
        self._relist = True
        self._frames = 0
        self._heard = 0.0
        self._hastened = False
        """Progress was asked for and nothing came since."""
        self._flushing = False
        self._patience = RETRY_FLUSH_SECONDS
        self._waiting: list[asyncio.Future[int]] = []

    async def start(self) -> None:
        self._life = f"{self.context.random.getrandbits(32):08x}"
        self.context.receive_timeout(SILENCE_SECONDS)
        self.context.ref.tell_nowait(Open(self._attempt))

    async def receive(self, message: Any) -> Any:
        match message:
            case Changes():
                await self._changes(message)
            case Open(attempt=attempt):
                if attempt == self._attempt:
                    await self._open()
            case WatchEnded():
                self._ended(message)
            case Down():
                await self._server_down(message)
            case Subscribed():
                self._flush()
            case Flush():
                self._flushing = False
                self._flush()
            case ReceiveTimeout():
                await self._check()
            case Hasten():
                await self._check()
                await self._progress()
            case Synced():
                return self.context.later(self._synced())
        return None

    async def stop(self, exit: Any) -> None:
        if self._watch is not None:
            await self._watch.close()

    async def _progress(self) -> None:
        """Somebody waits for the cache to be as new as the server: ask how far that is."""
        self._hastened = True
        if self._watch is not None:
            await self._watch.credit(0)

    async def _open(self) -> None:
        self._attempt += 1
        server = self._client.transport.server
        if server is not None:
            self.context.watch(server)
        try:
            if self._relist or not self._cache.synced:
                await self._list()
            request = requests.watch(self._cache.kind, revision=self._cache.revision)
            self._watch = await self._client.transport.watch(request, self.context.ref, self._tag())
        except TransportError as failure:
            self._again(str(failure))
        except StatusError as failure:
            self._relist = self._relist or failure.code == HISTORY_LOST
            self._again(str(failure))
        else:
            self._failures = 0
            self._frames = 0
            self._heard = self.context.clock.monotonic()
            if self._hastened:
                await self._watch.credit(0)

    def _tag(self) -> str:
        """Of the watch that is open now: frames of an instance before this one may still be in the mailbox."""
        return f"{self._life}/{self._attempt}"

    async def _list(self) -> None:
        listing = await self._client.list(self._cache.kind)
        self._relist = False
        self._announce(self._cache.replace(listing.items, listing.revision))
        for waiting in self._waiting:
            if not waiting.done():
                waiting.set_result(listing.revision)
        self._waiting.clear()

    async def _changes(self, message: Changes) -> None:
        if message.tag != self._tag():
            return
        self._heard = self.context.clock.monotonic()
        self._hastened = False
        changes = [change for change in map(self._apply, message.events) if change is not None]
        self._cache.revision = max(self._cache.revision, message.revision)
        if changes:
            self._announce(changes)
        self._frames += 1
        if self._frames >= CREDIT_FRAMES and self._watch is not None:
            await self._watch.credit(self._frames)
            self._frames = 0

    def _apply(self, event: Event) -> Change | None:
        value = event.value
        key = value.key.split("/", 2)[2]
        if event.deleted:
            return self._cache.remove(key, value.mod_revision)
        before = self._cache.get_key(key)
        held = () if before is None else before.encoded.parts()
        metadata, status, rest = interned_at(value.mod_revision, value.parts, held)
        return self._cache.put(Encoded(metadata, status, rest, value.mod_revision), before)

    def _announce(self, changes: Sequence[Change]) -> None:
        self._subscriptions.note(changes)
        self._flush()

    def _flush(self) -> None:
        if self._subscriptions.flush():
            self._patience = RETRY_FLUSH_SECONDS
        elif not self._flushing:
            self._flushing = True
            self.context.send_after(self._patience, Flush())
            self._patience = min(self._patience * 2, RETRY_FLUSH_MAX_SECONDS)

    def _ended(self, message: WatchEnded) -> None:
        if message.tag != self._tag():
            return
        self._watch = None
        self._relist = self._relist or message.reason in (Refusal.COMPACTED, Refusal.FUTURE)
        self._again(message.message)

    async def _server_down(self, down: Down) -> None:
        """The server ended, perhaps before it could end the watch: resume from what was seen last."""
        if self._watch is None:
            return
        await self._watch.close()
        self._watch = None
        self._again(str(down))

    async def _check(self) -> None:
        silent = self.context.clock.monotonic() - self._heard
        if self._watch is None or silent < SILENCE_SECONDS - SILENCE_SLACK_SECONDS:
            return
        await self._watch.close()
        self._watch = None
        self._again(f"no progress for {SILENCE_SECONDS:.0f} s")

    def _again(self, reason: str) -> None:
        delay = min(BACKOFF_FIRST_SECONDS * 2.0 ** min(self._failures, 20), BACKOFF_MAX_SECONDS)
        self._failures += 1
        self.context.log.info(
            "informer opens again", kind=self._cache.kind.label, reason=reason, attempt=self._failures
        )
        self.context.send_after(delay * (0.5 + self.context.random.random() / 2), Open(self._attempt))

    async def _synced(self) -> int:
        if not self._cache.synced:
            waiting: asyncio.Future[int] = asyncio.get_running_loop().create_future()
            self._waiting.append(waiting)
            await waiting
        return self._cache.revision
