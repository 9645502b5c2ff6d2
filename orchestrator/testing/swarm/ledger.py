"""What the user was promised: every write that was acknowledged, with its revision."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from orchestrator.testing.swarm.log import Change


class Promise(msgspec.Struct, frozen=True):
    key: str
    revision: int
    value: str


def lost(promises: list[Promise], changes: Mapping[int, list[Change]]) -> Iterator[str]:
    """Acknowledged writes that the log does not have as they were acknowledged."""
    for promise in promises:
        found = [change for change in changes.get(promise.revision, ()) if change.key == promise.key]
        value = (found[0].object().get("data") or {}).get("value") if found and not found[0].deleted else None
        if value != promise.value:
            yield (
                f"acknowledged write lost: {promise.key} was {promise.value} at revision {promise.revision}, "
                f"the log has {value}"
            )
