"""Consistent hashing: which of many names answers for a key. Pure.

A name that comes or goes moves only the keys that it takes or had: about one in as many as there are names.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from functools import lru_cache
from hashlib import blake2b

POINTS = 64
"""Places of one name on the ring: the busiest of ten names has about a quarter more keys than its share."""
REMEMBERED_NAMES = 4096
"""Names whose places are kept; past that they are computed again."""

Key = str | bytes | int


class Ring:
    """Immutable: made from the names there are."""

    __slots__ = ("_names", "_points")

    def __init__(self, names: Iterable[str]) -> None:
        places = sorted((point, name) for name in names for point in _places(name))
        self._points = [point for point, _ in places]
        self._names = [name for _, name in places]

    def find(self, key: Key) -> str:
        """The name that answers for ``key``. Raises ``LookupError`` when there is no name."""
        if not self._names:
            raise LookupError("expected at least one name on the ring, found none")
        index = bisect_left(self._points, _hash(_as_bytes(key)))
        return self._names[index % len(self._names)]


def _as_bytes(key: Key) -> bytes:
    if isinstance(key, bytes):
        return key
    return key.encode() if isinstance(key, str) else b"%d" % key


def _hash(data: bytes) -> int:
    return int.from_bytes(blake2b(data, digest_size=8).digest(), "big")


@lru_cache(REMEMBERED_NAMES)
def _places(name: str) -> tuple[int, ...]:
    return tuple(_hash(b"%d/%s" % (number, name.encode())) for number in range(POINTS))
