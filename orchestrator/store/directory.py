"""The keys in order, kept by directory: a create costs a dict entry, the order is made when somebody reads it.

A directory is a key's path up to its last slash. Listing a namespace of pods touches one directory, listing all pods
the run of directories with that prefix.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator
from heapq import merge
from itertools import pairwise

SETTLE_ONE_BY_ONE = 32
"""Up to this many waiting changes are inserted into the sorted list singly; more are sorted in at once."""

_LAST = "\U0010ffff"


def directory_of(key: str) -> str:
    """``core/pods/default/web-1`` -> ``core/pods/default/`` ("" for a key without a slash)."""
    return key[: key.rfind("/") + 1]


class SortedKeys:
    """A set of keys that is sorted on demand."""

    __slots__ = ("_sorted", "_waiting")

    def __init__(self) -> None:
        self._sorted: list[str] = []
        self._waiting: dict[str, bool] = {}
        # Invariant: True only for keys that are not in _sorted, False only for keys that are.

    def add(self, key: str) -> None:
        """``key`` must not be in the set."""
        if self._waiting.pop(key, True):
            self._waiting[key] = True

    def drop(self, key: str) -> None:
        """``key`` must be in the set."""
        if not self._waiting.pop(key, False):
            self._waiting[key] = False

    def __len__(self) -> int:
        waiting = self._waiting
        if not waiting:
            return len(self._sorted)
        added = sum(waiting.values())
        return len(self._sorted) + added - (len(waiting) - added)

    def ordered(self) -> list[str]:
        """All keys in order. The list is the set's own: the caller reads it before the next change."""
        if self._waiting:
            self._settle()
        return self._sorted

    def _settle(self) -> None:
        waiting, self._waiting = self._waiting, {}
        if len(waiting) > SETTLE_ONE_BY_ONE:
            kept = [key for key in self._sorted if key not in waiting]
            kept.extend(key for key, added in waiting.items() if added)
            kept.sort()
            self._sorted = kept
            return
        for key, added in waiting.items():
            if added:
                insort(self._sorted, key)
            else:
                del self._sorted[bisect_left(self._sorted, key)]


class KeyTree:
    """The set of keys, by directory."""

    def __init__(self) -> None:
        self._directories: dict[str, SortedKeys] = {}
        self._names = SortedKeys()

    def add(self, key: str) -> None:
        name = directory_of(key)
        directory = self._directories.get(name)
        if directory is None:
            directory = self._directories[name] = SortedKeys()
            self._names.add(name)
        directory.add(key)

    def drop(self, key: str) -> None:
        name = directory_of(key)
        directory = self._directories[name]
        directory.drop(key)
        if not len(directory):
            del self._directories[name]
            self._names.drop(name)

    def keys(self, prefix: str, after: str = "") -> list[str]:
        """The keys that start with ``prefix`` and sort after ``after``, in order, as a new list."""
        runs = list(self._runs(prefix, after))
        if len(runs) == 1:
            return runs[0]
        if self._nested(prefix):
            return list(merge(*runs))
        return [key for run in runs for key in run]

    def count(self, prefix: str, after: str = "") -> int:
        if not after and prefix.endswith("/"):
            return sum(len(self._directories[name]) for name in self._below(prefix))
        return sum(len(run) for run in self._runs(prefix, after))

    def _runs(self, prefix: str, after: str) -> Iterator[list[str]]:
        parent = directory_of(prefix)
        if parent != prefix and parent in self._directories:
            yield _slice(self._directories[parent].ordered(), prefix, after)
        for name in self._below(prefix):
            if after and after > name + _LAST:
                continue
            keys = self._directories[name].ordered()
            yield keys[bisect_right(keys, after) :] if after >= name else keys[:]

    def _below(self, prefix: str) -> list[str]:
        """The directories whose whole content has the prefix."""
        names = self._names.ordered()
        return names[bisect_left(names, prefix) : bisect_left(names, prefix + _LAST)]

    def _nested(self, prefix: str) -> bool:
        """Whether the order of directories is not the order of keys: a directory inside another."""
        names = self._below(prefix)
        parent = directory_of(prefix)
        if parent != prefix and parent in self._directories and names:
            return True
        return any(inner.startswith(outer) for outer, inner in pairwise(names))


def _slice(keys: list[str], prefix: str, after: str) -> list[str]:
    low = bisect_right(keys, after) if after >= prefix else bisect_left(keys, prefix)
    return keys[low : bisect_left(keys, prefix + _LAST)]
