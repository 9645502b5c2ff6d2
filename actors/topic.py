"""Publish and subscribe: a topic is an actor, to publish is to tell it, and each subscriber has a stream of its own.

So a slow subscriber is held by its own credit, bound and policy, and delays nobody, unless it asked for ``wait``: then
the topic, and in the end its publishers, go at that subscriber's pace.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from actors.actor import Actor
from actors.errors import Down, Refused
from actors.mailbox import Overflow, Policy
from actors.message import Ask, Message, Tell
from actors.ref import Ref
from actors.stream import CAPACITY, CREDIT, Stream

MAX_SUBSCRIBERS = 4096
"""Subscribers of one topic: each costs a send for each publication."""


class Subscribe(Ask[None]):
    """To a topic: send what is published to ``subscriber``, until it ends for good. Once more: with new terms.

    ``capacity`` publications wait while ``credit`` are in its hands; ``overflow`` decides about more. ``fail`` ends
    the subscription, and the subscriber gets ``Unsubscribed``. ``key`` is the field by which ``keep_latest`` keeps.
    """

    subscriber: Ref[Any]
    credit: int = CREDIT
    capacity: int = CAPACITY
    overflow: Policy = Policy.DROP_OLDEST
    key: str = ""


class Unsubscribe(Ask[bool]):
    """To a topic; False when there was no subscription."""

    subscriber: Ref[Any]


class Unsubscribed(Tell):
    """To a subscriber that could not keep up and had asked to fail."""

    topic: Ref[Any]


class Subscription(msgspec.Struct, frozen=True):
    """How one subscriber stands."""

    subscriber: Ref[Any]
    queued: int
    outstanding: int
    sent: int
    dropped: int


class Subscriptions(Ask[list[Subscription]]):
    """To a topic: who subscribes, in the order of subscribing."""


class Topic(Actor):
    """Sends every message that is none of the above to all of its subscribers, in the order of publication."""

    def __init__(self) -> None:
        self._streams: dict[Ref[Any], Stream] = {}

    async def receive(self, message: Any) -> Any:
        match message:
            case Subscribe():
                self._subscribe(message)
            case Unsubscribe(subscriber):
                return self._remove(subscriber)
            case Subscriptions():
                return [
                    Subscription(ref, *msgspec.structs.astuple(stream.statistics()))
                    for ref, stream in self._streams.items()
                ]
            case Down(ref):
                if message.restarting:
                    self.context.watch(ref)
                else:
                    self._streams.pop(ref, None)
            case _:
                await self._publish(message)
        return None

    def _subscribe(self, terms: Subscribe) -> None:
        ref = terms.subscriber
        if ref not in self._streams and len(self._streams) >= MAX_SUBSCRIBERS:
            raise Refused("full", f"expected at most {MAX_SUBSCRIBERS} subscribers")
        if (terms.overflow is Policy.KEEP_LATEST) is not bool(terms.key):
            raise Refused("invalid", "expected a key with keep_latest, and only there")
        overflow = Overflow(terms.overflow, by_field(terms.key) if terms.key else None)
        stream = self._streams.get(ref)
        try:
            if stream is not None and stream.ended is None:
                stream.change(terms.credit, terms.capacity, overflow)
            else:
                self._streams[ref] = self.context.stream(
                    ref, credit=terms.credit, capacity=terms.capacity, overflow=overflow
                )
        except ValueError as error:
            raise Refused("invalid", str(error)) from error
        self.context.watch(ref)

    def _remove(self, subscriber: Ref[Any]) -> bool:
        self.context.unwatch(subscriber)
        stream = self._streams.pop(subscriber, None)
        if stream is not None:
            stream.close()
        return stream is not None

    async def _publish(self, message: Message) -> None:
        slow = [(ref, stream) for ref, stream in self._streams.items() if not stream.offer(message)]
        for ref, stream in slow:
            if stream.ended is not None:
                self._streams.pop(ref, None)
            elif stream.overflow.policy is Policy.FAIL:
                self._remove(ref)
                ref.tell_nowait(Unsubscribed(self.context.ref))
            else:
                await self._push(ref, stream, message)

    async def _push(self, ref: Ref[Any], stream: Stream, message: Message) -> None:
        try:
            await stream.push(message)
        except Down:
            self._streams.pop(ref, None)


def by_field(name: str) -> Callable[[Message], Any]:
    """The key of ``keep_latest``: the type of the message and its field ``name``, None when it has no such field."""
    return lambda message: (type(message), getattr(message, name, None))
