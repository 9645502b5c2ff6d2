"""Subscribers are told the keys of what concerns them, and are not asked about what cannot."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from orchestrator.apimachinery.encoded import encode
from orchestrator.client.cache import Change, MutableCache
from orchestrator.client.kinds import PODS
from orchestrator.client.subscription import KeysUnless, OwnerKeys, Subscriptions
from orchestrator.client.view import Parts, View


class Box:
    """In the place of a ref: keeps the keys it is told."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.told: list[str] = []

    def tell_nowait(self, message: Any) -> bool:
        self.told += message.keys
        return True


class Owners:
    """The subscription of one kind of owner, which counts how often it is asked for keys in full."""

    def __init__(self, kind: str) -> None:
        self.box = Box(kind)
        self.others: list[tuple[View | None, View | None]] = []
        self.keys = OwnerKeys(kind, lambda view: view.owner.name if view.owner else "", self._others)

    def _others(self, old: View | None, new: View | None) -> Iterable[str]:
        self.others.append((old, new))
        return [view.owner.name for view in (new, old) if view is not None and view.owner is not None]


def view(name: str, owner: tuple[str, str] | None = None) -> View:
    references = [{"kind": owner[0], "name": owner[1], "uid": owner[1], "controller": True}] if owner else []
    metadata = {"name": name, "namespace": "default", "ownerReferences": references}
    return View(encode({"kind": "Pod", "metadata": metadata}, 1), Parts())


def subscribed(*owners: Owners) -> Subscriptions:
    made = Subscriptions(MutableCache(PODS))
    for one in owners:
        made.add(one.box, one.keys)  # type: ignore[arg-type]
    return made


def test_an_object_that_is_new_or_gone_is_told_to_the_kind_of_its_owner_alone() -> None:
    sets, jobs = Owners("ReplicaSet"), Owners("Job")
    subscriptions = subscribed(sets, jobs)
    one, other = view("a", ("ReplicaSet", "web")), view("b", ("Job", "once"))
    subscriptions.note([Change(None, one, 2), Change(None, other, 3), Change(one, None, 4)])
    subscriptions.flush()
    assert (sets.box.told, jobs.box.told) == (["web"], ["once"])
    assert [*sets.others, *jobs.others] == []


def test_an_object_that_changes_its_owner_is_told_to_both_and_an_orphan_to_all() -> None:
    sets, jobs = Owners("ReplicaSet"), Owners("Job")
    subscriptions = subscribed(sets, jobs)
    subscriptions.note([Change(view("a", ("ReplicaSet", "web")), view("a", ("Job", "once")), 2)])
    subscriptions.note([Change(None, view("b"), 3)])
    subscriptions.flush()
    assert sets.box.told == ["once", "web"] == jobs.box.told
    assert len(sets.others) == len(jobs.others) == 2


def test_who_is_idle_is_asked_once_for_a_frame_and_for_no_key() -> None:
    asked: list[str] = []
    idle = True

    def is_idle() -> bool:
        asked.append("idle")
        return idle

    def keys(old: View | None, new: View | None) -> Iterable[str]:
        asked.append("keys")
        return [seen.name for seen in (old, new) if seen is not None]

    box = Box("budgets")
    subscriptions = Subscriptions(MutableCache(PODS))
    subscriptions.add(box, KeysUnless(is_idle, keys))  # type: ignore[arg-type]
    asked.clear()
    frame = [Change(None, view("a"), 2), Change(None, view("b"), 3)]
    subscriptions.note(frame)
    assert asked == ["idle"]
    idle = False
    subscriptions.note(frame)
    subscriptions.flush()
    assert (asked, box.told) == (["idle", "idle", "keys", "keys"], ["a", "b"])
