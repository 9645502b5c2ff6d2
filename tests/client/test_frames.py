"""A frame's events are decoded once, and let go of with the frame."""

from __future__ import annotations

from orchestrator.client import frames
from orchestrator.client.frames import events_of
from orchestrator.store.protocol import Changes, Event, Value, encoded_events


def event(name: str) -> Event:
    return Event(False, True, Value(f"core/pods/{name}", (name.encode() * 50, b"", b""), 1, 1, 1, {}, 0))


def test_all_who_look_into_one_frame_see_the_same_objects() -> None:
    encoded = encoded_events([event("a"), event("b")])
    first, second = (events_of(Changes(number, "tag", 2, encoded)) for number in (1, 2))
    assert first == [event("a"), event("b")]
    assert all(one is other for one, other in zip(first, second, strict=True))


def test_nothing_is_kept_of_a_frame_that_is_gone() -> None:
    before = len(frames._decoded)
    one, other = (Changes(1, "tag", 2, encoded_events([event(name)])) for name in "ab")
    assert (events_of(one), events_of(other)) == ([event("a")], [event("b")])
    assert len(frames._decoded) == before + 2
    del one
    assert len(frames._decoded) == before + 1
    assert events_of(other) == [event("b")]
    del other
    assert len(frames._decoded) == before
