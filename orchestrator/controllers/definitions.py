"""CustomResourceDefinitions: names are taken once, then the kind is served; with a definition its objects go.

The API server serves what is established here. Conditions and reasons are Kubernetes': NamesAccepted, Established,
Terminating.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

import msgspec

from orchestrator.apimachinery.encoded import Object
from orchestrator.client.kinds import CUSTOMRESOURCEDEFINITIONS, Kind
from orchestrator.client.protocol import Options, Request, Want
from orchestrator.client.requests import delete_collection, list_, patch, update_status
from orchestrator.client.view import View
from orchestrator.controllers import conditions
from orchestrator.controllers.controller import Controller, Watched, refusals
from orchestrator.controllers.outcome import DONE, Outcome, requeue_after, retry

CLEANUP = "customresourcecleanup.apiextensions.k8s.io"
FIRST_SECONDS = 0.01
"""Objects with finalizers of their own are looked at again after this, and then after twice as long each time."""
AGAIN_SECONDS = 0.25
"""But not later than this."""


class Claim(msgspec.Struct, frozen=True):
    """What a definition gets of the names it asks for; ``conflict`` says which are somebody else's."""

    names: Object
    conflict: str = ""
    reason: str = ""


def claim(definition: View, others: Sequence[View]) -> Claim:
    """The names that no other definition of the group holds. Pure."""
    wanted: Object = definition.spec["names"]
    held = [_accepted(other) for other in others if other.uid != definition.uid and _group(other) == _group(definition)]
    words = {names.get(key) for names in held for key in ("plural", "singular") if names.get(key)}
    words |= {short for names in held for short in names.get("shortNames") or ()}
    kinds = {names.get(key) for names in held for key in ("kind", "listKind") if names.get(key)}
    accepted = {"plural": wanted["plural"], "kind": wanted["kind"]}
    problems: list[tuple[str, str]] = []
    for key, label, taken in (
        ("plural", "PluralConflict", words),
        ("singular", "SingularConflict", words),
        ("kind", "KindConflict", kinds),
        ("listKind", "ListKindConflict", kinds),
    ):
        if wanted.get(key) in taken:
            problems.append((label, f'"{wanted[key]}" is already in use'))
        elif wanted.get(key):
            accepted[key] = wanted[key]
    short = [name for name in wanted.get("shortNames") or () if name in words]
    if short:
        problems.append(("ShortNamesConflict", f'"{short[0]}" is already in use'))
    elif wanted.get("shortNames"):
        accepted["shortNames"] = wanted["shortNames"]
    if wanted.get("categories"):
        accepted["categories"] = wanted["categories"]
    if problems:
        return Claim(accepted, problems[0][1], problems[0][0])
    return Claim(accepted)


def status(definition: View, claimed: Claim, now: float) -> Object:
    """The status that the claim leads to: established once, established for ever. Pure."""
    held: list[Object] = list(definition.status.get("conditions") or ())
    if claimed.conflict:
        made = conditions.make("NamesAccepted", False, claimed.reason, claimed.conflict, now)
        held = conditions.put(held, made)
        if not conditions.is_true(held, "Established"):
            held = conditions.put(
                held, conditions.make("Established", False, "NotAccepted", "not all names are accepted", now)
            )
    else:
        held = conditions.put(held, conditions.make("NamesAccepted", True, "NoConflicts", "no conflicts found", now))
        text = "the initial names have been accepted"
        held = conditions.put(held, conditions.make("Established", True, "InitialNamesAccepted", text, now))
    return {**definition.status, "conditions": held, "acceptedNames": claimed.names}


def _group(definition: View) -> str:
    return str(definition.spec["group"])


def _accepted(definition: View) -> Object:
    if not conditions.is_true(definition.status.get("conditions") or (), "NamesAccepted"):
        return {}
    names: Object = definition.status.get("acceptedNames") or {}
    return names


class Definitions(Controller, kind=CUSTOMRESOURCEDEFINITIONS):
    """Every definition is established, or says why not; one that is deleted takes its objects along."""

    workers: ClassVar[int] = 1
    """Two definitions may want one name: they are looked at one after the other."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._patience: dict[str, float] = {}
        """Seconds until the next look at the objects of a definition that is going."""

    def watches(self) -> list[Watched]:
        return [Watched(CUSTOMRESOURCEDEFINITIONS, self._keys)]

    def _keys(self, old: View | None, new: View | None) -> Iterable[str]:
        """Itself, and when one goes those that may have waited for its names."""
        if new is not None:
            return (new.key,)
        return [view.key for view in self.cache(CUSTOMRESOURCEDEFINITIONS).list()]

    async def reconcile(self, key: str) -> Outcome:
        definition = self.cache(CUSTOMRESOURCEDEFINITIONS).get_key(key)
        if definition is None:
            return DONE
        if definition.deleting:
            return await self._clean(key, definition)
        made = status(definition, claim(definition, self.cache(CUSTOMRESOURCEDEFINITIONS).list()), self.now())
        if made == definition.status:
            return DONE
        return await self._put(key, [update_status(CUSTOMRESOURCEDEFINITIONS, definition, made)])

    async def _put(self, key: str, requests: list[Request]) -> Outcome:
        refused = refusals(await self.write(key, CUSTOMRESOURCEDEFINITIONS, requests))
        return retry(refused[0][2]) if refused and refused[0][1] != "NotFound" else DONE

    async def _clean(self, key: str, definition: View) -> Outcome:
        if CLEANUP not in definition.meta.finalizers:
            return DONE
        held: list[Object] = list(definition.status.get("conditions") or ())
        if not conditions.is_true(held, "Terminating"):
            text = "CustomResource deletion is in progress"
            made = conditions.put(
                held, conditions.make("Terminating", True, "InstanceDeletionInProgress", text, self.now())
            )
            return await self._put(
                key,
                [update_status(CUSTOMRESOURCEDEFINITIONS, definition, {**definition.status, "conditions": made})],
            )
        if conditions.is_true(held, "Established") and await self._remaining(_kind(definition)):
            seconds = self._patience.get(key, FIRST_SECONDS)
            self._patience[key] = min(2.0 * seconds, AGAIN_SECONDS)
            return requeue_after(seconds)
        self._patience.pop(key, None)
        kept = [name for name in definition.meta.finalizers if name != CLEANUP]
        change = {"metadata": {"resourceVersion": str(definition.revision), "finalizers": kept or None}}
        return await self._put(key, [patch(CUSTOMRESOURCEDEFINITIONS, definition.name, "", change, want=Want.REVISION)])

    async def _remaining(self, kind: Kind) -> bool:
        """Delete all objects of the kind; whether some are still there."""
        listed = await self.client.batch([list_(kind, "", Options())])
        items = listed[0].items if listed[0].code < 400 else None
        if not items:
            return False
        places = {item.decode_metadata().get("namespace", "") for item in items}
        await self.client.batch([delete_collection(kind, place) for place in sorted(places)])
        left = await self.client.batch([list_(kind, "", Options(limit=1))])
        return bool(left[0].items)


def _kind(definition: View) -> Kind:
    spec = definition.spec
    version = next(each["name"] for each in spec["versions"] if each.get("storage"))
    names = definition.status.get("acceptedNames") or spec["names"]
    return Kind(spec["group"], version, names["plural"], names["kind"], spec["scope"] == "Namespaced")
