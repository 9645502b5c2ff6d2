"""Decoded copies of the few kinds that decide about other requests, kept current by watches of the store.

Authorization and admission read them without asking anybody. The server also puts its own writes here as soon as
they are durable, so a namespace can be used by the request right after the one that made it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from orchestrator.apimachinery.encoded import Object, join
from orchestrator.apiserver.keys import resource_prefix
from orchestrator.store.protocol import Event, Parts

MIRRORED: tuple[tuple[str, str], ...] = (
    ("", "namespaces"),
    ("", "serviceaccounts"),
    ("", "limitranges"),
    ("", "resourcequotas"),
    ("", "services"),
    ("apiextensions.k8s.io", "customresourcedefinitions"),
    ("scheduling.k8s.io", "priorityclasses"),
    ("storage.k8s.io", "storageclasses"),
    ("rbac.authorization.k8s.io", "roles"),
    ("rbac.authorization.k8s.io", "clusterroles"),
    ("rbac.authorization.k8s.io", "rolebindings"),
    ("rbac.authorization.k8s.io", "clusterrolebindings"),
)

_MIRRORED = frozenset(MIRRORED)

Listener = Callable[[str, Object | None, Object | None], None]
"""Called with the key, the object before and the object after a change."""


class Mirror:
    """Objects by prefix and key. ``generation`` grows with every change, for what is derived from it."""

    def __init__(self) -> None:
        self.generation = 0
        self._kinds: dict[str, dict[str, tuple[int, Object]]] = {
            resource_prefix(group, plural): {} for group, plural in MIRRORED
        }
        self._deleted: dict[str, int] = {}
        self._listeners: dict[str, list[Listener]] = {prefix: [] for prefix in self._kinds}

    @property
    def prefixes(self) -> Sequence[str]:
        return tuple(self._kinds)

    def listen(self, group: str, plural: str, listener: Listener) -> None:
        self._listeners[resource_prefix(group, plural)].append(listener)

    def get(self, key: str) -> Object | None:
        kind = self._kinds.get(prefix_of(key))
        known = kind.get(key) if kind is not None else None
        return known[1] if known else None

    def mirrors(self, group: str, plural: str) -> bool:
        return (group, plural) in _MIRRORED

    def items(self, group: str, plural: str, namespace: str = "") -> Iterator[Object]:
        """The objects of a kind, of one namespace or all, in the order of their keys' first sight."""
        prefix = resource_prefix(group, plural)
        below = f"{prefix}{namespace}/" if namespace else prefix
        return (obj for key, (_, obj) in self._kinds[prefix].items() if key.startswith(below))

    def put(self, key: str, parts: Parts, revision: int) -> None:
        """The key as it stands at ``revision``; an older revision than the known one changes nothing."""
        kind = self._kinds.get(prefix_of(key))
        if kind is None or self._stands(kind, key) >= revision:
            return
        metadata, status, rest = parts
        before = kind.get(key)
        obj = join(metadata, status, rest, revision)
        kind[key] = (revision, obj)
        self._deleted.pop(key, None)
        self._tell(key, before[1] if before else None, obj)

    def drop(self, key: str, revision: int) -> None:
        """The key is gone since ``revision``."""
        kind = self._kinds.get(prefix_of(key))
        if kind is None or self._stands(kind, key) >= revision:
            return
        before = kind.pop(key, None)
        self._deleted[key] = revision
        if before:
            self._tell(key, before[1], None)

    def apply(self, revision: int, events: Sequence[Event]) -> None:
        """A frame of a watch: everything up to ``revision`` has been told for the keys of that watch."""
        for event in events:
            value = event.value
            if event.deleted:
                self.drop(value.key, value.mod_revision)
            else:
                self.put(value.key, value.parts, value.mod_revision)
        for event in events:
            if event.deleted:
                self._deleted.pop(event.value.key, None)

    def keep_only(self, prefix: str, keys: set[str], revision: int) -> None:
        """After a fresh list at ``revision``: what is not in it was deleted unseen."""
        for key in [key for key, (seen, _) in self._kinds[prefix].items() if key not in keys and seen <= revision]:
            self.drop(key, revision)

    def _stands(self, kind: dict[str, tuple[int, Object]], key: str) -> int:
        known = kind.get(key)
        return known[0] if known else self._deleted.get(key, 0)

    def _tell(self, key: str, before: Object | None, after: Object | None) -> None:
        self.generation += 1
        for listener in self._listeners[prefix_of(key)]:
            listener(key, before, after)


def prefix_of(key: str) -> str:
    """``core/pods/`` of ``core/pods/default/web-1``."""
    return key[: key.index("/", key.index("/") + 1) + 1]
