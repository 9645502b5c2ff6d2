"""Watches: all that changed, once, in order."""

from __future__ import annotations

from tests.store.checks import Violation
from tests.store.checks.model import Event
from tests.store.simulation.watchers import Stretch


def check(watcher: int, stretches: list[Stretch], events: list[Event]) -> None:
    for stretch in stretches:
        expected = [
            event for event in events if stretch.start < event[0] <= stretch.end and event[1].startswith(stretch.prefix)
        ]
        if stretch.events == expected:
            continue
        for found, wanted in zip(stretch.events, expected, strict=False):
            if found != wanted:
                raise Violation(f"watcher {watcher} of {stretch.prefix!r}: saw {found}, expected {wanted}")
        raise Violation(
            f"watcher {watcher} of {stretch.prefix!r}: saw {len(stretch.events)} events from {stretch.start} to"
            f" {stretch.end}, expected {len(expected)}"
        )
