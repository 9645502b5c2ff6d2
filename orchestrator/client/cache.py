"""The objects of one kind as this process last saw them, with indexes; readers see it between two batches of events."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Protocol, TypeVar

import msgspec

from orchestrator.apimachinery.encoded import Encoded
from orchestrator.client.kinds import Kind
from orchestrator.client.view import Parts, View

Index = Callable[[View], Iterable[str]]
"""Pure: the values under which a view is found."""
F = TypeVar("F", bound=Index)

OWNER = "owner"
"""The index of every cache by the uid of the controller."""

MAX_PLACES = 16_384
"""Places remembered that many objects are found under: nodes, owners, labels."""

_EMPTY: dict[str, None] = {}
_OF_METADATA: set[str] = set()
_OF_SPEC: set[str] = set()
_NOTHING: frozenset[int] = frozenset()


@lru_cache(MAX_PLACES)
def _same(values: tuple[str, ...]) -> tuple[str, ...]:
    """The tuple that came lately, where an equal one did: all pods of a node have one."""
    return values


def _origin(function: Index) -> str:
    """Where an index function was written: a restarted component brings an equal one."""
    return f"{getattr(function, '__module__', '')}.{getattr(function, '__qualname__', repr(function))}"


def index_of_metadata(function: F) -> F:
    """Says of an index function that it looks at names, labels, owners and the like alone (``View.meta``)."""
    _OF_METADATA.add(_origin(function))
    return function


def index_of_spec(function: F) -> F:
    """Says of an index function that it looks at metadata and spec, not at the status."""
    _OF_SPEC.add(_origin(function))
    return function


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


@index_of_metadata
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
        self._namespaces: dict[str, dict[str, None]] = {}
        self._functions: dict[str, Index] = {}
        self._indexes: dict[str, dict[str, dict[str, None]]] = {}
        self._parts = Parts()
        self._events = 0
        self._relists = 0

    def get(self, namespace: str, name: str) -> View | None:
        return self._views.get(f"{namespace}/{name}" if namespace else name)

    def get_key(self, key: str) -> View | None:
        """By ``namespace/name``, or ``name`` for a cluster-scoped kind."""
        return self._views.get(key)

    def list(self, namespace: str | None = None) -> Sequence[View]:
        if namespace is None:
            return list(self._views.values())
        return self._found(self._namespaces.get(namespace, _EMPTY))

    def _found(self, keys: Iterable[str]) -> Sequence[View]:
        views = self._views
        return [views[key] for key in keys]

    def keys(self) -> Iterator[str]:
        return iter(self._views)

    def by_index(self, index: str, value: str) -> Sequence[View]:
        """The views that the index function gave ``value`` for."""
        return self._found(self._indexes[index].get(value, _EMPTY))

    def values(self, index: str) -> Sequence[str]:
        """Every value that something is found under."""
        return list(self._indexes[index])

    def count(self, index: str, value: str) -> int:
        return len(self._indexes[index].get(value, _EMPTY))

    def index(self, name: str) -> Mapping[str, Collection[str]]:
        """Values and the keys found under each, as they are now and as they change. Read only."""
        return self._indexes[name]

    def empty(self, index: str) -> bool:
        """Whether nothing is found under any value."""
        return not self._indexes[index]

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
        self._fixed_by_metadata = self._fixed_by_spec = _NOTHING
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
        self._fixed_by_metadata = self._positions(_OF_METADATA)
        self._fixed_by_spec = self._positions(_OF_METADATA | _OF_SPEC)
        for key, view in self._views.items():
            self._enter(name, function, key, view)

    def _positions(self, origins: set[str]) -> frozenset[int]:
        return frozenset(at for at, each in enumerate(self._functions.values()) if _origin(each) in origins)

    def put(self, encoded: Encoded, before: View | None = None) -> Change | None:
        """The object as it stands now; None when the cache is already there or further.

        ``before``, what the cache holds of it, spares a second look.
        """
        view = View(encoded, self._parts, before)
        return self._put(view, before or self._views.get(view.key))

    def _put(self, view: View, old: View | None) -> Change | None:
        revision = view.encoded.revision
        if old is not None and old.encoded.revision >= revision:
            return None
        self._events += 1
        self._replace(view.key, old, view)
        return Change(old, view, revision)

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
            change = self._put(view, self._views.get(view.key))
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

    def verify(self) -> list[str]:
        """Where an index says something else than one made anew from the objects would."""
        faults = []
        made = MutableCache(self.kind, {name: each for name, each in self._functions.items() if name != OWNER})
        made.replace([view.encoded for view in self._views.values()], self.revision)
        for name, index in self._indexes.items():
            fresh = made.index(name)
            faults += [
                f"{self.kind.label}: the index {name} finds {len(index.get(value, ()))} under {value}, "
                f"there are {len(fresh.get(value, ()))}"
                for value in {**index, **fresh}
                if set(index.get(value, ())) != set(fresh.get(value, ()))
            ]
        return faults

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
        if old is None:
            if view.meta.namespace:
                self._namespaces.setdefault(view.meta.namespace, {})[key] = None
            view.places = tuple([self._shared(name, function(view)) for name, function in self._functions.items()])
            for index, values in zip(self._indexes.values(), view.places, strict=True):
                for value in values:
                    index.setdefault(value, {})[key] = None
            return
        before = old.places
        fixed = self._fixed(old, view)
        places = tuple(
            [
                before[at] if at in fixed else self._shared(name, function(view))
                for at, (name, function) in enumerate(self._functions.items())
            ]
        )
        # Equal tuples are shared: a view that moves nowhere adds nothing to what is kept.
        view.places = before if before == places else places
        if view.places is not before:
            self._move(key, before, places)

    def _shared(self, index: str, found: Iterable[str]) -> tuple[str, ...]:
        """The values as one tuple for all that are found there; who is there alone has its own."""
        values = tuple(found)
        return _same(values) if values and values[0] in self._indexes[index] else values

    def _fixed(self, old: View, view: View) -> frozenset[int]:
        """The indexes that hold the new view where they held the old, by what did not change."""
        if old.meta is not view.meta and old.meta != view.meta:
            return _NOTHING
        return self._fixed_by_spec if old.encoded.rest == view.encoded.rest else self._fixed_by_metadata

    def _move(self, key: str, before: tuple[tuple[str, ...], ...], places: tuple[tuple[str, ...], ...]) -> None:
        for index, left, values in zip(self._indexes.values(), before, places, strict=True):
            if left != values:
                for value in values:
                    index.setdefault(value, {})[key] = None
                for value in left:
                    if value not in values:
                        _discard(index, value, key)

    def _enter(self, name: str, function: Index, key: str, view: View) -> None:
        """A new index: the last one."""
        values = tuple(function(view))
        view.places = (*view.places, values)
        for value in values:
            self._indexes[name].setdefault(value, {})[key] = None

    def _leave(self, key: str, old: View) -> None:
        if old.meta.namespace:
            _discard(self._namespaces, old.meta.namespace, key)
        for index, values in zip(self._indexes.values(), old.places, strict=True):
            for value in values:
                _discard(index, value, key)


def _discard(index: dict[str, dict[str, None]], value: str, key: str) -> None:
    found = index.get(value)
    if found is not None:
        found.pop(key, None)
        if not found:
            del index[value]
