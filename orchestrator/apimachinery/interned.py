"""Equal parts kept once in a process: what the store holds is what every cache, kubelet and server memory holds.

A frame that is decoded brings bytes of its own. Whoever keeps a part for long keeps the one that came lately before it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

MIN_BYTES = 64
"""A shorter part costs more to look up than it weighs."""
MAX_LABELS = 16_384
"""Sets of labels remembered: those of all templates in use."""
MAX_PARTS = 16_384
"""Parts remembered until the process rests: those of the nodes or pods that are on their way at once, some 1 KB each.
With half as many the informers of 5,000 nodes that start came too late for four statuses of ten."""

MAX_REVISIONS = 4096
"""Of a generation. At 10,000 revisions a second who comes half a second later finds them, and more than the parts
above these do not hold."""


@lru_cache(MAX_PARTS)
def _known(part: bytes) -> bytes:
    return part


def interned(part: bytes) -> bytes:
    """The very object that came lately, where an equal one did."""
    return part if len(part) < MIN_BYTES else _known(part)


def forget() -> None:
    """A cluster of the process has ended: let go of its parts. Those of others are found equal again as they come."""
    _known.cache_clear()
    _lately.forget()


class _Lately:
    """The parts of each revision that came lately, in two generations: who comes second looks for a number, not for
    three times a kilobyte. Only what is equal is found: several clusters of a process count their revisions alike."""

    __slots__ = ("_old", "_young")

    def __init__(self) -> None:
        self._young: dict[int, tuple[bytes, ...]] = {}
        self._old: dict[int, tuple[bytes, ...]] = {}

    def find(self, revision: int, parts: tuple[bytes, ...]) -> tuple[bytes, ...] | None:
        found = self._young.get(revision) or self._old.get(revision)
        return found if found == parts else None

    def keep(self, revision: int, parts: tuple[bytes, ...]) -> None:
        if len(self._young) >= MAX_REVISIONS:
            self._old, self._young = self._young, {}
        self._young[revision] = parts

    def forget(self) -> None:
        self._old, self._young = {}, {}


_lately = _Lately()


def interned_at(revision: int, parts: tuple[bytes, ...], before: Sequence[bytes] = ()) -> tuple[bytes, ...]:
    """``interned`` of each part of the object that stands at ``revision``; ``before`` are its parts at the revision
    before, most of which stand: those need no look."""
    found = _lately.find(revision, parts)
    if found is None:
        held = before or (b"",) * len(parts)
        pairs = zip(held, parts, strict=True)
        found = tuple([old if old == part else interned(part) for old, part in pairs])
        _lately.keep(revision, found)
    return found


@lru_cache(MAX_LABELS)
def _labels(*names_and_values: str) -> dict[str, str]:
    half = len(names_and_values) // 2
    return dict(zip(names_and_values[:half], names_and_values[half:], strict=True))


def interned_labels(labels: dict[str, str]) -> dict[str, str]:
    """The same labels as one dict for all that carry them: never written to."""
    return _labels(*labels, *labels.values())
