from __future__ import annotations

from orchestrator.cli.show import happened

EVENT = {
    "metadata": {"namespace": "shop", "creationTimestamp": "1970-01-01T00:00:05Z"},
    "type": "Warning",
    "reason": "BackOff",
    "involvedObject": {"kind": "Pod", "name": "a"},
    "message": "two\nlines",
    "count": 4,
    "firstTimestamp": "1970-01-01T00:00:10Z",
    "lastTimestamp": "1970-01-01T00:01:00Z",
}


def test_an_event_that_came_often_says_how_often_over_how_long() -> None:
    row = happened.rows([EVENT], now=70.0, namespaces=False)[0]
    assert row == ["10s (x4 over 60s)", "Warning", "BackOff", "Pod/a", "two lines"]


def test_a_namespace_stands_first_when_all_are_shown() -> None:
    assert happened.rows([EVENT], now=70.0, namespaces=True)[0][0] == "shop"


def test_an_event_of_the_newer_kind_is_dated_by_its_event_time() -> None:
    assert happened.last_seen({"eventTime": "1970-01-01T00:00:03.000000Z"}) == 3.0


def test_of_one_second_the_older_revision_comes_first() -> None:
    older, newer = ({"lastTimestamp": "1970-01-01T00:00:01Z", "metadata": {"resourceVersion": v}} for v in ("9", "10"))
    assert sorted([newer, older], key=happened.when) == [older, newer]
