"""What a test of an application, or of Podium itself, embeds: a whole cluster with a seed, and what it leaves behind.

Owns nothing of the cluster's behaviour. ``plugin`` (pytest: fixtures and the mark ``cluster``), ``failure`` (what a
failed test says), ``shared`` (one cluster for many tests), ``running`` (a program with a seed), ``record`` (every frame
of a run as canonical lines), ``recorded`` (a real cluster's dump or audit log). What is named here is imported at its
first use: a test session that needs no cluster does not pay for one.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from orchestrator.testing.record import Recording as Recording
    from orchestrator.testing.running import run as run

PLACES = {
    "Recording": "orchestrator.testing.record",
    "run": "orchestrator.testing.running",
}


def __getattr__(name: str) -> Any:
    if name in PLACES:
        return getattr(import_module(PLACES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
