"""Publish and subscribe."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from actors import (
    Actor,
    Backoff,
    Policy,
    Ref,
    Refused,
    Subscribe,
    Subscriptions,
    System,
    Tell,
    Topic,
    Unsubscribe,
    Unsubscribed,
)
from actors import topic as topics
from actors.testing import Probe
from tests.actors.cast import Crash


class Price(Tell):
    symbol: str
    cents: int


class Other(Tell):
    number: int


class Slow(Actor):
    def __init__(self, seen: list[Any], seconds: float = 1.0) -> None:
        self.seen, self.seconds = seen, seconds

    async def receive(self, message: Any) -> None:
        if isinstance(message, Crash):
            raise RuntimeError("as told")
        self.seen.append(message)
        await self.context.clock.sleep(self.seconds)


async def publish(topic: Ref[Any], count: int, symbol: str = "a") -> list[Price]:
    prices = [Price(symbol, cents) for cents in range(count)]
    for price in prices:
        await topic.tell(price)
    return prices


async def test_each_subscriber_gets_each_publication_in_order() -> None:
    """SEMANTICS 14.1"""
    one: list[Any] = []
    two: list[Any] = []
    async with System() as system:
        topic = await system.spawn(Topic)
        for seen in (one, two):
            await topic.ask(Subscribe(await system.spawn(Slow, seen, 0.0)))
        prices = await publish(topic, 100)
        await system.idle()
        await asyncio.sleep(1.0)
        assert one == prices
        assert two == prices


async def test_a_slow_subscriber_delays_nobody_and_its_own_policy_decides() -> None:
    """SEMANTICS 14.2"""
    slow: list[Any] = []
    fast: list[Any] = []
    async with System() as system:
        topic = await system.spawn(Topic)
        sluggish = await system.spawn(Slow, slow)
        await topic.ask(Subscribe(sluggish, credit=1, capacity=2, overflow=Policy.DROP_OLDEST))
        await topic.ask(Subscribe(await system.spawn(Slow, fast, 0.0)))
        prices = await publish(topic, 10)
        await asyncio.sleep(0.5)
        assert fast == prices
        await asyncio.sleep(60.0)
        assert len(slow) < 5
        assert slow[-2:] == prices[-2:], "the newest stay"
        (subscription, _) = await topic.ask(Subscriptions())
        assert subscription.subscriber == sluggish
        assert subscription.sent + subscription.dropped == 10


async def test_wait_makes_publishers_go_at_the_pace_of_the_subscriber() -> None:
    """SEMANTICS 14.2"""
    slow: list[Any] = []
    async with System() as system:
        topic = await system.spawn(Topic)
        await topic.ask(Subscribe(await system.spawn(Slow, slow), credit=1, capacity=1, overflow=Policy.WAIT))
        prices = await publish(topic, 20)
        await asyncio.sleep(5.5)
        assert 5 <= len(slow) <= 7
        await asyncio.sleep(60.0)
        assert slow == prices


async def test_keep_latest_keeps_one_for_each_type_and_key() -> None:
    """SEMANTICS 14.2"""
    seen: list[Any] = []
    async with System() as system:
        topic = await system.spawn(Topic)
        slow = await system.spawn(Slow, seen)
        await topic.ask(Subscribe(slow, credit=1, overflow=Policy.KEEP_LATEST, key="symbol"))
        await topic.tell(Price("x", 0))
        await asyncio.sleep(0.5)
        for cents in range(1, 5):
            await topic.tell(Price("a", cents))
            await topic.tell(Price("b", cents))
            await topic.tell(Other(cents))
        await asyncio.sleep(60.0)
        assert seen == [Price("x", 0), Price("a", 4), Price("b", 4), Other(4)]


async def test_fail_ends_the_subscription_of_who_cannot_keep_up_and_tells_it() -> None:
    """SEMANTICS 14.2"""
    seen: list[Any] = []
    async with System() as system:
        topic = await system.spawn(Topic)
        await topic.ask(Subscribe(await system.spawn(Slow, seen), credit=1, capacity=1, overflow=Policy.FAIL))
        await publish(topic, 5)
        await asyncio.sleep(30.0)
        assert Unsubscribed(topic) in seen
        assert await topic.ask(Subscriptions()) == []


async def test_a_subscription_lasts_until_it_is_taken_back_or_the_subscriber_ends_for_good() -> None:
    """SEMANTICS 14.3"""
    seen: list[Any] = []
    async with System() as system:
        topic = await system.spawn(Topic)
        ref = await system.spawn(Slow, seen, 0.0, backoff=Backoff(0.01))
        probe = await Probe.spawn(system)
        await topic.ask(Subscribe(ref))
        await topic.ask(Subscribe(probe.ref))
        for _ in range(3):
            await ref.tell(Crash())
            await asyncio.sleep(1.0)
        await topic.tell(Price("after", 1))
        await asyncio.sleep(1.0)
        assert seen == [Price("after", 1)], "it was restarted and is subscribed still"
        await system.stop_actor(ref)
        await system.idle()
        assert [one.subscriber for one in await topic.ask(Subscriptions())] == [probe.ref]
        assert await topic.ask(Unsubscribe(probe.ref))
        assert not await topic.ask(Unsubscribe(probe.ref))
        await topic.tell(Price("unheard", 1))
        await asyncio.sleep(1.0)
        assert not any(isinstance(message, Price) and message.symbol == "unheard" for message in probe.messages)


async def test_to_subscribe_again_is_to_change_the_terms() -> None:
    """SEMANTICS 14.4"""
    seen: list[Any] = []
    async with System() as system:
        topic = await system.spawn(Topic)
        ref = await system.spawn(Slow, seen)
        await topic.ask(Subscribe(ref, credit=1, capacity=1, overflow=Policy.DROP_NEWEST))
        await publish(topic, 3)
        await topic.ask(Subscribe(ref, credit=1, capacity=100, overflow=Policy.DROP_NEWEST))
        await publish(topic, 5, "b")
        await asyncio.sleep(60.0)
        assert [message for message in seen if message.symbol == "b"] == [Price("b", cents) for cents in range(5)]
        (_only,) = await topic.ask(Subscriptions())


@pytest.mark.parametrize(
    "terms",
    [{"credit": 0}, {"capacity": 0}, {"overflow": Policy.KEEP_LATEST}, {"key": "symbol"}],
)
async def test_terms_that_make_no_sense_are_refused(terms: dict[str, Any]) -> None:
    """SEMANTICS 14.4"""
    async with System() as system:
        topic = await system.spawn(Topic)
        probe = await Probe.spawn(system)
        with pytest.raises(Refused, match="invalid"):
            await topic.ask(Subscribe(probe.ref, **terms))


async def test_a_topic_has_a_bound_of_subscribers(monkeypatch: pytest.MonkeyPatch) -> None:
    """SEMANTICS 14.4"""
    monkeypatch.setattr(topics, "MAX_SUBSCRIBERS", 1)
    async with System() as system:
        topic = await system.spawn(Topic)
        await topic.ask(Subscribe((await Probe.spawn(system)).ref))
        with pytest.raises(Refused, match="full"):
            await topic.ask(Subscribe((await Probe.spawn(system)).ref))
