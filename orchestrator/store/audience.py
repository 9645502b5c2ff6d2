"""Who watches what, indexed by what they filter on: a record finds its watchers without asking the others.

Watchers that filter alike form one ``Audience``. Audiences are found by key, or by prefix and one of their field
values, so that with 5,000 kubelets each watching its own node a pod's event costs one lookup.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, NamedTuple, TypeVar

from orchestrator.store.directory import directory_of
from orchestrator.store.history import Record

MAX_ROUTES = 65_536
"""Directories whose buckets are remembered; beyond that the memory starts anew."""

W = TypeVar("W")


class Filter(NamedTuple):
    """What a watcher wants to see. ``key`` excludes ``prefix``; ``fields`` is sorted."""

    prefix: str
    key: str
    fields: tuple[tuple[str, str], ...]
    previous: bool


class Audience(Generic[W]):
    """The watchers that filter alike."""

    __slots__ = ("filter", "members", "wanted")

    def __init__(self, filter: Filter) -> None:
        self.filter = filter
        self.wanted = dict(filter.fields)
        self.members: dict[int, W] = {}


class _Bucket(Generic[W]):
    """The audiences of one prefix: those without fields, and the others by the first of their fields."""

    __slots__ = ("by_field", "plain")

    def __init__(self) -> None:
        self.plain: list[Audience[W]] = []
        self.by_field: dict[str, dict[str, list[Audience[W]]]] = {}

    def add(self, audience: Audience[W]) -> None:
        self._list(audience).append(audience)

    def remove(self, audience: Audience[W]) -> None:
        audiences = self._list(audience)
        audiences.remove(audience)
        if not audiences and audience.filter.fields:
            name, value = audience.filter.fields[0]
            del self.by_field[name][value]
            if not self.by_field[name]:
                del self.by_field[name]

    def empty(self) -> bool:
        return not self.plain and not self.by_field

    def find(self, record: Record) -> Iterator[Audience[W]]:
        """The audiences that a record may concern: as it is now or as it was."""
        yield from self.plain
        for name, by_value in self.by_field.items():
            now = record.value.fields.get(name)
            before = record.previous.fields.get(name) if record.previous is not None else None
            if now is not None:
                yield from by_value.get(now, ())
            if before is not None and before != now:
                yield from by_value.get(before, ())

    def _list(self, audience: Audience[W]) -> list[Audience[W]]:
        if not audience.filter.fields:
            return self.plain
        name, value = audience.filter.fields[0]
        return self.by_field.setdefault(name, {}).setdefault(value, [])


class Audiences(Generic[W]):
    """All audiences."""

    def __init__(self) -> None:
        self._audiences: dict[Filter, Audience[W]] = {}
        self._by_key: dict[str, list[Audience[W]]] = {}
        self._buckets: dict[str, _Bucket[W]] = {}
        self._routes: dict[str, list[_Bucket[W]]] = {}
        # For a directory the buckets of the prefixes that end at one of its slashes.
        self._ragged: list[str] = []
        # The prefixes that end inside a name: each is compared with each key.

    def join(self, filter: Filter, number: int, watcher: W) -> Audience[W]:
        audience = self._audiences.get(filter)
        if audience is None:
            audience = self._audiences[filter] = Audience(filter)
            self._index(audience)
        audience.members[number] = watcher
        return audience

    def leave(self, audience: Audience[W], number: int) -> None:
        del audience.members[number]
        if not audience.members:
            del self._audiences[audience.filter]
            self._unindex(audience)

    def find(self, record: Record) -> Iterator[Audience[W]]:
        """The audiences that a record may concern, each once."""
        key = record.value.key
        yield from self._by_key.get(key, ())
        for bucket in self._route(key):
            yield from bucket.find(record)
        for prefix in self._ragged:
            if key.startswith(prefix):
                yield from self._buckets[prefix].find(record)

    def _route(self, key: str) -> list[_Bucket[W]]:
        directory = directory_of(key)
        route = self._routes.get(directory)
        if route is None:
            if len(self._routes) >= MAX_ROUTES:
                self._routes.clear()
            ends = [0] + [i + 1 for i, letter in enumerate(directory) if letter == "/"]
            found = (self._buckets.get(directory[:end]) for end in ends)
            route = self._routes[directory] = [bucket for bucket in found if bucket is not None]
        return route

    def _index(self, audience: Audience[W]) -> None:
        if audience.filter.key:
            self._by_key.setdefault(audience.filter.key, []).append(audience)
            return
        prefix = audience.filter.prefix
        bucket = self._buckets.get(prefix)
        if bucket is None:
            bucket = self._buckets[prefix] = _Bucket()
            self._routes.clear()
            if _is_ragged(prefix):
                self._ragged.append(prefix)
        bucket.add(audience)

    def _unindex(self, audience: Audience[W]) -> None:
        key, prefix = audience.filter.key, audience.filter.prefix
        if key:
            self._by_key[key].remove(audience)
            if not self._by_key[key]:
                del self._by_key[key]
            return
        bucket = self._buckets[prefix]
        bucket.remove(audience)
        if bucket.empty():
            del self._buckets[prefix]
            self._routes.clear()
            if _is_ragged(prefix):
                self._ragged.remove(prefix)


def _is_ragged(prefix: str) -> bool:
    return bool(prefix) and not prefix.endswith("/")
