"""A message that nobody can change is handed over as it is; what leaves the system is encoded."""

from __future__ import annotations

from typing import Any

import pytest

from actors import Actor, Ref, Shared, System
from actors.codec import body_of
from actors.testing import Probe
from tests.actors.remoting.nodes import two_nodes


class News(Shared):
    number: int
    text: memoryview


class Gossip(Shared):
    heard: list[int]


class Passer(Actor):
    """Passes on what comes."""

    def __init__(self, to: Ref[Any]) -> None:
        self._to = to

    async def receive(self, message: Any) -> Any:
        return self.context.forward(self._to)


TEXT = memoryview(b"x" * 1000)


async def test_what_is_handed_over_is_the_very_object() -> None:
    async with System() as system:
        probe = await Probe.spawn(system, "probe")
        news = News(1, TEXT)
        assert probe.ref.hand(news)
        assert await probe.get(News) is news


async def test_a_handed_message_to_nobody_is_a_dead_letter() -> None:
    async with System() as system:
        assert not system.ref("no/body").hand(News(1, TEXT))
        assert system.statistics().dead_letters == {"missing": 1}


async def test_told_it_is_encoded_as_any_other() -> None:
    async with System() as system:
        probe = await Probe.spawn(system, "probe")
        news = News(1, TEXT)
        await probe.ref.tell(news)
        got = await probe.get(News)
        assert got == news
        assert got is not news


async def test_it_reaches_another_node_handed_or_forwarded() -> None:
    async with two_nodes() as (a, b):
        probe = await Probe.spawn(b, "probe")
        far = a.ref("probe", "b")
        far.hand(News(1, TEXT))
        passer = await a.spawn(Passer, far)
        passer.hand(News(2, TEXT))
        assert [await probe.get(News), await probe.get(News)] == [News(1, TEXT), News(2, TEXT)]


async def test_a_type_that_can_be_changed_is_not_taken() -> None:
    async with System() as system:
        with pytest.raises(TypeError, match="heard: expected a number, text or bytes"):
            system.codec.decoder(Gossip)


def test_the_body_of_a_handed_frame_is_encoded_when_it_is_asked_for() -> None:
    assert body_of((b"", b"", News(1, TEXT))) == body_of((b"", b"", body_of((b"", b"", News(1, TEXT)))))
