"""The last field of a shared message is handed over, not copied; what leaves the system is in one piece."""

from __future__ import annotations

from typing import Any

import pytest

from actors import Actor, Ref, Shared, System
from actors.codec import Frame, Parted, body_of
from actors.testing import Probe
from tests.actors.remoting.nodes import two_nodes


class News(Shared):
    number: int
    text: memoryview


class Gossip(Shared):
    text: memoryview
    heard: list[int]


class Passer(Actor):
    """Passes on what comes."""

    def __init__(self, to: Ref[Any]) -> None:
        self._to = to

    async def receive(self, message: Any) -> Any:
        return self.context.forward(self._to)


TEXT = memoryview(b"x" * 1000)


async def test_what_is_handed_over_holds_the_same_bytes() -> None:
    async with System() as system:
        probe = await Probe.spawn(system, "probe")
        news = News(1, TEXT)
        assert probe.ref.hand(news)
        got = await probe.get(News)
        assert got == news
        assert got is not news
        assert got.text.obj is TEXT.obj


async def test_a_frame_is_bytes_though_its_message_is_handed_over() -> None:
    seen: list[Frame] = []
    async with System(tap=lambda header, frame: seen.append(frame)) as system:
        probe = await Probe.spawn(system, "probe")
        probe.ref.hand(News(1, TEXT))
        probe.ref.hand(News(2, TEXT))
        await probe.get(News)
        parted = [frame for frame in seen if isinstance(frame[2], Parted)]
        assert len(parted) == 2
        assert all(isinstance(piece, bytes) for frame in parted for piece in frame)
        assert max(len(piece) for frame in parted for piece in frame) < 100
        assert [system.codec.encode(system.codec.decode(frame)) for frame in parted] == [*map(body_of, parted)]


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


async def test_a_type_without_bytes_at_its_end_is_not_taken() -> None:
    async with System() as system:
        with pytest.raises(TypeError, match="expected a memoryview as the last field, found list"):
            system.codec.decoder(Gossip)
