"""Who wants to hear of changes of one kind, and the keys that each has still to be told."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from typing import Any

from actors import Ref
from orchestrator.client.cache import Change, MutableCache
from orchestrator.client.messages import Enqueue
from orchestrator.client.view import Owner, View
from orchestrator.client.workqueue import MAX_CAUSES

Keys = Callable[[View | None, View | None], Iterable[str]]
"""Pure: which keys want work when an object changes from the one to the other (None: not there)."""


def no_keys(old: View | None, new: View | None) -> Iterable[str]:
    """Of a subscriber that only reads: it is told when the cache is complete."""
    return ()


class KeysUnless:
    """``keys`` of a subscriber whom nothing concerns while ``idle()``: it is asked once for all changes of a frame."""

    __slots__ = ("idle", "keys")

    def __init__(self, idle: Callable[[], bool], keys: Keys) -> None:
        self.idle = idle
        self.keys = keys

    def __call__(self, old: View | None, new: View | None) -> Iterable[str]:
        return () if self.idle() else self.keys(old, new)


class OwnerKeys:
    """Keys of the owner of ``kind``; ``others`` says them where the owner changes or there is none.

    A change of an object that has one owner, before and after, is told to that owner's kind alone: a pod of a
    ReplicaSet costs the controllers of all other workloads nothing.
    """

    __slots__ = ("key", "kind", "others")

    def __init__(self, kind: str, key: Callable[[View], str], others: Keys) -> None:
        self.kind = kind
        """The kind of the owner; "" is any."""
        self.key = key
        self.others = others

    def __call__(self, old: View | None, new: View | None) -> Iterable[str]:
        view = new or old
        if view is not None and owner_of(old, new) is not None:
            key = self.key(view)
            return (key,) if key else ()
        return self.others(old, new)


def owner_of(old: View | None, new: View | None) -> Owner | None:
    """The one owner of an object that is new, gone, or keeps the owner that it had; None: there may be two, or none."""
    if old is None or new is None:
        view = new or old
        return None if view is None else view.owner
    return new.owner if new.owner is old.owner or new.owner == old.owner else None


class Subscriber:
    """One ref and its function. What was not taken stays pending: bounded by the keys there are."""

    __slots__ = ("_idle", "_keys", "_pending", "_told", "keys", "ref")

    def __init__(self, ref: Ref[Any], keys: Keys) -> None:
        self.ref = ref
        self.keys = keys
        self._idle: Callable[[], bool] | None = keys.idle if isinstance(keys, KeysUnless) else None
        self._keys = keys.keys if isinstance(keys, KeysUnless) else keys
        self._pending: dict[str, list[int]] = {}
        self._told = False

    def note(self, changes: Iterable[Change]) -> None:
        keys, pending = self._keys, self._pending
        if keys is no_keys or (self._idle is not None and self._idle()):
            return
        for change in changes:
            for key in keys(change.old, change.new):
                causes = pending.get(key)
                if causes is None:
                    pending[key] = [change.revision]
                elif len(causes) < MAX_CAUSES:
                    causes.append(change.revision)

    def flush(self, cache: MutableCache) -> bool:
        """Tell all that is pending in one frame. False when the subscriber's mailbox did not take it."""
        if not self._pending and (self._told or not cache.synced):
            return True
        message = Enqueue(
            kind=cache.kind.label,
            keys=list(self._pending),
            causes=list(self._pending.values()),
            revision=cache.revision,
        )
        if not self.ref.tell_nowait(message):
            return False
        self._pending = {}
        self._told = cache.synced
        return True


class Subscriptions:
    """The subscribers of one kind by the path of their ref and a tag; a second subscription replaces the first."""

    def __init__(self, cache: MutableCache) -> None:
        self._cache = cache
        self._subscribers: dict[tuple[str, str], Subscriber] = {}
        self._plain: list[Subscriber] = []
        self._owners: list[Subscriber] = []
        """Those with ``OwnerKeys``."""
        self._by_owner: dict[str, list[Subscriber]] = {}

    def add(self, ref: Ref[Any], keys: Keys, tag: str = "") -> None:
        """From now on, and all that the cache holds already."""
        subscriber = Subscriber(ref, keys)
        self._subscribers[(ref.path, tag)] = subscriber
        self._sort()
        subscriber.note(Change(None, view, view.revision) for view in self._cache.list())

    def remove(self, path: str) -> None:
        for held in [held for held in self._subscribers if held[0] == path]:
            del self._subscribers[held]
        self._sort()

    def _sort(self) -> None:
        held = self._subscribers.values()
        self._plain = [each for each in held if each.keys is not no_keys and not isinstance(each.keys, OwnerKeys)]
        self._owners = [each for each in held if isinstance(each.keys, OwnerKeys)]
        self._by_owner.clear()

    def knows(self, path: str) -> bool:
        return any(held[0] == path for held in self._subscribers)

    def note(self, changes: Sequence[Change]) -> None:
        for subscriber in self._plain:
            subscriber.note(changes)
        if self._owners:
            for kind, together in groupby(changes, _owner_kind):
                alike = list(together)
                for subscriber in self._owners if kind is None else self._concerned(kind):
                    subscriber.note(alike)

    def _concerned(self, kind: str) -> list[Subscriber]:
        """Those whose objects own by this kind."""
        found = self._by_owner.get(kind)
        if found is None:
            found = [each for each in self._owners if isinstance(each.keys, OwnerKeys) and each.keys.kind in (kind, "")]
            self._by_owner[kind] = found
        return found

    def flush(self) -> bool:
        """Tell everybody; False when somebody must be told again later."""
        taken = [subscriber.flush(self._cache) for subscriber in self._subscribers.values()]
        return all(taken)

    def __len__(self) -> int:
        return len(self._subscribers)


def _owner_kind(change: Change) -> str | None:
    owner = owner_of(change.old, change.new)
    return None if owner is None else owner.kind
