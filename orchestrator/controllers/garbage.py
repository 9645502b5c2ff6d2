"""Garbage collection: nothing outlives the last of its owners; a foreground deletion waits for what it owns.

Three ways, told by finalizers and propagation: background (owners go, dependents follow), foreground (dependents that
block go first), orphan (dependents lose the reference and stay). Owners count by uid; an owner that the caches do not
show is looked up at the server before it is called absent.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Iterable, Mapping
from typing import Any, ClassVar

import msgspec

from orchestrator.apimachinery.errors import StatusError
from orchestrator.client.batcher import Batcher
from orchestrator.client.cache import index_of_metadata
from orchestrator.client.kinds import CUSTOMRESOURCEDEFINITIONS, Kind
from orchestrator.client.protocol import MAX_BATCH_REQUESTS, Request, Want
from orchestrator.client.requests import delete, patch
from orchestrator.client.served import defined, served
from orchestrator.client.subscription import Keys
from orchestrator.client.view import Owner, View
from orchestrator.controllers.controller import Controller, Watched
from orchestrator.controllers.outcome import DONE, Outcome, requeue_after, retry

FOREGROUND = "foregroundDeletion"
ORPHAN = "orphan"
BY_OWNER_UID = "owners"
MAX_ABSENT = 4096
"""Uids of owners that were found to be gone, remembered so that their thousand dependents ask once."""
AGAIN_SECONDS = 0.1
"""Owners and dependents that a caches may not show yet are looked at again after this."""


class Verdict(msgspec.Struct, frozen=True):
    """The owners of an object: there, gone, or waiting for the object to go first."""

    solid: list[Owner]
    dangling: list[Owner]
    waiting: list[Owner]


@index_of_metadata
def owner_uids(view: View) -> Iterable[str]:
    """Index: every owner, controller or not."""
    return [reference.uid for reference in view.meta.ownerReferences]


def in_foreground(view: View) -> bool:
    return view.deleting and FOREGROUND in view.meta.finalizers


def orphaning(view: View) -> bool:
    return view.deleting and ORPHAN in view.meta.finalizers


def propagation(view: View) -> str:
    """How an object that has lost its owners is deleted: as its own finalizers say."""
    if ORPHAN in view.meta.finalizers:
        return "Orphan"
    return "Foreground" if FOREGROUND in view.meta.finalizers else "Background"


def without(view: View, uids: Iterable[str]) -> dict[str, Any]:
    """The merge patch that takes these owners from an object."""
    gone = set(uids)
    kept = [held for held in view.metadata.get("ownerReferences", []) if held["uid"] not in gone]
    return {"metadata": {"uid": view.uid, "resourceVersion": str(view.revision), "ownerReferences": kept or None}}


def unblocked(view: View) -> dict[str, Any]:
    """The merge patch after which an object's owners do not wait for it (a circle is broken so)."""
    kept = [{**held, "blockOwnerDeletion": False} for held in view.metadata.get("ownerReferences", [])]
    return {"metadata": {"uid": view.uid, "resourceVersion": str(view.revision), "ownerReferences": kept}}


def without_finalizer(view: View, finalizer: str) -> dict[str, Any]:
    kept = [held for held in view.meta.finalizers if held != finalizer]
    return {"metadata": {"uid": view.uid, "resourceVersion": str(view.revision), "finalizers": kept or None}}


