"""The plugins that installed distributions offer: known by name here, imported when a profile needs them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.metadata import entry_points
from typing import Any

ENTRY_POINTS = "podium.scheduler.plugins"

Offers = Mapping[str, Callable[[], Any]]
"""Plugin name -> what loads its class."""


def installed() -> Offers:
    """In the order of their names; an entry point's name is the name of its plugin."""
    found = sorted(entry_points(group=ENTRY_POINTS), key=lambda entry: entry.name)
    return {entry.name: entry.load for entry in found}
