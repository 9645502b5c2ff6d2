"""How an actor's instance ended."""

from __future__ import annotations

import msgspec

NORMAL = "normal"
"""It stopped itself."""
SHUTDOWN = "shutdown"
"""Its parent or the system stopped it."""
CRASHED = "crashed"
"""A handler, an owned task, or a hook raised."""
CANCELLED = "cancelled"
"""Its handler was cancelled by somebody else than the library."""
KILLED = "killed"
"""``System.kill``, or it did not stop before its deadline."""
INTENSITY = "intensity"
"""It was restarted too often and is given up."""
LINKED = "linked"
"""An instance that it is linked to ended abnormally."""
MISSING = "missing"
"""There was no such actor."""


class Exit(msgspec.Struct, frozen=True):
    """The end of an instance: ``reason`` is one of this module's words, ``error`` says what was raised."""

    reason: str
    error: str = ""

    @property
    def abnormal(self) -> bool:
        """Whether a transient child is restarted after it."""
        return self.reason not in (NORMAL, SHUTDOWN)
