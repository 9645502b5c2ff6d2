"""The keys in order, kept by directory: a create costs a dict entry, the order is made when somebody reads it.

A directory is a key's path up to its last slash. Listing a namespace of pods touches one directory, listing all pods
the run of directories with that prefix. A page of a range costs its own keys, and counting what follows it one step for
each directory.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator
from heapq import merge
from itertools import islice, pairwise
from typing import NamedTuple

SETTLE_ONE_BY_ONE = 128
"""Up to this many waiting changes are inserted into the sorted list singly; more are sorted in at once."""
SLICE_KEYS = 1_024
"""Keys that are copied at once from a directory: who reads a page does not pay for the directory."""

_LAST = "\U0010ffff"


def directory_of(key: str) -> str:
    """``core/pods/default/web-1`` -> ``core/pods/default/`` ("" for a key without a slash)."""
    return key[: key.rfind("/") + 1]


class SortedKeys:
    """A set of keys that is sorted on demand."""

    __slots__ = ("_size", "_sorted", "_waiting")

    def __init__(self) -> None:
        self._sorted: list[str] = []
        self._waiting: dict[str, bool] = {}
        # Invariant: True only for keys that are not in _sorted, False only for keys that are.
        self._size = 0

    def add(self, key: str) -> None:
        """``key`` must not be in the set."""
        self._size += 1
        if self._waiting.pop(key, True):
            self._waiting[key] = True

    def drop(self, key: str) -> None:
        """``key`` must be in the set."""
        self._size -= 1
        if not self._waiting.pop(key, False):
            self._waiting[key] = False

    def __len__(self) -> int:
        return self._size

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


class _Run(NamedTuple):
    """A part of a directory."""

    directory: SortedKeys
    low: int
    high: int


def _read(run: _Run) -> Iterator[str]:
    keys = run.directory.ordered()
    for start in range(run.low, run.high, SLICE_KEYS):
        yield from keys[start : min(start + SLICE_KEYS, run.high)]


class KeyTree:
    """The set of keys, by directory."""

    def __init__(self) -> None:
        self._directories: dict[str, SortedKeys] = {}
        self._names = SortedKeys()
        self._outer: list[str] | None = None
        # The directories that have another inside, in order; None: not known since the directories changed.

    def add(self, key: str) -> None:
        name = directory_of(key)
        directory = self._directories.get(name)
        if directory is None:
            directory = self._directories[name] = SortedKeys()
            self._names.add(name)
            self._outer = None
        directory.add(key)

    def drop(self, key: str) -> None:
        name = directory_of(key)
        directory = self._directories[name]
        directory.drop(key)
        if not len(directory):
            del self._directories[name]
            self._names.drop(name)
            self._outer = None

    def keys(self, prefix: str, after: str = "", before: str = "", limit: int = 0) -> list[str]:
        """The first ``limit`` (0: all) keys of ``between``, as a new list."""
        return list(islice(self.between(prefix, after, before), limit or None))

    def between(self, prefix: str, after: str = "", before: str = "") -> Iterator[str]:
        """The keys that start with ``prefix``, sort after ``after`` and, if it is given, before ``before``, in order.

        Read it before the next change.
        """
        runs = self._runs(prefix, after, before)
        if self._nested(prefix):
            yield from merge(*map(_read, runs))
        else:
            for run in runs:
                yield from _read(run)

    def count(self, prefix: str, after: str = "", before: str = "") -> int:
        """How many ``between`` has."""
        return sum(high - low for _, low, high in self._runs(prefix, after, before))

    def _runs(self, prefix: str, after: str, before: str) -> Iterator[_Run]:
        """Where the keys are, by directory. Those that are in question as a whole are not put in order."""
        parent = directory_of(prefix)
        if parent != prefix and parent in self._directories:
            keys = self._directories[parent].ordered()
            low = bisect_right(keys, after) if after >= prefix else bisect_left(keys, prefix)
            last = prefix + _LAST
            high = bisect_left(keys, min(before, last) if before else last)
            if low < high:
                yield _Run(self._directories[parent], low, high)
        for name in self._below(prefix, after):
            last = name + _LAST
            if after > last:
                continue
            if before and before <= name:
                return
            directory = self._directories[name]
            low, high = 0, len(directory)
            if after >= name:
                low = bisect_right(directory.ordered(), after)
            if before and before <= last:
                high = bisect_left(directory.ordered(), before)
            if low < high:
                yield _Run(directory, low, high)

    def _below(self, prefix: str, after: str) -> Iterator[str]:
        """The directories whose whole content has the prefix, but for such as have only keys before ``after``."""
        names = self._names.ordered()
        low, high = bisect_left(names, prefix), bisect_left(names, prefix + _LAST)
        if after > prefix and not self._nested(prefix):
            # Of the names up to ``after`` only the last can be a directory that ``after`` is in.
            low = max(low, bisect_right(names, after) - 1)
        return (names[at] for at in range(low, high))

    def _nested(self, prefix: str) -> bool:
        """Whether the order of directories is not the order of keys: a directory inside another."""
        names = self._names.ordered()
        if self._outer is None:
            self._outer = [outer for outer, inner in pairwise(names) if inner.startswith(outer)]
        end = prefix + _LAST
        parent = directory_of(prefix)
        if parent != prefix and parent in self._directories:
            return bisect_left(names, prefix) < bisect_left(names, end)
        return bisect_left(self._outer, prefix) < bisect_left(self._outer, end)
