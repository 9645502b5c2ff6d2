"""Equal parts kept once in a process: what the store holds is what every cache, kubelet and server memory holds.

A frame that is decoded brings bytes of its own. Whoever keeps a part for long keeps the one that came lately before it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache

MIN_BYTES = 64
"""A shorter part costs more to look up than it weighs."""
MAX_LABELS = 16_384
"""Sets of labels remembered: those of all templates in use."""
MAX_PARTS = 16_384
"""Parts remembered until the process rests: those of the nodes or pods that are on their way at once, some 1 KB each.
With half as many the informers of 5,000 nodes that start came too late for four statuses of ten."""


@lru_cache(MAX_PARTS)
def _known(part: bytes) -> bytes:
    return part


def interned(part: bytes) -> bytes:
    """The very object that came lately, where an equal one did."""
    return part if len(part) < MIN_BYTES else _known(part)


def interned_all(parts: Iterable[bytes]) -> tuple[bytes, ...]:
    return tuple([part if len(part) < MIN_BYTES else _known(part) for part in parts])


def forget() -> None:
    """A cluster of the process has ended: let go of its parts. Those of others are found equal again as they come."""
    _known.cache_clear()


@lru_cache(MAX_LABELS)
def _labels(*names_and_values: str) -> dict[str, str]:
    half = len(names_and_values) // 2
    return dict(zip(names_and_values[:half], names_and_values[half:], strict=True))


def interned_labels(labels: dict[str, str]) -> dict[str, str]:
    """The same labels as one dict for all that carry them: never written to."""
    return _labels(*labels, *labels.values())


def interned_after(before: Sequence[bytes], parts: Sequence[bytes]) -> tuple[bytes, ...]:
    """As ``interned_all``; ``before`` are the parts of the revision before, most of which stand: those need no look."""
    return tuple(
        [
            old if old == part else part if len(part) < MIN_BYTES else _known(part)
            for old, part in zip(before, parts, strict=True)
        ]
    )
