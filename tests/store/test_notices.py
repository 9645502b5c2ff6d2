from __future__ import annotations

import pytest

from actors.testing import SimulatedClock
from orchestrator.raft.entry import Entry, Mark
from orchestrator.raft.messages import Append, Heartbeat
from orchestrator.store.notices import HOLD_SECONDS, Notices
from orchestrator.store.wire import Confirmed, Placed, Wire


class Way:
    def __init__(self) -> None:
        self.clock = SimulatedClock()
        self.sent: list[Wire] = []
        self.notices = Notices(self.sent.append, self.clock)

    def commits(self, to: int = 2) -> list[int]:
        return [message.commit for message in self.sent if isinstance(message, Append) and message.to == to]


@pytest.fixture
def way() -> Way:
    return Way()


def notice(commit: int, to: int = 2) -> Append:
    return Append(1, to, 1, Mark(commit, 1), [], commit)


def append(index: int, commit: int, to: int = 2) -> Append:
    return Append(1, to, 1, Mark(index - 1, 1), [Entry(index, 1, b"put")], commit)


async def test_a_notice_goes_with_the_next_append(way: Way) -> None:
    way.notices.send(notice(4))
    way.notices.send(append(5, 4))
    await way.clock.advance(1.0)
    assert way.sent == [append(5, 4)]


async def test_without_an_append_it_goes_a_moment_later(way: Way) -> None:
    way.notices.send(notice(4))
    assert way.sent == []
    await way.clock.advance(HOLD_SECONDS)
    assert way.sent == [notice(4)]


async def test_an_append_to_another_member_does_not_carry_it(way: Way) -> None:
    way.notices.send(notice(4, to=3))
    way.notices.send(append(5, 4, to=2))
    await way.clock.advance(HOLD_SECONDS)
    assert way.commits(to=3) == [4]


async def test_of_two_notices_the_later_one_goes_when_the_first_is_due(way: Way) -> None:
    way.notices.send(notice(4))
    await way.clock.advance(HOLD_SECONDS * 0.9)
    way.notices.send(notice(5))
    await way.clock.advance(HOLD_SECONDS * 0.1)
    assert way.commits() == [5]


async def test_one_that_came_after_an_append_has_a_moment_of_its_own(way: Way) -> None:
    way.notices.send(notice(4))
    await way.clock.advance(HOLD_SECONDS * 0.8)
    way.notices.send(append(5, 4))
    way.notices.send(notice(5))
    await way.clock.advance(HOLD_SECONDS * 0.2)
    assert way.commits() == [4]
    await way.clock.advance(HOLD_SECONDS)
    assert way.commits() == [4, 5]


async def test_who_waits_for_its_own_entry_is_told_at_once(way: Way) -> None:
    way.notices.send(Placed(1, 2, 77, 5, 1))
    way.notices.send(notice(4))
    assert way.commits() == []
    way.notices.send(notice(5))
    assert way.commits() == [5]
    way.notices.send(notice(6))
    assert way.commits() == [5]


async def test_what_was_not_placed_is_not_waited_for(way: Way) -> None:
    way.notices.send(Placed(1, 2, 77, 0, 0))
    way.notices.send(notice(5))
    assert way.commits() == []


async def test_who_is_to_read_is_told_first(way: Way) -> None:
    way.notices.send(notice(4))
    way.notices.send(Confirmed(1, 2, 77, 4))
    assert way.sent == [notice(4), Confirmed(1, 2, 77, 4)]


async def test_everything_else_passes(way: Way) -> None:
    way.notices.send(notice(4))
    way.notices.send(Heartbeat(1, 2, 1, 3, 1))
    assert way.sent == [Heartbeat(1, 2, 1, 3, 1)]
