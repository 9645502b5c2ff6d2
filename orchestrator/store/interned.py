"""Equal parts kept once: a thousand replicas have one spec in memory, though each came in a frame of its own."""

from __future__ import annotations

from orchestrator.store.protocol import Change

MIN_BYTES = 256
"""A shorter part costs more to look up than it weighs."""
MAX_PARTS = 4096
"""Parts that are remembered; beyond that the memory starts anew. What is kept anyway is only referred to."""


class Interned:
    """The parts that came lately, by their bytes."""

    def __init__(self) -> None:
        self._known: dict[bytes, bytes] = {}

    def __len__(self) -> int:
        return len(self._known)

    def changes(self, changes: list[Change]) -> list[Change]:
        """The same changes, with each part the very object that came before, where an equal one did."""
        if len(self._known) >= MAX_PARTS:
            self._known.clear()
        return [self._change(change) for change in changes]

    def _change(self, change: Change) -> Change:
        if not change.parts:
            return change
        known = self._known
        parts = tuple(
            [part if part is None or len(part) < MIN_BYTES else known.setdefault(part, part) for part in change.parts]
        )
        for ours, theirs in zip(parts, change.parts, strict=True):
            if ours is not theirs:
                return Change(change.key, parts, change.expect, change.fields, change.lease, change.cause)
        return change
