"""The objects of one kind as this process last saw them, with indexes; readers see it between two batches of events."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol

import msgspec

from orchestrator.apimachinery.encoded import Encoded
from orchestrator.client.kinds import Kind
from orchestrator.client.view import Parts, View

Index = Callable[[View], Iterable[str]]
"""Pure: the values under which a view is found."""

OWNER = "owner"
"""The index of every cache by the uid of the controller."""

_EMPTY: dict[str, View] = {}


class Selector(Protocol):
    def matches(self, labels: Any) -> bool: ...


class Change(msgspec.Struct, frozen=True, gc=False):
    """One object before and after: ``old`` None is new, ``new`` None is gone. ``revision`` is the change's own."""

    old: View | None
    new: View | None
    revision: int


class CacheStatistics(msgspec.Struct, frozen=True):
    objects: int
    revision: int
    shared_parts: int
    events: int
    relists: int


def by_owner(view: View) -> Iterable[str]:
    owner = view.owner
    return (owner.uid,) if owner is not None else ()


class Cache:
    """Read only. Lists come in the order in which the objects were first seen."""

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        self.revision = 0
        """Everything up to this revision has been seen."""
        self.synced = False
        """The first list is complete; before it an absence means nothing."""
        self._views: dict[str, View] = {}
        self._namespaces: dict[str, dict[str, View]] = {}
        self._functions: dict[str, Index] = {}
        self._indexes: dict[str, dict[str, dict[str, View]]] = {}
        self._parts = Parts()
        self._events = 0
        self._relists = 0

    def get(self, namespace: str, name: str) -> View | None:
        return self._views.get(f"{namespace}/{name}" if namespace else name)

    def get_key(self, key: str) -> View | None:
        """By ``namespace/name``, or ``name`` for a cluster-scoped kind."""
        return self._views.get(key)

    def list(self, namespace: str | None = None) -> Sequence[View]:
        found = self._views if namespace is None else self._namespaces.get(namespace, _EMPTY)
        return list(found.values())

    def keys(self) -> Iterator[str]:
        return iter(self._views)

    def by_index(self, index: str, value: str) -> Sequence[View]:
        """The views that the index function gave ``value`` for."""
        return list(self._indexes[index].get(value, _EMPTY).values())

    def values(self, index: str) -> Sequence[str]:
        """Every value that something is found under."""
        return list(self._indexes[index])

    def count(self, index: str, value: str) -> int:
        return len(self._indexes[index].get(value, _EMPTY))

    def by_owner(self, uid: str) -> Sequence[View]:
        """The views whose controller has this uid."""
        return self.by_index(OWNER, uid)

    def select(self, selector: Selector, namespace: str | None = None) -> Sequence[View]:
        """By labels: every view of the namespace is looked at."""
        return [view for view in self.list(namespace) if selector.matches(view.labels)]

    def has_index(self, index: str) -> bool:
        return index in self._functions

    def __len__(self) -> int:
        return len(self._views)

    def __contains__(self, key: str) -> bool:
        return key in self._views

    def statistics(self) -> CacheStatistics:
        return CacheStatistics(len(self._views), self.revision, len(self._parts), self._events, self._relists)


class MutableCache(Cache):
    """The informer's side of a cache."""

    def __init__(self, kind: Kind, indexes: Mapping[str, Index] | None = None) -> None:
        super().__init__(kind)
        self.add_index(OWNER, by_owner)
        for name, function in (indexes or {}).items():
            self.add_index(name, function)

    def add_index(self, name: str, function: Index) -> None:
        """Adding one that is there already changes nothing. Raises ValueError when the name means something else."""
        known = self._functions.get(name)
        if known is not None:
            if _origin(known) != _origin(function):
                raise ValueError(f"index {name!r} of {self.kind.label} is {_origin(known)}, not {_origin(function)}")
            return
        self._functions[name] = function
        self._indexes[name] = {}
        for key, view in self._views.items():
            self._enter(name, function, key, view)

    def put(self, encoded: Encoded) -> Change | None:
        """The object as it stands now; None when the cache is already there or further."""
        return self._put(View(encoded, self._parts))

    def _put(self, view: View) -> Change | None:
        encoded, key = view.encoded, view.key
        old = self._views.get(key)
        if old is not None and old.revision >= encoded.revision:
            return None
        self._events += 1
        self._replace(key, old, view)
        return Change(old, view, encoded.revision)

    def remove(self, key: str, revision: int) -> Change | None:
        """The object is gone since ``revision``; None when it is not there, or a newer one of its name is."""
        old = self._views.get(key)
        if old is None or old.revision > revision:
            return None
        self._events += 1
        del self._views[key]
        self._leave(key, old)
        return Change(old, None, revision)

    def replace(self, items: Iterable[Encoded], revision: int) -> Sequence[Change]:
        """All objects as they stood at ``revision``; what is not among them is gone."""
        if revision < self.revision:
            return self._other_history(items, revision)
        changes: list[Change] = []
        present: set[str] = set()
        for item in items:
            view = View(item, self._parts)
            present.add(view.key)
            change = self._put(view)
            if change is not None:
                changes.append(change)
        for key in [key for key in self._views if key not in present]:
            gone = self.remove(key, revision)
            if gone is not None:
                changes.append(gone)
        self.revision = revision
        self.synced = True
        self._relists += 1
        return changes

    def _other_history(self, items: Iterable[Encoded], revision: int) -> Sequence[Change]:
        """The server's revisions went backwards (a restored store): nothing that was seen can be compared."""
        gone = [Change(view, None, revision) for view in self._views.values()]
        self._views.clear()
        self._namespaces.clear()
        for index in self._indexes.values():
            index.clear()
        self.revision = 0
        return [*gone, *self.replace(items, revision)]

    def _replace(self, key: str, old: View | None, view: View) -> None:
        self._views[key] = view
        if view.meta.namespace:
            self._namespaces.setdefault(view.meta.namespace, {})[key] = view
        places = tuple([tuple(function(view)) for function in self._functions.values()])
        before = old.places if old is not None else ()
        # Equal tuples are shared: a view that moves nowhere adds nothing to what is kept.
        view.places = before if before == places else places
        for position, index in enumerate(self._indexes.values()):
            for value in places[position]:
                index.setdefault(value, {})[key] = view
            if before and before[position] != places[position]:
                for value in before[position]:
                    if value not in places[position]:
                        _discard(index, value, key)

    def _enter(self, name: str, function: Index, key: str, view: View) -> None:
        """A new index: the last one."""
        values = tuple(function(view))
        view.places = (*view.places, values)
        for value in values:
            self._indexes[name].setdefault(value, {})[key] = view

    def _leave(self, key: str, old: View) -> None:
        if old.meta.namespace:
            _discard(self._namespaces, old.meta.namespace, key)
        for index, values in zip(self._indexes.values(), old.places, strict=True):
            for value in values:
                _discard(index, value, key)


def _discard(index: dict[str, dict[str, View]], value: str, key: str) -> None:
    found = index.get(value)
    if found is not None:
        found.pop(key, None)
        if not found:
            del index[value]


def _origin(function: Index) -> str:
    """Where an index function was written: a restarted component brings an equal one."""
    return f"{getattr(function, '__module__', '')}.{getattr(function, '__qualname__', repr(function))}"
