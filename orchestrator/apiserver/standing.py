"""What this server saw committed last of the keys it wrote or read, so that most writes need no read of the store.

Nothing here is true for certain: somebody else may have written the key since, a lease may have ended. So it may only
lead to a change that the store makes on the condition of this very revision; a refusal, or that there is nothing to
write, is told after a fresh read alone (``writer``).
"""

from __future__ import annotations

from orchestrator.apimachinery.encoded import Encoded
from orchestrator.apimachinery.interned import interned_at
from orchestrator.store.protocol import Change, Value

MAX_STANDING = 8192
"""Keys kept, those written longest ago go first: as many as are on their way at once, some 2 KB each."""
NO_FIELDS: dict[str, str] = {}
"""Shared by all values without fields. Never written to."""


class Standing:
    """Values by key."""

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known: dict[str, Value] = {}

    def __len__(self) -> int:
        return len(self._known)

    def get(self, key: str) -> Value | None:
        return self._known.get(key)

    def put(self, value: Value) -> None:
        """An older revision than the known one changes nothing."""
        known = self._known.pop(value.key, None)
        if known is not None and known.mod_revision > value.mod_revision:
            value = known
        self._known[value.key] = value
        if len(self._known) > MAX_STANDING:
            del self._known[next(iter(self._known))]

    def drop(self, key: str) -> None:
        self._known.pop(key, None)

    def wrote(self, change: Change, encoded: Encoded, revision: int) -> None:
        """A put that was done: ``encoded`` is the whole object as it stands at ``revision``."""
        known = self._known.get(change.key)
        parts = interned_at(revision, encoded.parts(), () if known is None else known.parts)
        if change.expect == 0:
            self.put(Value(change.key, parts, revision, revision, 1, change.fields or NO_FIELDS, change.lease))
        elif known is None or known.mod_revision != change.expect:
            self.drop(change.key)
        else:
            fields = known.fields if change.fields is None else change.fields or NO_FIELDS
            created, version = known.create_revision, known.version + 1
            self.put(Value(change.key, parts, revision, created, version, fields, change.lease))