class GarbageCollector(Controller, kind=CUSTOMRESOURCEDEFINITIONS):
    """Keys are ``<kind's label> <namespace/name>``: one queue for all kinds."""

    workers: ClassVar[int] = MAX_BATCH_REQUESTS
    """Deletes of a burst wait together and leave as one whole batch: a node hears of more of its pods at once."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._kinds: dict[str, Kind] = {}
        self._by_name: dict[tuple[str, str], Kind] = {}
        self._absent: OrderedDict[str, None] = OrderedDict()
        self._owned: dict[str, Mapping[str, Collection[str]]] = {}
        """The index by owner of each kind, made anew when another kind is followed."""
        self._owned_of = 0
        self._batcher = Batcher(self.client, lambda work, name: self.context.task(work, name))

    def watches(self) -> list[Watched]:
        for kind in served():
            self._learn(kind)
        known = [self._watched(kind) for kind in self._kinds.values() if kind != CUSTOMRESOURCEDEFINITIONS]
        return [Watched(CUSTOMRESOURCEDEFINITIONS, self._definition_keys), *known]

    def _learn(self, kind: Kind) -> None:
        self._kinds[kind.label] = kind
        self._by_name[(kind.group, kind.kind)] = kind

    def _watched(self, kind: Kind) -> Watched:
        return Watched(kind, self._keys_of(kind), {BY_OWNER_UID: owner_uids})

    def _definition_keys(self, old: View | None, new: View | None) -> Iterable[str]:
        return (DEFINITIONS,) if new is not None else ()

    def _keys_of(self, kind: Kind) -> Keys:
        label = kind.label

        def keys(old: View | None, new: View | None) -> Iterable[str]:
            if old is not None and new is not None and old.uid != new.uid:
                return [*keys(old, None), *keys(None, new)]  # a watch that was cut shows a replacement as a change
            if new is not None:
                found = [f"{label} {new.key}"] if self._concerned(old, new) else []
                if old is not None and old.meta.ownerReferences != new.meta.ownerReferences:
                    found += self._waiting_owner_keys(old)
                return found
            if old is None:
                return ()
            self._forget_absent(old.uid)
            return [*self._dependent_keys(old.uid), *self._waiting_owner_keys(old)]

        return keys

    def _forget_absent(self, uid: str) -> None:
        self._absent[uid] = None
        if len(self._absent) > MAX_ABSENT:
            self._absent.popitem(last=False)

    def _concerned(self, old: View | None, new: View) -> bool:
        """Whether an object that is there asks for work: it is being deleted by us, or an owner may be missing."""
        if in_foreground(new) or orphaning(new):
            return old is None or not old.deleting or old.meta.finalizers != new.meta.finalizers
        references = new.meta.ownerReferences
        if not references or (old is not None and old.meta.ownerReferences == references):
            return False
        return any(self._cached(new, reference) is None for reference in references)

    def _dependent_keys(self, uid: str) -> list[str]:
        return [f"{label} {view.key}" for label, view in self._dependents(uid)]

    def _waiting_owner_keys(self, view: View) -> list[str]:
        found = []
        for reference in view.meta.ownerReferences:
            owner = self._cached(view, reference)
            if owner is not None and in_foreground(owner[1]):
                found.append(f"{owner[0].label} {owner[1].key}")
        return found

    def _dependents(self, uid: str) -> list[tuple[str, View]]:
        if self._owned_of < len(self.caches):
            self._owned_of = len(self.caches)
            self._owned = {
                label: held.index(BY_OWNER_UID)
                for label in self._kinds
                if (held := self.caches.get(label)) is not None and held.has_index(BY_OWNER_UID)
            }
        labels = [label for label, uids in self._owned.items() if uid in uids]
        return [(label, view) for label in labels for view in self.caches[label].by_index(BY_OWNER_UID, uid)]

    def _cached(self, view: View, reference: Owner) -> tuple[Kind, View] | None:
        kind = self._by_name.get((reference.apiVersion.rpartition("/")[0], reference.kind))
        cache = self.caches.get(kind.label) if kind is not None else None
        if kind is None or cache is None:
            return None
        owner = cache.get(view.namespace if kind.namespaced else "", reference.name)
        return (kind, owner) if owner is not None and owner.uid == reference.uid else None

    async def reconcile(self, key: str) -> Outcome:
        if key == DEFINITIONS:
            return await self._learn_definitions()
        label, _, place = key.partition(" ")
        kind, cache = self._kinds[label], self.caches[label]
        view = cache.get_key(place)
        if view is None:
            return DONE
        if orphaning(view):
            return await self._orphan(key, kind, view)
        if in_foreground(view):
            return await self._foreground(key, kind, view)
        if view.deleting or not view.meta.ownerReferences:
            return DONE
        verdict = await self._judge(view)
        return await self._execute(key, kind, view, verdict) if verdict is not None else requeue_after(AGAIN_SECONDS)

    async def _learn_definitions(self) -> Outcome:
        for kind in defined(self.cache(CUSTOMRESOURCEDEFINITIONS).list()):
            if kind.label not in self._kinds:
                self._learn(kind)
                watched = self._watched(kind)
                await self.informers.cache(kind, watched.indexes)
                self.caches[kind.label] = await self.informers.subscribe(
                    kind, self.context.ref, watched.keys, tag=kind.label
                )
        return DONE

    async def _judge(self, view: View) -> Verdict | None:
        """None when an owner's kind is not known: nothing is decided about an object that may have an owner."""
        verdict = Verdict([], [], [])
        for reference in view.meta.ownerReferences:
            owner = self._cached(view, reference)
            if owner is not None:
                (verdict.waiting if in_foreground(owner[1]) else verdict.solid).append(reference)
            elif reference.uid in self._absent:
                verdict.dangling.append(reference)
            else:
                there = await self._ask(view, reference)
                if there is None:
                    return None
                (verdict.solid if there else verdict.dangling).append(reference)
        return verdict

    async def _ask(self, view: View, reference: Owner) -> bool | None:
        """Whether the owner is there, by a read past the cache."""
        kind = self._by_name.get((reference.apiVersion.rpartition("/")[0], reference.kind))
        if kind is None:
            return True
        try:
            live = await self.client.get(kind, reference.name, view.namespace if kind.namespaced else "")
        except StatusError as refused:
            if refused.code != 404:
                raise
            self._forget_absent(reference.uid)
            return False
        if live["metadata"]["uid"] != reference.uid:
            self._forget_absent(reference.uid)
            return False
        return True

    async def _execute(self, key: str, kind: Kind, view: View, verdict: Verdict) -> Outcome:
        if verdict.solid:
            gone = [owner.uid for owner in (*verdict.dangling, *verdict.waiting)]
            return await self._patch(key, kind, view, without(view, gone)) if gone else DONE
        if verdict.waiting and (dependents := self._dependents(view.uid)):
            blocks = any(owner.blockOwnerDeletion for owner in view.meta.ownerReferences)
            if blocks and any(in_foreground(held) for _, held in dependents):
                outcome = await self._patch(key, kind, view, unblocked(view))
                return outcome if outcome.retry else requeue_after(0.0)
            return await self._delete(key, kind, view, "Foreground")
        return await self._delete(key, kind, view, propagation(view))

    async def _foreground(self, key: str, kind: Kind, view: View) -> Outcome:
        blocking = [
            (label, held)
            for label, held in self._dependents(view.uid)
            if any(owner.uid == view.uid and owner.blockOwnerDeletion for owner in held.meta.ownerReferences)
        ]
        if not blocking:
            return await self._patch(key, kind, view, without_finalizer(view, FOREGROUND))
        for label, held in blocking:
            if not held.deleting:
                self.queue.add(f"{label} {held.key}")
        return DONE

    async def _orphan(self, key: str, kind: Kind, view: View) -> Outcome:
        dependents = self._dependents(view.uid)
        by_label: dict[str, list[Request]] = {}
        for label, held in dependents:
            change = without(held, [view.uid])
            request = patch(self._kinds[label], held.name, held.namespace, change, want=Want.REVISION)
            by_label.setdefault(label, []).append(request)
        for label, requests in by_label.items():
            responses = await self.write(key, self._kinds[label], requests)
            if any(response.code >= 400 and response.code != 404 for response in responses):
                return retry("a dependent could not be set free")
        return await self._patch(key, kind, view, without_finalizer(view, ORPHAN))

    async def _patch(self, key: str, kind: Kind, view: View, change: dict[str, Any]) -> Outcome:
        request = patch(kind, view.name, view.namespace, change, want=Want.REVISION)
        return await self._submit(key, kind, request)

    async def _delete(self, key: str, kind: Kind, view: View, policy: str) -> Outcome:
        request = delete(kind, view.name, view.namespace, uid=view.uid, revision=view.revision, propagation=policy)
        return await self._submit(key, kind, request)

    async def _submit(self, key: str, kind: Kind, request: Request) -> Outcome:
        response = await self._batcher.submit(request)
        self.expect(key, kind, response.revision if response.code < 400 else 0)
        if response.code >= 400 and response.code != 404:
            return retry(f"{request.verb} answered {response.code}")
        return DONE


DEFINITIONS = "definitions"
