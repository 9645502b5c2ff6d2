"""Equal parts kept once: a thousand replicas have one spec in memory, though each came in a frame of its own."""

from __future__ import annotations

from orchestrator.apimachinery.interned import interned
from orchestrator.store.protocol import Change


def interned_changes(changes: list[Change]) -> list[Change]:
    """The same changes, with each part the very object that came before, where an equal one did."""
    return [_change(change) for change in changes]


def _change(change: Change) -> Change:
    if not change.parts:
        return change
    parts = tuple([part if part is None else interned(part) for part in change.parts])
    for ours, theirs in zip(parts, change.parts, strict=True):
        if ours is not theirs:
            return Change(change.key, parts, change.expect, change.fields, change.lease, change.cause)
    return change
