"""What everybody in a process sees of one object: metadata decoded once, the other parts when somebody looks."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from functools import lru_cache
from sys import intern
from typing import Any, TypeVar

import msgspec

from orchestrator.apimachinery.encoded import Encoded, Object, decode_part
from orchestrator.apimachinery.interned import interned_labels

MAX_SHARED_PARTS = 256
"""Decoded parts a cache keeps (a decoded pod spec is about 8 KB); the least recently used goes first."""

T = TypeVar("T")


class Owner(msgspec.Struct, frozen=True, gc=False):
    apiVersion: str = ""
    kind: str = ""
    name: str = ""
    uid: str = ""
    controller: bool | None = None
    blockOwnerDeletion: bool | None = None


class Metadata(msgspec.Struct, gc=False):
    """The fields of ObjectMeta that controllers decide by; the others stay in the bytes."""

    name: str = ""
    namespace: str = ""
    uid: str = ""
    generation: int = 0
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None
    ownerReferences: tuple[Owner, ...] = ()
    finalizers: tuple[str, ...] = ()
    creationTimestamp: str | None = None
    deletionTimestamp: str | None = None
    deletionGracePeriodSeconds: int | None = None


decode_metadata = msgspec.msgpack.Decoder(Metadata).decode
_NONE: dict[str, str] = {}

MAX_OWNERS = 16_384
"""Owners remembered, so that all replicas of one have one reference in memory."""
MAX_ANNOTATIONS = 256
"""Sets of annotations remembered: those of all nodes are equal, those of others may hold whole manifests."""


@lru_cache(MAX_OWNERS)
def _owners(references: tuple[Owner, ...]) -> tuple[Owner, ...]:
    return references


@lru_cache(MAX_ANNOTATIONS)
def _annotations(items: tuple[tuple[str, str], ...]) -> dict[str, str]:
    return dict(items)


def _thrifty(meta: Metadata) -> Metadata:
    """The same with what many objects have in common kept once: three quarters of a decoded pod's metadata."""
    meta.name, meta.namespace, meta.uid = intern(meta.name), intern(meta.namespace), intern(meta.uid)
    if meta.creationTimestamp is not None:
        meta.creationTimestamp = intern(meta.creationTimestamp)
    if meta.labels:
        meta.labels = _labels(meta.labels, alone=not meta.namespace)
    if meta.annotations and not meta.namespace:
        meta.annotations = _annotations(tuple(meta.annotations.items()))
    if meta.ownerReferences:
        meta.ownerReferences = _references(meta.ownerReferences)
    return meta


def _labels(labels: dict[str, str], *, alone: bool) -> dict[str, str]:
    """What has no namespace has no replicas either: it shares words with others, not the whole."""
    return {name: intern(value) for name, value in labels.items()} if alone else interned_labels(labels)


def _references(owners: tuple[Owner, ...]) -> tuple[Owner, ...]:
    """Of what a controller made there are more alike; of the rest, such as the lease of a node, there is one."""
    if _controller(owners) is not None:
        return _owners(owners)
    return tuple(
        [
            msgspec.structs.replace(
                owner,
                apiVersion=intern(owner.apiVersion),
                kind=intern(owner.kind),
                name=intern(owner.name),
                uid=intern(owner.uid),
            )
            for owner in owners
        ]
    )


class Parts:
    """Decoded parts shared among equal bytes: a thousand replicas have one decoded spec."""

    __slots__ = ("_capacity", "_parts")

    def __init__(self, capacity: int = MAX_SHARED_PARTS) -> None:
        self._capacity = capacity
        self._parts: OrderedDict[bytes, Object] = OrderedDict()

    def decoded(self, part: bytes) -> Object:
        found = self._parts.get(part)
        if found is not None:
            self._parts.move_to_end(part)
            return found
        value = decode_part(part)
        self._parts[part] = value
        if len(self._parts) > self._capacity:
            self._parts.popitem(last=False)
        return value

    def __len__(self) -> int:
        return len(self._parts)


class View:
    """One object at one revision, read only: never change what a property returns."""

    __slots__ = ("_facts", "deleting", "encoded", "key", "meta", "owner", "parts", "places")

    def __init__(self, encoded: Encoded, parts: Parts, before: View | None = None) -> None:
        self.encoded = encoded
        self.meta: Metadata
        self.key: str
        """``namespace/name``, or ``name`` for a cluster-scoped object."""
        self.deleting: bool
        self.owner: Owner | None
        """The controller's reference, if there is one."""
        if before is not None and before.encoded.metadata == encoded.metadata:
            self.meta, self.key, self.deleting, self.owner = before.meta, before.key, before.deleting, before.owner
        else:
            meta = decode_metadata(encoded.metadata)
            if before is not None:
                # Mostly the managed fields alone are others, which are not decoded.
                self.meta = meta = before.meta if before.meta == meta else _thrifty(meta)
                self.key = before.key
            else:
                self.meta = meta = _thrifty(meta)
                self.key = f"{meta.namespace}/{meta.name}" if meta.namespace else meta.name
            self.deleting = meta.deletionTimestamp is not None
            self.owner = _controller(meta.ownerReferences)
        self.places: tuple[tuple[str, ...], ...] = ()
        """The values under which the cache's indexes hold this view, in the order of the indexes."""
        self.parts = parts
        """Decodes status and rest, shared with all views of the cache."""
        self._facts: tuple[Any, Any, Any] | None = None
        # The last function, what it found, and those before it.

    @property
    def name(self) -> str:
        return self.meta.name

    @property
    def namespace(self) -> str:
        return self.meta.namespace

    @property
    def uid(self) -> str:
        return self.meta.uid

    @property
    def revision(self) -> int:
        return self.encoded.revision

    @property
    def generation(self) -> int:
        return self.meta.generation

    @property
    def labels(self) -> dict[str, str]:
        return self.meta.labels or _NONE

    @property
    def annotations(self) -> dict[str, str]:
        return self.meta.annotations or _NONE

    @property
    def metadata(self) -> Object:
        """All of the metadata, decoded at each call, with ``resourceVersion``."""
        return self.encoded.decode_metadata()

    @property
    def rest(self) -> Object:
        """Everything but metadata and status, shared among objects with equal bytes."""
        return self.parts.decoded(self.encoded.rest)

    @property
    def spec(self) -> Object:
        spec: Object = self.rest.get("spec") or {}
        return spec

    @property
    def status(self) -> Object:
        return self.parts.decoded(self.encoded.status) if self.encoded.status else {}

    @property
    def object(self) -> Object:
        """The whole object as a new dict of the caller's own."""
        return self.encoded.decode()

    def facts(self, derive: Callable[[View], T]) -> T:
        """What ``derive`` (pure, a function of a module) makes of this view, computed once for each function."""
        held = self._facts
        while held is not None:
            if held[0] is derive:
                found: T = held[1]
                return found
            held = held[2]
        value = derive(self)
        self._facts = (derive, value, self._facts)
        return value

    def __repr__(self) -> str:
        return f"View({self.key!r}, revision={self.revision})"


def _controller(references: tuple[Owner, ...]) -> Owner | None:
    for reference in references:
        if reference.controller:
            return reference
    return None
